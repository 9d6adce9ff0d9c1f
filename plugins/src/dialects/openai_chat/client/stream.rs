//! A stream of chunks. Everything that the chunks say, put together, is what `answer.rs` says at once.

use super::super::usage::ToldUsage;
use super::super::wire::finish_word;
use super::blocks;
use crate::dialects::{EventWriter, View};
use bytes::{BufMut, BytesMut};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};
use weir_core::chat::{Begun, Citation, Delta, Event, Finish, Kind, Part, ToolCallKind};
use weir_core::domain::usage::Usage;

/// One per response.
pub(in super::super) struct Writer {
    id: String,
    model: String,
    created: i64,
    include_usage: bool,
    /// The client knows `function_call` only.
    legacy: bool,
    /// The choice that is spoken of, and what it has said so far.
    choice: usize,
    said: Said,
    /// Of the other choices, by their indices; what stands at the choice that is spoken of means nothing.
    others: Vec<Said>,
    usage: Option<Usage>,
    /// What every chunk begins with, once the model is known.
    head: Vec<u8>,
}

/// What one choice has said.
#[derive(Default)]
struct Said {
    started: bool,
    /// By the index of events.
    blocks: Vec<Block>,
    calls: usize,
    images: usize,
    /// Characters of text so far.
    chars: u64,
}

/// A block that was started, and what must be remembered of it until it stops.
enum Block {
    /// Characters before it, and what it cites: the end of a cited text is known when the block ends.
    Text {
        from: u64,
        citations: Vec<Citation>,
    },
    /// The text is told again with the signature, as one block that clients send back.
    Thinking {
        id: Option<String>,
        text: String,
        signature: Option<String>,
    },
    Refusal,
    /// `said`: whether the model wrote any arguments.
    Call {
        index: usize,
        kind: ToolCallKind,
        said: bool,
    },
    Whole,
}

#[derive(serde::Serialize)]
struct Head<'a> {
    id: &'a str,
    created: i64,
    model: &'a str,
    object: &'static str,
}

#[derive(serde::Serialize)]
struct Choice<'a, T> {
    index: usize,
    delta: Grown<'a, T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<&'a Value>,
    finish_reason: Option<&'static str>,
}

/// Members of a delta; the first of a stream names the role.
struct Grown<'a, T> {
    is_first: bool,
    members: &'a [(&'static str, T)],
}

/// A piece of a tool call's arguments.
#[derive(serde::Serialize)]
struct CallPiece<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<Arguments<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<Input<'a>>,
}

#[derive(serde::Serialize)]
struct Arguments<'a> {
    arguments: &'a str,
}

#[derive(serde::Serialize)]
struct Input<'a> {
    input: &'a str,
}

// --- Writer ---

impl Writer {
    pub(in super::super) fn new(view: &View<'_>) -> Self {
        Self {
            id: format!("chatcmpl-{}", view.id),
            model: view.model.to_owned(),
            created: view.created,
            include_usage: view.include_usage,
            legacy: blocks::is_legacy(view.body),
            choice: 0,
            said: Said::default(),
            others: Vec::new(),
            usage: None,
            head: Vec::new(),
        }
    }

    fn start(&mut self, begun: Begun, out: &mut BytesMut) {
        let block = match begun {
            Begun::Text => Block::Text { from: self.said.chars, citations: Vec::new() },
            Begun::Thinking { id } => Block::Thinking { id, text: String::new(), signature: None },
            Begun::Refusal => Block::Refusal,
            Begun::ToolCall { id, name, kind } => self.call(&id, &name, kind, out),
            Begun::Whole(part) => {
                self.whole(*part, out);
                Block::Whole
            }
        };
        self.said.blocks.push(block);
    }

    fn call(&mut self, id: &str, name: &str, kind: ToolCallKind, out: &mut BytesMut) -> Block {
        let index = self.said.calls;
        self.said.calls += 1;
        if self.legacy {
            // The old form knows one call; the plain answer tells the first, too.
            if index == 0 {
                self.say("function_call", &json!({ "name": name, "arguments": "" }), out);
            }
            return Block::Call { index, kind, said: false };
        }
        let call = match kind {
            ToolCallKind::Function => json!({
                "index": index, "id": id, "type": "function",
                "function": { "name": name, "arguments": "" },
            }),
            ToolCallKind::Custom => json!({
                "index": index, "id": id, "type": "custom", "custom": { "name": name, "input": "" },
            }),
        };
        self.say("tool_calls", &[call], out);
        Block::Call { index, kind, said: false }
    }

