//! A stream of events. Each has a number; every item and part that is added is done before the stream ends. Whether an
//! item is done is only known when the next one starts or the model has finished, since blocks of text in a row are one
//! message.

use super::super::usage::WireUsage;
use super::output::{Body, Item, Output, Place, Spoken, last_status};
use super::piece::{Piece, TEXT};
use super::response::{self, End, Head};
use crate::dialects::dialect::{EventWriter, View};
use bytes::{BufMut as _, BytesMut};
use serde::Serialize;
use serde_json::{Value, json};
use weir_core::chat::{Begun, Citation, Delta, Event, ProviderFault};
use weir_core::error::ApiError;

/// One per response.
#[derive(Debug)]
pub(in super::super) struct Writer {
    head: Head,
    output: Output,
    end: End,
    frames: Frames,
    /// Items that were added and are not done.
    pending: Vec<usize>,
    begun: bool,
    /// Nothing may follow.
    closed: bool,
}

/// Events, numbered.
#[derive(Debug, Default)]
struct Frames {
    next: u64,
}

#[derive(Serialize)]
struct Numbered<'a, T> {
    #[serde(rename = "type")]
    kind: &'a str,
    sequence_number: u64,
    #[serde(flatten)]
    body: T,
}

// --- Writer ---

impl Writer {
    pub(in super::super) fn new(view: &View<'_>) -> Self {
        Self {
            head: Head::new(view),
            output: Output::new(view),
            end: End::default(),
            frames: Frames::default(),
            pending: Vec::new(),
            begun: false,
            closed: false,
        }
    }

    fn begin(&mut self, out: &mut BytesMut) {
        if self.begun {
            return;
        }
        self.begun = true;
        for kind in ["response.created", "response.in_progress"] {
            self.frames.emit(out, kind, Whole { response: self.head.begun() });
        }
    }

    fn block(&mut self, block: Begun, out: &mut BytesMut) {
        let before = self.output.items().len();
        let Some(place) = self.output.begin(block) else { return };
        if place.item >= before {
            self.finish_items(place.item, "completed", out);
            self.pending.push(place.item);
            self.added(place.item, out);
        }
        let Some(item) = self.output.items().get(place.item) else { return };
        if let Body::Message(parts) = &item.body {
            let part = parts.get(place.content).map(Spoken::value);
            self.frames.emit(out, TEXT.part_added.unwrap_or_default(), Piece { part, ..item.at(place) });
        }
    }

    /// The item as it is when it is added: with nothing in it, but for those that come whole.
    fn added(&mut self, index: usize, out: &mut BytesMut) {
        let Some(item) = self.output.items().get(index) else { return };
        let mut value = item.value("in_progress");
        if let (Body::Message(_), Some(message)) = (&item.body, value.as_object_mut()) {
            message.insert("content".into(), json!([]));
        }
        self.frames.emit(out, "response.output_item.added", Placed { output_index: index, item: value });
    }

    fn delta(&mut self, index: usize, delta: Delta, out: &mut BytesMut) {
        let Some(place) = self.output.place(index) else { return };
        match delta {
            Delta::Text(text) | Delta::Arguments(text) => {
                let silent = self.output.items().get(place.item).is_some_and(Item::is_silent);
                if self.output.grow(place, &text) {
                    self.piece(place, &text, silent, out);
                }
            }
            Delta::Signature(signature) => self.output.sign(place, signature),
            Delta::Citation(citation) => self.citation(place, *citation, out),
        }
    }

    fn piece(&mut self, place: Place, text: &str, first: bool, out: &mut BytesMut) {
        let Some(item) = self.output.items().get(place.item) else { return };
        let Some(words) = item.words(place) else { return };
        if let (Body::Reasoning { .. }, Some(added), true) = (&item.body, words.part_added, first) {
            let part = Some(json!({ "type": "summary_text", "text": "" }));
            self.frames.emit(out, added, Piece { part, ..item.at(place) });
        }
        let logprobs = (words.delta == TEXT.delta).then_some([]);
        self.frames.emit(out, words.delta, Piece { delta: Some(text), logprobs, ..item.at(place) });
    }

    fn citation(&mut self, place: Place, citation: Citation, out: &mut BytesMut) {
        let Some((number, annotation)) = self.output.cite(place, citation) else { return };
        let annotation = annotation.clone();
        let Some(item) = self.output.items().get(place.item) else { return };
        let body = Cited { at: item.at(place), annotation_index: number, annotation };
        self.frames.emit(out, "response.output_text.annotation.added", body);
    }

    fn stop(&mut self, index: usize, out: &mut BytesMut) {
        let Some((place, late)) = self.output.stop(index) else { return };
        if !late.is_empty() {
            self.piece(place, &late, false, out);
        }
        self.done(place, out);
        if place.item + 1 < self.output.items().len() {
            self.finish_items(self.output.items().len() - 1, "completed", out);
        }
    }

