//! What becomes of a provider's answer on its way to the client: relayed and watched, or translated.

use super::anthropic_messages as anthropic;
use super::bedrock_invoke::Unwrapping;
use super::cohere::{self, Vendor};
use super::embeddings::Embeddings;
use super::merge::{Merging, merged};
use super::openai_chat::{self, Report, StreamReader};
use super::openai_responses as responses;
use super::translation::Translation;
use super::watched::Watched;
use super::{ClientDialect, TranslateError, View, fault, gemini, table};
use crate::watch::{Hold, Watcher, Watchers};
use bytes::Bytes;
use serde::de::IgnoredAny;
use smallvec::SmallVec;
use weir_core::chat::{Answer, Dialect, ProviderFault};
use weir_core::codec::{Framing, sse};
use weir_core::error::ApiError;

/// How the client's words reach the provider and come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponsePlan {
    /// Both sides speak this dialect, or the call is none of a chat and its usage is told in this dialect's way.
    Relay(Dialect),
    Translate {
        client: Dialect,
        upstream: Dialect,
    },
    /// Any provider's chat as Gemini's stream in the form of one JSON list.
    List {
        upstream: Dialect,
    },
    /// Any provider's chat as OpenAI's, with the thoughts inside the text.
    Merge {
        upstream: Dialect,
    },
    /// Passed on as it comes, whatever it is; JSON and events are looked into for usage, told in this dialect's way.
    Carry(Dialect),
    Rerank(Vendor),
    /// Embeddings in the provider's own form.
    Embed(Embeddings),
}

/// Where a request of Anthropic's says in which format it wants the answer.
static FORMATS: &[&str] = &["output_format", "output_config"];

/// What one block of frames led to.
#[derive(Debug, Default)]
pub struct Passed {
    /// Bytes for the client, in order.
    pub send: SmallVec<[Bytes; 2]>,
    /// The stream is whole. Its last bytes, held back so that the entry is booked before the client has them.
    pub done: Option<Bytes>,
    /// The provider reports an error inside the stream.
    pub fault: Option<StreamFault>,
    /// Whoever looks at the answer wants it to stand still. When this is answered, [`Passage::resume`] goes on.
    pub hold: Option<Hold>,
    /// Whoever looks at the answer lets nothing more of it pass.
    pub refused: Option<ApiError>,
}

#[derive(Debug)]
pub struct StreamFault {
    pub fault: ProviderFault,
    /// Nothing of the answer came before it: another deployment may do better.
    pub first: bool,
    /// The client has it from the provider's own bytes.
    pub told: bool,
}

/// A stream's way to the client. One per response.
pub trait Passage: Send {
    /// Takes a block of whole frames.
    ///
    /// # Errors
    /// What came is not what the provider's dialect says.
    fn pass(&mut self, block: Bytes) -> Result<Passed, TranslateError>;

    /// The body has ended; `rest` is a frame without its end, mostly empty. Answers the last bytes for the client.
    ///
    /// # Errors
    /// The model had not finished.
    fn end(&mut self, rest: Bytes) -> Result<Passed, TranslateError>;

    /// Goes on behind a `hold` with its answer.
    fn resume(&mut self, _answer: Option<String>) -> Passed {
        Passed::default()
    }

    /// What was learned so far.
    fn report(&self) -> Report;

    /// Output tokens that were seen since the provider counted last: all of a stream that never says.
    fn estimated_output(&self) -> u64;
}

impl ResponsePlan {
    /// How the provider's stream is cut into frames.
    pub fn framing(self) -> Framing {
        match self {
            ResponsePlan::Relay(dialect)
            | ResponsePlan::Carry(dialect)
            | ResponsePlan::Translate { upstream: dialect, .. }
            | ResponsePlan::Merge { upstream: dialect }
            | ResponsePlan::List { upstream: dialect } => table::upstream(dialect).framing(),
            ResponsePlan::Embed(_) | ResponsePlan::Rerank(_) => Framing::Sse,
        }
    }

