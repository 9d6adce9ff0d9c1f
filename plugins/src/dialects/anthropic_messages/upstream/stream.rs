//! A stream of Messages to events. Blocks whose kind only this dialect knows are gathered and told whole.

use super::super::usage::WireUsage;
use super::super::{DIALECT, error, finish, read_parts};
use crate::dialects::json_tool::JSON_TOOL;
use crate::dialects::{EventReader, TranslateError};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use weir_core::chat::{Begun, Citation, Delta, Event, Events, Finish, Kind, Object, Part, ToolCall};
use weir_core::codec::Frame;

/// What is gathered of one block, in bytes. Results of searches are the largest; they come whole.
const MAX_GATHERED: usize = 8 * 1024 * 1024;
/// Anthropic has one block open at a time.
const MAX_OPEN: usize = 64;

/// One per response.
#[derive(Default)]
pub(in super::super) struct Reader {
    phase: Phase,
    open: Vec<Block>,
    /// Index of the next block in the model.
    next: usize,
    usage: WireUsage,
    finish: Option<Finish>,
    has_tool_calls: bool,
    /// Bytes of all gathered blocks.
    gathered: usize,
}

#[derive(Default, PartialEq)]
enum Phase {
    #[default]
    Before,
    Begun,
    /// The message has stopped, or an error was told.
    Over,
}

struct Block {
    /// As the provider counts.
    wire: u64,
    /// As the model counts; gathered blocks have theirs when they are told.
    index: usize,
    state: State,
    signature: String,
}

enum State {
    Text,
    Thinking,
    /// `whole`: the input that came with the start, told at the end if none comes in pieces.
    Call {
        whole: Option<String>,
    },
    /// The tool that stood for a format: its input is told as text.
    Json {
        whole: Option<String>,
    },
    Gathered {
        block: Object,
        input: String,
    },
    /// It came with all that is in it: only its stop follows.
    Whole,
}

#[derive(Deserialize)]
struct WireEvent<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(default)]
    index: u64,
    message: Option<WireStart>,
    #[serde(borrow)]
    content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    usage: Option<WireUsage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct WireStart {
    id: Option<String>,
    model: Option<String>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct WireDelta {
    #[serde(rename = "type", default)]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    partial_json: Option<String>,
    citation: Option<Value>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
}

impl EventReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let json = frame.json().trim_ascii();
        // Some servers that imitate Anthropic end like OpenAI.
        if self.phase == Phase::Over || json.is_empty() || json == b"[DONE]" {
            return Ok(());
        }
        let event: WireEvent<'_> = serde_json::from_slice(json).map_err(TranslateError::malformed)?;
        let kind = if event.kind.is_empty() { name(&frame, event.error.is_some()) } else { &*event.kind };
        match kind {
            "message_start" => self.message_start(event.message, out),
            "content_block_start" => self.block_start(event.index, needed(event.content_block)?, out),
            "content_block_delta" => self.block_delta(event.index, needed(event.delta)?, out),
            "content_block_stop" => self.block_stop(event.index, out),
            "message_delta" => self.message_delta(event.delta, event.usage, out),
            "message_stop" => self.end(out),
            "error" => {
                self.phase = Phase::Over;
                out.push(Event::Fault(error::read_member(0, &event.error.unwrap_or_default())));
                Ok(())
            }
            // `ping`, and what may come: clients are told to ignore it, and so are we.
            _ => Ok(()),
        }
    }

    fn end(&mut self, out: &mut Events) -> Result<(), TranslateError> {
        if self.phase == Phase::Over {
            return Ok(());
        }
        if self.finish.is_none() {
            return Err(TranslateError::Unfinished);
        }
        self.finish(out);
        Ok(())
    }
}

// --- The message ---

impl Reader {
    fn message_start(&mut self, start: Option<WireStart>, out: &mut Events) -> Result<(), TranslateError> {
        if self.phase != Phase::Before {
            return Err(TranslateError::malformed("a second message_start"));
        }
        let start = start.ok_or_else(|| TranslateError::malformed("message_start without a message"))?;
        self.phase = Phase::Begun;
        out.push(Event::Start { id: start.id, model: start.model });
        self.report(start.usage, out);
        Ok(())
    }

    /// Servers that leave out `message_start` are forgiven.
    fn begin(&mut self, out: &mut Events) {
        if self.phase == Phase::Before {
            self.phase = Phase::Begun;
            out.push(Event::Start { id: None, model: None });
        }
    }

