//! What was said in an exchange, made readable: streams as the answers that they stand for, long texts cut.

use crate::dialects::{TranslateError, View, client, upstream};
use crate::exchange::Exchange;
use crate::guardrails::{Hiding, Side};
use crate::metrics::Metrics;
use bytes::Bytes;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use weir_core::body::{JsonBody, fit};
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
    /// What masks what is kept.
    pub hiding: Option<Hiding>,
}

/// Request and answer as they may be told: JSON on one line, which a parser takes. `None`: there is nothing, or nothing
/// that may be told.
pub struct Legible {
    pub request: Option<JsonBody>,
    pub answer: Option<Bytes>,
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
        let Legible { request, answer } = self.read(longest).await;
        let text = |json: Option<&Bytes>| json.map(without_nul).unwrap_or_default();
        let request = text(request.as_ref().map(JsonBody::bytes));
        Said { id: self.id, started_at: self.started_at, request, response: text(answer.as_ref()) }
    }

    /// Request and answer, masked and cut. What may be told as it came is not copied.
    pub async fn read(&self, longest: usize) -> Legible {
        Legible { request: self.asked(longest).await, answer: self.answered(longest).await }
    }

    async fn asked(&self, longest: usize) -> Option<JsonBody> {
        let came = self.request.bytes();
        let told = match self.hiding_of(Side::Request) {
            None => fitted(came, longest)?,
            Some(hiding) => masked(hiding, tree(came)?, Side::Request, longest).await?,
        };
        if told.as_ptr() == came.as_ptr() {
            return Some(self.request.clone());
        }
        JsonBody::parse(told).ok()
    }

    async fn answered(&self, longest: usize) -> Option<Bytes> {
        if self.answer.is_empty() {
            return None;
        }
        match self.hiding_of(Side::Answer) {
            None => fitted(&self.answer, longest).or_else(|| fitted(&self.whole()?, longest)),
            Some(hiding) => {
                let answer = tree(&self.answer).or_else(|| tree(&self.whole()?))?;
                masked(hiding, answer, Side::Answer, longest).await
            }
        }
    }

    fn hiding_of(&self, side: Side) -> Option<&Hiding> {
        self.hiding.as_ref().filter(|hiding| hiding.looks_at(side))
    }

    /// The answer that a stream stands for, in the client's own dialect, as far as it came.
    fn whole(&self) -> Option<Bytes> {
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
        Some(writer.write_answer(collector.finish(), &view).into())
    }
}

/// Guardrails whose mode is `logging_only`, and what others have masked and put back.
fn hiding(x: &Exchange, metrics: &Arc<Metrics>) -> Option<Hiding> {
    let guarded = x.guarded.as_ref()?;
    let chosen = guarded.at(When::LoggingOnly);
    let (about, metrics) = (Arc::clone(&guarded.about), Arc::clone(metrics));
    (!chosen.is_empty() || guarded.is_masked()).then_some(Hiding { chosen, about, metrics })
}

/// JSON on one line, with long texts (pictures, documents) cut.
fn fitted(json: &Bytes, longest: usize) -> Option<Bytes> {
    match fit(json, longest)? {
        Cow::Borrowed(same) => Some(json.slice_ref(same.as_bytes())),
        Cow::Owned(text) => Some(text.into()),
    }
}

/// The same of what guardrails leave. They see it before it is cut: what is cut in two is found by nobody.
async fn masked(hiding: &Hiding, value: Value, side: Side, longest: usize) -> Option<Bytes> {
    let left = hiding.hide(value, side).await;
    if left.is_null() { None } else { fitted(&left.to_string().into(), longest) }
}

fn tree(json: &Bytes) -> Option<Value> {
    serde_json::from_slice(json).ok()
}

/// Postgres keeps no U+0000, neither as it is nor as JSON writes it.
fn without_nul(json: &Bytes) -> String {
    let json = String::from_utf8_lossy(json);
    if json.contains("\\u0000") { json.replace("\\u0000", "\\ufffd") } else { json.into_owned() }
}
