//! Gemini's `:generateContent`, as Google's Gemini API and Vertex AI speak it: a client's dialect and a provider's.
//!
//! `wire.rs` is the JSON as types; `request/` reads and writes requests, `response/` answers and streams; `scan.rs`
//! looks at answers that are relayed as they came; `embeddings.rs` translates embeddings to and from OpenAI's;
//! `count.rs` is `:countTokens`, `sizes.rs` what requests say of the size of answers.
//! Sources: Gemini API reference (v1beta), Vertex AI REST reference; parameters as LiteLLM maps them.

mod count;
mod embeddings;
mod error;
mod finish;
mod grounding;
mod ids;
mod media;
mod model;
mod request;
mod response;
mod scan;
mod schema;
mod sizes;
#[cfg(test)]
mod tests;
mod usage;
mod wire;

pub use count::{read_count, read_count_request, write_count};
pub use embeddings::{
    Embedded, read_batch, read_predict, write_batch, write_embed_answer, write_openai_request, write_predict,
};
pub use response::{ArrayWriter, array_error};
pub use scan::{Report, Scanner, read_report};
pub(crate) use sizes::{candidates, forget_limits, limits, set_limit};

use super::dialect::{
    Asked, ClientDialect, EventReader, EventWriter, TranslateError, UpstreamDialect, View, WireRequest,
};
use http::HeaderMap;
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, ProviderFault, Request};
use weir_core::codec::Framing;
use weir_core::error::ApiError;

/// Both sides of the dialect. The model and whether to stream stand in the path, not in the body: a request that was
/// read has an empty `model` (unless the body names one) and `stream: false` until the caller sets them.
#[derive(Clone, Copy, Debug)]
pub struct Gemini;

/// A chunk without text. Google's Python client takes any line for JSON, so a comment would break it.
const KEEP_ALIVE: &[u8] =
    b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"index\":0}]}\n\n";

/// What can be said to a model, by OpenAI's names.
pub fn supported_params(model: &str) -> Vec<&'static str> {
    super::told(&request::supported_params(model))
}

impl ClientDialect for Gemini {
    fn read_request(&self, body: &JsonBody, _headers: &HeaderMap) -> Result<Request, ApiError> {
        request::read(body)
    }

    fn write_answer(&self, answer: Answer, view: &View<'_>) -> Vec<u8> {
        response::write_answer(answer, view)
    }

    fn writer(&self, view: &View<'_>) -> Box<dyn EventWriter> {
        Box::new(response::SseWriter::new(view))
    }

    fn write_error(&self, error: &ApiError) -> Vec<u8> {
        error::write(error).into_bytes()
    }

    fn error_event(&self, error: &ApiError) -> Vec<u8> {
        format!("data: {}\n\n", error::write(error)).into_bytes()
    }

    fn keep_alive(&self) -> &'static [u8] {
        KEEP_ALIVE
    }
}

impl UpstreamDialect for Gemini {
    /// Streams are asked for with `alt=sse`.
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn write_request(&self, request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
        request::write(request, asked)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, TranslateError> {
        response::read_answer(body)
    }

    fn reader(&self) -> Box<dyn EventReader> {
        Box::new(response::Reader::default())
    }

    fn read_error(&self, status: u16, body: &[u8]) -> ProviderFault {
        error::read(status, body)
    }
}
