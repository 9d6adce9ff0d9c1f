//! What is told: an exchange that is over, or what an admin changed.

use super::desk::Room;
use super::payload;
use crate::deployment::Deployment;
use crate::exchange::Exchange;
use crate::guardrails::Run;
use crate::said::{Heard, Legible};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use weir_core::body::{JsonBody, Members, Node};
use weir_core::config::keys::is_openai_param;
use weir_core::domain::key::Caller;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::{Entry, Status};
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
    /// What they have said.
    pub(super) runs: Vec<Run>,
    /// Who answered, or was asked last.
    pub(super) deployment: Option<Arc<Deployment>>,
    /// What an answer would have cost that was there already.
    pub(super) saved: NanoUsd,
    /// The client's, whatever it is.
    pub(super) traceparent: String,
    /// Nobody is told whose key it was.
    hides_key: bool,
    silent: bool,
    heard: Heard,
    /// Read once for all who are told.
    said: OnceCell<Legible>,
}

/// What one callback is told.
pub(super) struct Told<'a> {
    pub(super) record: &'a Record,
    pub(super) exchange: Option<Exchanged<'a>>,
}

/// An exchange, as far as one callback may know it.
pub(super) struct Exchanged<'a> {
    pub(super) finished: &'a Finished,
    said: &'a Legible,
    /// Without what was said.
    pub(super) silent: bool,
}

/// Bytes of one text; longer ones (pictures, documents) are cut.
const LONGEST: usize = 64 << 10;
/// About what a record weighs beside the texts in it.
const WEIGHT: usize = 2_048;
/// What stands in place of what is not told, with LiteLLM's word for it.
const ASKED_REDACTED: &str = r#"[{"role":"user","content":"redacted-by-litellm"}]"#;
const ANSWERED_REDACTED: &str = r#"{"text":"redacted-by-litellm"}"#;
/// Where there is nothing.
const NULL: &str = "null";
/// Parameters that carry what is said.
static CONTENT: &[&str] = &["instructions", "metadata", "prediction", "suffix", "text", "user"];
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
            runs: x.guarded.as_ref().map(|guarded| guarded.about.runs.taken()).unwrap_or_default(),
            deployment: x.answer.deployment.clone(),
            saved: saved(x),
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
            runs: Vec::new(),
            deployment: None,
            saved: NanoUsd::ZERO,
            traceparent: String::new(),
            hides_key: false,
            silent: false,
            heard,
            said: OnceCell::new(),
        }
    }

    /// Waits for guardrails that mask what is told.
    async fn said(&self) -> &Legible {
        self.said.get_or_init(|| self.heard.read(LONGEST)).await
    }

    /// Whose key it was, where that may be told.
    pub(super) fn known_caller(&self) -> Option<&Caller> {
        Some(&self.caller).filter(|_| !self.hides_key)
    }
}

fn saved(x: &Exchange) -> NanoUsd {
    let answered = x.answer.deployment.as_ref().filter(|_| x.answer.cache_hit);
    answered.map_or(NanoUsd::ZERO, |deployment| deployment.cost_of(&x.answer.usage))
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

    /// Appends LiteLLM's form of it, as JSON on one line.
    pub(super) fn document(&self, out: &mut Vec<u8>) {
        match (&self.exchange, &self.record.what) {
            (Some(exchange), _) => payload::exchange(exchange, out),
            (None, What::Audit(entry)) => payload::audit(entry, out),
            (None, What::Exchange(_)) => {}
        }
    }

    /// The same, to be told within a text; without what was said where it would be longer than `most` bytes.
    pub(super) fn text(&self, most: usize) -> String {
        let mut out = Vec::new();
        self.document(&mut out);
        if let Some(exchange) = self.exchange.as_ref().filter(|_| out.len() > most) {
            out.clear();
            payload::exchange(&exchange.shut(), &mut out);
        }
        String::from_utf8(out).unwrap_or_default()
    }
}

// --- Exchanged ---

impl<'a> Exchanged<'a> {
    /// The same without what was said.
    fn shut(&self) -> Exchanged<'a> {
        Exchanged { finished: self.finished, said: self.said, silent: true }
    }

    pub(super) fn entry(&self) -> &'a Entry {
        &self.finished.entry
    }

    /// What was said to the model: JSON.
    pub(super) fn messages(&self) -> &'a str {
        if self.silent {
            return ASKED_REDACTED;
        }
        ASKED.iter().find_map(|name| self.asked(name)).unwrap_or(NULL)
    }

    /// What it answered: JSON, null for nothing.
    pub(super) fn response(&self) -> &'a str {
        let answered = self.entry().status == Status::Success;
        match self.silent {
            true if answered => ANSWERED_REDACTED,
            true => NULL,
            false => {
                let answer = self.said.answer.as_ref();
                answer.and_then(|json| std::str::from_utf8(json).ok()).unwrap_or(NULL)
            }
        }
    }

    /// A member of the request: JSON.
    pub(super) fn asked(&self, name: &str) -> Option<&'a str> {
        self.request()?.raw(name)
    }

    /// Members of the request that say how it is answered, not what is asked: JSON, in their order.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> + use<'a> {
        let request = self.request();
        let fields =
            request.into_iter().flat_map(|request| request.fields().iter().map(move |f| (request, f)));
        let named = fields.map(|(request, field)| (request.name(field), request, field));
        let told = named.filter(|(name, ..)| is_openai_param(name) && !CONTENT.contains(&name.as_ref()));
        told.map(|(name, request, field)| (name, request.value(field)))
    }

    /// A member of the client's `metadata`.
    pub(super) fn in_metadata(&self, name: &str) -> Option<Node<'a>> {
        serde_json::from_str::<Members<'a>>(self.asked("metadata")?).ok()?.take(name)
    }

    /// The same where it is text.
    pub(super) fn metadata(&self, name: &str) -> Option<Cow<'a, str>> {
        match self.in_metadata(name)? {
            Node::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    fn request(&self) -> Option<&'a JsonBody> {
        self.said.request.as_ref()
    }
}
