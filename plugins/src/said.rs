//! What was said in an exchange, made readable: streams as the answers that they stand for, long texts cut.

use crate::dialects::{TranslateError, View, client, upstream};
use crate::exchange::Exchange;
use crate::guardrails::{Hiding, Side};
use crate::metrics::Metrics;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use weir_core::body::JsonBody;
use weir_core::chat::{Collector, Dialect, Events};
use weir_core::codec::Deframer;
use weir_core::codec::frames::each;
use weir_core::config::When;
use weir_core::domain::ids::EntryId;
use weir_core::domain::spend::Said;
use weir_core::time::Micros;

/// Keeps what is said, later and elsewhere. Never waits; what it has no room for is dropped and counted.
pub trait Scribe: Send + Sync {
    fn take(&self, heard: Heard);
}

/// One exchange, as it passed.
pub struct Heard {
    pub id: EntryId,
    pub started_at: Micros,
    /// How the client speaks; `None` where it is no chat.
    pub client: Option<Dialect>,
    pub model: String,
    pub request: JsonBody,
    /// A JSON body, or a stream of events.
    pub answer: Bytes,
    /// Guardrails that mask what is kept.
    pub hiding: Option<Hiding>,
}

/// An event that is longer is no piece of a chat.
const MAX_EVENT: usize = 1 << 20;

impl Heard {
    /// `answer`: what the client was sent.
    pub fn of(x: &Exchange, answer: Bytes, metrics: &Arc<Metrics>) -> Self {
        Self {
            id: x.id,
            started_at: x.clock.started_at,
            client: x.request.operation.row().chat,
            model: x.view("").model.to_owned(),
            request: x.request.body.clone(),
            answer,
            hiding: hiding(x, metrics),
        }
    }

    /// Bytes that it holds.
    pub fn len(&self) -> usize {
        self.request.bytes().len() + self.answer.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As it is kept. No text in it is longer than `longest` bytes. Waits for guardrails that are services.
    pub async fn told(&self, longest: usize) -> Said {
        let (request, answer) = self.read(longest).await;
        let text = |value: Value| {
            if value.is_null() { String::new() } else { without_nul(value.to_string()) }
        };
        Said { id: self.id, started_at: self.started_at, request: text(request), response: text(answer) }
    }

    /// Request and answer, masked and cut; null where there is none.
    pub async fn read(&self, longest: usize) -> (Value, Value) {
        let mut request = serde_json::from_slice(self.request.bytes()).unwrap_or_default();
        let plain = serde_json::from_slice(&self.answer).ok();
        let mut answer = plain.or_else(|| self.whole()).unwrap_or_default();
        if let Some(hiding) = &self.hiding {
            request = hiding.hide(request, Side::Request).await;
            answer = hiding.hide(answer, Side::Answer).await;
        }
        (shortened(request, longest), shortened(answer, longest))
    }

    /// The answer that a stream stands for, in the client's own dialect, as far as it came.
    fn whole(&self) -> Option<Value> {
        let dialect = self.client?;
        let (reader, writer) = (upstream(dialect), client(dialect)?);
        let mut events = Events::new();
        let mut stream = reader.reader();
        let mut deframer = Deframer::new(reader.framing(), MAX_EVENT);
        let block = deframer.push(self.answer.clone()).ok()?;
        // What cannot be understood ends it.
        let _ = each::<TranslateError>(reader.framing(), &block, |frame| stream.read(frame, &mut events));
        // What was cut off is told as far as it goes.
        let _ = stream.end(&mut events);
        let mut collector = Collector::default();
        events.into_iter().for_each(|event| collector.take(event));
        let id = self.id.to_string();
        let view = View {
            model: &self.model,
            id: &id,
            created: self.started_at.seconds(),
            include_usage: true,
            body: &self.request,
        };
        serde_json::from_slice(&writer.write_answer(collector.finish(), &view)).ok()
    }
}

/// Guardrails whose mode is `logging_only`.
fn hiding(x: &Exchange, metrics: &Arc<Metrics>) -> Option<Hiding> {
    let guarded = x.guarded.as_ref()?;
    let chosen = guarded.at(When::LoggingOnly);
    let (about, metrics) = (Arc::clone(&guarded.about), Arc::clone(metrics));
    (!chosen.is_empty()).then_some(Hiding { chosen, about, metrics })
}

/// The same with long texts (pictures, documents) cut, which say how much is missing.
fn shortened(mut value: Value, longest: usize) -> Value {
    match &mut value {
        Value::String(text) if text.len() > longest => {
            let kept = text.floor_char_boundary(longest);
            let missing = text.len() - kept;
            text.truncate(kept);
            text.push_str(&format!("... ({missing} bytes more)"));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = shortened(item.take(), longest)),
        Value::Object(members) => {
            members.values_mut().for_each(|inner| *inner = shortened(inner.take(), longest));
        }
        _ => {}
    }
    value
}

/// Postgres keeps no U+0000, neither as it is nor as JSON writes it.
fn without_nul(json: String) -> String {
    if json.contains("\\u0000") { json.replace("\\u0000", "\\ufffd") } else { json }
}
