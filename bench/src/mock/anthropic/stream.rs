//! A message as events, in Anthropic's order.

use serde_json::{Value, json};

use super::message::{self, Envelope};
use crate::mock::turn::{Block, OUTPUT_TOKENS, SIGNATURE, ToolCall, Turn};

/// The events, each with its type. With `breaks`, an error follows the text and nothing follows the error; a turn
/// with calls does not break.
pub(in crate::mock) fn events(envelope: &Envelope<'_>, turn: &Turn, breaks: bool) -> Vec<Value> {
    let mut events = vec![start(envelope, turn), json!({"type": "ping"})];
    for (index, block) in turn.blocks.iter().enumerate() {
        events.push(json!({"type": "content_block_start", "index": index, "content_block": opened(block)}));
        let deltas = deltas(block).into_iter();
        events.extend(
            deltas.map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})),
        );
        if breaks && !turn.has_calls() && matches!(block, Block::Text(_)) {
            events.push(overloaded());
            return events;
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    let delta =
        json!({"stop_reason": message::stop_reason(turn), "stop_sequence": message::stop_sequence(turn)});
    events.push(json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": OUTPUT_TOKENS}}));
    events.push(json!({"type": "message_stop"}));
    events
}

fn start(envelope: &Envelope<'_>, turn: &Turn) -> Value {
    let message = json!({
        "id": envelope.id,
        "type": "message",
        "role": "assistant",
        "model": envelope.model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": message::usage(turn.usage, 1),
    });
    json!({"type": "message_start", "message": message})
}

fn opened(block: &Block) -> Value {
    match block {
        Block::Thinking(_) => json!({"type": "thinking", "thinking": "", "signature": ""}),
        Block::Text(_) => json!({"type": "text", "text": ""}),
        Block::Call(call) => message::tool_use(call, json!({})),
    }
}

fn deltas(block: &Block) -> Vec<Value> {
    match block {
        Block::Thinking(text) => vec![
            json!({"type": "thinking_delta", "thinking": text}),
            json!({"type": "signature_delta", "signature": SIGNATURE}),
        ],
        Block::Text(pieces) => {
            pieces.iter().map(|text| json!({"type": "text_delta", "text": text})).collect()
        }
        Block::Call(call) => {
            let call = ToolCall { arguments: call.object(), ..call.clone() };
            let parts = call.spaced_parts().into_iter();
            parts.map(|part| json!({"type": "input_json_delta", "partial_json": part})).collect()
        }
    }
}

fn overloaded() -> Value {
    json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
}
