//! The side that Codex and OpenAI's SDKs speak.
//!
//! `request.rs` and `tools.rs` read what is asked, `state.rs` what is asked of the gateway, `history.rs` turns stored
//! items into messages. `output.rs` gathers what the model says as items; `response.rs` tells them at once, `stream.rs`
//! as they come (`piece.rs`: in which words).

mod history;
mod output;
mod piece;
mod request;
mod response;
mod state;
mod stream;
mod tools;

pub use history::{input_items, messages, output_items, prepend};
pub use state::{State, state};

pub(super) use request::read as read_request;
pub(super) use response::write as write_answer;
pub(super) use stream::{Writer, error_event};

use serde::de::DeserializeOwned;
use weir_core::body::JsonBody;
use weir_core::error::{ApiError, Kind};

/// A member of the request; null is as good as absent.
fn member<T: DeserializeOwned>(body: &JsonBody, name: &str) -> Result<Option<T>, ApiError> {
    let Some(raw) = body.raw(name) else { return Ok(None) };
    serde_json::from_str(raw).map_err(|e| bad(name, format!("Invalid value for '{name}': {e}")))
}

/// A 400 that names the member.
fn bad(param: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(Kind::BadRequest, message).with_param(param)
}
