//! Lines to events. Thoughts, text and calls may come in one line; each is a block of its own.

use super::call::{Calls, Held};
use super::fault;
use super::think::{Piece, Tags};
use super::wire::{Call, KNOWN, Line};
use crate::dialects::beside::beside;
use crate::dialects::{EventReader, TranslateError};
use serde_json::{Value, json};
use weir_core::chat::{Answer, Begun, Collector, Delta, Event, Events, Finish, ToolCallKind};
use weir_core::codec::Frame;

/// One per answer.
#[derive(Debug)]
pub(super) struct Reader {
    tags: Tags,
    /// For `/api/generate`, where calls are text.
    calls: Option<Calls>,
    /// The block that grows.
    open: Option<(usize, Said)>,
    blocks: usize,
    called: usize,
    /// Digits of the answer's time, for ids of calls that have none.
    stamp: Option<String>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Thinking,
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Before,
    Under,
    /// `done`, or a fault: nothing follows.
    Over,
}

const STAMP: usize = 20;

impl EventReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Events) -> Result<(), TranslateError> {
        if self.phase == Phase::Over {
            return Ok(());
        }
        let line: Line = serde_json::from_slice(frame.json()).map_err(TranslateError::malformed)?;
        self.take(line, out)
    }

    fn end(&mut self, _: &mut Events) -> Result<(), TranslateError> {
        if self.phase == Phase::Over { Ok(()) } else { Err(TranslateError::Unfinished) }
    }
}

// --- Reader ---

impl Reader {
    pub(super) fn chat() -> Self {
        Self::new(None)
    }

    pub(super) fn generate() -> Self {
        Self::new(Some(Calls::default()))
    }

    fn new(calls: Option<Calls>) -> Self {
        let tags = Tags::default();
        Self { tags, calls, open: None, blocks: 0, called: 0, stamp: None, phase: Phase::Before }
    }

    /// A whole answer: a stream of one line.
    pub(super) fn whole(mut self, body: &[u8]) -> Result<Answer, TranslateError> {
        let mut line: Line = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
        if let Some(error) = &line.error {
            return Err(TranslateError::Fault(fault(error)));
        }
        if line.done == Some(false) {
            return Err(TranslateError::Unfinished);
        }
        if line.message.is_none() && line.response.is_none() {
            return Err(TranslateError::malformed("an answer without a message"));
        }
        // Servers that only look like Ollama leave it out.
        line.done = Some(true);
        let mut extra = beside(body, KNOWN).map_err(TranslateError::malformed)?;
        // The list is OpenAI's, without the object around it.
        if let Some(list @ Value::Array(_)) = extra.get_mut("logprobs") {
            *list = json!({ "content": list.take() });
        }
        let mut events = Events::new();
        self.take(line, &mut events)?;
        let mut collector = Collector::default();
        events.into_iter().for_each(|event| collector.take(event));
        Ok(Answer { extra, ..collector.finish() })
    }

    fn take(&mut self, mut line: Line, out: &mut Events) -> Result<(), TranslateError> {
        if let Some(error) = &line.error {
            self.phase = Phase::Over;
            out.push(Event::Fault(fault(error)));
            return Ok(());
        }
        self.start(&line, out);
        let message = line.message.take().unwrap_or_default();
        if let Some(thought) = message.thinking.or(line.thinking.take()).filter(|t| !t.is_empty()) {
            self.untag(out);
            self.say(Said::Thinking, thought, out);
        }
        if let Some(text) = message.content.or(line.response.take()) {
            let pieces = self.tags.push(&text);
            self.pieces(pieces, out);
        }
        for call in message.tool_calls.unwrap_or_default() {
            self.call(call, out);
        }
        let likely = line.logprobs.take().filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
        out.extend(likely.map(|list| Event::Logprobs(Box::new(json!({ "content": list })))));
        if line.done == Some(true) {
            self.finish(&line, out);
        }
        Ok(())
    }