    /// Whether an answer of this content type is a stream.
    pub fn streams_as(self, content_type: &[u8]) -> bool {
        let begins: &[u8] = match self.framing() {
            Framing::Sse => b"text/event-stream",
            Framing::Ndjson => b"application/x-ndjson",
            Framing::EventStream => b"application/vnd.amazon.eventstream",
        };
        content_type.starts_with(begins)
    }

    /// What a stream is sent to the client as.
    pub fn stream_type(self) -> &'static str {
        match self {
            ResponsePlan::List { .. } => "application/json; charset=UTF-8",
            _ => "text/event-stream; charset=utf-8",
        }
    }

    /// What an error answer of the provider says.
    pub fn read_error(self, status: u16, body: &[u8]) -> ProviderFault {
        let dialect = match self {
            ResponsePlan::Relay(dialect)
            | ResponsePlan::Carry(dialect)
            | ResponsePlan::Translate { upstream: dialect, .. }
            | ResponsePlan::Merge { upstream: dialect }
            | ResponsePlan::List { upstream: dialect } => dialect,
            ResponsePlan::Rerank(_) => Dialect::CohereChat,
            ResponsePlan::Embed(_) => Dialect::OpenAiChat,
        };
        let fault = table::upstream(dialect).read_error(status, body);
        ProviderFault { status, ..fault }
    }

    /// Whether the answer is the client's own dialect inside of frames of Bedrock's: it goes on as it came. A format may
    /// have been asked for by a tool that stands for it, and is read out of its call.
    fn unwraps(self, view: &View<'_>) -> bool {
        let (client, upstream) = (Dialect::AnthropicMessages, Dialect::BedrockInvoke);
        let formatted = || FORMATS.iter().any(|name| view.body.raw(name).is_some());
        self == ResponsePlan::Translate { client, upstream } && !formatted()
    }

    /// The way of one stream.
    pub fn passage(self, view: &View<'_>) -> Box<dyn Passage> {
        if self.unwraps(view) {
            return Box::new(Unwrapping::default());
        }
        match self {
            ResponsePlan::Carry(dialect) => ResponsePlan::Relay(dialect).passage(view),
            ResponsePlan::Relay(Dialect::AnthropicMessages) => {
                Box::new(Watched::new(anthropic::Scanner::default()))
            }
            ResponsePlan::Relay(Dialect::OpenAiResponses) => {
                Box::new(Watched::new(responses::Scanner::default()))
            }
            ResponsePlan::Relay(Dialect::Gemini) => Box::new(Watched::new(gemini::Scanner::new())),
            ResponsePlan::Relay(_) | ResponsePlan::Embed(_) | ResponsePlan::Rerank(_) => {
                Box::new(Chunks::new(view.include_usage))
            }
            ResponsePlan::List { .. } | ResponsePlan::Merge { .. } | ResponsePlan::Translate { .. } => {
                match self.translation(view) {
                    Some(translation) => Box::new(translation),
                    None => Box::new(Chunks::new(view.include_usage)),
                }
            }
        }
    }

    fn translation(self, view: &View<'_>) -> Option<Translation> {
        Some(match self {
            ResponsePlan::List { upstream } => {
                Translation::of(upstream, Box::new(gemini::ArrayWriter::new(view)))
            }
            ResponsePlan::Merge { upstream } => {
                let writer = ClientDialect::writer(&openai_chat::OpenAiChat, view);
                Translation::of(upstream, Box::new(Merging::new(writer)))
            }
            ResponsePlan::Translate { client, upstream } => {
                Translation::of(upstream, table::client(client)?.writer(view))
            }
            _ => return None,
        })
    }

    /// A plan in which the answer can be looked at: a chat that would be relayed is read and written in its own dialect.
    /// `None`: nothing in the answer is a chat's.
    pub fn inspected(self) -> Option<Self> {
        match self {
            ResponsePlan::Relay(dialect) => {
                table::client(dialect).map(|_| ResponsePlan::Translate { client: dialect, upstream: dialect })
            }
            ResponsePlan::Translate { .. } | ResponsePlan::List { .. } | ResponsePlan::Merge { .. } => {
                Some(self)
            }
            ResponsePlan::Carry(_) | ResponsePlan::Rerank(_) | ResponsePlan::Embed(_) => None,
        }
    }

    /// The way of one stream past those who look at it. The plan is an inspected one.
    pub fn watched(self, view: &View<'_>, watchers: Vec<Box<dyn Watcher>>) -> Box<dyn Passage> {
        match self.translation(view).filter(|_| !watchers.is_empty()) {
            Some(translation) => Box::new(translation.watched_by(Watchers::new(watchers))),
            None => self.passage(view),
        }
    }

    /// A whole answer, read to be looked at. The plan is an inspected one.
    ///
    /// # Errors
    /// It is not what the provider's dialect says.
    pub fn read_chat(self, body: &[u8]) -> Result<Answer, TranslateError> {
        match self {
            ResponsePlan::Translate { upstream, .. }
            | ResponsePlan::List { upstream }
            | ResponsePlan::Merge { upstream } => table::upstream(upstream).read_answer(body),
            _ => Err(TranslateError::malformed("no chat")),
        }
    }

    /// The same as the client gets it.
    ///
    /// # Errors
    /// No client speaks this.
    pub fn write_chat(self, answer: Answer, view: &View<'_>) -> Result<Bytes, TranslateError> {
        let (client, answer) = match self {
            ResponsePlan::Translate { client, .. } => (client, answer),
            ResponsePlan::List { .. } => (Dialect::Gemini, answer),
            _ => (Dialect::OpenAiChat, merged(answer)),
        };
        let writer =
            table::client(client).ok_or_else(|| TranslateError::malformed("no client speaks this"))?;
        Ok(Bytes::from(writer.write_answer(answer, view)))
    }

    /// A whole answer: the bytes for the client, and what is to be known of it. `counted`: input tokens, where the
    /// answer's head tells them.
    ///
    /// # Errors
    /// It is not what the provider's dialect says, or an error under a good status.
    pub fn answer(
        self,
        body: &Bytes,
        view: &View<'_>,
        counted: Option<u64>,
    ) -> Result<(Bytes, Report), TranslateError> {
        if self.unwraps(view) {
            return ResponsePlan::Relay(Dialect::AnthropicMessages).answer(body, view, counted);
        }
        match self {
            ResponsePlan::Relay(dialect) => {
                if let Some(fault) = fault::within(dialect, body) {
                    return Err(TranslateError::Fault(fault));
                }
                let report = read_report(dialect, body);
                let report = report.ok_or_else(|| TranslateError::malformed("no JSON object"))?;
                Ok((body.clone(), report))
            }
            ResponsePlan::Translate { client, upstream } => {
                translated(client, upstream, body, view, std::convert::identity)
            }
            ResponsePlan::List { upstream } => {
                translated(Dialect::Gemini, upstream, body, view, std::convert::identity)
            }
            ResponsePlan::Merge { upstream } => translated(Dialect::OpenAiChat, upstream, body, view, merged),
            ResponsePlan::Carry(dialect) => {
                Ok((body.clone(), read_report(dialect, body).unwrap_or_default()))
            }
            ResponsePlan::Rerank(vendor) => {
                let read = cohere::read_rerank(vendor, body, view.id)?;
                Ok((Bytes::from(read.body), Report { id: None, usage: read.usage }))
            }
            ResponsePlan::Embed(way) => {
                let base64 = view.body.string("encoding_format").as_deref() == Some("base64");
                let read = way.read(body, view.model, base64, counted)?;
                Ok((Bytes::from(read.body), Report { id: None, usage: read.usage }))
            }
        }
    }
}

