//! A stream of chunks. Everything that the chunks say, put together, is what `answer.rs` says at once.

use super::super::usage::ToldUsage;
use super::super::wire::finish_word;
use super::blocks;
use crate::dialects::{EventWriter, View};
use bytes::{BufMut, BytesMut};
use serde::Serialize;
use serde_json::{Value, json};
use weir_core::chat::{Begun, Citation, Delta, Event, Finish, Kind, Object, Part, ToolCallKind};
use weir_core::domain::usage::Usage;

/// One per response.
pub(in super::super) struct Writer {
    id: String,
    model: String,
    created: i64,
    include_usage: bool,
    /// The client knows `function_call` only.
    legacy: bool,
    started: bool,
    /// By the index of events.
    blocks: Vec<Block>,
    calls: usize,
    images: usize,
    /// Characters of text so far.
    chars: u64,
    usage: Option<Usage>,
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
    Call {
        index: usize,
        kind: ToolCallKind,
    },
    Whole,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    created: i64,
    model: &'a str,
    object: &'static str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<ToldUsage>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u8,
    delta: &'a Object,
    finish_reason: Option<&'static str>,
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
            started: false,
            blocks: Vec::new(),
            calls: 0,
            images: 0,
            chars: 0,
            usage: None,
        }
    }

    fn start(&mut self, begun: Begun, out: &mut BytesMut) {
        let block = match begun {
            Begun::Text => Block::Text { from: self.chars, citations: Vec::new() },
            Begun::Thinking { id } => Block::Thinking { id, text: String::new(), signature: None },
            Begun::Refusal => Block::Refusal,
            Begun::ToolCall { id, name, kind } => self.call(&id, &name, kind, out),
            Begun::Whole(part) => {
                self.whole(*part, out);
                Block::Whole
            }
        };
        self.blocks.push(block);
    }

    fn call(&mut self, id: &str, name: &str, kind: ToolCallKind, out: &mut BytesMut) -> Block {
        let index = self.calls;
        self.calls += 1;
        if self.legacy {
            // The old form knows one call; the plain answer tells the first, too.
            if index == 0 {
                self.say("function_call", json!({ "name": name, "arguments": "" }), out);
            }
            return Block::Call { index, kind };
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
        self.say("tool_calls", json!([call]), out);
        Block::Call { index, kind }
    }

    fn whole(&mut self, part: Part, out: &mut BytesMut) {
        match part.kind {
            Kind::RedactedThinking { data } => self.thinking(blocks::redacted(&data), out),
            Kind::Image(media) => {
                if let Some(image) = blocks::image(&media, self.images) {
                    self.images += 1;
                    self.say("images", json!([image]), out);
                }
            }
            Kind::Audio(media) => self.say("audio", blocks::audio(&media, &part.extra), out),
            Kind::Text { text, .. } => {
                self.chars += text.chars().count() as u64;
                self.say("content", text.into(), out);
            }
            // As in the plain answer: OpenAI's chat has no words for server tools.
            _ => {}
        }
    }

    fn grow(&mut self, index: usize, delta: Delta, out: &mut BytesMut) {
        let Some(block) = self.blocks.get_mut(index) else { return };
        match (block, delta) {
            (Block::Text { .. }, Delta::Text(text)) => {
                self.chars += text.chars().count() as u64;
                self.say("content", text.into(), out);
            }
            (Block::Text { citations, .. }, Delta::Citation(citation)) => citations.push(*citation),
            (Block::Text { .. }, Delta::Signature(proof)) => {
                self.say("provider_specific_fields", json!({ "thought_signatures": [proof] }), out);
            }
            (Block::Thinking { text, .. }, Delta::Text(more)) => {
                text.push_str(&more);
                self.say("reasoning_content", more.into(), out);
            }
            (Block::Thinking { signature, .. }, Delta::Signature(proof)) => *signature = Some(proof),
            (Block::Refusal, Delta::Text(text)) => self.say("refusal", text.into(), out),
            (Block::Call { index, kind }, Delta::Arguments(more)) => {
                let (index, kind) = (*index, *kind);
                self.arguments(index, kind, more, out);
            }
            (Block::Call { index, .. }, Delta::Signature(proof)) if !self.legacy => {
                let fields = json!({ "thought_signature": proof });
                // The SDKs take it for granted that a piece of a call has its function.
                let function = json!({ "arguments": "" });
                let call =
                    json!([{ "index": *index, "function": function, "provider_specific_fields": fields }]);
                self.say("tool_calls", call, out);
            }
            _ => {}
        }
    }

    fn arguments(&mut self, index: usize, kind: ToolCallKind, more: String, out: &mut BytesMut) {
        match (self.legacy, kind) {
            (true, _) if index > 0 => {}
            (true, _) => self.say("function_call", json!({ "arguments": more }), out),
            (false, ToolCallKind::Function) => {
                self.say("tool_calls", json!([{ "index": index, "function": { "arguments": more } }]), out);
            }
            (false, ToolCallKind::Custom) => {
                self.say("tool_calls", json!([{ "index": index, "custom": { "input": more } }]), out);
            }
        }
    }

    fn stop(&mut self, index: usize, out: &mut BytesMut) {
        let Some(block) = self.blocks.get_mut(index) else { return };
        match std::mem::replace(block, Block::Whole) {
            Block::Text { from, citations } if !citations.is_empty() => self.cite(from, &citations, out),
            Block::Thinking { id, text, signature: Some(signature) } => {
                self.thinking(blocks::thinking(&text, Some(&signature), id.as_deref()), out);
            }
            _ => {}
        }
    }

    fn cite(&mut self, from: u64, citations: &[Citation], out: &mut BytesMut) {
        let told: Vec<Value> =
            citations.iter().filter_map(|c| blocks::annotation(c, from, self.chars)).collect();
        let mut delta = Object::new();
        if !told.is_empty() {
            delta.insert("annotations".into(), told.into());
        }
        let originals: Vec<Value> = citations.iter().map(blocks::original).collect();
        delta.insert("provider_specific_fields".into(), json!({ "citations": [originals] }));
        self.chunk(delta, None, out);
    }

    fn thinking(&mut self, block: Value, out: &mut BytesMut) {
        let mut delta = Object::new();
        delta.insert("thinking_blocks".into(), json!([block]));
        delta.insert("provider_specific_fields".into(), json!({ "thinking_blocks": [block] }));
        self.chunk(delta, None, out);
    }

    fn finish(&mut self, finish: &Finish, out: &mut BytesMut) {
        let word = if self.legacy && self.calls > 0 { "function_call" } else { finish_word(finish) };
        self.chunk(Object::new(), Some(word), out);
    }

    fn say(&mut self, name: &str, value: Value, out: &mut BytesMut) {
        let mut delta = Object::new();
        delta.insert(name.into(), value);
        self.chunk(delta, None, out);
    }

    /// The first delta names the role.
    fn chunk(&mut self, mut delta: Object, finish: Option<&'static str>, out: &mut BytesMut) {
        if !self.started {
            self.started = true;
            delta.shift_insert(0, "role".into(), "assistant".into());
        }
        self.frame(&[Choice { index: 0, delta: &delta, finish_reason: finish }], None, out);
    }

    fn frame(&self, choices: &[Choice<'_>], usage: Option<ToldUsage>, out: &mut BytesMut) {
        let chunk = Chunk {
            id: &self.id,
            created: self.created,
            model: &self.model,
            object: "chat.completion.chunk",
            choices,
            usage,
        };
        out.extend_from_slice(b"data: ");
        // Writing into memory does not fail, and nothing here has keys that are no strings.
        let _ = serde_json::to_writer((&mut *out).writer(), &chunk);
        out.extend_from_slice(b"\n\n");
    }
}

impl EventWriter for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            // Nothing to say yet; ids are ours.
            Event::Start { model, .. } => {
                self.model = model.unwrap_or_else(|| std::mem::take(&mut self.model))
            }
            // Told by the gateway with `error_event`.
            Event::Fault(_) => {}
            Event::BlockStart { block, .. } => self.start(block, out),
            Event::BlockDelta { index, delta } => self.grow(index, delta, out),
            Event::BlockStop { index } => self.stop(index, out),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Finish(finish) => self.finish(&finish, out),
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        if let Some(usage) = self.usage.filter(|_| self.include_usage) {
            self.frame(&[], Some(blocks::usage(&usage)), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}
