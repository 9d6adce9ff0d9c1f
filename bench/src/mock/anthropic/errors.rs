//! Error replies.

use serde_json::json;

use crate::mock::reply::Reply;
use crate::mock::wire;

/// Any other status is an `api_error`.
const KINDS: &[(u16, &str)] = &[
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (403, "permission_error"),
    (404, "not_found_error"),
    (413, "request_too_large"),
    (429, "rate_limit_error"),
    (529, "overloaded_error"),
];

pub(super) fn reply(status: u16) -> Reply {
    let kind = wire::by_status(KINDS, status).unwrap_or("api_error");
    let error = json!({"type": kind, "message": wire::message(status).unwrap_or("mock")});
    wire::failure(status, &json!({"type": "error", "error": error, "request_id": "req_anth_mock"}))
}
