//! Error replies: Google's status names.

use serde_json::{Value, json};

use crate::mock::reply::Reply;
use crate::mock::wire;

const STATUSES: &[(u16, &str)] = &[
    (400, "INVALID_ARGUMENT"),
    (401, "UNAUTHENTICATED"),
    (403, "PERMISSION_DENIED"),
    (404, "NOT_FOUND"),
    (408, "DEADLINE_EXCEEDED"),
    (429, "RESOURCE_EXHAUSTED"),
    (500, "INTERNAL"),
    (503, "UNAVAILABLE"),
    (504, "DEADLINE_EXCEEDED"),
];

/// How long to wait stands in the body, not in a header.
pub(super) fn reply(status: u16) -> Reply {
    wire::plain(status, &body(status))
}

pub(super) fn body(status: u16) -> Value {
    let name = wire::by_status(STATUSES, status).unwrap_or("UNKNOWN");
    let mut error =
        json!({"code": status, "message": wire::message(status).unwrap_or("mock"), "status": name});
    if status == 429 {
        error["details"] = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]);
    }
    json!({"error": error})
}
