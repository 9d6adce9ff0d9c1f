//! Text completions.

use serde_json::{Value, json};

use super::ids::Ids;
use super::{Call, wire};
use crate::mock::reply::{Reply, Step};

pub(super) fn reply(call: &Call<'_>, ids: &Ids) -> Reply {
    if call.truthy("stream") { streamed(call, ids) } else { whole(call, ids) }
}

/// One choice, also for a list of prompts.
fn whole(call: &Call<'_>, ids: &Ids) -> Reply {
    let mut value = completion(call, ids, "Hello text", "stop".into());
    value["usage"] = json!({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7});
    wire::success(&value)
}

/// Never a usage chunk; every chunk has an id of its own.
fn streamed(call: &Call<'_>, ids: &Ids) -> Reply {
    let chunk = |text, finish| -> Step { wire::spaced_event(&completion(call, ids, text, finish)) };
    let steps = vec![chunk("Hello", Value::Null), chunk(" text", "stop".into()), wire::done()];
    wire::success_stream(wire::EVENT_STREAM, steps)
}

fn completion(call: &Call<'_>, ids: &Ids, text: &str, finish: Value) -> Value {
    json!({
        "id": ids.next("cmpl"),
        "object": "text_completion",
        "created": wire::CREATED,
        "model": call.model_or("gpt"),
        "choices": [{"index": 0, "text": text, "logprobs": null, "finish_reason": finish}],
    })
}
