//! Answers for clients: whole, as server-sent events, or as the JSON list that streams without `alt=sse` are.

use super::super::wire::{Content, FunctionCall, WirePart};
use super::super::{error, finish, grounding, ids, usage};
use crate::dialects::{EventWriter, View};
use bytes::BytesMut;
use serde_json::{Value, json};
use weir_core::chat::{
    Answer, Begun, Delta, Dialect, Event, Finish, Kind, Media, Object, Part, Source, ToolCall, ToolCallKind,
    replay,
};
use weir_core::domain::usage::Usage;
use weir_core::error::ApiError;

/// How much of a text block is kept to turn characters into Google's byte offsets.
const MAX_TEXT: usize = 1 << 20;

/// Turns events into parts. What has to wait for the end of its block, waits here.
#[derive(Debug, Default)]
struct Parts {
    blocks: Vec<Block>,
    sources: grounding::Writer,
    finish: Option<Finish>,
    usage: Option<Usage>,
    id: Option<String>,
    model: Option<String>,
    /// Of the second candidate and those behind it.
    others: Vec<Parts>,
}

#[derive(Debug)]
enum Block {
    Text { text: String },
    Thought,
    Call { call: ToolCall, signature: Option<String> },
    Whole { part: Option<Box<WirePart>>, signature: Option<String> },
    Done,
}

pub(in super::super) fn write_answer(answer: Answer, view: &View<'_>) -> Vec<u8> {
    let mut parts = Parts::default();
    let mut written = vec![Vec::new()];
    for event in replay(answer) {
        let (candidate, more) = parts.said(event);
        written.resize_with(written.len().max(candidate + 1), Vec::new);
        written[candidate].extend(more);
    }
    let joined = written.into_iter().map(join).collect();
    let id = parts.id.take().unwrap_or_else(|| view.id.to_owned());
    let model = parts.model.take();
    let last = parts.last(joined);
    envelope(last, model.as_deref().unwrap_or(view.model), &id).to_string().into_bytes()
}

/// A signature that follows a text stands on that text where both are whole.
fn join(parts: Vec<WirePart>) -> Vec<WirePart> {
    let mut out: Vec<WirePart> = Vec::with_capacity(parts.len());
    for part in parts {
        let only_signed = part.text.as_deref() == Some("") && part.thought_signature.is_some();
        match out.last_mut() {
            Some(last) if only_signed && may_be_signed(last, part.thought) => {
                last.thought_signature = part.thought_signature;
            }
            _ => out.push(part),
        }
    }
    out
}

/// A text or a thought, whichever the signature is for, that has none.
fn may_be_signed(last: &WirePart, thought: Option<bool>) -> bool {
    last.text.is_some() && last.thought == thought && last.thought_signature.is_none()
}

fn envelope(mut chunk: Object, model: &str, id: &str) -> Value {
    chunk.insert("modelVersion".into(), model.into());
    chunk.insert("responseId".into(), id.into());
    Value::Object(chunk)
}

// --- Parts ---

impl Parts {
    /// Which candidate an event is of, and what of it is told at once.
    fn said(&mut self, event: Event) -> (usize, Vec<WirePart>) {
        let mut told = Vec::new();
        let Event::Beside { choice, event } = event else {
            self.take(event, &mut told);
            return (0, told);
        };
        if !(1..Event::CHOICES).contains(&choice) {
            return (0, told);
        }
        self.others.resize_with(self.others.len().max(choice), Parts::default);
        if let Some(other) = self.others.get_mut(choice - 1) {
            other.take(*event, &mut told);
        }
        (choice, told)
    }

