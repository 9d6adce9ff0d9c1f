//! Bodies and lines of Ollama's chat.

use bytes::Bytes;
use serde_json::{Value, json};

use super::replies::{COMPLETION_TOKENS, PROMPT_TOKENS, word};
pub(super) use crate::mock::wire::NDJSON;
use crate::mock::wire::line;

const MODEL: &str = "qwen2.5:7b-instruct";

pub(super) fn chat(text: &str) -> Value {
    let mut value = said(text);
    value["done"] = true.into();
    value["done_reason"] = "stop".into();
    value["total_duration"] = 5_000_000.into();
    value["load_duration"] = 1_000_000.into();
    value["prompt_eval_count"] = PROMPT_TOKENS.into();
    value["prompt_eval_duration"] = 1_000_000.into();
    value["eval_count"] = COMPLETION_TOKENS.into();
    value["eval_duration"] = 2_000_000.into();
    value
}

/// So many pieces of text, and the line that ends them.
pub(super) fn lines(chunks: usize) -> Vec<Bytes> {
    let mut lines: Vec<Bytes> = (0..chunks).map(|at| line(&said(word(at))).send).collect();
    lines.push(line(&chat("")).send);
    lines
}

fn said(text: &str) -> Value {
    json!({
        "model": MODEL,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "message": {"role": "assistant", "content": text},
        "done": false,
    })
}
