//! How a provider or client is spoken to: one folder per wire format, each an adapter to the canonical chat model
//! (`weir_core::chat`). `dialect.rs` says what an adapter is; `client` and `upstream` are the tables of all adapters.

pub mod anthropic_messages;
pub mod bedrock_converse;
pub mod bedrock_invoke;
pub mod cohere;
mod dialect;
pub mod embeddings;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod gemini;
pub mod ollama_chat;
pub mod openai_chat;
pub mod openai_responses;
mod params;
mod settle;

pub use dialect::{
    Asked, ClientDialect, EventReader, EventWriter, TranslateError, UpstreamDialect, View, WireRequest,
};
use params::told;
pub use params::Params;
