//! `:countTokens`, for clients and from Google.

use super::request;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use weir_core::body::JsonBody;
use weir_core::chat::Request;
use weir_core::error::{ApiError, Kind};

/// What is to be counted: the conversation, or a whole request below `generateContentRequest`.
///
/// # Errors
/// 400: neither of the two.
pub fn read_count_request(body: &JsonBody) -> Result<Request, ApiError> {
    let inner = body.raw("generateContentRequest").or_else(|| body.raw("generate_content_request"));
    let Some(inner) = inner else { return request::read(body) };
    let inner = JsonBody::parse(Bytes::copy_from_slice(inner.as_bytes()))
        .map_err(|e| ApiError::new(Kind::BadRequest, format!("Invalid JSON payload received. {e}")))?;
    request::read(&inner)
}

pub fn write_count(total: u64) -> Vec<u8> {
    json!({ "totalTokens": total }).to_string().into_bytes()
}

/// `None`: not Google's answer.
pub fn read_count(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Counted {
        #[serde(deserialize_with = "crate::dialects::counts::count")]
        total_tokens: u64,
    }
    serde_json::from_slice(body).ok().map(|counted: Counted| counted.total_tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_request_are_read() {
        let plain = json!({ "contents": [{ "parts": [{ "text": "hi" }] }] });
        for body in [plain.clone(), json!({ "generateContentRequest": plain })] {
            let body = JsonBody::parse(Bytes::from(body.to_string())).unwrap();
            assert_eq!(read_count_request(&body).unwrap().messages[0].text(), "hi");
        }
        let bad = JsonBody::parse(Bytes::from_static(b"{\"generateContentRequest\":1}")).unwrap();
        assert_eq!(read_count_request(&bad).unwrap_err().status(), 400);
    }

    #[test]
    fn counts_come_back() {
        assert_eq!(read_count(&write_count(31)), Some(31));
        assert_eq!(read_count(b"{}"), None);
    }
}
