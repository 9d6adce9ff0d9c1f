//! Events to a stream of Messages. Anthropic's blocks never overlap, the model's may: text is split where something
//! comes in between, tool calls wait until the one before is whole.

use super::super::{DIALECT, error, finish, usage, write_parts};
use super::answer::{head_of, made_up};
use crate::dialects::{EventWriter, View};
use bytes::{BufMut as _, BytesMut};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fmt::Write as _;
use weir_core::chat::{Begun, Delta, Event, Finish, Kind, Part, ProviderFault, ToolCallKind};
use weir_core::domain::usage::Usage;

/// What may wait for a tool call to be whole, in bytes. More is no chat.
const MAX_WAITING: usize = 16 * 1024 * 1024;

/// One per response.
pub(in super::super) struct Writer {
    model: String,
    id: String,
    phase: Phase,
    /// Blocks of text that have started and not stopped. They open when they say something.
    flows: Vec<(usize, Flow)>,
    open: Option<Open>,
    /// Blocks that came while a tool call was open, in order.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    next: usize,
    has_tool_calls: bool,
    usage: Option<Usage>,
    finish: Option<Finish>,
}

#[derive(PartialEq)]
enum Phase {
    /// `message_start` waits for the event after `Start`: usage, which belongs into it, may come next.
    Before,
    Begun,
    /// An error was written; nothing may follow.
    Failed,
}

/// Blocks that may be split.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Text,
    Thinking,
}

/// The block that the client is receiving.
struct Open {
    /// Its index in the model.
    index: usize,
    kind: OpenKind,
}

#[derive(Clone, Copy, PartialEq)]
enum OpenKind {
    Flow(Flow),
    Call(ToolCallKind),
}

/// A block that cannot be written yet.
struct Waiting {
    index: usize,
    block: Begun,
    deltas: Vec<Delta>,
    stopped: bool,
}

impl Writer {
    pub(in super::super) fn new(view: &View<'_>) -> Self {
        Self {
            model: view.model.to_owned(),
            id: made_up(view),
            phase: Phase::Before,
            flows: Vec::new(),
            open: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            next: 0,
            has_tool_calls: false,
            usage: None,
            finish: None,
        }
    }
}

impl EventWriter for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        if self.phase == Phase::Failed {
            return;
        }
        match event {
            Event::Start { id, model } => {
                self.id = id.unwrap_or_else(|| std::mem::take(&mut self.id));
                self.model = model.unwrap_or_else(|| std::mem::take(&mut self.model));
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Finish(finish) => self.finish = Some(finish),
            Event::Fault(fault) => self.fail(&fault, out),
            Event::BlockStart { index, block } => self.start(index, block, out),
            Event::BlockDelta { index, delta } => self.delta(index, delta, out),
            Event::BlockStop { index } => self.stop(index, out),
            // Anthropic's answers have neither.
            Event::Beside { .. } | Event::Logprobs(_) => {}
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        if self.phase == Phase::Failed {
            return;
        }
        self.begin(out);
        self.waiting.iter_mut().for_each(|w| w.stopped = true);
        self.close(out);
        self.advance(out);
        let (reason, sequence) = finish::write(self.finish.take(), self.has_tool_calls);
        let delta = json!({
            "type": "message_delta",
            "delta": { "stop_reason": reason, "stop_sequence": sequence },
            "usage": usage::write(&self.usage.unwrap_or_default(), None),
        });
        event(out, "message_delta", &delta);
        event(out, "message_stop", &json!({ "type": "message_stop" }));
    }
}

// --- The message ---

impl Writer {
    fn begin(&mut self, out: &mut BytesMut) {
        if self.phase != Phase::Before {
            return;
        }
        self.phase = Phase::Begun;
        let mut message = head_of(self.id.clone(), &self.model);
        message.insert("content".to_owned(), json!([]));
        message.insert("stop_reason".to_owned(), Value::Null);
        message.insert("stop_sequence".to_owned(), Value::Null);
        message.insert("usage".to_owned(), usage::write(&self.usage.unwrap_or_default(), None));
        event(out, "message_start", &json!({ "type": "message_start", "message": message }));
        event(out, "ping", &json!({ "type": "ping" }));
    }

    fn fail(&mut self, fault: &ProviderFault, out: &mut BytesMut) {
        self.phase = Phase::Failed;
        out.extend_from_slice(&error_event(&error::fault_body(fault)));
    }
}

// --- Blocks ---

