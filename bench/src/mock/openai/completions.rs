//! Text completions.

use serde_json::{Value, json};

use super::Call;
use super::wire::{success, success_stream};
use crate::mock::reply::{Reply, Step};
use crate::mock::wire;

pub(super) fn reply(call: &Call<'_>) -> Reply {
    if call.ask.truthy("stream") { streamed(call) } else { whole(call) }
}

/// One choice, also for a list of prompts.
fn whole(call: &Call<'_>) -> Reply {
    let mut value = completion(call, "Hello text", "stop".into());
    value["usage"] = json!({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7});
    success(&value)
}

/// Never a usage chunk; every chunk has an id of its own.
fn streamed(call: &Call<'_>) -> Reply {
    let chunk = |text, finish| -> Step { wire::spaced_event(&completion(call, text, finish)) };
    let steps = vec![chunk("Hello", Value::Null), chunk(" text", "stop".into()), wire::done()];
    success_stream(wire::EVENT_STREAM, steps)
}

fn completion(call: &Call<'_>, text: &str, finish: Value) -> Value {
    json!({
        "id": call.ask.process.ids.next("cmpl"),
        "object": "text_completion",
        "created": wire::CREATED,
        "model": call.ask.model_or("gpt"),
        "choices": [{"index": 0, "text": text, "logprobs": null, "finish_reason": finish}],
    })
}
