//! The side of clients that speak OpenAI's chat while the provider speaks something else.
//!
//! `fields.rs` reads JSON objects and words what is wrong with them; `request.rs` is the top of a request, then
//! `message.rs`, `part.rs` and `tools.rs` what is in it. `answer.rs` and `stream.rs` write what the model says, in
//! LiteLLM's shape; `blocks.rs` is what both have in common.

pub(super) mod answer;
mod blocks;
mod fields;
mod message;
mod part;
pub(super) mod request;
pub(super) mod stream;
mod tools;
