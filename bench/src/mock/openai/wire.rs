//! The header set of a success, and what all answers say.

use serde_json::Value;

use crate::mock::ask::Ask;
use crate::mock::reply::{Reply, Step};
use crate::mock::wire::{plain, with_headers};

/// On every success except the list of models.
const SUCCESS_HEADERS: &[(&str, &str)] = &[
    ("x-request-id", "req_mock_1"),
    ("openai-organization", "org-mock"),
    ("openai-processing-ms", "12"),
    ("openai-version", "2020-10-01"),
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-limit-tokens", "200000"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("x-ratelimit-remaining-tokens", "199990"),
    ("x-ratelimit-reset-requests", "6ms"),
    ("x-ratelimit-reset-tokens", "3ms"),
];

/// The tier that serves: there is always room at the one that is asked for.
pub(super) fn tier<'a>(ask: &'a Ask<'_>) -> &'a str {
    ask.body["service_tier"].as_str().filter(|tier| *tier != "auto").unwrap_or("default")
}

pub(super) fn success(value: &Value) -> Reply {
    dressed(plain(200, value))
}

pub(super) fn success_stream(content_type: &str, steps: Vec<Step>) -> Reply {
    dressed(Reply::stream(content_type, steps))
}

pub(super) fn dressed(reply: Reply) -> Reply {
    with_headers(reply, SUCCESS_HEADERS)
}
