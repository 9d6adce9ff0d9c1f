//! What replies have in common: header sets, the clock, the two text forms.

use bytes::Bytes;
use serde_json::Value;

use crate::mock::json;
use crate::mock::reply::{Reply, Step};

/// The value of every `created`.
pub(super) const CREATED: u64 = 1_700_000_000;
pub(super) const SERVER: &str = "Python/3.11 aiohttp/3.13.3";
pub(super) const EVENT_STREAM: &str = "text/event-stream";
pub(super) const EVENT_STREAM_UTF8: &str = "text/event-stream; charset=utf-8";

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

const LIMITED_HEADERS: &[(&str, &str)] = &[
    ("retry-after", "7"),
    ("x-ratelimit-limit-requests", "100"),
    ("x-ratelimit-remaining-requests", "0"),
    ("x-ratelimit-reset-requests", "600ms"),
];

/// A reply in the spaced form, without any header set.
pub(super) fn plain(status: u16, value: &Value) -> Reply {
    Reply::full(status, "application/json; charset=utf-8", json::spaced(value))
}

pub(super) fn success(value: &Value) -> Reply {
    with_headers(plain(200, value), SUCCESS_HEADERS)
}

pub(super) fn success_stream(content_type: &str, steps: Vec<Step>) -> Reply {
    with_headers(Reply::stream(content_type, steps), SUCCESS_HEADERS)
}

/// Status 429 brings the headers of a rate limit.
pub(super) fn failure(status: u16, value: &Value) -> Reply {
    let reply = plain(status, value);
    if status == 429 { with_headers(reply, LIMITED_HEADERS) } else { reply }
}

pub(super) fn compact_event(value: &Value) -> Step {
    event(&json::compact(value))
}

pub(super) fn spaced_event(value: &Value) -> Step {
    event(&json::spaced(value))
}

pub(super) fn done() -> Step {
    event(b"[DONE]")
}

fn event(data: &[u8]) -> Step {
    Step::now(Bytes::from([b"data: ", data, b"\n\n"].concat()))
}

fn with_headers(reply: Reply, headers: &[(&str, &str)]) -> Reply {
    headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value))
}
