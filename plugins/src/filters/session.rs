//! Sessions and loops: an agent that has run away is stopped, and told so once. Dollars of a session are a budget like
//! others (`budgets/windows.rs`); calls, time and repetitions are counted here, by this process.

use super::FilterKind;
use super::entry::session;
use crate::exchange::Exchange;
use crate::plugin::{Flow, Phase, Plugin};
use crate::policy::Policy;
use async_trait::async_trait;
use moka::sync::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use weir_core::config::SessionCaps;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::error::{ApiError, Kind};

pub static KIND: FilterKind =
    FilterKind { name: "session", phases: &[Phase::Request], build: |_| Arc::new(Watch::default()) };

/// Sessions, and requests, that are remembered.
const REMEMBERED: u64 = 50_000;
/// A session of which nothing was heard for so long is forgotten.
const SILENCE: Duration = Duration::from_secs(24 * 3_600);
/// Longest time within which repetitions are counted.
const LONGEST_LOOP: Duration = Duration::from_secs(3_600);

struct Watch {
    sessions: Cache<[u8; 32], Arc<Seen>>,
    requests: Cache<[u8; 32], Arc<Seen>>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            sessions: Cache::builder().max_capacity(REMEMBERED).time_to_idle(SILENCE).build(),
            requests: Cache::builder().max_capacity(REMEMBERED).time_to_live(LONGEST_LOOP).build(),
        }
    }
}

/// Since when, and how often.
struct Seen {
    first: Instant,
    times: AtomicU32,
}

impl Seen {
    fn now() -> Arc<Self> {
        Arc::new(Self { first: Instant::now(), times: AtomicU32::new(0) })
    }

    /// Counts one more; answers how many there are now.
    fn count(&self) -> u32 {
        self.times.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }
}

#[async_trait]
impl Plugin for Watch {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        if x.caller.hash().is_none() || x.request.operation.counts() {
            return Ok(Flow::Continue);
        }
        let caps = caps(x);
        if caps.calls.is_some() || caps.time.is_some() {
            self.session(x, &caps)?;
        }
        if let Some(most) = x.snapshot.config.weir.loop_max_repeats {
            self.repeated(x, most)?;
        }
        Ok(Flow::Continue)
    }
}

impl Watch {
    fn session(&self, x: &Exchange, caps: &SessionCaps) -> Result<(), ApiError> {
        let Some(id) = session(x) else { return Ok(()) };
        let seen = self.sessions.get_with(digest(x, &[id.as_bytes()]), Seen::now);
        let (calls, lasts) = (seen.count(), seen.first.elapsed());
        if let Some(most) = caps.calls.filter(|most| calls > *most) {
            let message = format!("Session {id} has used all of its {most} calls; start a new session.");
            return Err(ApiError::new(Kind::SessionOver, message));
        }
        if let Some(longest) = caps.time.filter(|longest| lasts > *longest) {
            let message = format!(
                "Session {id} has lasted longer than its {} s; start a new session.",
                longest.as_secs()
            );
            return Err(ApiError::new(Kind::SessionOver, message));
        }
        Ok(())
    }

    fn repeated(&self, x: &Exchange, most: u32) -> Result<(), ApiError> {
        // Of a form or a raw call the body here is only a part: others like it may differ in the rest.
        if x.request.form.is_some() || x.request.pass.is_some() || x.request.operation == Operation::Realtime
        {
            return Ok(());
        }
        let route = x.request.operation.row().route;
        // The model may stand in the path.
        let id = digest(x, &[route.as_bytes(), x.target.requested.as_bytes(), x.request.body.bytes()]);
        let window = x.snapshot.config.weir.loop_window.min(LONGEST_LOOP);
        let mut seen = self.requests.get_with(id, Seen::now);
        if seen.first.elapsed() > window {
            seen = Seen::now();
            self.requests.insert(id, Arc::clone(&seen));
        }
        if seen.count() <= most {
            return Ok(());
        }
        let message = format!(
            "The very same request has come more than {most} times in {} s, which looks like a loop; change the request, or \
             wait.",
            window.as_secs()
        );
        Err(ApiError::new(Kind::LoopDetected, message))
    }
}

/// Whose, and what of it; parts cannot run into each other.
fn digest(x: &Exchange, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let first = x.caller.key().map(KeyRecord::first_hash);
    hash.update(first.or(x.caller.hash()).map(|hash| hash.hex()).unwrap_or_default());
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// What metadata say of sessions where they say anything.
const SAYS: &str = "\"session_max_";

/// The gateway's caps, with the key's own in their place.
pub fn caps(x: &Exchange) -> SessionCaps {
    let general = x.snapshot.config.weir.session;
    let Some(known) = x.caller.principal().filter(|known| known.key.metadata.len() > SAYS.len()) else {
        return general;
    };
    let said = || own(&known.key.metadata);
    let own = Policy::at_hand(known).map_or_else(said, |policy| *policy.session.get_or_init(said));
    SessionCaps {
        budget: own.budget.or(general.budget),
        calls: own.calls.or(general.calls),
        time: own.time.or(general.time),
    }
}

fn own(metadata: &str) -> SessionCaps {
    if !metadata.contains(SAYS) {
        return SessionCaps::default();
    }
    let own: Own = serde_json::from_str(metadata).unwrap_or_default();
    SessionCaps {
        budget: own.session_max_budget.and_then(|amount| NanoUsd::parse(amount.get()).ok()),
        calls: own.session_max_calls,
        time: own.session_max_time.map(Duration::from_secs),
    }
}

#[derive(Default, Deserialize)]
struct Own {
    session_max_budget: Option<Box<serde_json::value::RawValue>>,
    session_max_calls: Option<u32>,
    session_max_time: Option<u64>,
}
