//! OpenAI's Responses API, on both sides. Source: OpenAI API reference, "Responses".
//!
//! `items.rs` reads what both sides know: the items of an input or an output. `client/` is the side of Codex and the
//! OpenAI SDKs, `upstream/` the side of models that speak nothing else. Where both sides speak it, `relay.rs` looks at
//! what passes. Members that only this API knows (item ids, `status`, `phase`) stay behind: no other dialect has them,
//! and two sides that both have them are relayed.

mod client;
mod items;
mod names;
mod relay;
mod upstream;
mod usage;

#[cfg(test)]
mod tests;

pub use client::{State, input_items, messages, output_items, prepend, state};
pub use relay::{Scanner, is_silent, read_report};

use super::dialect::{
    Asked, ClientDialect, EventReader, EventWriter, TranslateError, UpstreamDialect, View, WireRequest,
};
use http::HeaderMap;
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, ProviderFault, Request};
use weir_core::codec::Framing;
use weir_core::error::ApiError;

/// The dialect, for both tables.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiResponses;

impl ClientDialect for OpenAiResponses {
    /// What only makes sense where responses are kept by the provider (`background`, `prompt`, `conversation`, item
    /// references) is refused. `previous_response_id` is left to the gateway, see [`prepend`].
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
        error.body().into_bytes()
    }

    fn error_event(&self, error: &ApiError) -> Vec<u8> {
        client::error_event(error)
    }
}

impl UpstreamDialect for OpenAiResponses {
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
        upstream::read_error(status, body)
    }
}