    fn start(&mut self, line: &Line, out: &mut Events) {
        if self.phase != Phase::Before {
            return;
        }
        self.phase = Phase::Under;
        self.stamp = line.created_at.as_deref().map(digits);
        out.push(Event::Start { id: None, model: line.model.clone() });
    }

    /// What the tags held back is said.
    fn untag(&mut self, out: &mut Events) {
        let pieces = self.tags.close();
        self.pieces(pieces, out);
    }

    fn pieces(&mut self, pieces: Vec<Piece>, out: &mut Events) {
        for piece in pieces {
            match piece {
                Piece::Thought(text) => self.say(Said::Thinking, text, out),
                Piece::Text(text) => {
                    let text = match &mut self.calls {
                        Some(calls) => calls.push(&text),
                        None => text,
                    };
                    self.say(Said::Text, text, out);
                }
            }
        }
    }

    fn say(&mut self, said: Said, text: String, out: &mut Events) {
        if text.is_empty() {
            return;
        }
        let index = match self.open {
            Some((index, open)) if open == said => index,
            _ => self.open(said, out),
        };
        out.push(Event::BlockDelta { index, delta: Delta::Text(text) });
    }

    fn open(&mut self, said: Said, out: &mut Events) -> usize {
        let block = match said {
            Said::Thinking => Begun::Thinking { id: None },
            Said::Text => Begun::Text,
        };
        let index = self.begin(block, out);
        self.open = Some((index, said));
        index
    }

    fn begin(&mut self, block: Begun, out: &mut Events) -> usize {
        self.stop(out);
        let index = self.blocks;
        self.blocks += 1;
        out.push(Event::BlockStart { index, block });
        index
    }

    fn stop(&mut self, out: &mut Events) {
        if let Some((index, _)) = self.open.take() {
            out.push(Event::BlockStop { index });
        }
    }

    fn call(&mut self, call: Call, out: &mut Events) {
        self.untag(out);
        let arguments = call.function.arguments();
        self.tool_call(call.id, call.function.name, arguments, out);
    }

    fn tool_call(&mut self, id: Option<String>, name: String, arguments: String, out: &mut Events) {
        let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| self.made_up_id(&name, &arguments));
        self.called += 1;
        let index = self.begin(Begun::ToolCall { id, name, kind: ToolCallKind::Function }, out);
        if !arguments.is_empty() {
            out.push(Event::BlockDelta { index, delta: Delta::Arguments(arguments) });
        }
        out.push(Event::BlockStop { index });
    }

    /// The same for the same answer; other than in the turns before, since clients find calls by their ids. The hash
    /// tells turns apart where a server's clock does not.
    fn made_up_id(&self, name: &str, arguments: &str) -> String {
        let stamp = self.stamp.as_deref().unwrap_or("0");
        let hash = name.bytes().chain(arguments.bytes()).fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193) // FNV-1a
        });
        format!("call_{stamp}_{hash:08x}_{}", self.called)
    }

    fn finish(&mut self, line: &Line, out: &mut Events) {
        self.untag(out);
        match self.calls.as_mut().map(Calls::close) {
            Some(Held::Call { name, arguments }) => self.tool_call(None, name, arguments, out),
            Some(Held::Text(text)) => self.say(Said::Text, text, out),
            None => {}
        }
        self.stop(out);
        out.extend(line.usage().map(Event::Usage));
        out.push(Event::Finish(finish(line.done_reason.as_deref(), self.called > 0)));
        self.phase = Phase::Over;
    }
}

/// `load` and `unload` answer a request without a prompt: nothing was to be said. Calls end with `stop` as well.
fn finish(reason: Option<&str>, called: bool) -> Finish {
    match reason {
        Some("length") => Finish::Length,
        None | Some("" | "stop" | "load" | "unload" | "tool_calls") if called => Finish::ToolCalls,
        None | Some("" | "stop" | "load" | "unload") => Finish::Stop,
        Some(other) => Finish::Other(other.to_owned()),
    }
}

fn digits(time: &str) -> String {
    time.chars().filter(char::is_ascii_digit).take(STAMP).collect()
}
