//! Error replies: the kind stands in a header.

use serde_json::json;

use crate::mock::reply::Reply;
use crate::mock::wire;

const KINDS: &[(u16, &str)] = &[
    (400, "ValidationException"),
    (401, "UnrecognizedClientException"),
    (403, "AccessDeniedException"),
    (404, "ResourceNotFoundException"),
    (408, "ModelTimeoutException"),
    (429, "ThrottlingException"),
    (500, "InternalServerException"),
    (503, "ServiceUnavailableException"),
];

/// No status brings a `retry-after`.
pub(super) fn reply(status: u16) -> Reply {
    let kind = wire::by_status(KINDS, status).unwrap_or("X");
    let message = wire::message(status).unwrap_or("mock");
    wire::plain(status, &json!({"message": message})).header("x-amzn-errortype", kind)
}
