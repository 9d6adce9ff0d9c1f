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

/// Statuses of errors that are told without one, by their code or type: those that are the request's own. What is the
/// server's counts as unavailable.
static STATUSES: &[(&str, u16)] = &[
    ("invalid_api_key", 401),
    ("model_not_found", 404),
    ("insufficient_quota", 429),
    ("rate_limit_exceeded", 429),
    ("context_length_exceeded", 400),
    ("content_filter", 400),
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("rate_limit_error", 429),
    ("tokens", 429),
    ("requests", 429),
];

/// What an error body says. The status inside counts where there is none outside (an error in a stream, or in a 200).
pub(super) fn fault(status: u16, body: &[u8]) -> ProviderFault {
    let told = error::read_error(body);
    let is_one = |status: &u16| (400..600).contains(status);
    let coded = told.code.as_deref().and_then(|code| code.parse::<u16>().ok()).filter(is_one);
    let words = || [&told.code, &told.error_type].into_iter().flatten().map(String::as_str);
    let worded = || words().find_map(|word| Some(STATUSES.iter().find(|(known, _)| *known == word)?.1));
    let inner = || coded.or_else(|| inner_status(body).filter(is_one)).or_else(worded);
    let status = if status >= 400 { status } else { inner().unwrap_or(0) };
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
