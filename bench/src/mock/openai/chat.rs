//! Chat completions: the parts that both forms share, and the whole answer.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Call;
use super::wire::{success, tier};
use crate::mock::ask::{FORMATTED, Habits};
use crate::mock::reply::Reply;
use crate::mock::turn::{Finish, INPUT_TOKENS, OUTPUT_TOKENS, TOTAL_TOKENS, ToolCall, Turn, Usage};
use crate::mock::wire;

/// As the real provider; a larger `n` would only cost memory.
const MAX_CHOICES: u64 = 128;

pub(super) fn reply(call: &Call<'_>, id: &str) -> Reply {
    let turn = call.turn(false);
    let count = call.ask.body["n"].as_u64().unwrap_or(1).clamp(1, MAX_CHOICES);
    let choices: Vec<Value> = (0..count).map(|index| choice(&turn, index)).collect();
    success(&json!({
        "id": id,
        "object": "chat.completion",
        "created": wire::CREATED,
        "model": call.dated_model(),
        "choices": choices,
        "usage": usage(turn.usage),
        "service_tier": tier(call.ask),
        "system_fingerprint": "fp_mock",
    }))
}

fn choice(turn: &Turn, index: u64) -> Value {
    let content = content(turn);
    let mut message = json!({"role": "assistant", "content": content, "refusal": null, "annotations": []});
    if turn.finish == Finish::Refusal {
        message["refusal"] = message["content"].take();
    }
    if let Some(text) = turn.thinking() {
        message["reasoning_content"] = text.into();
    }
    if turn.has_calls() {
        message["tool_calls"] = turn.calls().map(tool_call).collect();
    }
    json!({"index": index, "message": message, "logprobs": null, "finish_reason": finish(turn)})
}

/// Null where there is nothing but calls.
fn content(turn: &Turn) -> Value {
    let text = turn.text();
    if text.is_empty() && turn.has_calls() { Value::Null } else { text.into() }
}

fn tool_call(call: &ToolCall) -> Value {
    let function = json!({"name": call.name, "arguments": call.compact_arguments()});
    json!({"id": call_id(call), "type": "function", "function": function})
}

pub(super) fn call_id(call: &ToolCall) -> String {
    format!("call_mock_{}", call.tag)
}

pub(super) fn finish(turn: &Turn) -> &'static str {
    match turn.finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::Refusal => "stop",
        Finish::Length => "length",
        Finish::Calls => "tool_calls",
    }
}

/// The prompt includes what was read from a cache.
pub(super) fn usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": TOTAL_TOKENS,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

// --- impl Call ---

impl Call<'_> {
    /// A format counts for whole answers only, as the recorded provider had it.
    pub(super) fn turn(&self, streamed: bool) -> Turn {
        let format = self.ask.body["response_format"]["type"].as_str();
        let formatted = !streamed && matches!(format, Some("json_object" | "json_schema"));
        self.ask.turn(Habits {
            streamed,
            text: formatted.then_some(FORMATTED),
            tool: self.wants_tool().then(|| self.ask.weather()),
            thinks: false,
            caches: self.ask.words.has("__cached"),
        })
    }

    pub(super) fn chat_model(&self) -> &str {
        self.ask.model_or(self.route.deployment.unwrap_or("gpt"))
    }

    /// The provider answers with the snapshot behind an alias; names of its own begin with `gpt`.
    pub(super) fn dated_model(&self) -> Cow<'_, str> {
        let model = self.chat_model();
        if model.starts_with("gpt") { format!("{model}-2024-08-06").into() } else { model.into() }
    }
}
