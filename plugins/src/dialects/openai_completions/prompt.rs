//! A prompt as a chat of one message.

use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::Object;
use weir_core::error::{ApiError, Kind};

/// Members that have no meaning in a chat, and the values of them that ask for nothing.
static UNTRANSLATED: &[(&str, &[&str])] = &[
    ("suffix", &["null", "\"\""]),
    ("echo", &["null", "false"]),
    ("logprobs", &["null"]),
    ("best_of", &["null", "1"]),
    ("n", &["null", "1"]),
];

/// The body of the chat that asks the same.
///
/// # Errors
/// 400 for a body that is no object or has no prompt, and for what a chat cannot give.
pub(super) fn as_chat(body: &JsonBody) -> Result<Object, ApiError> {
    for (name, idle) in UNTRANSLATED {
        if body.raw(name).is_some_and(|raw| !idle.contains(&raw)) {
            return Err(bad(
                name,
                format!("This model answers chats only, which have no '{name}': leave it out."),
            ));
        }
    }
    let mut object: Object = serde_json::from_slice(body.bytes())
        .map_err(|e| ApiError::new(Kind::BadJson, format!("Invalid JSON payload: {e}")))?;
    for (name, _) in UNTRANSLATED {
        object.shift_remove(*name);
    }
    let prompt = text(object.shift_remove("prompt").unwrap_or(Value::Null))?;
    object.insert("messages".to_owned(), json!([{ "role": "user", "content": prompt }]));
    Ok(object)
}

/// One text, bare or as the only one of a list.
fn text(prompt: Value) -> Result<String, ApiError> {
    match prompt {
        Value::String(text) => Ok(text),
        Value::Array(mut list) if list.len() == 1 && list.first().is_some_and(Value::is_string) => {
            text(list.remove(0))
        }
        Value::Null => Err(bad("prompt", "Missing required parameter: 'prompt'.")),
        Value::Array(list) if list.iter().all(Value::is_string) && !list.is_empty() => Err(bad(
            "prompt",
            "This model answers chats only, one prompt to a request: send each prompt on its own.",
        )),
        _ => Err(bad("prompt", "This model answers chats only: send 'prompt' as text, not as tokens.")),
    }
}

fn bad(param: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(Kind::BadRequest, message).with_param(param)
}