impl Writer {
    fn start(&mut self, index: usize, block: Begun, out: &mut BytesMut) {
        match flow(&block) {
            Some(kind) => self.flows.push((index, kind)),
            None if self.is_in_call() => self.wait(index, block),
            None => self.begin_block(index, block, out),
        }
    }

    fn delta(&mut self, index: usize, delta: Delta, out: &mut BytesMut) {
        if is_empty(&delta) {
            return;
        }
        if self.open.as_ref().is_some_and(|open| open.index == index) {
            return self.put(&delta, out);
        }
        if self.waiting.iter().any(|w| w.index == index) {
            return self.hold(index, delta, out);
        }
        let Some((_, kind)) = self.flows.iter().find(|(i, _)| *i == index).copied() else { return };
        if self.is_in_call() {
            self.wait(index, kind.begun());
            return self.hold(index, delta, out);
        }
        self.close(out);
        self.open_flow(index, kind, out);
        self.put(&delta, out);
    }

    fn stop(&mut self, index: usize, out: &mut BytesMut) {
        self.flows.retain(|(i, _)| *i != index);
        for waiting in self.waiting.iter_mut().filter(|w| w.index == index) {
            waiting.stopped = true;
        }
        if self.open.as_ref().is_some_and(|open| open.index == index) {
            self.close(out);
            self.advance(out);
        }
    }

    fn is_in_call(&self) -> bool {
        matches!(self.open, Some(Open { kind: OpenKind::Call(_), .. }))
    }

    fn wait(&mut self, index: usize, block: Begun) {
        self.waiting.push_back(Waiting { index, block, deltas: Vec::new(), stopped: false });
    }

    fn hold(&mut self, index: usize, delta: Delta, out: &mut BytesMut) {
        self.waiting_bytes += size(&delta);
        if self.waiting_bytes > MAX_WAITING {
            let message = "a tool call is larger than this gateway takes".to_owned();
            return self.fail(&ProviderFault { status: 502, message, ..ProviderFault::default() }, out);
        }
        if let Some(waiting) = self.waiting.iter_mut().find(|w| w.index == index) {
            waiting.deltas.push(delta);
        }
    }

    /// Writes what waits, until a tool call that is not whole.
    fn advance(&mut self, out: &mut BytesMut) {
        while !self.is_in_call() {
            let Some(next) = self.waiting.pop_front() else { return };
            self.waiting_bytes -= next.deltas.iter().map(size).sum::<usize>();
            match flow(&next.block) {
                Some(kind) => self.open_flow(next.index, kind, out),
                None => self.begin_block(next.index, next.block, out),
            }
            next.deltas.iter().for_each(|delta| self.put(delta, out));
            if next.stopped || !self.is_in_call() {
                self.close(out);
            }
        }
    }

    /// Opens a tool call, or writes a block that is whole.
    fn begin_block(&mut self, index: usize, block: Begun, out: &mut BytesMut) {
        self.close(out);
        match block {
            Begun::ToolCall { id, name, kind } => {
                self.has_tool_calls = true;
                let block = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
                self.open(index, OpenKind::Call(kind), &block, out);
                if kind == ToolCallKind::Custom {
                    self.partial_json(&format!("{{\"{}\":\"", write_parts::FREE_TEXT), out);
                }
            }
            Begun::Whole(part) => self.whole(index, *part, out),
            Begun::Text | Begun::Refusal | Begun::Thinking { .. } => {}
        }
    }

    fn whole(&mut self, index: usize, part: Part, out: &mut BytesMut) {
        self.has_tool_calls |= matches!(part.kind, Kind::ToolCall(_));
        let may_have_input = matches!(part.kind, Kind::ToolCall(_) | Kind::Opaque { dialect: DIALECT, .. });
        let Some(mut block) = write_parts::block(&part) else { return };
        // Clients expect the input of any tool use in pieces.
        let input = block
            .get_mut("input")
            .filter(|v| may_have_input && v.is_object())
            .map(|v| std::mem::replace(v, json!({})).to_string());
        self.open(index, OpenKind::Flow(Flow::Text), &block, out);
        if let Some(input) = input {
            self.partial_json(&input, out);
        }
        self.close(out);
    }

    fn open_flow(&mut self, index: usize, kind: Flow, out: &mut BytesMut) {
        let block = match kind {
            Flow::Text => json!({ "type": "text", "text": "" }),
            Flow::Thinking => json!({ "type": "thinking", "thinking": "", "signature": "" }),
        };
        self.open(index, OpenKind::Flow(kind), &block, out);
    }