    fn whole(&mut self, part: Part, out: &mut BytesMut) {
        match part.kind {
            Kind::RedactedThinking { data } => self.thinking(blocks::redacted(&data), out),
            Kind::Image(media) => {
                if let Some(image) = blocks::image(&media, self.said.images) {
                    self.said.images += 1;
                    self.say("images", &[image], out);
                }
            }
            Kind::Audio(media) => self.say("audio", &blocks::audio(&media, &part.extra), out),
            Kind::Text { text, .. } => {
                self.said.chars += text.chars().count() as u64;
                self.say("content", &text, out);
            }
            // As in the plain answer: OpenAI's chat has no words for server tools.
            _ => {}
        }
    }

    fn grow(&mut self, index: usize, delta: Delta, out: &mut BytesMut) {
        let Some(block) = self.said.blocks.get_mut(index) else { return };
        match (block, delta) {
            (Block::Text { .. }, Delta::Text(text)) => {
                self.said.chars += text.chars().count() as u64;
                self.say("content", &text, out);
            }
            (Block::Text { citations, .. }, Delta::Citation(citation)) => citations.push(*citation),
            (Block::Text { .. }, Delta::Signature(proof)) => {
                self.say("provider_specific_fields", &json!({ "thought_signatures": [proof] }), out);
            }
            (Block::Thinking { text, .. }, Delta::Text(more)) => {
                text.push_str(&more);
                self.say("reasoning_content", &more, out);
            }
            (Block::Thinking { signature, .. }, Delta::Signature(proof)) => *signature = Some(proof),
            (Block::Refusal, Delta::Text(text)) => self.say("refusal", &text, out),
            (Block::Call { index, kind, said }, Delta::Arguments(more)) => {
                let (index, kind) = (*index, *kind);
                *said |= !more.is_empty();
                self.arguments(index, kind, &more, out);
            }
            (Block::Call { index, .. }, Delta::Signature(proof)) if !self.legacy => {
                let fields = json!({ "thought_signature": proof });
                // The SDKs take it for granted that a piece of a call has its function.
                let function = json!({ "arguments": "" });
                let call =
                    json!([{ "index": *index, "function": function, "provider_specific_fields": fields }]);
                self.say("tool_calls", &call, out);
            }
            _ => {}
        }
    }

    fn arguments(&mut self, index: usize, kind: ToolCallKind, more: &str, out: &mut BytesMut) {
        let (function, custom) = match kind {
            ToolCallKind::Function => (Some(Arguments { arguments: more }), None),
            ToolCallKind::Custom => (None, Some(Input { input: more })),
        };
        match self.legacy {
            true if index > 0 => {}
            true => self.say("function_call", &Arguments { arguments: more }, out),
            false => self.say("tool_calls", &[CallPiece { index, function, custom }], out),
        }
    }

    fn stop(&mut self, index: usize, out: &mut BytesMut) {
        let Some(block) = self.said.blocks.get_mut(index) else { return };
        match std::mem::replace(block, Block::Whole) {
            Block::Text { from, citations } if !citations.is_empty() => self.cite(from, &citations, out),
            Block::Thinking { id, text, signature: Some(signature) } => {
                self.thinking(blocks::thinking(&text, Some(&signature), id.as_deref()), out);
            }
            Block::Call { index, kind: kind @ ToolCallKind::Function, said: false } => {
                self.arguments(index, kind, blocks::NO_ARGUMENTS, out);
            }
            _ => {}
        }
    }

    fn cite(&mut self, from: u64, citations: &[Citation], out: &mut BytesMut) {
        let told: Vec<Value> =
            citations.iter().filter_map(|c| blocks::annotation(c, from, self.said.chars)).collect();
        let mut delta = Vec::new();
        if !told.is_empty() {
            delta.push(("annotations", Value::from(told)));
        }
        let originals: Vec<Value> = citations.iter().map(blocks::original).collect();
        delta.push(("provider_specific_fields", json!({ "citations": [originals] })));
        self.chunk(&delta, None, out);
    }