    fn take(&mut self, event: Event, out: &mut Vec<WirePart>) {
        match event {
            Event::Start { id, model } => (self.id, self.model) = (id, model),
            Event::BlockStart { block, .. } => self.blocks.push(Block::begin(block)),
            Event::BlockDelta { index, delta } => self.grow(index, delta, out),
            Event::BlockStop { index } => {
                if let Some(block) = self.blocks.get_mut(index) {
                    out.extend(std::mem::replace(block, Block::Done).end());
                }
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Finish(finish) => self.finish = Some(finish),
            // Told by whoever drives the writer, with `error_event`.
            Event::Fault(_) | Event::Logprobs(_) => {}
            // Has another's state.
            Event::Beside { .. } => {}
        }
    }

    fn grow(&mut self, index: usize, delta: Delta, out: &mut Vec<WirePart>) {
        let Some(block) = self.blocks.get_mut(index) else { return };
        match (block, delta) {
            (Block::Text { text }, Delta::Text(more)) => {
                if text.len() + more.len() <= MAX_TEXT {
                    text.push_str(&more);
                }
                out.push(WirePart::text(more));
            }
            (Block::Thought, Delta::Text(more)) => {
                out.push(WirePart { thought: Some(true), ..WirePart::text(more) });
            }
            (Block::Text { .. }, Delta::Signature(signature)) => {
                out.push(WirePart { thought_signature: Some(signature), ..WirePart::text("") });
            }
            // Other providers' thoughts are signed, and want their signature back.
            (Block::Thought, Delta::Signature(signature)) => {
                let thought = WirePart { thought: Some(true), ..WirePart::text("") };
                out.push(WirePart { thought_signature: Some(signature), ..thought });
            }
            (Block::Call { signature, .. } | Block::Whole { signature, .. }, Delta::Signature(new)) => {
                *signature = Some(new);
            }
            (Block::Call { call, .. }, Delta::Arguments(more)) => call.arguments.push_str(&more),
            (Block::Text { text }, Delta::Citation(citation)) => self.sources.add(&citation, text),
            _ => {}
        }
    }

    /// The last chunk: parts of the candidates that are left, why the model stopped, sources, usage.
    fn last(mut self, parts: Vec<Vec<WirePart>>) -> Object {
        let (usage, others) = (self.usage.take(), std::mem::take(&mut self.others));
        let mut left = parts.into_iter();
        let all = std::iter::once(self).chain(others).enumerate();
        let candidates: Vec<Object> =
            all.map(|(index, said)| said.ended(index, left.next().unwrap_or_default())).collect();
        let mut chunk = Object::from_iter([("candidates".to_owned(), json!(candidates))]);
        chunk.extend(usage.map(|u| ("usageMetadata".to_owned(), usage::write(&u))));
        chunk
    }

    fn ended(self, index: usize, parts: Vec<WirePart>) -> Object {
        let finish = self.finish.as_ref().map_or("FINISH_REASON_UNSPECIFIED", finish::write);
        let mut candidate = candidate(index, parts);
        candidate.insert("finishReason".into(), finish.into());
        candidate.extend(self.sources.finish().map(|sources| ("groundingMetadata".to_owned(), sources)));
        candidate
    }
}

fn candidate(index: usize, parts: Vec<WirePart>) -> Object {
    let content = Content { role: Some("model".into()), parts };
    Object::from_iter([("content".to_owned(), json!(content)), ("index".to_owned(), index.into())])
}

// --- Block ---

impl Block {
    fn begin(block: Begun) -> Self {
        match block {
            Begun::Text | Begun::Refusal => Block::Text { text: String::new() },
            Begun::Thinking { .. } => Block::Thought,
            Begun::ToolCall { id, name, kind } => {
                let call = ToolCall { id, name, arguments: String::new(), kind };
                Block::Call { call, signature: None }
            }
            Begun::Whole(part) => Block::Whole { part: whole(*part).map(Box::new), signature: None },
        }
    }

    fn end(self) -> Option<WirePart> {
        match self {
            Block::Call { call, signature } => Some(call_part(call, signature)),
            Block::Whole { part, signature } => {
                part.map(|part| WirePart { thought_signature: signature, ..*part })
            }
            Block::Text { .. } | Block::Thought | Block::Done => None,
        }
    }
}

/// `None`: the block means nothing to Gemini's clients.
fn whole(part: Part) -> Option<WirePart> {
    match part.kind {
        Kind::Image(media) | Kind::Audio(media) | Kind::Document(media) => Some(media_part(media)),
        Kind::Opaque { dialect: Dialect::Gemini, value } => serde_json::from_value(value).ok(),
        Kind::Text { text, .. } => Some(WirePart::text(text)),
        _ => None,
    }
}

fn media_part(media: Media) -> WirePart {
    // Audio of other providers says what it says beside itself.
    let transcript = media.transcript.clone();
    match (&media.source, transcript) {
        (Source::Base64 { data, .. }, Some(text)) if data.is_empty() => WirePart::text(text),
        _ => super::super::media::write(&media, super::super::media::Sort::Document, false),
    }
}

fn call_part(call: ToolCall, signature: Option<String>) -> WirePart {
    let args = match call.kind {
        ToolCallKind::Function => call.object().unwrap_or_else(|| alone("arguments", &call.arguments)),
        ToolCallKind::Custom => alone("input", &call.arguments),
    };
    // An id of our own making is as good as any for a client.
    let id = ids::for_google(&call.id).unwrap_or(call.id);
    WirePart {
        function_call: Some(FunctionCall { id: Some(id), name: call.name, args: Some(args) }),
        thought_signature: signature,
        ..WirePart::default()
    }
}

fn alone(name: &str, text: &str) -> Object {
    Object::from_iter([(name.to_owned(), text.into())])
}

/// Chunks of one stream, whatever stands between them.
#[derive(Debug)]
struct Chunks {
    parts: Parts,
    model: String,
    id: String,
}

// --- Chunks ---

impl Chunks {
    fn new(view: &View<'_>) -> Self {
        Self { parts: Parts::default(), model: view.model.to_owned(), id: view.id.to_owned() }
    }

