//! Candidates: parts, why they end, and usage, which every chunk of a stream repeats.

use serde_json::{Value, json};

use super::details;
use crate::mock::turn::{Block, Finish, INPUT_TOKENS, OUTPUT_TOKENS, TOTAL_TOKENS, Turn, Usage};

/// Base64, unlike the signatures of the others: clients decode it.
const SIGNATURE: &str = "c2lnPT0=";

pub(super) fn whole(model: &str, turn: &Turn) -> Value {
    let parts = turn.blocks.iter().map(|block| match block {
        Block::Text(pieces) => json!({"text": pieces.concat()}),
        other => part(other),
    });
    response(model, turn, parts.collect(), Some(finish(turn)))
}

/// One part each; the last brings the reason.
pub(super) fn chunks(model: &str, turn: &Turn) -> Vec<Value> {
    let mut parts = Vec::new();
    for block in &turn.blocks {
        match block {
            Block::Text(pieces) => parts.extend(pieces.iter().map(|piece| json!({"text": piece}))),
            other => parts.push(part(other)),
        }
    }
    let last = parts.len().saturating_sub(1);
    let chunk = |(at, part)| response(model, turn, vec![part], (at == last).then(|| finish(turn)));
    parts.into_iter().enumerate().map(chunk).collect()
}

pub(super) fn count() -> Value {
    json!({"totalTokens": INPUT_TOKENS, "promptTokensDetails": details()})
}

fn response(model: &str, turn: &Turn, parts: Vec<Value>, finish: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}});
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    candidate["index"] = 0.into();
    json!({
        "candidates": [candidate],
        "usageMetadata": usage(turn.usage),
        "modelVersion": model,
        "responseId": "resp-mock-1",
    })
}

fn part(block: &Block) -> Value {
    match block {
        Block::Thinking(text) => json!({"text": text, "thought": true}),
        Block::Text(pieces) => json!({"text": pieces.concat()}),
        Block::Call(call) => {
            let function =
                json!({"id": format!("call_mock{}", call.tag), "name": call.name, "args": call.object()});
            json!({"functionCall": function, "thoughtSignature": SIGNATURE})
        }
    }
}

/// Calls and stop sequences are ordinary ends here.
fn finish(turn: &Turn) -> &'static str {
    match turn.finish {
        Finish::Stop | Finish::Calls | Finish::StopSequence(_) => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::Refusal => "SAFETY",
    }
}

/// The prompt includes what was read from a cache; the candidates exclude the thoughts.
fn usage(usage: Usage) -> Value {
    let mut value = json!({
        "promptTokenCount": INPUT_TOKENS,
        "candidatesTokenCount": OUTPUT_TOKENS,
        "totalTokenCount": TOTAL_TOKENS + usage.reasoning,
        "promptTokensDetails": details(),
    });
    if usage.cache_read > 0 {
        value["cachedContentTokenCount"] = usage.cache_read.into();
    }
    if usage.reasoning > 0 {
        value["thoughtsTokenCount"] = usage.reasoning.into();
    }
    value
}
