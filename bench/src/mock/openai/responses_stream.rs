//! Responses, streamed: every event has a number, items have an index, and the last event repeats the whole.

use serde_json::{Value, json};

use super::responses::{self, MESSAGE_ID};
use super::wire::success_stream;
use crate::mock::ask::Ask;
use crate::mock::reply::{Reply, Step};
use crate::mock::turn::{Block, Finish, ToolCall, Turn};
use crate::mock::wire;

/// `__errmid` strikes after this many pieces of text.
const PIECES_BEFORE_FAULT: usize = 2;

struct Events<'a> {
    ask: &'a Ask<'a>,
    turn: &'a Turn,
    steps: Vec<Step>,
}

pub(super) fn reply(ask: &Ask<'_>, turn: &Turn) -> Reply {
    let mut events = Events { ask, turn, steps: Vec::new() };
    events.all();
    success_stream(wire::EVENT_STREAM_UTF8, events.steps)
}

// --- impl Events ---

impl Events<'_> {
    fn all(&mut self) {
        let started = responses::started(self.ask, self.turn);
        self.push("response.created", json!({"response": started}));
        self.push("response.in_progress", json!({"response": started}));
        let breaks = self.ask.words.has("__errmid") && self.turn.piece_count() >= PIECES_BEFORE_FAULT;
        for (index, block) in self.turn.blocks.iter().enumerate() {
            match block {
                Block::Thinking(text) => self.reasoning(index, block, text),
                Block::Text(pieces) if breaks => return self.broken(index, pieces),
                Block::Text(pieces) => self.message(index, block, pieces),
                Block::Call(call) => self.call(index, block, call),
            }
        }
        let response = responses::completed(self.ask, self.turn);
        let incomplete = self.turn.finish == Finish::Length;
        let kind = if incomplete { "response.incomplete" } else { "response.completed" };
        self.push(kind, json!({"response": response}));
    }

    fn message(&mut self, index: usize, block: &Block, pieces: &[String]) {
        self.open_message(index);
        self.deltas(index, pieces);
        let text = pieces.concat();
        let (name, field) = self.text_names();
        let mut done = at(index, json!({field: text}));
        if field == "text" {
            done["logprobs"] = json!([]);
        }
        self.push(&format!("response.{name}.done"), done);
        self.push("response.content_part.done", at(index, json!({"part": self.part(&text)})));
        self.done(index, block);
    }

    /// As in the message, in another order.
    fn part(&self, text: &str) -> Value {
        if self.turn.finish == Finish::Refusal {
            return responses::part(self.turn, text);
        }
        json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
    }

    fn open_message(&mut self, index: usize) {
        let item = json!({
            "id": MESSAGE_ID, "type": "message", "status": "in_progress", "content": [], "role": "assistant"
        });
        self.added(index, &item);
        self.push("response.content_part.added", at(index, json!({"part": self.part("")})));
    }

    fn deltas(&mut self, index: usize, pieces: &[String]) {
        let (name, field) = self.text_names();
        for piece in pieces {
            let mut delta = at(index, json!({"delta": piece}));
            if field == "text" {
                delta["logprobs"] = json!([]);
            }
            self.push(&format!("response.{name}.delta"), delta);
        }
    }

    fn text_names(&self) -> (&'static str, &'static str) {
        if self.turn.finish == Finish::Refusal { ("refusal", "refusal") } else { ("output_text", "text") }
    }

    fn broken(&mut self, index: usize, pieces: &[String]) {
        self.open_message(index);
        self.deltas(index, &pieces[..PIECES_BEFORE_FAULT.min(pieces.len())]);
        self.push("error", json!({"code": "server_error", "message": "mock stream error", "param": null}));
    }

    fn call(&mut self, index: usize, block: &Block, call: &ToolCall) {
        let opened = responses::called(self.ask, call, "in_progress", "");
        let custom = responses::is_custom(self.ask, call);
        let (name, field) = if custom {
            ("custom_tool_call_input", "input")
        } else {
            ("function_call_arguments", "arguments")
        };
        let of = |more: Value| merged(json!({"item_id": opened["id"], "output_index": index}), more);
        self.added(index, &opened);
        for part in call.parts() {
            self.push(&format!("response.{name}.delta"), of(json!({"delta": part})));
        }
        self.push(&format!("response.{name}.done"), of(json!({field: call.compact_arguments()})));
        self.done(index, block);
    }

    fn reasoning(&mut self, index: usize, block: &Block, text: &str) {
        let opened = responses::opened_reasoning();
        let of = |more: Value| {
            merged(json!({"item_id": opened["id"], "output_index": index, "summary_index": 0}), more)
        };
        let part = |text: &str| json!({"part": {"type": "summary_text", "text": text}});
        self.added(index, &opened);
        self.push("response.reasoning_summary_part.added", of(part("")));
        self.push("response.reasoning_summary_text.delta", of(json!({"delta": text})));
        self.push("response.reasoning_summary_text.done", of(json!({"text": text})));
        self.push("response.reasoning_summary_part.done", of(part(text)));
        self.done(index, block);
    }

    fn added(&mut self, index: usize, item: &Value) {
        self.push("response.output_item.added", json!({"output_index": index, "item": item}));
    }

    fn done(&mut self, index: usize, block: &Block) {
        let item = responses::item(self.ask, self.turn, block);
        self.push("response.output_item.done", json!({"output_index": index, "item": item}));
    }

    fn push(&mut self, kind: &str, members: Value) {
        let head = json!({"type": kind, "sequence_number": self.steps.len()});
        self.steps.push(wire::named_event(&merged(head, members)));
    }
}

/// Members that say where in the one message of a response.
fn at(index: usize, members: Value) -> Value {
    merged(json!({"item_id": MESSAGE_ID, "output_index": index, "content_index": 0}), members)
}

fn merged(mut value: Value, more: Value) -> Value {
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}
