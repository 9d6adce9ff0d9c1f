//! Errors in Anthropic's shape: `{"type":"error","error":{"type","message"}}`.

use serde::Deserialize;
use serde_json::{Value, json};
use weir_core::chat::ProviderFault;
use weir_core::error::ApiError;

/// `error.type` by status, both ways: the first row with the status or the type counts. Source: Anthropic API
/// reference, "Errors".
static TYPES: &[(u16, &str)] = &[
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (402, "billing_error"),
    (403, "permission_error"),
    (404, "not_found_error"),
    (413, "request_too_large"),
    (429, "rate_limit_error"),
    (500, "api_error"),
    (529, "overloaded_error"),
    (504, "timeout_error"),
    (503, "overloaded_error"),
    (408, "timeout_error"),
];

/// Messages by which a prompt that is too long, or a filter, is known: neither has a type of its own.
static CODES: &[(&str, &str)] = &[
    ("prompt is too long", "context_length_exceeded"),
    ("exceed context limit", "context_length_exceeded"),
    ("content filtering policy", "content_filter"),
];

const MAX_MESSAGE: usize = 4_000;

/// The error as a client reads it.
pub(super) fn body(error: &ApiError) -> Value {
    value(type_of(error.status()), error.message())
}

/// A provider's fault inside a stream, as a client reads it.
pub(super) fn fault_body(fault: &ProviderFault) -> Value {
    let known = fault.kind.as_deref().filter(|kind| TYPES.iter().any(|(_, t)| t == kind));
    value(known.unwrap_or_else(|| type_of(fault.status)), &fault.message)
}

fn value(kind: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": message } })
}

fn type_of(status: u16) -> &'static str {
    let listed = TYPES.iter().find(|(s, _)| *s == status).map(|(_, kind)| *kind);
    let rest = if (400..500).contains(&status) { "invalid_request_error" } else { "api_error" };
    listed.unwrap_or(rest)
}

fn status_of(kind: &str) -> u16 {
    TYPES.iter().find(|(_, t)| *t == kind).map_or(0, |(status, _)| *status)
}

/// Any of the shapes seen: Anthropic's, Bedrock's `{"message"}`, Google's `{"error":{"status"}}`, or plain text.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WireError {
    error: Option<Value>,
    message: Option<Value>,
    #[serde(alias = "Message", alias = "detail")]
    detail: Option<Value>,
}

/// The body of an error answer.
pub(super) fn read(status: u16, body: &[u8]) -> ProviderFault {
    let read =
        serde_json::from_slice::<Value>(body).ok().map(first).and_then(|v| serde_json::from_value(v).ok());
    let wire: WireError = read.unwrap_or_default();
    match (wire.error, wire.message.or(wire.detail)) {
        (Some(error), _) => read_member(status, &error),
        (None, Some(message)) => fault(status, &plain(&message), None),
        (None, None) => fault(status, &String::from_utf8_lossy(body), None),
    }
}

/// The `error` member, of an error answer or of an `error` event. Status 0: tell it by the type.
pub(super) fn read_member(status: u16, error: &Value) -> ProviderFault {
    let text = |name: &str| error.get(name).filter(|v| !v.is_null()).map(plain);
    let kind = text("type").or_else(|| text("status"));
    let status = if status == 0 { kind.as_deref().map_or(0, status_of) } else { status };
    fault(status, &text("message").unwrap_or_else(|| plain(error)), kind)
}

fn fault(status: u16, message: &str, kind: Option<String>) -> ProviderFault {
    let code = CODES.iter().find(|(part, _)| message.contains(part)).map(|(_, code)| (*code).to_owned());
    ProviderFault { status, message: message.chars().take(MAX_MESSAGE).collect(), kind, code }
}

/// Some gateways wrap the object into a list.
fn first(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().next().unwrap_or_default(),
        other => other,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::error::Kind;

    #[test]
    fn p25_errors_have_the_type_of_their_status() {
        for (status, kind) in
            [(400, "invalid_request_error"), (422, "invalid_request_error"), (529, "overloaded_error")]
        {
            let error = ApiError::new(Kind::Upstream, "no").with_status(status);
            assert_eq!(body(&error), json!({ "type": "error", "error": { "type": kind, "message": "no" } }));
        }
        assert_eq!(type_of(502), "api_error");
    }

    #[test]
    fn every_shape_of_error_is_read() {
        for (text, message, kind) in [
            (r#"{"type":"error","error":{"type":"api_error","message":"no"}}"#, "no", Some("api_error")),
            (
                r#"[{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}]"#,
                "no",
                Some("INVALID_ARGUMENT"),
            ),
            (r#"{"error":"no"}"#, "no", None),
            (r#"{"message":"no"}"#, "no", None),
            (r#"{"Message":"no"}"#, "no", None),
            (r#"{"detail":["no"]}"#, r#"["no"]"#, None),
            ("<html>no", "<html>no", None),
            ("[]", "[]", None),
        ] {
            let read = read(400, text.as_bytes());
            assert_eq!(
                (read.message.as_str(), read.kind.as_deref(), read.status),
                (message, kind, 400),
                "{text}"
            );
        }
    }

    #[test]
    fn long_prompts_are_known_by_their_message() {
        let text = br#"{"error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#;
        assert_eq!(read(400, text).code.as_deref(), Some("context_length_exceeded"));
        let event = read_member(0, &json!({ "type": "overloaded_error", "message": "Overloaded" }));
        assert_eq!((event.status, event.code), (529, None));
    }
}