    fn open(&mut self, index: usize, kind: OpenKind, block: &Value, out: &mut BytesMut) {
        self.begin(out);
        self.open = Some(Open { index, kind });
        let start = json!({ "type": "content_block_start", "index": self.next, "content_block": block });
        event(out, "content_block_start", &start);
    }

    fn close(&mut self, out: &mut BytesMut) {
        let Some(open) = self.open.take() else { return };
        if open.kind == OpenKind::Call(ToolCallKind::Custom) {
            self.partial_json("\"}", out);
        }
        event(out, "content_block_stop", &json!({ "type": "content_block_stop", "index": self.next }));
        self.next += 1;
    }
}

// --- Deltas ---

impl Writer {
    /// A piece of the open block. What the block cannot take is left out.
    fn put(&mut self, delta: &Delta, out: &mut BytesMut) {
        let Some(open) = &self.open else { return };
        match (open.kind, delta) {
            (OpenKind::Flow(Flow::Text), Delta::Text(text)) => self.text(TEXT, text, out),
            (OpenKind::Flow(Flow::Thinking), Delta::Text(text)) => self.text(THINKING, text, out),
            (OpenKind::Flow(Flow::Thinking), Delta::Signature(text)) => self.text(SIGNATURE, text, out),
            (OpenKind::Flow(Flow::Text), Delta::Citation(citation)) => self.citation(citation, out),
            (OpenKind::Call(ToolCallKind::Function), Delta::Arguments(text)) => self.partial_json(text, out),
            (OpenKind::Call(ToolCallKind::Custom), Delta::Arguments(text)) => {
                let quoted = Value::from(text.as_str()).to_string();
                self.partial_json(&quoted[1..quoted.len() - 1], out);
            }
            _ => {}
        }
    }

    fn partial_json(&self, text: &str, out: &mut BytesMut) {
        self.text(INPUT, text, out);
    }

    fn citation(&self, citation: &weir_core::chat::Citation, out: &mut BytesMut) {
        let delta = json!({ "type": "citations_delta", "citation": write_parts::citation(citation) });
        let event_ = json!({ "type": "content_block_delta", "index": self.next, "delta": delta });
        event(out, "content_block_delta", &event_);
    }

    /// Nearly all events are of this kind, so they are put together by hand.
    fn text(&self, (kind, member): (&str, &str), text: &str, out: &mut BytesMut) {
        let index = self.next;
        // Writing to memory does not fail, and every text is JSON.
        let _ = write!(
            out,
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\
             \"delta\":{{\"type\":\"{kind}\",\"{member}\":"
        );
        let _ = serde_json::to_writer((&mut *out).writer(), text);
        out.extend_from_slice(b"}}\n\n");
    }
}

/// Type of the delta and the member that holds its text.
const TEXT: (&str, &str) = ("text_delta", "text");
const THINKING: (&str, &str) = ("thinking_delta", "thinking");
const SIGNATURE: (&str, &str) = ("signature_delta", "signature");
const INPUT: (&str, &str) = ("input_json_delta", "partial_json");

impl Flow {
    fn begun(self) -> Begun {
        match self {
            Flow::Text => Begun::Text,
            Flow::Thinking => Begun::Thinking { id: None },
        }
    }
}

fn flow(block: &Begun) -> Option<Flow> {
    match block {
        Begun::Text | Begun::Refusal => Some(Flow::Text),
        Begun::Thinking { .. } => Some(Flow::Thinking),
        Begun::ToolCall { .. } | Begun::Whole(_) => None,
    }
}

fn is_empty(delta: &Delta) -> bool {
    matches!(delta, Delta::Text(t) | Delta::Arguments(t) | Delta::Signature(t) if t.is_empty())
}

fn size(delta: &Delta) -> usize {
    match delta {
        Delta::Text(t) | Delta::Arguments(t) | Delta::Signature(t) => t.len(),
        Delta::Citation(citation) => size_of_val(&**citation),
    }
}

fn event(out: &mut BytesMut, name: &str, data: &Value) {
    // Writing to memory does not fail.
    let _ = write!(out, "event: {name}\ndata: {data}\n\n");
}

/// An error inside a stream, as a whole event.
pub(in super::super) fn error_event(body: &Value) -> Vec<u8> {
    format!("event: error\ndata: {body}\n\n").into_bytes()
}
