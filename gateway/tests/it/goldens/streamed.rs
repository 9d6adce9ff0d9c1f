//! What a stream says, however it is cut.

use crate::client::Answer;
use serde_json::{Map, Value, json};

/// What a stream says, however it is cut into chunks.
pub fn meaning(answer: &Answer) -> Value {
    let chunks = answer.chunks();
    let mut tools: Map<String, Value> = Map::new();
    let (mut finish, mut usage, mut error, mut text) = (Value::Null, Value::Null, false, String::new());
    for chunk in &chunks {
        let choice = &chunk["choices"][0];
        text.push_str(choice["delta"]["content"].as_str().or(choice["text"].as_str()).unwrap_or_default());
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let entry = tools
                .entry(call["index"].to_string())
                .or_insert_with(|| json!({"name": "", "arguments": ""}));
            for part in ["name", "arguments"] {
                let more = call["function"][part].as_str().unwrap_or_default();
                entry[part] = format!("{}{more}", entry[part].as_str().unwrap_or_default()).into();
            }
        }
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
        if chunk["usage"]["total_tokens"].as_u64().is_some_and(|t| t > 0) {
            usage = chunk["usage"]["total_tokens"].clone();
        }
        error |= chunk["error"].is_object();
    }
    let done = answer.events().last().is_some_and(|e| e == "[DONE]");
    let text_completion = chunks.first().is_some_and(|c| c["object"] == "text_completion");
    // LiteLLM puts a guessed usage into every chunk of a text completion, asked or not.
    let usage = if text_completion { Value::Null } else { usage };
    json!({"text": text, "tools": tools, "finish": finish, "usage": usage, "error": error, "done": done})
}
