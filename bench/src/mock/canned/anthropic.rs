//! Bodies and events of Anthropic's API.

use bytes::Bytes;
use serde_json::{Value, json};

use super::replies::{COMPLETION_TOKENS, PROMPT_TOKENS, word};
use crate::mock::wire::named_event;

const MODEL: &str = "claude-sonnet-4-5-20250929";
const ID: &str = "msg_01BkqJ3fU8xT2mVnR5wYhZ7c";

pub(super) fn message(text: &str) -> Value {
    let mut message = frame();
    message["content"] = json!([{"type": "text", "text": text}]);
    message["stop_reason"] = "end_turn".into();
    message["usage"]["output_tokens"] = COMPLETION_TOKENS.into();
    message
}

fn frame() -> Value {
    json!({
        "id": ID,
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {"input_tokens": PROMPT_TOKENS, "output_tokens": 1},
    })
}

pub(super) fn events(chunks: usize) -> Vec<Bytes> {
    values(chunks).iter().map(|event| named_event(event).send).collect()
}

/// So many pieces of text, and what stands around them.
pub(super) fn values(chunks: usize) -> Vec<Value> {
    let piece = |at| json!({"type": "text_delta", "text": word(at)});
    let mut events = vec![
        json!({"type": "message_start", "message": frame()}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "ping"}),
    ];
    events
        .extend((0..chunks).map(|at| json!({"type": "content_block_delta", "index": 0, "delta": piece(at)})));
    events.push(json!({"type": "content_block_stop", "index": 0}));
    events.push(json!({
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": null},
        "usage": {"output_tokens": COMPLETION_TOKENS},
    }));
    events.push(json!({"type": "message_stop"}));
    events
}
