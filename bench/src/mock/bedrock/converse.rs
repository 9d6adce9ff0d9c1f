//! Converse, whole and as frames.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::mock::frames;
use crate::mock::json::spaced;
use crate::mock::turn::{
    Block, Finish, INPUT_TOKENS, OUTPUT_TOKENS, SIGNATURE, TOTAL_TOKENS, ToolCall, Turn, Usage,
};

pub(super) fn whole(turn: &Turn) -> Value {
    let content: Vec<Value> = turn.blocks.iter().map(block).collect();
    json!({
        "metrics": {"latencyMs": 12},
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop_reason(turn),
        "usage": usage(turn.usage),
    })
}

fn block(block: &Block) -> Value {
    match block {
        Block::Thinking(text) => {
            json!({"reasoningContent": {"reasoningText": {"text": text, "signature": SIGNATURE}}})
        }
        Block::Text(pieces) => json!({"text": pieces.concat()}),
        Block::Call(call) => {
            let mut opened = opened(call);
            opened["toolUse"]["input"] = call.object();
            opened
        }
    }
}

fn opened(call: &ToolCall) -> Value {
    json!({"toolUse": {"toolUseId": format!("tooluse_mock{}", call.tag), "name": call.name}})
}

fn stop_reason(turn: &Turn) -> &'static str {
    match turn.finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::Calls => "tool_use",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Refusal => "content_filtered",
    }
}

/// The input excludes what was read from a cache or written to one; without a cache, none is mentioned.
fn usage(usage: Usage) -> Value {
    let mut value =
        json!({"inputTokens": INPUT_TOKENS, "outputTokens": OUTPUT_TOKENS, "totalTokens": TOTAL_TOKENS});
    if usage.cache_read > 0 {
        value["cacheReadInputTokens"] = usage.cache_read.into();
        value["cacheWriteInputTokens"] = usage.cache_write.into();
        value["totalTokens"] = (TOTAL_TOKENS + usage.cache_read + usage.cache_write).into();
    }
    value
}

// --- frames ---

/// With `breaks`, an exception follows the text and nothing follows the exception; a turn with calls does not break.
pub(super) fn events(turn: &Turn, breaks: bool) -> Vec<Bytes> {
    let mut events = vec![event("messageStart", &json!({"role": "assistant", "p": "abc"}))];
    for (index, block) in turn.blocks.iter().enumerate() {
        let at = |name: &str, value: Value| json!({"contentBlockIndex": index, name: value});
        // Only tools announce themselves.
        if let Block::Call(call) = block {
            events.push(event("contentBlockStart", &at("start", opened(call))));
        }
        let deltas = deltas(block).into_iter();
        events.extend(deltas.map(|delta| event("contentBlockDelta", &at("delta", delta))));
        if breaks && !turn.has_calls() && matches!(block, Block::Text(_)) {
            events.push(broken());
            return events;
        }
        events.push(event("contentBlockStop", &json!({"contentBlockIndex": index})));
    }
    events.push(event("messageStop", &json!({"stopReason": stop_reason(turn)})));
    let metadata = json!({"usage": usage(turn.usage), "metrics": {"latencyMs": 12}});
    events.push(event("metadata", &metadata));
    events
}

fn deltas(block: &Block) -> Vec<Value> {
    match block {
        Block::Thinking(text) => vec![
            json!({"reasoningContent": {"text": text}}),
            json!({"reasoningContent": {"signature": SIGNATURE}}),
        ],
        Block::Text(pieces) => pieces.iter().map(|text| json!({"text": text})).collect(),
        Block::Call(call) => {
            let call = ToolCall { arguments: call.object(), ..call.clone() };
            call.parts().into_iter().map(|part| json!({"toolUse": {"input": part}})).collect()
        }
    }
}

pub(super) fn broken() -> Bytes {
    frames::exception("modelStreamErrorException", &spaced(&json!({"message": "mock stream error"})))
}

fn event(kind: &str, payload: &Value) -> Bytes {
    frames::event(kind, &spaced(payload))
}
