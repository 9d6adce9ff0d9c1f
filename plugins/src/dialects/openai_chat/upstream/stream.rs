//! A stream of chunks. Text, thoughts and refusals follow each other, one block at a time; tool calls stay open till the
//! end, since their deltas may interleave. The end is `[DONE]` or the end of the bytes: some providers say
//! `finish_reason` twice, and usage comes after it.

use super::super::wire::{
    Choice, Chunk, Loose, Piece, WireAudio, WireCall, WireMessage, is_said, read_finish,
};
use super::calls::Calls;
use super::{answer, sources};
use crate::dialects::{EventReader, TranslateError};
use serde_json::Value;
use weir_core::chat::{Begun, Citation, Delta, Event, Events, Part};
use weir_core::codec::Frame;
use weir_core::model::prices::ServiceTier;

/// Audio is told whole; more of it is not kept.
const MAX_AUDIO: usize = 32 * 1024 * 1024;

/// One per response.
#[derive(Default)]
pub(in super::super) struct Reader {
    started: bool,
    /// `[DONE]` or an error was seen: whatever follows means nothing.
    ended: bool,
    id: Option<String>,
    /// The last that a chunk named.
    tier: Option<ServiceTier>,
    /// Index of the next block.
    next: usize,
    open: Option<(Flow, usize)>,
    calls: Calls,
    audio: Option<WireAudio>,
    sources: Vec<Citation>,
    /// The provider's word.
    finish: Option<String>,
    /// Of the second choice and those behind it.
    others: Vec<Reader>,
}

/// A block that grows by text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Text,
    Thinking,
    /// Signed: what follows is another thought.
    Thought,
    Refusal,
}

// --- Reader ---

impl EventReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let data = frame.json().trim_ascii();
        if self.ended || data.is_empty() {
            return Ok(());
        }
        if data == b"[DONE]" {
            return self.done(out);
        }
        let mut chunk: Chunk = serde_json::from_slice(data).map_err(TranslateError::malformed)?;
        let mut choice = chunk.take_choice();
        let is_error = matches!(&frame, Frame::Sse { event: "error", .. });
        // `take_choice` has emptied the choices; with one, only a named error is an error.
        let fault = is_error
            || if choice.is_some() { chunk.error.as_ref().is_some_and(is_said) } else { chunk.is_fault() };
        let usage = chunk.take_usage(choice.as_mut());
        let mut others = chunk.take_others().peekable();
        if choice.is_some() || others.peek().is_some() || usage.is_some() || fault {
            self.start(&mut chunk, out);
        }
        self.tier = chunk.service_tier.as_deref().map(ServiceTier::from_name).or(self.tier);
        out.extend(usage.map(|usage| Event::Usage(usage.or_at(self.tier))));
        if fault {
            return self.fault(data, out);
        }
        if let Some(list) = sources::sources(&mut chunk) {
            self.sources = list;
        }
        if let Some(error) = choice.as_mut().and_then(|c| c.error.take()).filter(is_said) {
            return self.fault(error.to_string().as_bytes(), out);
        }
        for (index, choice) in others {
            self.beside(index, choice, out)?;
        }
        choice.map_or(Ok(()), |choice| self.choice(choice, out))
    }

    fn end(&mut self, out: &mut Events) -> Result<(), TranslateError> {
        if self.ended { Ok(()) } else { self.done(out) }
    }
}

impl Reader {
    fn start(&mut self, chunk: &mut Chunk, out: &mut Events) {
        if self.started {
            return;
        }
        self.started = true;
        self.id = chunk.id.take().filter(|id| !id.is_empty());
        let model = chunk.model.take().filter(|model| !model.is_empty());
        out.push(Event::Start { id: self.id.clone(), model });
    }

    fn fault(&mut self, data: &[u8], out: &mut Events) -> Result<(), TranslateError> {
        self.ended = true;
        out.push(Event::Fault(super::fault(0, data)));
        Ok(())
    }

    /// A stream is whole when the model said why it stopped, with or without `[DONE]`.
    fn done(&mut self, out: &mut Events) -> Result<(), TranslateError> {
        let Some(word) = self.finish.take() else { return Err(TranslateError::Unfinished) };
        self.ended = true;
        for (at, mut other) in std::mem::take(&mut self.others).into_iter().enumerate() {
            let (mut told, word) = (Events::new(), other.finish.take());
            let calls = other.close(&mut told);
            told.extend(word.map(|word| Event::Finish(read_finish(&word, calls))));
            out.extend(told.into_iter().map(|event| event.beside(at + 1)));
        }
        let calls = self.close(out);
        out.push(super::failed(&word).map_or_else(|| Event::Finish(read_finish(&word, calls)), Event::Fault));
        Ok(())
    }

    /// Stops what is open; whether there were calls.
    fn close(&mut self, out: &mut Events) -> bool {
        for citation in std::mem::take(&mut self.sources) {
            self.cite(citation, out);
        }
        self.shut(out);
        if let Some(audio) = self.audio.take() {
            self.whole(answer::audio(audio), out);
        }
        let calls = !self.calls.is_empty();
        self.calls.close(self.id.as_deref(), &mut self.next, out);
        calls
    }

