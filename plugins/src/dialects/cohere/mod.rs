//! Cohere's API, version 2. Source: Cohere's API reference.
//!
//! Chat: `request.rs` with `message.rs` one way; `wire.rs`, `answer.rs` and `stream.rs` the other, with `cite.rs` for where
//! statements come from. `embed.rs` and `rerank.rs` also speak for Jina and Voyage, whose formats are close relatives.

mod answer;
mod cite;
mod embed;
mod message;
mod request;
mod rerank;
mod stream;
mod wire;

pub use embed::{read_embeddings, write_embeddings};
pub use rerank::{RerankAnswer, read_rerank, write_rerank};

use super::openai_chat;
use super::{Asked, EventReader, TranslateError, UpstreamDialect, WireRequest};
use stream::Reader;
use weir_core::chat::{Answer, ProviderFault, Request};
use weir_core::codec::Framing;
use weir_core::error::ApiError;

/// `/v2/chat`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CohereChat;

/// Whose embeddings and rerankings are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    Cohere,
    Jina,
    Voyage,
}

/// What can be said to a model, by OpenAI's names.
pub fn supported_params(_model: &str) -> Vec<&'static str> {
    super::told(request::SUPPORTED)
}

impl UpstreamDialect for CohereChat {
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn write_request(&self, request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
        request::write(request, asked)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, TranslateError> {
        answer::read(body)
    }

    fn reader(&self) -> Box<dyn EventReader> {
        Box::new(Reader::default())
    }

    fn read_error(&self, status: u16, body: &[u8]) -> ProviderFault {
        let error = openai_chat::read_error(body);
        ProviderFault { status, message: error.message, kind: error.error_type, code: error.code }
    }
}

#[cfg(test)]
mod tests;
