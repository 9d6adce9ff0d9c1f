//! The side of models that speak Responses: OpenAI's, on Azure too, and xAI's.
//!
//! `request.rs`, `conversation.rs` and `tools.rs` write what is asked; `response.rs` reads a plain answer and says what
//! its closing members mean, `stream.rs` reads events.

mod conversation;
mod request;
mod response;
mod stream;
mod tools;

pub(super) use request::write as write_request;
pub(super) use response::{read as read_answer, read_error};
pub(super) use stream::Reader;