    fn thinking(&mut self, block: Value, out: &mut BytesMut) {
        let fields = json!({ "thinking_blocks": [block] });
        let delta = [("thinking_blocks", json!([block])), ("provider_specific_fields", fields)];
        self.chunk(&delta, None, out);
    }

    fn finish(&mut self, finish: &Finish, out: &mut BytesMut) {
        let word = if self.legacy && self.said.calls > 0 { "function_call" } else { finish_word(finish) };
        self.chunk::<Value>(&[], Some(word), out);
    }

    fn say<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T, out: &mut BytesMut) {
        self.chunk(&[(name, value)], None, out);
    }

    fn chunk<T: Serialize>(
        &mut self,
        members: &[(&'static str, T)],
        finish_reason: Option<&'static str>,
        out: &mut BytesMut,
    ) {
        self.told(members, None, finish_reason, out);
    }

    fn told<T: Serialize>(
        &mut self,
        members: &[(&'static str, T)],
        logprobs: Option<&Value>,
        finish_reason: Option<&'static str>,
        out: &mut BytesMut,
    ) {
        let is_first = !std::mem::replace(&mut self.said.started, true);
        self.begin(out);
        let delta = Grown { is_first, members };
        put(&Choice { index: self.choice, delta, logprobs, finish_reason }, out);
        out.extend_from_slice(b"]}\n\n");
    }

    /// What is said of another choice is said with that one's state.
    fn beside(&mut self, choice: usize, event: Event, out: &mut BytesMut) {
        if choice >= Event::CHOICES {
            return;
        }
        let most = self.others.len().max(choice + 1);
        self.others.resize_with(most, Said::default);
        self.turn_to(choice);
        self.write(event, out);
        self.turn_to(choice);
        self.choice = 0;
    }

    /// Changes places: to a choice, and back again.
    fn turn_to(&mut self, choice: usize) {
        if let Some(other) = self.others.get_mut(choice) {
            std::mem::swap(&mut self.said, other);
            self.choice = choice;
        }
    }

    /// Only usage, behind everything else.
    fn last(&mut self, usage: &ToldUsage, out: &mut BytesMut) {
        self.begin(out);
        out.extend_from_slice(b"],\"usage\":");
        put(usage, out);
        out.extend_from_slice(b"}\n\n");
    }

    /// A frame up to its choices, which is the same text for all.
    fn begin(&mut self, out: &mut BytesMut) {
        if self.head.is_empty() {
            let object = "chat.completion.chunk";
            let head = Head { id: &self.id, created: self.created, model: &self.model, object };
            let text = serde_json::to_string(&head).unwrap_or_default();
            let open = text.strip_suffix('}').unwrap_or_default();
            self.head = format!("data: {open},\"choices\":[").into_bytes();
        }
        out.extend_from_slice(&self.head);
    }
}

fn put<T: Serialize>(value: &T, out: &mut BytesMut) {
    // Writing into memory does not fail, and nothing here has keys that are no strings.
    let _ = serde_json::to_writer(out.writer(), value);
}

impl<T: Serialize> Serialize for Grown<'_, T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut delta = out.serialize_map(None)?;
        if self.is_first {
            delta.serialize_entry("role", "assistant")?;
        }
        for (name, value) in self.members {
            delta.serialize_entry(name, value)?;
        }
        delta.end()
    }
}

impl EventWriter for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            // Nothing to say yet; ids are ours.
            Event::Start { model, .. } => {
                self.model = model.unwrap_or_else(|| std::mem::take(&mut self.model));
                self.head.clear();
            }
            // Told by the gateway with `error_event`.
            Event::Fault(_) => {}
            Event::BlockStart { block, .. } => self.start(block, out),
            Event::BlockDelta { index, delta } => self.grow(index, delta, out),
            Event::BlockStop { index } => self.stop(index, out),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Logprobs(told) => self.told::<Value>(&[], Some(&*told), None, out),
            Event::Finish(finish) => self.finish(&finish, out),
            Event::Beside { choice, event } => self.beside(choice, *event, out),
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        if let Some(usage) = self.usage.filter(|_| self.include_usage) {
            self.last(&blocks::usage(&usage), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}