/// What a whole answer says of itself; `None` where it is none of this dialect.
pub fn read_report(dialect: Dialect, body: &[u8]) -> Option<Report> {
    match dialect {
        Dialect::AnthropicMessages => {
            anthropic::read_report(body).map(|r| Report { id: r.id, usage: r.usage })
        }
        Dialect::OpenAiResponses => responses::read_report(body),
        Dialect::Gemini => gemini::read_report(body).map(|r| Report { id: r.id, usage: r.usage }),
        Dialect::BedrockConverse | Dialect::BedrockInvoke | Dialect::CohereChat => {
            let read = table::upstream(dialect).read_answer(body).ok();
            read.map(|answer| Report { id: answer.id, usage: answer.usage })
        }
        _ => openai_chat::read_response(body),
    }
}

fn translated(
    client: Dialect,
    upstream: Dialect,
    body: &[u8],
    view: &View<'_>,
    change: fn(Answer) -> Answer,
) -> Result<(Bytes, Report), TranslateError> {
    let answer = table::upstream(upstream).read_answer(body)?;
    if let Some(fault) = answer.fault {
        return Err(TranslateError::Fault(fault));
    }
    let report = Report { id: answer.id.clone(), usage: answer.usage };
    let writer = table::client(client).ok_or_else(|| TranslateError::malformed("no client speaks this"))?;
    Ok((Bytes::from(writer.write_answer(change(answer), view)), report))
}

