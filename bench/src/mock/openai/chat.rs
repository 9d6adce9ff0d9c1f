//! Chat completions: the parts that both forms share, and the whole answer.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{Call, wire};
use crate::mock::reply::Reply;

/// As the real provider; a larger `n` would only cost memory.
const MAX_CHOICES: u64 = 128;

pub(super) const TOOL_ID: &str = "call_mock_1";
pub(super) const TOOL_NAME: &str = "get_weather";

pub(super) fn reply(call: &Call<'_>, id: &str) -> Reply {
    let count = call.body["n"].as_u64().unwrap_or(1).clamp(1, MAX_CHOICES);
    let choices: Vec<Value> = (0..count).map(|index| choice(call, index)).collect();
    wire::success(&json!({
        "id": id,
        "object": "chat.completion",
        "created": wire::CREATED,
        "model": call.dated_model(),
        "choices": choices,
        "usage": usage(call),
        "service_tier": "default",
        "system_fingerprint": "fp_mock",
    }))
}

fn choice(call: &Call<'_>, index: u64) -> Value {
    let mut message = json!({"role": "assistant", "content": text(call), "refusal": null, "annotations": []});
    let mut finish = "stop";
    if call.wants_tool() {
        message["content"] = Value::Null;
        message["tool_calls"] = json!([tool_call()]);
        finish = "tool_calls";
    }
    json!({"index": index, "message": message, "logprobs": null, "finish_reason": finish})
}

fn text(call: &Call<'_>) -> &'static str {
    match call.body["response_format"]["type"].as_str() {
        Some("json_object" | "json_schema") => "{\"answer\":42}",
        _ => "Hello from mock.",
    }
}

/// Always the same tool, whatever was declared.
fn tool_call() -> Value {
    let function = json!({"name": TOOL_NAME, "arguments": "{\"city\":\"Paris\"}"});
    json!({"id": TOOL_ID, "type": "function", "function": function})
}

/// Constants, never counted from the text.
pub(super) fn usage(call: &Call<'_>) -> Value {
    let cached = if call.words.has("__cached") { 4 } else { 0 };
    let reasoning = if call.words.has("__reason") { 3 } else { 0 };
    json!({
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "total_tokens": 18,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

// --- impl Call ---

impl Call<'_> {
    pub(super) fn chat_model(&self) -> &str {
        self.model_or(self.route.deployment.unwrap_or("gpt"))
    }

    /// The provider answers with the snapshot behind an alias; names of its own begin with `gpt`.
    pub(super) fn dated_model(&self) -> Cow<'_, str> {
        let model = self.chat_model();
        if model.starts_with("gpt") { format!("{model}-2024-08-06").into() } else { model.into() }
    }
}
