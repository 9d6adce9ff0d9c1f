//! Errors after `google.rpc.Status`: `{"error":{"code","message","status","details"}}`, which streams without
//! `alt=sse` wrap into a list.

use serde_json::{Value, json};
use weir_core::chat::ProviderFault;
use weir_core::error::ApiError;

/// Names of statuses, from `google.rpc.Code`'s HTTP mapping.
static STATUSES: &[(u16, &str)] = &[
    (400, "INVALID_ARGUMENT"),
    (401, "UNAUTHENTICATED"),
    (403, "PERMISSION_DENIED"),
    (404, "NOT_FOUND"),
    (408, "DEADLINE_EXCEEDED"),
    (409, "ABORTED"),
    (429, "RESOURCE_EXHAUSTED"),
    (499, "CANCELLED"),
    (501, "UNIMPLEMENTED"),
    (502, "UNAVAILABLE"),
    (503, "UNAVAILABLE"),
    (504, "DEADLINE_EXCEEDED"),
];

const MAX_MESSAGE: usize = 4_000;

pub(super) fn write(error: &ApiError) -> String {
    let code = error.status();
    json!({ "error": { "code": code, "message": error.message(), "status": status(code) } }).to_string()
}

fn status(code: u16) -> &'static str {
    let found = STATUSES.iter().find(|(s, _)| *s == code).map(|(_, word)| *word);
    found.unwrap_or(if code < 500 { "INVALID_ARGUMENT" } else { "INTERNAL" })
}

/// Takes any body; what is no JSON is the message itself.
pub(super) fn read(status: u16, body: &[u8]) -> ProviderFault {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        let message = clip(&String::from_utf8_lossy(body));
        return ProviderFault { status, message, ..ProviderFault::default() };
    };
    let object = value.get(0).unwrap_or(&value);
    let error = object.get("error").filter(|e| !e.is_null()).unwrap_or(object);
    ProviderFault { status, ..fault(error) }
}

/// The `error` member of an answer or a chunk.
pub(super) fn fault(error: &Value) -> ProviderFault {
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = error.get("code").and_then(Value::as_u64).and_then(|c| u16::try_from(c).ok());
    ProviderFault {
        status: code.filter(|c| (400..600).contains(c)).unwrap_or_default(),
        message: clip(&text("message").unwrap_or_else(|| plain(error))),
        kind: text("status"),
        code: reason(error),
    }
}

/// `google.rpc.ErrorInfo` among the details names the reason, e.g. `API_KEY_INVALID`.
fn reason(error: &Value) -> Option<String> {
    let details = error.get("details")?.as_array()?;
    details.iter().find_map(|d| d.get("reason")?.as_str()).map(str::to_owned)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::error::Kind;

    #[test]
    fn googles_errors_are_read_alone_and_in_a_list() {
        let error = r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT",
            "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#;
        for body in [error.to_owned(), format!("[{error}]")] {
            let fault = read(400, body.as_bytes());
            assert_eq!(fault.message, "API key not valid.");
            assert_eq!(fault.kind.as_deref(), Some("INVALID_ARGUMENT"));
            assert_eq!(fault.code.as_deref(), Some("API_KEY_INVALID"));
        }
    }

    #[test]
    fn anything_else_is_a_message() {
        for (body, message) in [
            (r#"{"error":"no"}"#, "no"),
            (r#"{"message":"no"}"#, "no"),
            ("<html>no", "<html>no"),
            ("[]", "[]"),
            ("", ""),
        ] {
            let fault = read(502, body.as_bytes());
            assert_eq!((fault.status, fault.message.as_str()), (502, message), "{body}");
        }
    }

    #[test]
    fn p21_an_error_is_told_in_googles_words() {
        let error = ApiError::new(Kind::NoDeployment, "slow down");
        let told: Value = serde_json::from_str(&write(&error)).unwrap();
        let expected =
            json!({ "error": { "code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED" } });
        assert_eq!(told, expected);
    }
}
