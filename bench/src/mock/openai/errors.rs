//! Error replies of both dialects.

use serde_json::{Value, json};

use super::wire;
use crate::mock::reply::Reply;

struct Row {
    status: u16,
    message: &'static str,
    kind: &'static str,
    code: Option<&'static str>,
}

const fn row(status: u16, message: &'static str, kind: &'static str, code: Option<&'static str>) -> Row {
    Row { status, message, kind, code }
}

const INVALID: &str = "invalid_request_error";
const SERVER: &str = "server_error";

const OPENAI: &[Row] = &[
    row(400, "mock bad request: field x is invalid", INVALID, None),
    row(401, "Incorrect API key provided: sk-mock", INVALID, Some("invalid_api_key")),
    row(403, "mock forbidden", "permission_error", None),
    row(404, "The model `nope` does not exist", INVALID, Some("model_not_found")),
    row(408, "mock request timeout", INVALID, None),
    row(413, "mock payload too large", INVALID, None),
    row(422, "mock unprocessable", INVALID, None),
    row(429, "mock rate limit reached", "rate_limit_error", Some("rate_limit_exceeded")),
    row(500, "mock internal error", SERVER, None),
    row(502, "mock bad gateway", SERVER, None),
    row(503, "mock overloaded", SERVER, None),
    row(529, "mock overloaded 529", SERVER, None),
];

/// Other codes: the code as text, `azure mock error <code>`.
const AZURE_CHAT: &[(u16, &str, &str)] = &[
    (401, "401", "Access denied due to invalid subscription key or wrong API endpoint."),
    (404, "DeploymentNotFound", "The API deployment for this resource does not exist."),
    (408, "Timeout", "azure mock error 408"),
    (
        429,
        "429",
        "Requests to the ChatCompletions_Create Operation have exceeded call rate limit. \
         Please retry after 7 seconds.",
    ),
];

pub(super) fn openai(status: u16) -> Reply {
    let other = row(status, "mock error", if status < 500 { INVALID } else { SERVER }, None);
    let row = OPENAI.iter().find(|row| row.status == status).unwrap_or(&other);
    wire::failure(status, &body(row.message, row.kind, row.code))
}

pub(super) fn azure_chat(status: u16) -> Reply {
    let known = AZURE_CHAT.iter().find(|(known, ..)| *known == status);
    let (code, message) = match known {
        Some((_, code, message)) => ((*code).to_owned(), (*message).to_owned()),
        None => (status.to_string(), format!("azure mock error {status}")),
    };
    wire::failure(status, &json!({"error": {"code": code, "message": message}}))
}

pub(super) fn context_length() -> Reply {
    let error = json!({
        "message": "This model's maximum context length is 8192 tokens. However, your messages resulted in \
                    9000 tokens. Please reduce the length of the messages.",
        "type": INVALID,
        "param": "messages",
        "code": "context_length_exceeded",
    });
    wire::failure(400, &json!({"error": error}))
}

pub(super) fn content_filter() -> Reply {
    let error = json!({
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content \
                    management policy.",
        "type": null,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"violence": {"filtered": true, "severity": "high"}},
        },
    });
    wire::failure(400, &json!({"error": error}))
}

pub(super) fn unknown_path(path: &str) -> Reply {
    wire::failure(404, &body(&format!("mock: unknown path {path}"), INVALID, Some("not_found")))
}

/// No provider was recorded with such a body; a gateway that forwards one should notice.
pub(super) fn not_json() -> Reply {
    wire::failure(400, &body("mock: the body is not JSON", INVALID, None))
}

fn body(message: &str, kind: &str, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}
