//! The replies of one set of options, built once.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::options::Options;
use crate::mock::json;
use crate::mock::reply::{Reply, Step};

/// Every reply with usage says so, so that sums can be compared with counts of requests.
pub const PROMPT_TOKENS: u64 = 25;
pub const COMPLETION_TOKENS: u64 = 64;

const CREATED: u64 = 1_700_000_000;
const MODEL: &str = "gpt-4o-mini-2024-07-18";
const ID: &str = "chatcmpl-BkqJ3fU8xT2mVnR5wYhZ7cLdQ9eA1";
const DIMENSIONS: usize = 256;
/// Short words, as tokens are.
const WORDS: &[&str] = &[" gateway", " the", " of", " answers", " model", " and", " stream", " token"];

pub(super) struct Replies {
    pub(super) chat: Reply,
    pub(super) stream: Reply,
    pub(super) stream_with_usage: Reply,
    pub(super) embeddings: Reply,
    pub(super) models: Reply,
    pub(super) failure: Reply,
    pub(super) fail_per_mille: u32,
}

// --- impl Replies ---

impl Replies {
    pub(super) fn build(options: &Options) -> Replies {
        let options = &options.bounded();
        let finish = |reply: Reply| dress(reply, options.delay);
        Replies {
            chat: finish(whole(200, chat(options.reply_bytes))),
            stream: finish(stream(options, false)),
            stream_with_usage: finish(stream(options, true)),
            embeddings: finish(whole(200, json::compact(&embeddings()))),
            models: finish(whole(200, json::compact(&models()))),
            failure: finish(whole(500, json::compact(&failure()))),
            fail_per_mille: options.fail_per_mille,
        }
    }
}

/// For a request whose overrides are not understood.
pub(super) fn bad_options() -> Reply {
    let known = "mock: known are chunks, pace_us, delay_us, bytes and fail, each a number";
    let error = json!({"message": known, "type": "invalid_request_error", "param": null, "code": null});
    Reply::json(400, &json!({"error": error}))
}

fn dress(reply: Reply, delay: Duration) -> Reply {
    reply.header("x-request-id", "req_canned").header("openai-processing-ms", "1").delayed(delay)
}

fn whole(status: u16, body: Bytes) -> Reply {
    Reply::full(status, "application/json", body)
}

// --- bodies ---

/// Exactly `size` bytes, unless the frame around the text is larger.
fn chat(size: usize) -> Bytes {
    let frame = json::compact(&chat_value(""));
    let text: String =
        WORDS.iter().cycle().flat_map(|word| word.chars()).take(size.saturating_sub(frame.len())).collect();
    json::compact(&chat_value(&text))
}

fn chat_value(text: &str) -> Value {
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

fn embeddings() -> Value {
    let vector: Vec<f64> = (0..DIMENSIONS).map(|i| i as f64 / 1024.0 - 0.125).collect();
    json!({
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": PROMPT_TOKENS, "total_tokens": PROMPT_TOKENS},
    })
}

fn models() -> Value {
    let model = json!({"id": MODEL, "object": "model", "created": CREATED, "owned_by": "openai"});
    json!({"object": "list", "data": [model]})
}

fn failure() -> Value {
    json!({"error": {"message": "canned failure", "type": "server_error", "param": null, "code": null}})
}

// --- streams ---

fn stream(options: &Options, with_usage: bool) -> Reply {
    let events = events(options.chunks, with_usage);
    Reply::stream("text/event-stream; charset=utf-8", steps(events, options.pace))
}

fn steps(events: Vec<Bytes>, pace: Duration) -> Vec<Step> {
    if pace.is_zero() {
        return vec![Step::now(events.concat())];
    }
    let paced = |(at, event)| Step::after(if at == 0 { Duration::ZERO } else { pace }, event);
    events.into_iter().enumerate().map(paced).collect()
}

fn events(chunks: usize, with_usage: bool) -> Vec<Bytes> {
    let mut events: Vec<Bytes> = (0..chunks).map(|at| event(&chunk(at, chunks, with_usage))).collect();
    if with_usage {
        let mut last = frame(json!([]));
        last["usage"] = usage();
        events.push(event(&last));
    }
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

/// The first brings the role, the last the finish reason and no text (unless it is also the first).
fn chunk(at: usize, chunks: usize, with_usage: bool) -> Value {
    let mut delta = json!({});
    if at == 0 {
        delta = json!({"role": "assistant", "content": "Hello"});
    } else if at + 1 < chunks {
        delta["content"] = WORDS[at % WORDS.len()].into();
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

fn event(value: &Value) -> Bytes {
    Bytes::from([b"data: ", &json::compact(value)[..], b"\n\n"].concat())
}
