//! What replies of all dialects have in common: header sets, the clock, error texts, and the frames of streams.

use bytes::Bytes;
use serde_json::{Value, json};

use super::json;
use super::reply::{Reply, Step};

/// The value of every `created`.
pub(super) const CREATED: u64 = 1_700_000_000;
pub(super) const SERVER: &str = "Python/3.11 aiohttp/3.13.3";
pub(super) const JSON: &str = "application/json; charset=utf-8";
pub(super) const EVENT_STREAM: &str = "text/event-stream";
pub(super) const EVENT_STREAM_UTF8: &str = "text/event-stream; charset=utf-8";
pub(super) const NDJSON: &str = "application/x-ndjson";

const LIMITED_HEADERS: &[(&str, &str)] = &[
    ("retry-after", "7"),
    ("x-ratelimit-limit-requests", "100"),
    ("x-ratelimit-remaining-requests", "0"),
    ("x-ratelimit-reset-requests", "600ms"),
];

/// What errors say, in every dialect that does not say otherwise.
const MESSAGES: &[(u16, &str)] = &[
    (400, "mock bad request: field x is invalid"),
    (401, "Incorrect API key provided: sk-mock"),
    (403, "mock forbidden"),
    (404, "The model `nope` does not exist"),
    (408, "mock request timeout"),
    (413, "mock payload too large"),
    (422, "mock unprocessable"),
    (429, "mock rate limit reached"),
    (500, "mock internal error"),
    (502, "mock bad gateway"),
    (503, "mock overloaded"),
    (529, "mock overloaded 529"),
];

pub(super) fn message(status: u16) -> Option<&'static str> {
    MESSAGES.iter().find(|(known, _)| *known == status).map(|(_, message)| *message)
}

/// The row of a table by status.
pub(super) fn by_status<T: Copy>(table: &[(u16, T)], status: u16) -> Option<T> {
    table.iter().find(|(known, _)| *known == status).map(|(_, value)| *value)
}

/// A reply in the spaced form, without any header set.
pub(super) fn plain(status: u16, value: &Value) -> Reply {
    Reply::full(status, JSON, json::spaced(value))
}

/// Status 429 brings the headers of a rate limit.
pub(super) fn failure(status: u16, value: &Value) -> Reply {
    let reply = plain(status, value);
    if status == 429 { with_headers(reply, LIMITED_HEADERS) } else { reply }
}

/// The one error that belongs to no provider.
pub(super) fn unknown_path(path: &str) -> Reply {
    let message = format!("mock: unknown path {path}");
    let error =
        json!({"message": message, "type": "invalid_request_error", "param": null, "code": "not_found"});
    failure(404, &json!({"error": error}))
}

pub(super) fn with_headers(reply: Reply, headers: &[(&str, &str)]) -> Reply {
    headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value))
}

// --- frames ---

pub(super) fn compact_event(value: &Value) -> Step {
    event(&json::compact(value))
}

pub(super) fn spaced_event(value: &Value) -> Step {
    event(&json::spaced(value))
}

pub(super) fn done() -> Step {
    event(b"[DONE]")
}

/// Named after its `type`.
pub(super) fn named_event(value: &Value) -> Step {
    let name = value["type"].as_str().unwrap_or_default();
    Step::now(Bytes::from(
        [b"event: ", name.as_bytes(), b"\ndata: ", &json::compact(value), b"\n\n"].concat(),
    ))
}

/// A line of NDJSON.
pub(super) fn line(value: &Value) -> Step {
    Step::now(Bytes::from([&json::spaced(value)[..], b"\n"].concat()))
}

fn event(data: &[u8]) -> Step {
    Step::now(Bytes::from([b"data: ", data, b"\n\n"].concat()))
}
