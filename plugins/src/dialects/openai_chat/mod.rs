//! OpenAI's chat, completions and embeddings: the dialect in which most of the world speaks.
//! Source: OpenAI API reference.
//!
//! `request.rs`, `response.rs` and `stream.rs` serve the relay: the same dialect on both sides, byte for byte but for
//! what we own. `client/` and `upstream/` translate to and from the canonical model, where the other side speaks
//! something else. `wire.rs` holds what both directions write alike, `usage.rs` the token counts, `error.rs` the errors.

mod client;
mod error;
mod request;
mod response;
mod stream;
mod upstream;
mod usage;
mod wire;

#[cfg(test)]
mod tests;

pub(super) use client::request::read as read_request;
pub use error::{read_error, stream_error_event};
pub(crate) use request::{OURS, is_ours};
pub use request::{Rules, client_drops, wants_usage};
pub use response::{Report, read_response};
pub use stream::{Block, StreamError, StreamReader};
pub(super) use usage::ToldUsage;
pub(super) use wire::finish_word;

use super::dialect::{
    Asked, ClientDialect, EventReader, EventWriter, TranslateError, UpstreamDialect, View, WireRequest,
};
use crate::providers::Row;
use http::HeaderMap;
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, ProviderFault, Request};
use weir_core::codec::Framing;
use weir_core::error::ApiError;

/// `/v1/chat/completions`, as clients and as providers speak it.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenAiChat;

/// What can be said to a model of this provider, by OpenAI's names.
pub fn supported_params(row: Option<&'static Row>, model: &str) -> Vec<&'static str> {
    upstream::supported_params(row, model)
}

// --- OpenAiChat ---

impl ClientDialect for OpenAiChat {
    fn read_request(&self, body: &JsonBody, _headers: &HeaderMap) -> Result<Request, ApiError> {
        let members = serde_json::from_str(body.as_str()).map_err(client::request::no_object)?;
        client::request::read(members)
    }

    fn write_answer(&self, answer: Answer, view: &View<'_>) -> Vec<u8> {
        client::answer::write(answer, view)
    }

    fn writer(&self, view: &View<'_>) -> Box<dyn EventWriter> {
        Box::new(client::stream::Writer::new(view))
    }

    fn write_error(&self, error: &ApiError) -> Vec<u8> {
        error.body().into_bytes()
    }

    fn error_event(&self, error: &ApiError) -> Vec<u8> {
        stream_error_event(error).into_bytes()
    }
}

impl UpstreamDialect for OpenAiChat {
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn write_request(&self, request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
        upstream::request::write(request, asked)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, TranslateError> {
        upstream::answer::read(body)
    }

    fn reader(&self) -> Box<dyn EventReader> {
        Box::new(upstream::stream::Reader::default())
    }

    fn read_error(&self, status: u16, body: &[u8]) -> ProviderFault {
        upstream::fault(status, body)
    }
}