    fn message_delta(
        &mut self,
        delta: Option<&RawValue>,
        usage: Option<WireUsage>,
        out: &mut Events,
    ) -> Result<(), TranslateError> {
        self.begin(out);
        self.report(usage, out);
        let Some(delta) = delta else { return Ok(()) };
        let delta: WireDelta = parse(delta)?;
        if let Some(reason) = delta.stop_reason {
            self.finish = Some(finish::read(&reason, delta.stop_sequence));
        }
        Ok(())
    }

    fn report(&mut self, usage: Option<WireUsage>, out: &mut Events) {
        let Some(usage) = usage else { return };
        self.usage.merge(usage);
        out.push(Event::Usage(self.usage.usage()));
    }

    fn finish(&mut self, out: &mut Events) {
        self.begin(out);
        self.phase = Phase::Over;
        // A block that never stopped is whole now; what was gathered of one is not.
        for block in std::mem::take(&mut self.open) {
            if !matches!(block.state, State::Gathered { .. }) {
                close(block, out);
            }
        }
        match self.finish.take() {
            // The only call was the one that stood for a format.
            Some(Finish::ToolCalls) if !self.has_tool_calls => out.push(Event::Finish(Finish::Stop)),
            finish => out.extend(finish.map(Event::Finish)),
        }
    }
}

// --- Blocks ---

impl Reader {
    fn block_start(&mut self, wire: u64, raw: &RawValue, out: &mut Events) -> Result<(), TranslateError> {
        self.begin(out);
        if self.open.len() >= MAX_OPEN || self.open.iter().any(|b| b.wire == wire) {
            return Err(TranslateError::malformed(format!(
                "block {wire} starts while it is open, or too many are"
            )));
        }
        let part = read_parts::part(parse(raw)?).map_err(TranslateError::malformed)?;
        let state = self.begin_block(part, out)?;
        let index = if matches!(state, State::Gathered { .. }) { 0 } else { self.next - 1 };
        self.open.push(Block { wire, index, state, signature: String::new() });
        Ok(())
    }

    /// Tells the start of a block, with what it holds already.
    fn begin_block(&mut self, part: Part, out: &mut Events) -> Result<State, TranslateError> {
        match part.kind {
            Kind::Text { text, citations } => {
                let index = self.start(Begun::Text, out);
                push_text(index, text, out);
                citations.into_iter().for_each(|c| push(index, Delta::Citation(Box::new(c)), out));
                Ok(State::Text)
            }
            Kind::Thinking { text, .. } => {
                let index = self.start(Begun::Thinking { id: None }, out);
                push_text(index, text, out);
                out.extend(part.signature.map(|s| Event::BlockDelta { index, delta: Delta::Signature(s) }));
                Ok(State::Thinking)
            }
            Kind::ToolCall(call) => Ok(self.begin_call(call, out)),
            Kind::Opaque { value: Value::Object(block), .. } => {
                self.gather(&block)?;
                Ok(State::Gathered { block, input: String::new() })
            }
            _ => {
                self.start(Begun::Whole(Box::new(part)), out);
                Ok(State::Whole)
            }
        }
    }

    fn begin_call(&mut self, call: ToolCall, out: &mut Events) -> State {
        let ToolCall { id, name, arguments, kind } = call;
        let whole = (arguments != "{}").then_some(arguments);
        if name == JSON_TOOL {
            self.start(Begun::Text, out);
            return State::Json { whole };
        }
        self.has_tool_calls = true;
        self.start(Begun::ToolCall { id, name, kind }, out);
        State::Call { whole }
    }

    fn start(&mut self, block: Begun, out: &mut Events) -> usize {
        let index = self.next;
        self.next += 1;
        out.push(Event::BlockStart { index, block });
        index
    }