    /// The text of a block is whole.
    fn done(&mut self, place: Place, out: &mut BytesMut) {
        let Some(item) = self.output.items().get(place.item) else { return };
        let Some(words) = item.words(place).filter(|_| !item.is_silent_thought()) else { return };
        self.frames.emit(out, words.done, item.whole(place));
        if let Some(done) = words.part_done {
            self.frames.emit(out, done, Piece { part: item.part(place), ..item.at(place) });
        }
    }

    /// Items before `end` without an open block are done.
    fn finish_items(&mut self, end: usize, last: &str, out: &mut BytesMut) {
        let Self { output, frames, pending, .. } = self;
        let items = output.items();
        pending.retain(|index| {
            let Some(item) = items.get(*index).filter(|item| *index < end && item.open == 0) else {
                return true;
            };
            let status = if *index + 1 == items.len() { last } else { "completed" };
            let body = Placed { output_index: *index, item: item.value(status) };
            frames.emit(out, "response.output_item.done", body);
            false
        });
    }

    /// Stops what is still open and says how it ended.
    fn close(&mut self, out: &mut BytesMut) {
        self.begin(out);
        for index in 0..self.output.blocks() {
            self.stop(index, out);
        }
        let last = last_status(self.end.finish.as_ref());
        self.finish_items(usize::MAX, last, out);
        self.closed = true;
        let response = self.head.ended(self.output.values(self.end.finish.as_ref()), &self.end);
        let kind = match response.status {
            "failed" => "response.failed",
            "incomplete" => "response.incomplete",
            _ => "response.completed",
        };
        self.frames.emit(out, kind, Whole { response });
    }

    fn fail(&mut self, fault: ProviderFault, out: &mut BytesMut) {
        self.begin(out);
        self.frames.emit(out, "error", failure(&response::code(&fault), &fault.message));
        self.end.fault = Some(fault);
        self.close(out);
    }
}

impl EventWriter for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        if self.closed {
            return;
        }
        let event = match event {
            Event::Start { model, .. } => {
                self.head.said_by(model);
                return self.begin(out);
            }
            event => event,
        };
        self.begin(out);
        match event {
            // What was asked for has neither.
            Event::Start { .. } | Event::Beside { .. } | Event::Logprobs(_) => {}
            Event::BlockStart { block, .. } => self.block(block, out),
            Event::BlockDelta { index, delta } => self.delta(index, delta, out),
            Event::BlockStop { index } => self.stop(index, out),
            Event::Usage(usage) => self.end.usage = Some(WireUsage::from(usage)),
            Event::Finish(finish) => self.end.finish = Some(finish),
            Event::Fault(fault) => self.fail(fault, out),
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        if !self.closed {
            self.close(out);
        }
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    response: response::Response<'a>,
}

#[derive(Serialize)]
struct Placed {
    output_index: usize,
    item: Value,
}

#[derive(Serialize)]
struct Cited<'a> {
    #[serde(flatten)]
    at: Piece<'a>,
    annotation_index: usize,
    annotation: Value,
}

// --- Frames ---

impl Frames {
    fn emit(&mut self, out: &mut BytesMut, kind: &str, body: impl Serialize) {
        let numbered = Numbered { kind, sequence_number: self.next, body };
        self.next += 1;
        frame(out, kind, &numbered);
    }
}

fn frame(out: &mut BytesMut, kind: &str, body: &impl Serialize) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // A buffer takes everything, and there are no maps with keys that are no text.
    let written = serde_json::to_writer((&mut *out).writer(), body);
    debug_assert!(written.is_ok(), "{written:?}");
    out.extend_from_slice(b"\n\n");
}

/// The flat members are those of the API reference; the SDKs raise by `error`.
fn failure(code: &str, message: &str) -> Value {
    let error = json!({ "type": code, "code": code, "message": message, "param": null });
    json!({ "code": code, "message": message, "param": null, "error": error })
}

/// An error of the gateway's own: `error`, by which the SDKs raise, and `response.failed`, by which Codex does. They
/// have no numbers, since this knows nothing of the stream before.
pub(in super::super) fn error_event(error: &ApiError) -> Vec<u8> {
    let too_long = error.class() == "ContextWindowExceededError";
    let fault = ProviderFault {
        status: error.status(),
        message: error.message().to_owned(),
        code: too_long.then(|| "context_length_exceeded".to_owned()),
        ..ProviderFault::default()
    };
    let code = response::code(&fault);
    let mut event = failure(&code, &fault.message);
    if let Some(event) = event.as_object_mut() {
        event.insert("type".into(), "error".into());
    }
    let error = json!({ "code": code, "message": fault.message });
    let failed = json!({
        "type": "response.failed",
        "response": { "object": "response", "status": "failed", "error": error, "output": [] },
    });
    let mut out = BytesMut::new();
    frame(&mut out, "error", &event);
    frame(&mut out, "response.failed", &failed);
    out.to_vec()
}
