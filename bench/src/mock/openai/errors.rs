//! Error replies of both dialects.

use serde_json::{Value, json};

use crate::mock::reply::Reply;
use crate::mock::wire;

const INVALID: &str = "invalid_request_error";
const SERVER: &str = "server_error";

/// Type and code. Other statuses: by whose fault it is, without a code.
const KINDS: &[(u16, (&str, Option<&str>))] = &[
    (401, (INVALID, Some("invalid_api_key"))),
    (403, ("permission_error", None)),
    (404, (INVALID, Some("model_not_found"))),
    (429, ("rate_limit_error", Some("rate_limit_exceeded"))),
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
    let other = if status < 500 { INVALID } else { SERVER };
    let (kind, code) = wire::by_status(KINDS, status).unwrap_or((other, None));
    wire::failure(status, &body(wire::message(status).unwrap_or("mock error"), kind, code))
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

fn body(message: &str, kind: &str, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}
