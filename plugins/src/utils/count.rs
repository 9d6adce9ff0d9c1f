//! `/utils/token_counter`.

use crate::dialects::ClientDialect;
use crate::dialects::gemini::Gemini;
use crate::dialects::openai_chat::OpenAiChat;
use crate::tokens::{count_request, count_text};
use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::error::{ApiError, Kind};

/// What a client sends. One of the three is counted, in this order: `contents`, `messages`, `prompt`.
#[derive(Clone, Debug, Deserialize)]
pub struct TokenCountRequest {
    pub model: String,
    #[serde(default)]
    pub prompt: Option<String>,
    #[serde(default)]
    pub messages: Option<Vec<Value>>,
    /// Gemini's.
    #[serde(default)]
    pub contents: Option<Vec<Value>>,
    /// LiteLLM leaves tools out of its schema and counts none; we count what is given.
    #[serde(default)]
    pub tools: Option<Vec<Value>>,
}

/// `model_used`: the upstream model behind the name, without its provider; the name where there is none.
///
/// # Errors
/// 400 where there is nothing to count, or nothing that can be read.
pub fn token_counter(request: &TokenCountRequest, model_used: &str) -> Result<Value, ApiError> {
    Ok(json!({
        "total_tokens": total(request, model_used)?,
        "request_model": request.model,
        "model_used": model_used,
        "tokenizer_type": "openai_tokenizer",
        "original_response": null,
        "error": false,
        "error_message": null,
        "status_code": null,
    }))
}

fn total(request: &TokenCountRequest, model: &str) -> Result<u64, ApiError> {
    let tools = request.tools.as_deref().filter(|tools| !tools.is_empty());
    if let Some(contents) = &request.contents {
        return counted(&Gemini, json!({ "contents": contents, "tools": tools }), model);
    }
    if let Some(messages) = &request.messages {
        return counted(&OpenAiChat, json!({ "model": model, "messages": messages, "tools": tools }), model);
    }
    match &request.prompt {
        Some(prompt) => Ok(count_text(prompt, model)),
        None => Err(ApiError::new(Kind::BadRequest, "prompt or messages or contents must be provided")),
    }
}

fn counted(dialect: &dyn ClientDialect, mut body: Value, model: &str) -> Result<u64, ApiError> {
    if let Value::Object(members) = &mut body {
        members.retain(|_, value| !value.is_null());
    }
    let body = JsonBody::parse(Bytes::from(body.to_string()))
        .map_err(|error| ApiError::new(Kind::BadJson, error.to_string()))?;
    Ok(count_request(&dialect.read_request(&body, &HeaderMap::new())?, model))
}
