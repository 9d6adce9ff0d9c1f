//! The same dialect on both sides: what passes is looked at, never changed. Only the first and the last events of a
//! stream are parsed.

use super::usage::WireUsage;
use crate::dialects::openai_chat::{Report, StreamError};
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::LazyLock;
use weir_core::codec::sse;
use weir_core::domain::usage::Usage;

/// One per stream.
#[derive(Debug, Default)]
pub struct Scanner {
    report: Report,
    finished: bool,
    /// Events so far.
    seen: u64,
    /// Pieces of text since the provider counted last, and bytes in them: what is booked if no usage follows.
    pieces: u64,
    bytes: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Response<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    usage: Option<WireUsage>,
    #[serde(borrow)]
    output: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    /// Mostly a text. At which the usage is priced.
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    response: Option<Response<'a>>,
    /// Of streams that are no responses.
    usage: Option<WireUsage>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Events that close a stream.
static CLOSING: &[&str] =
    &["response.completed", "response.incomplete", "response.failed", "response.cancelled", "error"];

/// Events that close other streams of OpenAI's: transcriptions, pictures, speech.
static CLOSING_OTHERS: &[&str] =
    &["transcript.text.done", "image_generation.completed", "image_edit.completed", "speech.audio.done"];

const CREATED: &str = "response.created";

/// The error of a response that failed and does not say why, as JSON.
const UNSAID: &str = r#"{"message":"the response failed, for no reason given"}"#;

/// What a plain response says about itself. `None` when the body is no JSON object.
pub fn read_report(body: &[u8]) -> Option<Report> {
    // A list would be taken for the members in their order.
    body.trim_ascii_start().strip_prefix(b"{")?;
    let response: Response<'_> = serde_json::from_slice(body).ok()?;
    let usage = response.usage();
    Some(Report { id: response.id.map(Cow::into_owned), usage })
}

/// Whether a plain response has no output: it failed, or goes on in the background.
pub fn is_silent(body: &[u8]) -> bool {
    let response: Result<Response<'_>, _> = serde_json::from_slice(body);
    response.is_ok_and(|response| response.output.is_some_and(|output| output.is_empty()))
}

impl Response<'_> {
    fn usage(&self) -> Option<Usage> {
        let usage = self.usage?.with_output(self.output.as_deref());
        let tier: Option<Cow<'_, str>> =
            self.service_tier.and_then(|tier| serde_json::from_str(tier.get()).ok());
        Some(usage.served_at(tier.as_deref()))
    }
}

// --- Scanner ---

impl Scanner {
    /// Looks at a block of whole events. Gives the error that the provider reports in it.
    pub fn read(&mut self, block: &[u8]) -> Option<StreamError> {
        sse::events(block).fold(None, |found, event| self.event(event).or(found))
    }

    /// What was learned of the response.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether the provider said how the response ended.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Output tokens that were seen since the provider counted last: about one to a piece, and about four bytes to a token.
    pub fn estimated_output(&self) -> u64 {
        self.pieces.max(self.bytes / 4)
    }

    fn event(&mut self, event: &[u8]) -> Option<StreamError> {
        let data = sse::data(event)?;
        self.seen += 1;
        let kind = match sse::name(event) {
            "" => Cow::Owned(kind_of(&data)),
            name => Cow::Borrowed(name),
        };
        if kind.ends_with(".delta") {
            self.pieces += 1;
            self.bytes += piece(&data);
        }
        let closing = [CLOSING, CLOSING_OTHERS].iter().any(|kinds| kinds.contains(&kind.as_ref()));
        if !closing && kind != CREATED {
            return None;
        }
        self.finished |= closing;
        let wire: Wire<'_> = serde_json::from_slice(&data).ok()?;
        self.look(wire, &kind, &data)
    }

    fn look(&mut self, wire: Wire<'_>, kind: &str, data: &[u8]) -> Option<StreamError> {
        let response = wire.response.unwrap_or_default();
        let beside = wire.usage.map(|usage| usage.usage());
        self.count(response.usage().or(beside));
        if let Some(id) = response.id {
            self.report.id = Some(id.into_owned());
        }
        let said = |error: Option<&RawValue>| error.filter(|e| e.get() != "null").map(|e| e.get().to_owned());
        let flat = || match kind {
            "error" => Some(String::from_utf8_lossy(data).into_owned()),
            "response.failed" => Some(UNSAID.to_owned()),
            _ => None,
        };
        let json = said(wire.error).or_else(|| said(response.error)).or_else(flat)?;
        Some(StreamError { json, first: self.seen == 1 })
    }

    fn count(&mut self, usage: Option<Usage>) {
        let Some(usage) = usage else { return };
        if usage.counts_more(self.report.usage.as_ref()) {
            (self.pieces, self.bytes) = (0, 0);
        }
        self.report.usage = Some(usage);
    }
}

/// The type of an event that has no `event:` line.
fn kind_of(data: &[u8]) -> String {
    let wire: Result<Wire<'_>, _> = serde_json::from_slice(data);
    wire.map(|wire| wire.r#type.into_owned()).unwrap_or_default()
}

/// To make ready for a search costs more than to search an event.
static DELTA: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"delta\":"));

/// Length of the piece that an event carries, without parsing it.
fn piece(data: &[u8]) -> u64 {
    let Some(at) = DELTA.find(data) else { return 0 };
    let value = data[at + DELTA.needle().len()..].trim_ascii_start().strip_prefix(b"\"").unwrap_or_default();
    memchr::memchr(b'"', value).unwrap_or(value.len()) as u64
}
