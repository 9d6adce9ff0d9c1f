//! How a provider or client is spoken to: one folder per wire format, each an adapter to the canonical chat model
//! (`weir_core::chat`).
//!
//! - `dialect.rs` says what an adapter is, `table.rs` lists them all.
//! - `passage.rs` leads an answer through one or two of them, `translation.rs` a stream, `watched.rs` a stream that
//!   stays in its dialect.
//! - `wire_body.rs` is a request as it goes out. `params.rs` and `settle.rs` decide what happens to parameters that a
//!   provider lacks, `json_tool.rs` stands in for a missing response format.
//! - `fault.rs` is errors of providers. `beside.rs` reads members of an answer that its type does not know.
//! - `cache_points.rs` and `merge.rs` change requests and answers in the canonical model, as a deployment's settings
//!   want it.
//! - `embeddings.rs` is for what is no chat.

pub mod anthropic_messages;
pub mod bedrock_converse;
pub mod bedrock_invoke;
mod beside;
pub mod cache_points;
pub mod cohere;
pub(crate) mod counts;
mod dialect;
pub mod embeddings;
mod fault;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod gemini;
mod json_tool;
mod merge;
pub mod ollama_chat;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_responses;
mod params;
mod passage;
mod settle;
mod table;
mod translation;
mod watched;
mod wire_body;

pub use dialect::{
    Asked, ClientDialect, EventReader, EventWriter, TranslateError, UpstreamDialect, View, WireRequest,
};
pub use fault::{untranslatable, upstream_error};
pub use openai_chat::Report;
pub use params::Params;
use params::told;
pub use passage::{Passage, Passed, ResponsePlan, StreamFault, read_report};
pub use table::{client, upstream};
pub use wire_body::WireBody;
