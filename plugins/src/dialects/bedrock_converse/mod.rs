//! AWS Bedrock's Converse and ConverseStream: one request and answer format for all models that Bedrock serves.
//! `request.rs` puts the body together out of `messages.rs`, `tools.rs` and `additional.rs` (what only some models
//! understand); `support.rs` says what Bedrock takes and `model.rs` what a model id tells about a model. `answer.rs`
//! and `stream.rs` read; `error.rs` reads refusals. Source: Amazon Bedrock API Reference, Converse, ConverseStream.

mod additional;
mod answer;
mod betas;
mod error;
mod media;
mod messages;
mod model;
mod request;
mod stream;
mod support;
mod thinking;
mod tools;

#[cfg(test)]
mod tests;

pub(super) use betas::allowed as allowed_betas;
pub(super) use error::{exception, read_error};
pub use model::Model;

use super::dialect::{Asked, EventReader, TranslateError, UpstreamDialect, WireRequest};
use weir_core::chat::{Answer, ProviderFault, Request};
use weir_core::codec::Framing;
use weir_core::error::ApiError;

/// Converse, plain and streamed.
#[derive(Clone, Copy, Debug)]
pub struct BedrockConverse;

/// What can be said to a model, by OpenAI's names.
pub fn supported_params(model: &str) -> Vec<&'static str> {
    super::told(&support::supported(&Model::of(model)))
}

impl UpstreamDialect for BedrockConverse {
    fn framing(&self) -> Framing {
        Framing::EventStream
    }

    fn write_request(&self, request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
        request::write(request, asked)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, TranslateError> {
        answer::read(body)
    }

    fn reader(&self) -> Box<dyn EventReader> {
        Box::new(stream::Reader::default())
    }

    fn read_error(&self, status: u16, body: &[u8]) -> ProviderFault {
        error::read_error(status, body)
    }
}
