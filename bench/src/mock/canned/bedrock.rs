//! Bodies and frames of Bedrock: Converse, and InvokeModel with Anthropic's messages.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::anthropic;
use super::replies::{COMPLETION_TOKENS, PROMPT_TOKENS, word};
pub(super) use crate::mock::frames::EVENT_STREAM;
use crate::mock::frames::event;
use crate::mock::json::compact;

pub(super) fn converse(text: &str) -> Value {
    json!({
        "metrics": {"latencyMs": 12},
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": "end_turn",
        "usage": usage(),
    })
}

fn usage() -> Value {
    json!({
        "inputTokens": PROMPT_TOKENS,
        "outputTokens": COMPLETION_TOKENS,
        "totalTokens": PROMPT_TOKENS + COMPLETION_TOKENS,
    })
}

/// So many pieces of text, and what stands around them.
pub(super) fn frames(chunks: usize) -> Vec<Bytes> {
    let framed = |kind: &str, payload: &Value| event(kind, &compact(payload));
    let piece = |at| json!({"contentBlockIndex": 0, "delta": {"text": word(at)}, "p": "abcdefgh"});
    let mut frames = vec![framed("messageStart", &json!({"role": "assistant", "p": "abc"}))];
    frames.extend((0..chunks).map(|at| framed("contentBlockDelta", &piece(at))));
    frames.push(framed("contentBlockStop", &json!({"contentBlockIndex": 0})));
    frames.push(framed("messageStop", &json!({"stopReason": "end_turn"})));
    frames.push(framed("metadata", &json!({"usage": usage(), "metrics": {"latencyMs": 12}})));
    frames
}

pub(super) fn invoke_frames(chunks: usize) -> Vec<Bytes> {
    let events = anthropic::values(chunks);
    let own = events.iter().filter(|event| event["type"] != "ping");
    own.map(|inner| event("chunk", &compact(&json!({"bytes": BASE64_STANDARD.encode(compact(inner))}))))
        .collect()
}