    /// A choice that is told beside the first.
    fn beside(&mut self, index: usize, choice: Choice, out: &mut Events) -> Result<(), TranslateError> {
        let most = self.others.len().max(index);
        let (mut number, id) = (self.others.len(), &self.id);
        self.others.resize_with(most, || {
            number += 1;
            Reader { id: super::calls::beside(id.as_deref(), number), ..Reader::default() }
        });
        let Some(other) = self.others.get_mut(index - 1) else { return Ok(()) };
        let mut told = Events::new();
        let read = other.choice(choice, &mut told);
        out.extend(told.into_iter().map(|event| event.beside(index)));
        read
    }

    fn choice(&mut self, choice: Choice, out: &mut Events) -> Result<(), TranslateError> {
        // A provider that does not stream after all sends the message in one chunk (Perplexity repeats it in the last).
        let whole = choice.message.filter(|_| self.next == 0);
        let delta = choice.delta.filter(WireMessage::says).or(whole);
        if let Some(delta) = delta {
            self.delta(delta, out)?;
        }
        // Other shapes than OpenAI's are nothing that its clients could read.
        let likely = choice.logprobs.filter(Value::is_object);
        out.extend(likely.map(|told| Event::Logprobs(Box::new(told))));
        self.finish = choice.finish_reason.filter(|word| !word.is_empty()).or(self.finish.take());
        Ok(())
    }

    fn delta(&mut self, mut delta: WireMessage, out: &mut Events) -> Result<(), TranslateError> {
        if let Some(text) = delta.take_reasoning() {
            self.flow(Flow::Thinking, text, out);
        }
        for block in delta.thinking_blocks.take().iter().chain(&delta.reasoning_details.take()).flatten() {
            self.proof(block, out);
        }
        for piece in delta.content.take().map(Loose::into_pieces).unwrap_or_default() {
            match piece {
                Piece::Text(text) => self.flow(Flow::Text, text, out),
                Piece::Thinking(text) => self.flow(Flow::Thinking, text, out),
                other @ Piece::Other(_) => self.whole(answer::piece(other), out),
            }
        }
        self.flow(Flow::Refusal, delta.refusal.take().unwrap_or_default(), out);
        for annotation in delta.annotations.take().unwrap_or_default() {
            self.cite(sources::annotation(annotation), out);
        }
        for image in delta.images.take().iter().flatten().filter_map(answer::image) {
            self.whole(image, out);
        }
        let legacy = delta.function_call.take();
        let legacy = legacy.map(|f| WireCall { index: Some(0), function: Some(f), ..WireCall::default() });
        for call in delta.tool_calls.take().into_iter().flatten().chain(legacy) {
            self.shut(out);
            self.calls.take(call, self.id.as_deref(), &mut self.next, out)?;
        }
        delta.audio.take().map_or(Ok(()), |audio| self.hear(audio))
    }

    /// Text of one kind; another kind begins another block.
    fn flow(&mut self, flow: Flow, text: String, out: &mut Events) {
        if text.is_empty() {
            return;
        }
        let index = self.ensure(flow, out);
        out.push(Event::BlockDelta { index, delta: Delta::Text(text) });
    }

    fn ensure(&mut self, flow: Flow, out: &mut Events) -> usize {
        if let Some((open, index)) = self.open
            && open == flow
        {
            return index;
        }
        self.shut(out);
        let index = self.next;
        self.next += 1;
        self.open = Some((flow, index));
        let block = match flow {
            Flow::Text => Begun::Text,
            Flow::Thinking | Flow::Thought => Begun::Thinking { id: None },
            Flow::Refusal => Begun::Refusal,
        };
        out.push(Event::BlockStart { index, block });
        index
    }

    /// A signature closes the thought that was told as text; encrypted thoughts stand alone.
    fn proof(&mut self, block: &Value, out: &mut Events) {
        let Some(part) = answer::proven(block) else { return };
        let Some(signature) = part.signature else { return self.whole(part, out) };
        // LiteLLM sends the text with every block, too; what was told as reasoning is not told twice.
        let index = self.ensure(Flow::Thinking, out);
        out.push(Event::BlockDelta { index, delta: Delta::Signature(signature) });
        self.open = Some((Flow::Thought, index));
    }

    fn cite(&mut self, citation: Citation, out: &mut Events) {
        let index = self.ensure(Flow::Text, out);
        out.push(Event::BlockDelta { index, delta: Delta::Citation(Box::new(citation)) });
    }

    fn whole(&mut self, part: Part, out: &mut Events) {
        self.shut(out);
        let index = self.next;
        self.next += 1;
        out.push(Event::BlockStart { index, block: Begun::Whole(Box::new(part)) });
        out.push(Event::BlockStop { index });
    }

    /// Stops the block that grows by text.
    fn shut(&mut self, out: &mut Events) {
        if let Some((_, index)) = self.open.take() {
            out.push(Event::BlockStop { index });
        }
    }

    /// Audio comes in pieces: id, then transcript and data, then expiry.
    fn hear(&mut self, more: WireAudio) -> Result<(), TranslateError> {
        let audio = self.audio.get_or_insert_default();
        audio.id = audio.id.take().or(more.id);
        audio.expires_at = more.expires_at.or(audio.expires_at);
        if let Some(text) = more.transcript {
            audio.transcript.get_or_insert_default().push_str(&text);
        }
        if let Some(data) = more.data {
            audio.data.get_or_insert_default().push_str(&data);
        }
        let size =
            audio.data.as_ref().map_or(0, String::len) + audio.transcript.as_ref().map_or(0, String::len);
        if size > MAX_AUDIO {
            return Err(TranslateError::malformed(format!("more than {MAX_AUDIO} bytes of audio")));
        }
        Ok(())
    }
}
