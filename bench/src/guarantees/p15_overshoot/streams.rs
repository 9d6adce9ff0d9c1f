//! Those who spend the budget: each asks for one stream after the other, at one replica after the other, until it is told
//! that the budget is spent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;
use weir_core::domain::money::NanoUsd;

use super::cluster::Doors;
use crate::load::{Client, Plan};
use crate::mock::obedient::LONGEST;
use crate::targets::DEAR;

/// While a replica is down.
const PAUSE: Duration = Duration::from_millis(20);

/// What all streams were told.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) served: u64,
    /// 429: others hold what is left, come again.
    pub(super) held: u64,
    /// Answers that a killed replica owes.
    pub(super) lost: u64,
    pub(super) refusals: Vec<Refusal>,
    /// Streams that were not refused in time.
    pub(super) unfinished: u64,
    /// Answers of no other kind.
    pub(super) others: BTreeMap<String, u64>,
}

/// The budget is said to be spent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    pub(super) at: Instant,
    /// Nano-dollars, as it says itself.
    pub(super) spent: Option<i64>,
}

pub(super) fn body() -> Bytes {
    let messages = json!([{"role": "user", "content": "Please go on."}]);
    json!({"model": DEAR, "stream": true, "max_tokens": LONGEST, "messages": messages}).to_string().into()
}

/// Must run on a [`crate::load::driver`].
pub(super) async fn streams(doors: Arc<Doors>, count: usize, until: Instant) -> Told {
    let mut asking = JoinSet::new();
    for number in 0..count {
        asking.spawn_local(one(Arc::clone(&doors), number, until));
    }
    let mut all = Told::default();
    while let Some(told) = asking.join_next().await {
        match told {
            Ok(told) => all.add(told),
            Err(_) => all.unfinished += 1,
        }
    }
    all
}

async fn one(doors: Arc<Doors>, number: usize, until: Instant) -> Told {
    let (mut told, mut client, mut turn) = (Told::default(), Client::new(), number);
    while told.refusals.is_empty() {
        if Instant::now() >= until {
            told.unfinished += 1;
            break;
        }
        let Some(plan) = doors.get(turn % doors.len().max(1)) else {
            turn += 1;
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // A connection leads to one replica.
        if doors.len() > 1 {
            client = Client::new();
        }
        told.ask(&mut client, &plan, || {
            doors.get(turn % doors.len()).is_none_or(|now| now.addr != plan.addr)
        })
        .await;
        turn += 1;
    }
    told
}

// --- impl Told ---

impl Told {
    /// `gone`: whether the replica has gone since.
    async fn ask(&mut self, client: &mut Client, plan: &Plan, gone: impl Fn() -> bool) {
        let answer = client.exchange(plan).await;
        let whole = memmem::find(client.body(), b"data: [DONE]").is_some();
        match answer {
            Ok(arrival) if arrival.status == 200 && whole => self.served += 1,
            Ok(arrival) if arrival.status == 429 => self.held += 1,
            Ok(arrival) if arrival.status == 400 && says(client.body()).is_some() => {
                let spent = says(client.body()).and_then(|error| error.spent());
                self.refusals.push(Refusal { at: arrival.last, spent });
            }
            Ok(_) | Err(_) if gone() => self.lost += 1,
            Ok(arrival) if arrival.status == 200 => self.other("stream without its end"),
            Ok(arrival) => self.other(&format!("status {}", arrival.status)),
            Err(failure) => self.other(&failure.0),
        }
    }

    fn other(&mut self, kind: &str) {
        *self.others.entry(kind.to_owned()).or_default() += 1;
    }

    fn add(&mut self, more: Told) {
        self.served += more.served;
        self.held += more.held;
        self.lost += more.lost;
        self.unfinished += more.unfinished;
        self.refusals.extend(more.refusals);
        for (kind, count) in more.others {
            *self.others.entry(kind).or_default() += count;
        }
    }

    /// Answers of no kind that there should be.
    pub(super) fn wrong(&self) -> u64 {
        self.others.values().sum()
    }

    /// Them by kind, if there were any.
    pub(super) fn odd(&self) -> Option<String> {
        (!self.others.is_empty()).then(|| format!("{:?}", self.others))
    }
}

// --- the refusal ---

#[derive(Deserialize)]
struct Body {
    error: Error,
}

#[derive(Deserialize)]
struct Error {
    r#type: String,
    budget: Option<Budget>,
}

#[derive(Deserialize)]
struct Budget {
    spent: String,
}

fn says(body: &[u8]) -> Option<Error> {
    let body: Body = serde_json::from_slice(body).ok()?;
    Some(body.error).filter(|error| error.r#type == "budget_exceeded")
}

impl Error {
    fn spent(&self) -> Option<i64> {
        NanoUsd::parse(&self.budget.as_ref()?.spent).ok().map(|spent| spent.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_what_is_spent() {
        let body = br#"{"error":{"message":"","type":"budget_exceeded","code":"400","budget":{"scope":"key","spent":"0.995","max_budget":"1"}}}"#;
        assert_eq!(says(body).unwrap().spent(), Some(995_000_000));
        assert!(says(br#"{"error":{"type":"invalid_request_error"}}"#).is_none());
        assert!(says(b"data: [DONE]").is_none());
    }
}