    /// The chunk that an event makes, if it makes one.
    fn write(&mut self, event: Event) -> Option<Value> {
        let (index, parts) = self.parts.said(event);
        if parts.is_empty() {
            return None;
        }
        let chunk = Object::from_iter([("candidates".to_owned(), json!([candidate(index, parts)]))]);
        Some(self.envelope(chunk))
    }

    fn last(&mut self) -> Value {
        let (id, model) = (self.parts.id.clone(), self.parts.model.clone());
        let parts = std::mem::replace(&mut self.parts, Parts { id, model, ..Parts::default() });
        let chunk = parts.last(Vec::new());
        self.envelope(chunk)
    }

    fn envelope(&self, chunk: Object) -> Value {
        let model = self.parts.model.as_deref().unwrap_or(&self.model);
        envelope(chunk, model, self.parts.id.as_deref().unwrap_or(&self.id))
    }
}

/// `alt=sse`. There is no closing event.
#[derive(Debug)]
pub(in super::super) struct SseWriter(Chunks);

impl SseWriter {
    pub(in super::super) fn new(view: &View<'_>) -> Self {
        Self(Chunks::new(view))
    }
}

impl EventWriter for SseWriter {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        if let Some(chunk) = self.0.write(event) {
            sse(&chunk, out);
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        sse(&self.0.last(), out);
    }
}

fn sse(chunk: &Value, out: &mut BytesMut) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(chunk.to_string().as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
}

/// A stream without `alt=sse`: one JSON list, its elements sent one by one.
#[derive(Debug)]
pub struct ArrayWriter {
    chunks: Chunks,
    begun: bool,
}

impl ArrayWriter {
    pub fn new(view: &View<'_>) -> Self {
        Self { chunks: Chunks::new(view), begun: false }
    }

    fn put(&mut self, chunk: &Value, out: &mut BytesMut) {
        out.extend_from_slice(if self.begun { b",\r\n" } else { b"[" });
        self.begun = true;
        out.extend_from_slice(chunk.to_string().as_bytes());
    }
}

impl EventWriter for ArrayWriter {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        if let Some(chunk) = self.chunks.write(event) {
            self.put(&chunk, out);
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        let last = self.chunks.last();
        self.put(&last, out);
        out.extend_from_slice(b"]\r\n");
    }
}

/// An error as the last element of a list that has begun or not.
pub fn array_error(error: &ApiError, begun: bool) -> Vec<u8> {
    let before = if begun { ",\r\n" } else { "[" };
    format!("{before}{}]\r\n", error::write(error)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_keep_their_signatures_each_its_own() {
        let thought = |text: &str, signature: &str| Part {
            signature: Some(signature.into()),
            ..Part::new(Kind::Thinking { text: text.into(), id: None })
        };
        let content = vec![thought("hm", "s1"), thought("", "s2"), Part::text("hi")];
        let mut parts = Parts::default();
        let mut written = Vec::new();
        for event in replay(Answer { content, ..Answer::default() }) {
            parts.take(event, &mut written);
        }
        let told = json!(join(written));
        assert_eq!(
            told,
            json!([
                { "text": "hm", "thought": true, "thoughtSignature": "s1" },
                { "text": "", "thought": true, "thoughtSignature": "s2" },
                { "text": "hi" },
            ])
        );
    }
}
