//! A message, whole, and the parts that the stream has too.

use serde_json::{Value, json};

use crate::mock::turn::{Block, Finish, INPUT_TOKENS, OUTPUT_TOKENS, SIGNATURE, ToolCall, Turn, Usage};

/// What names a message.
pub(in crate::mock) struct Envelope<'a> {
    pub(in crate::mock) id: &'a str,
    pub(in crate::mock) model: &'a str,
}

pub(in crate::mock) fn whole(envelope: &Envelope<'_>, turn: &Turn) -> Value {
    let content: Vec<Value> = turn.blocks.iter().map(block).collect();
    json!({
        "id": envelope.id,
        "type": "message",
        "role": "assistant",
        "model": envelope.model,
        "content": content,
        "stop_reason": stop_reason(turn),
        "stop_sequence": stop_sequence(turn),
        "usage": usage(turn.usage, OUTPUT_TOKENS),
    })
}

fn block(block: &Block) -> Value {
    match block {
        Block::Thinking(text) => json!({"type": "thinking", "thinking": text, "signature": SIGNATURE}),
        Block::Text(pieces) => json!({"type": "text", "text": pieces.concat()}),
        Block::Call(call) => tool_use(call, call.object()),
    }
}

pub(super) fn tool_use(call: &ToolCall, input: Value) -> Value {
    json!({"type": "tool_use", "id": format!("toolu_mock{}", call.tag), "name": call.name, "input": input})
}

pub(super) fn stop_reason(turn: &Turn) -> &'static str {
    match turn.finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::Calls => "tool_use",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Refusal => "refusal",
    }
}

pub(super) fn stop_sequence(turn: &Turn) -> Value {
    match &turn.finish {
        Finish::StopSequence(text) => text.as_str().into(),
        _ => Value::Null,
    }
}

/// The input excludes what was read from a cache or written to one.
pub(super) fn usage(usage: Usage, output: u64) -> Value {
    json!({
        "input_tokens": INPUT_TOKENS,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": output,
        "service_tier": "standard",
    })
}
