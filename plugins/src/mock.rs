//! `mock_response` and `mock_timeout`: a deployment that answers by itself, as a provider of OpenAI's dialect would, or
//! does not answer at all.

use bytes::Bytes;
use serde_json::json;
use std::time::Duration;
use weir_core::config::Params;
use weir_core::domain::operation::Operation;
use weir_core::domain::usage::Usage;

/// What a mocked deployment says.
#[derive(Clone, Debug)]
pub struct MockAnswer {
    text: String,
    pub delay: Duration,
    /// It never comes.
    pub times_out: bool,
}

/// The usage LiteLLM reports for a mocked answer.
pub const USAGE: Usage = Usage {
    input: 10,
    output: 20,
    cache_read: 0,
    audio_cache_read: 0,
    cache_write: 0,
    cache_write_1h: 0,
    reasoning: 0,
    audio_input: 0,
    audio_output: 0,
    image_input: 0,
    image_output: 0,
    searches: 0,
    tier: None,
};

/// Numbers of an embedding nobody asked a model for.
const MOCK_VECTOR: [f64; 3] = [0.0, 0.0, 1.0];

impl MockAnswer {
    /// `None`: the deployment asks its provider.
    pub fn of(params: &Params) -> Option<Self> {
        if params.mock_response.is_none() && !params.mock_timeout {
            return None;
        }
        let text = params.mock_response.clone().unwrap_or_default();
        Some(Self { text, delay: params.mock_delay, times_out: params.mock_timeout })
    }

    /// A plain answer.
    pub fn json(&self, operation: Operation, id: &str, model: &str, created: i64) -> Bytes {
        let usage = json!({ "prompt_tokens": USAGE.input, "completion_tokens": USAGE.output, "total_tokens": USAGE.total() });
        let body = match operation {
            Operation::CountTokens => json!({ "input_tokens": USAGE.input }),
            Operation::CountContents => json!({ "totalTokens": USAGE.input }),
            Operation::Completions => json!({
                "id": id, "created": created, "model": model, "object": "text_completion",
                "choices": [{ "finish_reason": "stop", "index": 0, "text": self.text, "logprobs": null }],
                "usage": usage,
            }),
            Operation::Embeddings => json!({
                "object": "list", "model": model,
                "data": [{ "object": "embedding", "index": 0, "embedding": MOCK_VECTOR }],
                "usage": { "prompt_tokens": USAGE.input, "total_tokens": USAGE.input },
            }),
            _ => json!({
                "id": id, "created": created, "model": model, "object": "chat.completion",
                "choices": [{ "finish_reason": "stop", "index": 0,
                              "message": { "content": self.text, "role": "assistant" } }],
                "usage": usage,
            }),
        };
        Bytes::from(body.to_string())
    }

    /// The answer as server-sent events, a word to an event, with a usage event at the end, before `[DONE]`.
    pub fn events(&self, operation: Operation, id: &str, model: &str, created: i64) -> Vec<Bytes> {
        let chat = operation != Operation::Completions;
        let object = if chat { "chat.completion.chunk" } else { "text_completion" };
        let event = |choices: serde_json::Value| {
            let chunk =
                json!({ "id": id, "created": created, "model": model, "object": object, "choices": choices });
            sse(&chunk)
        };
        let mut first = true;
        let mut events: Vec<Bytes> = words(&self.text)
            .map(|word| {
                let role = std::mem::take(&mut first);
                event(json!([piece(operation, word, role)]))
            })
            .collect();
        events.push(event(json!([stop(operation)])));
        let usage = json!({ "prompt_tokens": USAGE.input, "completion_tokens": USAGE.output, "total_tokens": USAGE.total() });
        events.push(sse(&json!({ "id": id, "created": created, "model": model, "object": object,
                                 "choices": [], "usage": usage })));
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        events
    }
}

fn piece(operation: Operation, word: &str, first: bool) -> serde_json::Value {
    match (operation != Operation::Completions, first) {
        (true, true) => json!({ "index": 0, "delta": { "role": "assistant", "content": word } }),
        (true, false) => json!({ "index": 0, "delta": { "content": word } }),
        _ => json!({ "index": 0, "text": word, "finish_reason": null }),
    }
}

fn stop(operation: Operation) -> serde_json::Value {
    match operation != Operation::Completions {
        true => json!({ "index": 0, "delta": {}, "finish_reason": "stop" }),
        false => json!({ "index": 0, "text": "", "finish_reason": "stop" }),
    }
}

fn sse(value: &serde_json::Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

/// Words with the blank after them, so that joining gives the text back.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}
