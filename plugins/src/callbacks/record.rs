//! What is told: an exchange that is over, or what an admin changed.

use super::desk::Room;
use super::payload;
use crate::exchange::Exchange;
use crate::said::Heard;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::OnceCell;
use weir_core::domain::key::Caller;
use weir_core::domain::spend::Entry;
use weir_core::ports::AuditEntry;

/// One thing that is told. It takes its room until everybody has been told.
pub(super) struct Record {
    pub(super) what: What,
    pub(super) bytes: usize,
    _room: Room,
}

pub(super) enum What {
    Exchange(Box<Finished>),
    Audit(Box<AuditEntry>),
}

/// An exchange that is over. Made on the hot path, so nothing of it is read yet.
pub struct Finished {
    /// As it is booked.
    pub(super) entry: Box<Entry>,
    pub(super) caller: Caller,
    pub(super) provider_time: Duration,
    /// Names, with commas.
    pub(super) guardrails: String,
    /// The client's, whatever it is.
    pub(super) traceparent: String,
    /// Nobody is told whose key it was.
    hides_key: bool,
    silent: bool,
    heard: Heard,
    said: OnceCell<Said>,
}

/// Request and answer, read once for all who are told.
pub(super) struct Said {
    pub(super) request: Value,
    pub(super) answer: Value,
}

/// What one callback is told.
pub(super) struct Told<'a> {
    pub(super) record: &'a Record,
    pub(super) exchange: Option<Exchanged<'a>>,
}

/// An exchange, as far as one callback may know it.
pub(super) struct Exchanged<'a> {
    pub(super) finished: &'a Finished,
    pub(super) said: &'a Said,
    /// Without what was said.
    pub(super) silent: bool,
}

/// Bytes of one text; longer ones (pictures, documents) are cut.
const LONGEST: usize = 64 << 10;
/// About what a record weighs beside the texts in it.
const WEIGHT: usize = 2_048;
/// What stands in place of what is not told, LiteLLM's word.
const REDACTED: &str = "redacted-by-litellm";
/// Where requests have what is said to a model.
static ASKED: &[&str] = &["messages", "input", "prompt", "contents", "query", "text"];

// --- Record ---

impl Record {
    pub(super) fn new(what: What, room: Room) -> Self {
        Self { bytes: what.weight(), what, _room: room }
    }
}

impl What {
    pub(super) fn weight(&self) -> usize {
        WEIGHT
            + match self {
                What::Exchange(finished) => finished.heard.len() + finished.entry.metadata.len(),
                What::Audit(entry) => entry.before.len() + entry.after.len(),
            }
    }
}

// --- Finished ---

impl Finished {
    pub fn of(x: &Exchange, entry: Box<Entry>, heard: Heard) -> Self {
        Self {
            entry,
            caller: x.caller.clone(),
            provider_time: x.answer.provider_time,
            guardrails: x.guarded.as_ref().map(|guarded| guarded.applied()).unwrap_or_default(),
            traceparent: x.header("traceparent").to_owned(),
            hides_key: x.snapshot.config.litellm.redact_user_api_key_info,
            silent: x.telling().silent,
            heard,
            said: OnceCell::new(),
        }
    }

    /// Of nobody: nothing happened that it tells of.
    pub(super) fn made_up(entry: Entry, heard: Heard) -> Self {
        Self {
            entry: Box::new(entry),
            caller: Caller::Anonymous,
            provider_time: Duration::ZERO,
            guardrails: String::new(),
            traceparent: String::new(),
            hides_key: false,
            silent: false,
            heard,
            said: OnceCell::new(),
        }
    }

    /// Waits for guardrails that mask what is told.
    async fn said(&self) -> &Said {
        let read = || async {
            let (request, answer) = self.heard.read(LONGEST).await;
            Said { request, answer }
        };
        self.said.get_or_init(read).await
    }

    /// Whose key it was, where that may be told.
    pub(super) fn known_caller(&self) -> Option<&Caller> {
        Some(&self.caller).filter(|_| !self.hides_key)
    }
}

#[cfg(test)]
impl Finished {
    pub(super) fn test(entry: Entry, caller: Caller, heard: Heard) -> Self {
        Self {
            caller,
            provider_time: Duration::from_millis(900),
            guardrails: String::from("words"),
            traceparent: String::from("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ..Self::made_up(entry, heard)
        }
    }

    /// Of a request whose words, or whose key, are told to nobody.
    pub(super) fn hiding(self, silent: bool, hides_key: bool) -> Self {
        Self { silent, hides_key, ..self }
    }
}

// --- Told ---

impl<'a> Told<'a> {
    /// `silent`: this callback is never told what was said.
    pub(super) async fn of(record: &'a Record, silent: bool) -> Self {
        let exchange = match &record.what {
            What::Exchange(finished) => {
                let said = finished.said().await;
                Some(Exchanged { finished, said, silent: silent || finished.silent })
            }
            What::Audit(_) => None,
        };
        Self { record, exchange }
    }

    /// LiteLLM's form of it, as JSON.
    pub(super) fn document(&self) -> String {
        match (&self.exchange, &self.record.what) {
            (Some(exchange), _) => exchange.document(),
            (None, What::Audit(entry)) => payload::audit(entry),
            (None, What::Exchange(_)) => String::new(),
        }
    }
}

// --- Exchanged ---

impl<'a> Exchanged<'a> {
    /// The same without what was said.
    pub(super) fn shut(&self) -> Exchanged<'a> {
        Exchanged { finished: self.finished, said: self.said, silent: true }
    }

    pub(super) fn document(&self) -> String {
        payload::exchange(self)
    }

    pub(super) fn entry(&self) -> &Entry {
        &self.finished.entry
    }

    /// What was said to the model.
    pub(super) fn messages(&self) -> Value {
        if self.silent {
            return json!([{ "role": "user", "content": REDACTED }]);
        }
        ASKED.iter().find_map(|name| self.said.request.get(name)).cloned().unwrap_or_default()
    }

    /// What it answered; null for nothing.
    pub(super) fn response(&self) -> Value {
        let answered = self.entry().status == weir_core::domain::spend::Status::Success;
        match self.silent {
            true if answered => json!({ "text": REDACTED }),
            true => Value::Null,
            false => self.said.answer.clone(),
        }
    }

    /// A member of the client's `metadata`, where it is text.
    pub(super) fn metadata(&self, name: &str) -> Option<&str> {
        self.said.request.get("metadata")?.get(name)?.as_str().filter(|text| !text.is_empty())
    }
}
