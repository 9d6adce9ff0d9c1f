//! Errors of providers that speak OpenAI's dialect, and how they are told to the client.

use serde_json::{Value, json};
use weir_core::error::ApiError;

/// What a provider's error body says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ProviderError {
    pub message: String,
    pub error_type: Option<String>,
    pub code: Option<String>,
}

const MAX_MESSAGE: usize = 4_000;

/// Reads `{"error":{…}}`, `{"error":"…"}`, `{"message":…}`, `{"detail":…}`, or takes the text itself.
pub fn read_error(body: &[u8]) -> ProviderError {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return ProviderError { message: clip(&String::from_utf8_lossy(body)), ..ProviderError::default() };
    };
    // Some gateways wrap the object into a list.
    let object = value.get(0).unwrap_or(&value);
    let error = object.get("error").filter(|e| !e.is_null()).unwrap_or(object);
    let text = |name: &str| error.get(name).filter(|v| !v.is_null()).map(plain);
    let message = text("message").or_else(|| text("detail")).unwrap_or_else(|| plain(error));
    ProviderError { message: clip(&message), error_type: text("type"), code: text("code") }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_MESSAGE).collect()
}

/// An error inside a stream that has begun. Followed by the end of the stream, without `[DONE]`.
pub fn stream_error_event(error: &ApiError) -> String {
    let status = error.status().to_string();
    let body =
        json!({ "error": { "message": error.message(), "type": null, "param": null, "code": status } });
    format!("data: {body}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_error_is_read() {
        for (body, message) in [
            (r#"{"error":{"message":"no","type":"t","code":"c"}}"#, "no"),
            (r#"{"error":"no"}"#, "no"),
            (r#"{"message":"no"}"#, "no"),
            (r#"{"detail":"no"}"#, "no"),
            (r#"{"detail":[{"msg":"no"}]}"#, r#"[{"msg":"no"}]"#),
            (r#"[{"error":{"message":"no"}}]"#, "no"),
            ("<html>no", "<html>no"),
            ("", ""),
        ] {
            assert_eq!(read_error(body.as_bytes()).message, message, "{body}");
        }
        let full = read_error(br#"{"error":{"message":"no","type":"t","code":429}}"#);
        assert_eq!((full.error_type.as_deref(), full.code.as_deref()), (Some("t"), Some("429")));
    }
}
