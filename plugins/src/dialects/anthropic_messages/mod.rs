//! Anthropic's Messages, for clients (Claude Code, Anthropic's SDKs) and providers (Anthropic, and with other framings
//! Bedrock's InvokeModel and Vertex). Source: Anthropic API reference.
//!
//! Blocks are read in `read_parts.rs` and written in `write_parts.rs`, for both sides. `client/` is what clients speak,
//! `upstream/` what providers speak; `scan.rs` watches a stream that is relayed as it is. Errors, usage and stop
//! reasons, which go both ways, have a file each.

mod client;
mod error;
mod finish;
mod read_parts;
mod scan;
#[cfg(test)]
mod tests;
mod upstream;
mod usage;
mod write_parts;

use super::{
    Asked, ClientDialect, EventReader, EventWriter, TranslateError, UpstreamDialect, View, WireRequest,
};
use http::HeaderMap;
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Dialect, ProviderFault, Request};
use weir_core::codec::Framing;
use weir_core::error::ApiError;

pub use scan::{Report, Scanner, StreamFault, read_report};

/// Anthropic's Messages, both sides.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnthropicMessages;

/// What `Kind::Opaque`, citations and members of this dialect are marked with.
const DIALECT: Dialect = Dialect::AnthropicMessages;

/// What can be said to a model, by OpenAI's names.
pub fn supported_params(model: &str) -> Vec<&'static str> {
    super::told(&upstream::supported_params(model))
}

impl ClientDialect for AnthropicMessages {
    fn read_request(&self, body: &JsonBody, _headers: &HeaderMap) -> Result<Request, ApiError> {
        client::read_request(body)
    }

    fn write_answer(&self, answer: Answer, view: &View<'_>) -> Vec<u8> {
        client::write_answer(answer, view)
    }

    fn writer(&self, view: &View<'_>) -> Box<dyn EventWriter> {
        Box::new(client::Writer::new(view))
    }

    fn write_error(&self, error: &ApiError) -> Vec<u8> {
        error::body(error).to_string().into_bytes()
    }

    fn error_event(&self, error: &ApiError) -> Vec<u8> {
        client::error_event(&error::body(error))
    }

    fn keep_alive(&self) -> &'static [u8] {
        b"event: ping\ndata: {\"type\": \"ping\"}\n\n"
    }
}

impl UpstreamDialect for AnthropicMessages {
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn write_request(&self, request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
        upstream::write_request(request, asked)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, TranslateError> {
        upstream::read_answer(body)
    }

    fn reader(&self) -> Box<dyn EventReader> {
        Box::new(upstream::Reader::default())
    }

    fn read_error(&self, status: u16, body: &[u8]) -> ProviderFault {
        error::read(status, body)
    }
}
