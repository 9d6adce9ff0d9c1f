//! Chat completions, streamed.

use serde_json::{Value, json};

use super::{Call, chat, wire};
use crate::mock::reply::{End, Reply, Step};

const MAX_PIECES: usize = 100_000;
/// `__errmid` and `__hangmid` strike after this many pieces of text.
const PIECES_BEFORE_FAULT: usize = 2;

/// Everything that the chunks of one stream have in common.
struct Chunks<'a> {
    call: &'a Call<'a>,
    id: &'a str,
    with_usage: bool,
}

pub(super) fn reply(call: &Call<'_>, id: &str) -> Reply {
    let with_usage = call.body["stream_options"]["include_usage"] == true;
    let chunks = Chunks { call, id, with_usage };
    let (steps, end) =
        if call.wants_tool() { (chunks.tool_stream(), End::Clean) } else { chunks.text_stream() };
    wire::success_stream(wire::EVENT_STREAM_UTF8, steps).ending(end)
}

// --- impl Chunks ---

impl Chunks<'_> {
    fn tool_stream(&self) -> Vec<Step> {
        let arguments = |part: &str| json!({"index": 0, "function": {"arguments": part}});
        let calls = [opened_call(), arguments("{\"city\":"), arguments("\"Paris\"}")];
        let mut steps = vec![self.opening(Value::Null)];
        steps.extend(calls.into_iter().map(|call| self.delta(json!({"tool_calls": [call]}))));
        self.close(&mut steps, "tool_calls");
        steps
    }

    fn text_stream(&self) -> (Vec<Step>, End) {
        let mut pieces = pieces(self.call);
        let fault = if pieces.len() >= PIECES_BEFORE_FAULT { self.fault() } else { None };
        if fault.is_some() {
            pieces.truncate(PIECES_BEFORE_FAULT);
        }
        let mut steps = vec![self.opening("".into())];
        steps.extend(pieces.into_iter().map(|piece| self.delta(json!({"content": piece}))));
        let Some((last, end)) = fault else {
            self.close(&mut steps, "stop");
            return (steps, End::Clean);
        };
        steps.extend(last);
        (steps, end)
    }

    /// How the stream breaks off, when a control word says so.
    fn fault(&self) -> Option<(Option<Step>, End)> {
        if self.call.words.has("__errmid") {
            return Some((Some(error_event()), End::Clean));
        }
        self.call.words.has("__hangmid").then_some((None, End::Abort))
    }

    fn opening(&self, content: Value) -> Step {
        self.delta(json!({"role": "assistant", "content": content, "refusal": null}))
    }

    fn close(&self, steps: &mut Vec<Step>, finish: &str) {
        steps.push(self.choice(json!({}), finish.into()));
        if self.with_usage {
            steps.push(self.usage());
        }
        steps.push(wire::done());
    }

    fn delta(&self, delta: Value) -> Step {
        self.choice(delta, Value::Null)
    }

    fn choice(&self, delta: Value, finish: Value) -> Step {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        let mut chunk = self.chunk(&self.call.dated_model(), json!([choice]));
        if self.with_usage {
            chunk["usage"] = Value::Null;
        }
        wire::compact_event(&chunk)
    }

    /// The one chunk that names the model without its date.
    fn usage(&self) -> Step {
        let mut chunk = self.chunk(self.call.chat_model(), json!([]));
        chunk["usage"] = chat::usage(self.call);
        wire::compact_event(&chunk)
    }

    fn chunk(&self, model: &str, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": wire::CREATED,
            "model": model,
            "service_tier": "default",
            "system_fingerprint": "fp_mock",
            "choices": choices,
        })
    }
}

fn pieces(call: &Call<'_>) -> Vec<String> {
    match call.words.chunks() {
        Some(count) => (0..count.min(MAX_PIECES)).map(|i| format!("w{i} ")).collect(),
        None => ["Hello", " from", " mock."].map(String::from).into(),
    }
}

fn opened_call() -> Value {
    let function = json!({"name": chat::TOOL_NAME, "arguments": ""});
    json!({"index": 0, "id": chat::TOOL_ID, "type": "function", "function": function})
}

fn error_event() -> Step {
    let error = json!({"message": "mock stream error", "type": "server_error", "param": null, "code": null});
    wire::compact_event(&json!({"error": error}))
}