    fn block_delta(&mut self, wire: u64, raw: &RawValue, out: &mut Events) -> Result<(), TranslateError> {
        let Some(at) = self.open.iter().position(|b| b.wire == wire) else {
            return Err(TranslateError::malformed(format!("a piece of block {wire}, which is not open")));
        };
        if matches!(self.open[at].state, State::Gathered { .. }) {
            return self.gather_delta(at, raw);
        }
        let delta: WireDelta = parse(raw)?;
        let block = &mut self.open[at];
        let index = block.index;
        match (delta.kind.as_str(), &mut block.state) {
            ("text_delta", State::Text) => push_text(index, delta.text.unwrap_or_default(), out),
            ("thinking_delta", State::Thinking) => push_text(index, delta.thinking.unwrap_or_default(), out),
            ("signature_delta", State::Thinking) => {
                block.signature.push_str(&delta.signature.unwrap_or_default());
                bounded(block.signature.len())?;
            }
            ("citations_delta", State::Text) => {
                let citation: Option<Citation> = delta.citation.map(read_parts::citation);
                out.extend(
                    citation.map(|c| Event::BlockDelta { index, delta: Delta::Citation(Box::new(c)) }),
                );
            }
            ("input_json_delta", State::Call { whole } | State::Json { whole }) => {
                let piece = delta.partial_json.unwrap_or_default();
                if piece.is_empty() {
                    return Ok(());
                }
                *whole = None;
                let is_call = matches!(block.state, State::Call { .. });
                push(index, if is_call { Delta::Arguments(piece) } else { Delta::Text(piece) }, out);
            }
            (_, State::Whole) => return Err(TranslateError::malformed("a piece of a block that came whole")),
            // Pieces that may come with blocks we know.
            _ => {}
        }
        Ok(())
    }

    fn block_stop(&mut self, wire: u64, out: &mut Events) -> Result<(), TranslateError> {
        let Some(at) = self.open.iter().position(|b| b.wire == wire) else {
            return Err(TranslateError::malformed(format!("block {wire} stops, which is not open")));
        };
        let block = self.open.remove(at);
        if let State::Gathered { block, input } = block.state {
            let index = self.start(Begun::Whole(Box::new(gathered(block, &input)?)), out);
            out.push(Event::BlockStop { index });
            self.gathered = 0;
            return Ok(());
        }
        close(block, out);
        Ok(())
    }
}

// --- Gathered blocks ---

impl Reader {
    fn gather(&mut self, block: &Object) -> Result<(), TranslateError> {
        self.gathered += block.values().filter_map(Value::as_str).map(str::len).sum::<usize>();
        bounded(self.gathered)
    }

    /// Input comes as text; text of members unknown is added to them, anything else replaces them.
    fn gather_delta(&mut self, at: usize, raw: &RawValue) -> Result<(), TranslateError> {
        self.gathered += raw.get().len();
        bounded(self.gathered)?;
        let delta: Object = parse(raw)?;
        let State::Gathered { block, input } = &mut self.open[at].state else { return Ok(()) };
        for (name, value) in delta.into_iter().filter(|(name, _)| name != "type") {
            match (name.as_str(), value, block.get_mut(&name)) {
                ("partial_json", Value::String(piece), _) => input.push_str(&piece),
                (_, Value::String(more), Some(Value::String(text))) => text.push_str(&more),
                (_, value, _) => drop(block.insert(name, value)),
            }
        }
        Ok(())
    }
}

/// What an event without a type is: its name, or an error by what is in it.
fn name<'a>(frame: &Frame<'a>, has_error: bool) -> &'a str {
    match frame {
        _ if has_error => "error",
        Frame::Sse { event, .. } => event,
        Frame::Line(_) | Frame::Message { .. } => "",
    }
}

fn gathered(mut block: Object, input: &str) -> Result<Part, TranslateError> {
    if !input.is_empty() {
        block.insert("input".to_owned(), serde_json::from_str(input).map_err(TranslateError::malformed)?);
    }
    Ok(Part::new(Kind::Opaque { dialect: DIALECT, value: Value::Object(block) }))
}

fn bounded(bytes: usize) -> Result<(), TranslateError> {
    if bytes > MAX_GATHERED {
        return Err(TranslateError::malformed(format!("a block of more than {MAX_GATHERED} bytes")));
    }
    Ok(())
}

fn close(block: Block, out: &mut Events) {
    let Block { index, state, signature, .. } = block;
    match state {
        State::Call { whole: Some(whole) } => push(index, Delta::Arguments(whole), out),
        State::Json { whole: Some(whole) } => push(index, Delta::Text(whole), out),
        _ if !signature.is_empty() => push(index, Delta::Signature(signature), out),
        _ => {}
    }
    out.push(Event::BlockStop { index });
}

fn push_text(index: usize, text: String, out: &mut Events) {
    if !text.is_empty() {
        push(index, Delta::Text(text), out);
    }
}

fn push(index: usize, delta: Delta, out: &mut Events) {
    out.push(Event::BlockDelta { index, delta });
}

fn needed(member: Option<&RawValue>) -> Result<&RawValue, TranslateError> {
    member.ok_or_else(|| TranslateError::malformed("an event without its block or delta"))
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, TranslateError> {
    serde_json::from_str(raw.get()).map_err(TranslateError::malformed)
}