/// The last event of a stream, with the end that the provider left out: what follows would become part of it. `None`: it is
/// nothing, or half of one.
fn closed(rest: &[u8]) -> Option<Bytes> {
    let end: &[u8] = if rest.ends_with(b"\n") { b"\n" } else { b"\n\n" };
    let event = [rest, end].concat();
    let is_whole =
        |data: &[u8]| data.trim_ascii() == b"[DONE]" || serde_json::from_slice::<IgnoredAny>(data).is_ok();
    let whole = sse::data(&event).is_some_and(|data| is_whole(&data));
    whole.then(|| Bytes::from(event))
}

// --- OpenAI's chunks, relayed ---

/// Chat and completions: the usage chunk is taken out where the client did not ask for it.
struct Chunks {
    reader: StreamReader,
    /// Comments that came before anything else. While they wait, another deployment can still answer.
    held: SmallVec<[Bytes; 2]>,
    /// The provider told an error, which has been passed on.
    told: bool,
}

const DONE: &[u8] = b"data: [DONE]\n\n";

impl Chunks {
    fn new(keep_usage: bool) -> Self {
        Self { reader: StreamReader::new(keep_usage), held: SmallVec::new(), told: false }
    }

    /// What may be sent: nothing of a stream that has not begun.
    fn sent(&mut self, relay: SmallVec<[Bytes; 2]>, ended: bool) -> SmallVec<[Bytes; 2]> {
        self.held.extend(relay);
        if ended || self.reader.begun() { std::mem::take(&mut self.held) } else { SmallVec::new() }
    }
}

impl Passage for Chunks {
    fn pass(&mut self, block: Bytes) -> Result<Passed, TranslateError> {
        let block = self.reader.read(block);
        let fault = block.error.map(|error| {
            let wrapped = format!("{{\"error\":{}}}", error.json);
            let read = table::upstream(Dialect::OpenAiChat).read_error(0, wrapped.as_bytes());
            StreamFault { fault: read, first: error.first, told: !error.first }
        });
        self.told |= fault.is_some();
        let send = self.sent(block.relay, block.done.is_some());
        Ok(Passed { send, done: block.done, fault, ..Passed::default() })
    }

    /// Without `[DONE]`: fine if the model had finished, else the provider was cut off.
    fn end(&mut self, rest: Bytes) -> Result<Passed, TranslateError> {
        let mut passed = closed(&rest).map_or_else(|| Ok(Passed::default()), |event| self.pass(event))?;
        if passed.done.is_none() {
            passed.done = Some(match (self.told, self.reader.finished()) {
                (true, _) => Bytes::new(),
                (false, true) => Bytes::from_static(DONE),
                (false, false) => return Err(TranslateError::Unfinished),
            });
        }
        Ok(passed)
    }

    fn report(&self) -> Report {
        self.reader.report().clone()
    }

    fn estimated_output(&self) -> u64 {
        self.reader.estimated_output()
    }
}
