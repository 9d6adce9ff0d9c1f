//! Bedrock's InvokeModel: a model's own format, carried by Bedrock. For Claude that is Anthropic's Messages API with a
//! few changes: the model stands in the path, the version in the body, and a stream's events come as base64 inside
//! AWS's event stream. `relay.rs` hands them on to a client of the same dialect. Of other models' streams only Bedrock's
//! own count of tokens is read. `embeddings.rs` is Titan's, Nova's and Cohere's. Source: Amazon Bedrock User Guide,
//! inference parameters.

pub mod embeddings;
mod relay;

#[cfg(test)]
mod tests;

pub(in crate::dialects) use relay::Unwrapping;

use super::WireBody;
use super::bedrock_converse::{Model, allowed_betas, exception, read_error};
use super::dialect::{Asked, EventReader, TranslateError, UpstreamDialect, WireRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use weir_core::chat::{Answer, Event, Events, ProviderFault, Request};
use weir_core::codec::{Frame, Framing};
use weir_core::domain::usage::Usage;
use weir_core::error::ApiError;

/// The one version that Bedrock knows.
const VERSION: &str = "bedrock-2023-05-31";

/// Members of Anthropic's API that Bedrock keeps elsewhere.
const ELSEWHERE: &[&str] = &["model", "stream"];

const CACHE_CONTROL: &str = "cache_control";

/// Anthropic's dialect, spoken through InvokeModel.
pub struct BedrockInvoke {
    inner: Box<dyn UpstreamDialect>,
}

impl BedrockInvoke {
    /// `inner`: Anthropic's dialect.
    pub fn new(inner: Box<dyn UpstreamDialect>) -> Self {
        Self { inner }
    }
}

impl UpstreamDialect for BedrockInvoke {
    fn framing(&self) -> Framing {
        Framing::EventStream
    }

    fn write_request(&self, request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
        let mut wire = self.inner.write_request(request, asked)?;
        change_body(&mut wire.body, asked.model, asked.headers);
        wire.headers.retain(|(name, _)| !is_anthropics(name));
        Ok(wire)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, TranslateError> {
        self.inner.read_answer(body)
    }

    fn reader(&self) -> Box<dyn EventReader> {
        Box::new(Reader::new(self.inner.reader()))
    }

    fn read_error(&self, status: u16, body: &[u8]) -> ProviderFault {
        read_error(status, body)
    }
}

/// A body of Anthropic's API made one of InvokeModel's; also what a relayed `/v1/messages` needs.
/// `headers`: the client's, for `anthropic-beta`.
pub fn change_body(body: &mut WireBody, model: &str, headers: &HeaderMap) {
    let model = Model::of(model);
    for name in ELSEWHERE {
        body.shift_remove(name);
    }
    for member in ["system", "messages", "tools"] {
        if body.may_say(member, CACHE_CONTROL)
            && let Some(value) = body.get_mut(member)
        {
            mend_cache(value, &model);
        }
    }
    body.insert("anthropic_version".to_owned(), json!(VERSION));
    let betas = betas(body.shift_remove("anthropic_beta").as_ref(), headers, &model);
    if !betas.is_empty() {
        body.insert("anthropic_beta".to_owned(), json!(betas));
    }
}

fn betas(body: Option<&Value>, headers: &HeaderMap, model: &Model<'_>) -> Vec<&'static str> {
    let headers = headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
    let body = body.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    allowed_betas(headers.chain(body), model)
}

/// Keeps every `cache_control`, without the members that Bedrock refuses: `scope`, and `ttl` before Claude 4.5.
/// Recursive: a body is no deeper than JSON readers allow.
fn mend_cache(value: &mut Value, model: &Model<'_>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mend_cache(item, model)),
        Value::Object(object) => {
            if let Some(Value::Object(cache)) = object.get_mut(CACHE_CONTROL) {
                cache.shift_remove("scope");
                if !model.claude_since(4, 5) && !model.is_opaque() {
                    cache.shift_remove("ttl");
                }
            }
            // A tool's input and schema are the client's own business.
            if let Some(content) = object.get_mut("content") {
                mend_cache(content, model);
            }
        }
        _ => {}
    }
}

fn is_anthropics(name: &HeaderName) -> bool {
    name.as_str().starts_with("anthropic-") || name == "x-api-key"
}

// --- streams ---

/// Unwraps frames for a reader of Anthropic's events.
pub struct Reader {
    inner: Box<dyn EventReader>,
    /// After an exception, or an end that the model's own events told, nothing follows.
    over: bool,
    /// The model's own events told what was used.
    counted: bool,
}

#[derive(Deserialize)]
struct Chunk {
    bytes: String,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    /// What Bedrock puts into the last event, whatever the model.
    #[serde(rename = "amazon-bedrock-invocationMetrics", default)]
    metrics: Option<Value>,
}

/// The header in which Bedrock counts what was read of a request.
pub const INPUT_TOKENS: &str = "x-amzn-bedrock-input-token-count";

/// What Bedrock counted, in an event's metrics or an answer's headers. Its input leaves out what was read from or written
/// to a cache. `None`: it did not say.
pub fn counted(count: impl Fn(Count) -> Option<u64>) -> Option<Usage> {
    let input = count(Count::Input)?;
    let (read, written) = (count(Count::CacheRead).unwrap_or(0), count(Count::CacheWrite).unwrap_or(0));
    Some(Usage {
        input: input.saturating_add(read).saturating_add(written),
        output: count(Count::Output).unwrap_or(0),
        cache_read: read,
        cache_write: written,
        ..Usage::default()
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    Input,
    Output,
    CacheRead,
    CacheWrite,
}

impl Count {
    fn member(self) -> &'static str {
        match self {
            Count::Input => "inputTokenCount",
            Count::Output => "outputTokenCount",
            Count::CacheRead => "cacheReadInputTokenCount",
            Count::CacheWrite => "cacheWriteInputTokenCount",
        }
    }

    fn header(self) -> &'static str {
        match self {
            Count::Input => INPUT_TOKENS,
            Count::Output => "x-amzn-bedrock-output-token-count",
            Count::CacheRead => "x-amzn-bedrock-cache-read-input-token-count",
            Count::CacheWrite => "x-amzn-bedrock-cache-write-input-token-count",
        }
    }
}

/// What the headers of an answer say.
pub fn counted_in_headers(headers: &HeaderMap) -> Option<Usage> {
    counted(|count| headers.get(count.header())?.to_str().ok()?.parse().ok())
}

fn counted_in_metrics(metrics: &Value) -> Option<Usage> {
    counted(|count| {
        let said = metrics.get(count.member())?;
        said.as_u64().or_else(|| said.as_f64().map(|n| n as u64))
    })
}

/// What a frame of InvokeModelWithResponseStream holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Unwrapped {
    /// One event of the model, as JSON.
    Json(Vec<u8>),
    Fault(ProviderFault),
    /// A kind of frame that is not known: to be skipped.
    Other,
}

/// Takes the model's own JSON out of a frame.
///
/// # Errors
/// The frame is no message, or holds no base64.
pub fn unwrap(frame: &Frame<'_>) -> Result<Unwrapped, TranslateError> {
    let Frame::Message { kind, exception: is_exception, payload } = frame else {
        return Err(TranslateError::malformed("not a message of an event stream"));
    };
    if *is_exception {
        return Ok(Unwrapped::Fault(exception(kind, payload)));
    }
    if *kind != "chunk" {
        return Ok(Unwrapped::Other);
    }
    let chunk: Chunk = serde_json::from_slice(payload).map_err(TranslateError::malformed)?;
    STANDARD.decode(chunk.bytes).map(Unwrapped::Json).map_err(TranslateError::malformed)
}

impl Reader {
    pub fn new(inner: Box<dyn EventReader>) -> Self {
        Self { inner, over: false, counted: false }
    }
}

impl EventReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Events) -> Result<(), TranslateError> {
        if self.over {
            return Ok(());
        }
        match unwrap(&frame)? {
            Unwrapped::Json(json) => {
                let named: Named = serde_json::from_slice(&json).map_err(TranslateError::malformed)?;
                let event = named.kind.unwrap_or_default();
                let told = named.metrics.as_ref().filter(|_| !self.counted).and_then(counted_in_metrics);
                out.extend(told.map(Event::Usage));
                self.inner.read(Frame::Sse { event: &event, data: Cow::Borrowed(&json) }, out)?;
                self.counted |= out.iter().any(|event| matches!(event, Event::Usage(_)));
                self.over = matches!(out.last(), Some(Event::Fault(_) | Event::Finish(_)));
                Ok(())
            }
            Unwrapped::Fault(fault) => {
                self.over = true;
                out.push(Event::Fault(fault));
                Ok(())
            }
            Unwrapped::Other => Ok(()),
        }
    }

    fn end(&mut self, out: &mut Events) -> Result<(), TranslateError> {
        if self.over { Ok(()) } else { self.inner.end(out) }
    }
}
