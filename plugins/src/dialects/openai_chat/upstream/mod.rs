//! The side of providers that speak OpenAI's chat while the client speaks something else.
//!
//! `target.rs` says what this provider takes; `request.rs` writes the top of a request, `message.rs`, `part.rs` and
//! `tools.rs` what is in it, `params.rs` leaves out what the provider refuses. `answer.rs` and `stream.rs` read what the
//! model says: `calls.rs` tells apart the tool calls of a stream, `sources.rs` reads citations.

pub(super) mod answer;
mod calls;
mod message;
mod params;
mod part;
pub(super) mod request;
mod sources;
pub(super) mod stream;
mod target;
mod tools;

use super::error;
pub(super) use params::supported as supported_params;
use serde_json::Value;
use weir_core::chat::ProviderFault;

/// What an error body says. The status inside counts where there is none outside (an error in a stream, or in a 200).
pub(super) fn fault(status: u16, body: &[u8]) -> ProviderFault {
    let told = error::read_error(body);
    let inner = || told.code.as_deref().and_then(|c| c.parse().ok()).or_else(|| inner_status(body));
    let status = if status >= 400 { status } else { inner().filter(|s| (400..600).contains(s)).unwrap_or(0) };
    ProviderFault { status, message: told.message, kind: told.error_type, code: told.code }
}

/// Reasons for an answer that is none: Mistral's and OpenRouter's, DeepSeek's.
static FAILED: &[&str] = &["error", "insufficient_system_resource"];

/// What a model's reason to stop says of a failure.
pub(super) fn failed(reason: &str) -> Option<ProviderFault> {
    let message = format!("The model stopped before it was done: {reason}.");
    FAILED.contains(&reason).then(|| ProviderFault { message, ..ProviderFault::default() })
}

fn inner_status(body: &[u8]) -> Option<u16> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let error = value.get("error").filter(|e| e.is_object()).unwrap_or(&value);
    let status = error.get("status_code").or_else(|| error.get("status"))?;
    status.as_u64().and_then(|s| u16::try_from(s).ok())
}
