//! Responses: the parts that both forms share, the whole answer, and what is asked about a response later.
//!
//! Nothing is kept: any id is found, and an id names the number of tool results before it where that matters.

use serde_json::{Value, json};

use super::wire::{success, tier};
use super::{Call, chat, responses_stream};
use crate::mock::ask::{Ask, Habits};
use crate::mock::reply::Reply;
use crate::mock::script;
use crate::mock::turn::{Block, Finish, INPUT_TOKENS, OUTPUT_TOKENS, TOTAL_TOKENS, ToolCall, Turn, Usage};
use crate::mock::wire;

const ID: &str = "resp_mock1";
pub(super) const MESSAGE_ID: &str = "msg_mock1";

pub(super) fn reply(call: &Call<'_>) -> Reply {
    let ask = call.ask;
    let streamed = ask.truthy("stream");
    let turn = ask.turn(Habits {
        streamed: true,
        tool: call.wants_tool().then(|| ask.weather()),
        caches: ask.words.has("__cached"),
        ..Habits::default()
    });
    if streamed { responses_stream::reply(ask, &turn) } else { success(&completed(ask, &turn)) }
}

// --- about a response ---

pub(super) fn stored(call: &Call<'_>) -> Reply {
    success(&existing(call, "completed"))
}

pub(super) fn cancelled(call: &Call<'_>) -> Reply {
    success(&existing(call, "cancelled"))
}

pub(super) fn deleted(call: &Call<'_>) -> Reply {
    wire::plain(200, &json!({"id": call.route.id, "object": "response", "deleted": true}))
}

pub(super) fn input_items() -> Reply {
    let content = json!([{"type": "input_text", "text": "Hello."}]);
    let item = json!({"id": MESSAGE_ID, "type": "message", "role": "user", "status": "completed", "content": content});
    success(&json!({
        "object": "list",
        "data": [item],
        "first_id": MESSAGE_ID,
        "last_id": MESSAGE_ID,
        "has_more": false,
    }))
}

fn existing(call: &Call<'_>, status: &str) -> Value {
    let turn = call.ask.turn(Habits::default());
    let mut response = completed(call.ask, &turn);
    response["id"] = call.route.id.into();
    response["status"] = status.into();
    response
}

// --- the object ---

pub(super) fn completed(ask: &Ask<'_>, turn: &Turn) -> Value {
    let mut response = frame(ask, turn);
    if turn.finish == Finish::Length {
        response["status"] = "incomplete".into();
        response["incomplete_details"] = json!({"reason": "max_output_tokens"});
    }
    response["output"] = turn.blocks.iter().map(|block| item(ask, turn, block)).collect();
    response["usage"] = usage(turn.usage);
    response
}

pub(super) fn started(ask: &Ask<'_>, turn: &Turn) -> Value {
    let mut response = frame(ask, turn);
    response["status"] = "in_progress".into();
    response
}

/// Without output and usage.
fn frame(ask: &Ask<'_>, turn: &Turn) -> Value {
    let id = script::response_id(&ask.body).filter(|_| turn.has_calls());
    json!({
        "id": id.as_deref().unwrap_or(ID),
        "object": "response",
        "created_at": wire::CREATED,
        "status": "completed",
        "background": false,
        "error": null,
        "incomplete_details": null,
        "instructions": ask.body["instructions"],
        "max_output_tokens": null,
        "max_tool_calls": null,
        "model": ask.model_or("gpt"),
        "output": [],
        "parallel_tool_calls": true,
        "previous_response_id": ask.body["previous_response_id"],
        "prompt_cache_key": null,
        "reasoning": {"effort": null, "summary": null},
        "safety_identifier": null,
        "service_tier": tier(ask),
        "store": true,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": null,
        "user": null,
        "metadata": {},
    })
}

fn usage(usage: Usage) -> Value {
    json!({
        "input_tokens": INPUT_TOKENS,
        "input_tokens_details": {"cached_tokens": usage.cache_read},
        "output_tokens": OUTPUT_TOKENS,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": TOTAL_TOKENS,
    })
}

// --- items ---

pub(super) fn item(ask: &Ask<'_>, turn: &Turn, block: &Block) -> Value {
    match block {
        Block::Thinking(text) => reasoning(ask, text),
        Block::Text(pieces) => message(&part(turn, &pieces.concat())),
        Block::Call(call) => called(ask, call, "completed", &call.compact_arguments()),
    }
}

fn message(part: &Value) -> Value {
    json!({"id": MESSAGE_ID, "type": "message", "status": "completed", "role": "assistant", "content": [part]})
}

pub(super) fn part(turn: &Turn, text: &str) -> Value {
    if turn.finish == Finish::Refusal {
        return json!({"type": "refusal", "refusal": text});
    }
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

/// Sealed only for those who ask for it.
fn reasoning(ask: &Ask<'_>, text: &str) -> Value {
    let mut item = opened_reasoning();
    item["summary"] = json!([{"type": "summary_text", "text": text}]);
    let included = ask.body["include"].as_array().into_iter().flatten();
    if included.into_iter().any(|name| name == "reasoning.encrypted_content") {
        item["encrypted_content"] = "c2VhbGVk".into();
    }
    item
}

pub(super) fn opened_reasoning() -> Value {
    json!({"id": "rs_mock1", "type": "reasoning", "summary": []})
}

/// With as much of the arguments as is known.
pub(super) fn called(ask: &Ask<'_>, call: &ToolCall, status: &str, arguments: &str) -> Value {
    let custom = is_custom(ask, call);
    let (id, kind, field) =
        if custom { ("ctc", "custom_tool_call", "input") } else { ("fc", "function_call", "arguments") };
    json!({
        "id": format!("{id}_mock{}", call.tag),
        "type": kind,
        "status": status,
        field: arguments,
        "call_id": chat::call_id(call),
        "name": call.name,
    })
}

/// A tool of this name that takes free text is declared.
pub(super) fn is_custom(ask: &Ask<'_>, call: &ToolCall) -> bool {
    let tools = ask.body["tools"].as_array().into_iter().flatten();
    tools.into_iter().any(|tool| tool["type"] == "custom" && tool["name"] == call.name.as_str())
}
