//! Chat completions, streamed.

use serde_json::{Value, json};

use super::wire::{success_stream, tier};
use super::{Call, chat};
use crate::mock::reply::{End, Reply, Step};
use crate::mock::turn::{Block, Finish, ToolCall, Turn};
use crate::mock::wire;

/// `__errmid` and `__hangmid` strike after this many pieces of text.
const PIECES_BEFORE_FAULT: usize = 2;

/// Everything that the chunks of one stream have in common.
struct Chunks<'a> {
    call: &'a Call<'a>,
    id: &'a str,
    turn: Turn,
    with_usage: bool,
}

pub(super) fn reply(call: &Call<'_>, id: &str) -> Reply {
    let with_usage = call.ask.body["stream_options"]["include_usage"] == true;
    let chunks = Chunks { call, id, turn: call.turn(true), with_usage };
    let (steps, end) = chunks.stream();
    success_stream(wire::EVENT_STREAM_UTF8, steps).ending(end)
}

// --- impl Chunks ---

impl Chunks<'_> {
    fn stream(&self) -> (Vec<Step>, End) {
        let breaks = self.turn.piece_count() >= PIECES_BEFORE_FAULT && !self.turn.has_calls();
        let Some((last, end)) = self.fault().filter(|_| breaks) else {
            let mut steps = self.said(&self.turn);
            self.close(&mut steps);
            return (steps, End::Clean);
        };
        let mut steps = self.said(&self.turn.cut(PIECES_BEFORE_FAULT));
        steps.extend(last);
        (steps, end)
    }

    fn said(&self, turn: &Turn) -> Vec<Step> {
        let silent = turn.has_calls() && turn.piece_count() == 0;
        let mut steps = vec![self.opening(if silent { Value::Null } else { "".into() })];
        steps.extend(turn.blocks.iter().flat_map(|block| self.block(block)));
        let calls = turn.calls().enumerate();
        steps.extend(calls.flat_map(|(index, call)| self.tool_call(index, call)));
        steps
    }

    /// How the stream breaks off, when a control word says so.
    fn fault(&self) -> Option<(Option<Step>, End)> {
        if self.call.ask.words.has("__errmid") {
            return Some((Some(error_event()), End::Clean));
        }
        self.call.ask.words.has("__hangmid").then_some((None, End::Abort))
    }

    fn opening(&self, content: Value) -> Step {
        self.delta(json!({"role": "assistant", "content": content, "refusal": null}))
    }

    fn block(&self, block: &Block) -> Vec<Step> {
        let field = if self.turn.finish == Finish::Refusal { "refusal" } else { "content" };
        match block {
            Block::Thinking(text) => vec![self.delta(json!({"reasoning_content": text}))],
            Block::Text(pieces) => pieces.iter().map(|piece| self.delta(json!({field: piece}))).collect(),
            // Calls have indexes of their own.
            Block::Call(_) => Vec::new(),
        }
    }

    fn tool_call(&self, index: usize, call: &ToolCall) -> Vec<Step> {
        let function = json!({"name": call.name, "arguments": ""});
        let opened =
            json!({"index": index, "id": chat::call_id(call), "type": "function", "function": function});
        let part = |part: String| json!({"index": index, "function": {"arguments": part}});
        let deltas = std::iter::once(opened).chain(call.parts().into_iter().map(part));
        deltas.map(|delta| self.delta(json!({"tool_calls": [delta]}))).collect()
    }

    fn close(&self, steps: &mut Vec<Step>) {
        steps.push(self.choice(json!({}), chat::finish(&self.turn).into()));
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
        chunk["usage"] = chat::usage(self.turn.usage);
        wire::compact_event(&chunk)
    }

    fn chunk(&self, model: &str, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": wire::CREATED,
            "model": model,
            "service_tier": tier(self.call.ask),
            "system_fingerprint": "fp_mock",
            "choices": choices,
        })
    }
}

fn error_event() -> Step {
    let error = json!({"message": "mock stream error", "type": "server_error", "param": null, "code": null});
    wire::compact_event(&json!({"error": error}))
}
