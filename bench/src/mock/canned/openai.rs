//! Bodies and events of OpenAI's API.

use bytes::Bytes;
use serde_json::{Value, json};

use super::replies::{COMPLETION_TOKENS, PROMPT_TOKENS, word};
use crate::mock::wire::{CREATED, compact_event, done};

const MODEL: &str = "gpt-4o-mini-2024-07-18";
const ID: &str = "chatcmpl-BkqJ3fU8xT2mVnR5wYhZ7cLdQ9eA1";
const DIMENSIONS: usize = 256;

pub(super) fn chat(text: &str) -> Value {
    let message = json!({"role": "assistant", "content": text, "refusal": null, "annotations": []});
    json!({
        "id": ID,
        "object": "chat.completion",
        "created": CREATED,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": usage(),
        "system_fingerprint": "fp_canned",
    })
}

fn usage() -> Value {
    json!({
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": COMPLETION_TOKENS,
        "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
    })
}

pub(super) fn embeddings() -> Value {
    let vector: Vec<f64> = (0..DIMENSIONS).map(|i| i as f64 / 1024.0 - 0.125).collect();
    json!({
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": PROMPT_TOKENS, "total_tokens": PROMPT_TOKENS},
    })
}

pub(super) fn models() -> Value {
    let model = json!({"id": MODEL, "object": "model", "created": CREATED, "owned_by": "openai"});
    json!({"object": "list", "data": [model]})
}

pub(super) fn failure() -> Value {
    json!({"error": {"message": "canned failure", "type": "server_error", "param": null, "code": null}})
}

pub(super) fn events(chunks: usize, with_usage: bool) -> Vec<Bytes> {
    let mut events: Vec<Bytes> =
        (0..chunks).map(|at| compact_event(&chunk(at, chunks, with_usage)).send).collect();
    if with_usage {
        let mut last = frame(json!([]));
        last["usage"] = usage();
        events.push(compact_event(&last).send);
    }
    events.push(done().send);
    events
}

/// The first brings the role, the last the finish reason and no text (unless it is also the first).
fn chunk(at: usize, chunks: usize, with_usage: bool) -> Value {
    let mut delta = json!({});
    if at == 0 {
        delta = json!({"role": "assistant", "content": "Hello"});
    } else if at + 1 < chunks {
        delta["content"] = word(at).into();
    }
    let finish = if at + 1 == chunks { "stop".into() } else { Value::Null };
    let mut chunk = frame(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]));
    if with_usage {
        chunk["usage"] = Value::Null;
    }
    chunk
}

fn frame(choices: Value) -> Value {
    json!({
        "id": ID,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
        "system_fingerprint": "fp_canned",
        "choices": choices,
    })
}
