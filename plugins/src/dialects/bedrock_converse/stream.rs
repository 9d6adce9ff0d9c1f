//! ConverseStream's events. Text and thoughts begin with their first delta, tools with `contentBlockStart`; the usage
//! comes behind `messageStop`, so the finish waits for it.

use super::answer::{self, ToolUse, WireUsage};
use super::error;
use crate::dialects::dialect::{EventReader, TranslateError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use weir_core::chat::{Begun, Delta, Event, Events, Finish, Object, Part, ToolCallKind};
use weir_core::codec::Frame;
use weir_core::domain::usage::Usage;

/// Blocks open at once, and bytes held of a block that can only be told whole.
const MOST_OPEN: usize = 256;
const MOST_HELD: usize = 16 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Reader {
    started: bool,
    /// Index of the next block to start.
    next: usize,
    open: BTreeMap<u64, Open>,
    called: bool,
    /// After `messageStop`, until it is told.
    finish: Option<Finish>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Open,
    /// `messageStop` was read.
    Stopped,
    /// Everything was told.
    Done,
}

/// A block that has begun.
enum Open {
    Told {
        index: usize,
        kind: Told,
    },
    Redacted(Vec<u8>),
    /// A block that is not understood: how it began, and its deltas.
    Held {
        start: Object,
        deltas: Vec<Value>,
        bytes: usize,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Text,
    Thinking,
    Tool,
    /// The tool that stands for a format: its input is text.
    Json,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockStart {
    content_block_index: u64,
    start: Object,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockDelta<'a> {
    content_block_index: u64,
    #[serde(borrow)]
    delta: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockStop {
    content_block_index: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop {
    stop_reason: String,
    additional_model_response_fields: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    usage: Option<WireUsage>,
    service_tier: Option<Value>,
}

/// One delta that is understood.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum WireDelta {
    Text(String),
    ToolUse { input: String },
    ReasoningContent(Thought),
    Citation(Value),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Thought {
    Text(String),
    Signature(String),
    RedactedContent(String),
}

// --- Reader ---

impl EventReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let Frame::Message { kind, exception, payload } = frame else {
            return Err(TranslateError::malformed("not a message of an event stream"));
        };
        if self.stage == Stage::Done {
            return Ok(());
        }
        if exception {
            self.stage = Stage::Done;
            out.push(Event::Fault(error::exception(kind, payload)));
            return Ok(());
        }
        match kind {
            "messageStart" => self.start(out),
            "contentBlockStart" => self.block_start(parse(payload)?, out)?,
            "contentBlockDelta" => self.block_delta(parse(payload)?, out)?,
            "contentBlockStop" => {
                let stop: BlockStop = parse(payload)?;
                self.close(stop.content_block_index, out);
            }
            "messageStop" => self.message_stop(parse(payload)?, out)?,
            "metadata" => self.metadata(parse(payload)?, out),
            _ => {} // events to come
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Events) -> Result<(), TranslateError> {
        match self.stage {
            Stage::Open => Err(TranslateError::Unfinished),
            Stage::Stopped => {
                self.tell_finish(out);
                Ok(())
            }
            Stage::Done => Ok(()),
        }
    }
}

impl Reader {
    fn start(&mut self, out: &mut Events) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start { id: None, model: None });
        }
    }

    fn block_start(&mut self, begin: BlockStart, out: &mut Events) -> Result<(), TranslateError> {
        self.ready(begin.content_block_index, out)?;
        self.close(begin.content_block_index, out);
        if begin.start.is_empty() {
            return Ok(()); // text: its delta says so
        }
        let tool = begin.start.get("toolUse").and_then(|tool| ToolUse::deserialize(tool).ok());
        let open = match tool.filter(|tool| !tool.is_bedrocks_own()) {
            Some(tool) if tool.stands_for_format() => self.tell(Told::Json, Begun::Text, out),
            Some(tool) => {
                self.called = true;
                let begun =
                    Begun::ToolCall { id: tool.tool_use_id, name: tool.name, kind: ToolCallKind::Function };
                self.tell(Told::Tool, begun, out)
            }
            None => Open::Held { start: begin.start, deltas: Vec::new(), bytes: 0 },
        };
        self.open.insert(begin.content_block_index, open);
        Ok(())
    }

    fn block_delta(&mut self, piece: BlockDelta<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let block = piece.content_block_index;
        self.ready(block, out)?;
        if let Some(Open::Held { deltas, bytes, .. }) = self.open.get_mut(&block) {
            let delta = parse(piece.delta.get().as_bytes())?;
            *bytes += size(&delta);
            deltas.push(delta);
            return within(*bytes);
        }
        match serde_json::from_str(piece.delta.get()) {
            Ok(WireDelta::Text(text)) => self.text(block, text, out),
            Ok(WireDelta::ToolUse { input }) => self.input(block, input, out)?,
            Ok(WireDelta::ReasoningContent(thought)) => self.thought(block, thought, out)?,
            Ok(WireDelta::Citation(citation)) => {
                let index = self.told(block, Told::Text, out);
                let delta = Delta::Citation(Box::new(answer::citation(citation)));
                out.push(Event::BlockDelta { index, delta });
            }
            Err(_) => self.unknown(block, parse(piece.delta.get().as_bytes())?, out),
        }
        Ok(())
    }

    /// Opens a message that did not say that it starts, and refuses what comes behind its end.
    fn ready(&mut self, block: u64, out: &mut Events) -> Result<(), TranslateError> {
        if self.stage != Stage::Open {
            return Err(TranslateError::malformed("a block behind messageStop"));
        }
        if self.open.len() >= MOST_OPEN && !self.open.contains_key(&block) {
            return Err(TranslateError::malformed("too many blocks open at once"));
        }
        self.start(out);
        Ok(())
    }

    fn text(&mut self, block: u64, text: String, out: &mut Events) {
        if text.is_empty() {
            return;
        }
        let index = self.told(block, Told::Text, out);
        out.push(Event::BlockDelta { index, delta: Delta::Text(text) });
    }

    fn input(&mut self, block: u64, input: String, out: &mut Events) -> Result<(), TranslateError> {
        let delta = match self.open.get(&block) {
            Some(Open::Told { index, kind: Told::Tool }) => (*index, Delta::Arguments(input)),
            Some(Open::Told { index, kind: Told::Json }) => (*index, Delta::Text(input)),
            _ => return Err(TranslateError::malformed("input for a tool that was not named")),
        };
        let (index, delta) = delta;
        if !matches!(&delta, Delta::Arguments(text) | Delta::Text(text) if text.is_empty()) {
            out.push(Event::BlockDelta { index, delta });
        }
        Ok(())
    }

    fn thought(&mut self, block: u64, thought: Thought, out: &mut Events) -> Result<(), TranslateError> {
        let delta = match thought {
            Thought::Text(text) => Delta::Text(text),
            Thought::Signature(signature) => Delta::Signature(signature),
            Thought::RedactedContent(data) => return self.redacted(block, &data, out),
        };
        let index = self.told(block, Told::Thinking, out);
        if !matches!(&delta, Delta::Text(text) if text.is_empty()) {
            out.push(Event::BlockDelta { index, delta });
        }
        Ok(())
    }

    fn redacted(&mut self, block: u64, data: &str, out: &mut Events) -> Result<(), TranslateError> {
        if !matches!(self.open.get(&block), Some(Open::Redacted(_))) {
            self.close(block, out);
        }
        let more = STANDARD.decode(data).map_err(TranslateError::malformed)?;
        let open = self.open.entry(block).or_insert_with(|| Open::Redacted(Vec::new()));
        let Open::Redacted(bytes) = open else { return Ok(()) };
        bytes.extend_from_slice(&more);
        within(bytes.len())
    }

    fn unknown(&mut self, block: u64, delta: Value, out: &mut Events) {
        self.close(block, out);
        let bytes = size(&delta);
        self.open.insert(block, Open::Held { start: Object::new(), deltas: vec![delta], bytes });
    }

    /// The block that takes such deltas; another one that is open in its place is closed.
    fn told(&mut self, block: u64, want: Told, out: &mut Events) -> usize {
        match self.open.get(&block) {
            Some(Open::Told { index, kind }) if *kind == want => return *index,
            Some(_) => self.close(block, out),
            None => {}
        }
        let begun = if want == Told::Thinking { Begun::Thinking { id: None } } else { Begun::Text };
        let index = self.next;
        let open = self.tell(want, begun, out);
        self.open.insert(block, open);
        index
    }

    fn tell(&mut self, kind: Told, block: Begun, out: &mut Events) -> Open {
        let index = self.next;
        self.next += 1;
        out.push(Event::BlockStart { index, block });
        Open::Told { index, kind }
    }

    fn close(&mut self, block: u64, out: &mut Events) {
        match self.open.remove(&block) {
            Some(Open::Told { index, .. }) => out.push(Event::BlockStop { index }),
            Some(Open::Redacted(bytes)) => self.whole(answer::redacted(&STANDARD.encode(bytes)), out),
            // A picture comes so, too.
            Some(Open::Held { start, deltas, .. }) => self.whole(answer::part(held(start, deltas)), out),
            None => {}
        }
    }

    fn whole(&mut self, part: Part, out: &mut Events) {
        let index = self.next;
        self.next += 1;
        out.push(Event::BlockStart { index, block: Begun::Whole(Box::new(part)) });
        out.push(Event::BlockStop { index });
    }

    fn message_stop(&mut self, stop: MessageStop, out: &mut Events) -> Result<(), TranslateError> {
        if self.stage != Stage::Open {
            return Err(TranslateError::malformed("a second messageStop"));
        }
        self.start(out);
        while let Some(block) = self.open.keys().next().copied() {
            self.close(block, out);
        }
        let fields = stop.additional_model_response_fields.as_ref();
        self.finish = Some(answer::finish(&stop.stop_reason, fields, self.called));
        self.stage = Stage::Stopped;
        Ok(())
    }

    fn metadata(&mut self, metadata: Metadata, out: &mut Events) {
        self.start(out);
        let tier = metadata.service_tier.as_ref().and_then(answer::tier);
        let usage = metadata.usage.map(|usage| Usage::from(usage).served_at(tier.as_deref()));
        out.extend(usage.map(Event::Usage));
        if self.stage == Stage::Stopped {
            self.tell_finish(out);
        }
    }

    fn tell_finish(&mut self, out: &mut Events) {
        out.extend(self.finish.take().map(Event::Finish));
        self.stage = Stage::Done;
    }
}

fn parse<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, TranslateError> {
    serde_json::from_slice(payload).map_err(TranslateError::malformed)
}

fn size(value: &Value) -> usize {
    value.to_string().len()
}

fn within(bytes: usize) -> Result<(), TranslateError> {
    if bytes > MOST_HELD {
        return Err(TranslateError::malformed("a block that has no end"));
    }
    Ok(())
}

/// Puts a held block together as the plain answer shows it: pieces of text become one input, lists become one list.
fn held(start: Object, deltas: Vec<Value>) -> Value {
    let Some((name, Value::Object(mut block))) = start.into_iter().next() else {
        return json!({ "deltas": deltas });
    };
    for delta in deltas {
        match delta.get(&name) {
            Some(Value::Array(more)) => grow(&mut block, more),
            Some(Value::Object(more)) => more.iter().for_each(|(key, value)| append(&mut block, key, value)),
            _ => {}
        }
    }
    if let Some(Value::String(input)) = block.get("input")
        && let Ok(input) = serde_json::from_str(input)
    {
        block.insert("input".to_owned(), input);
    }
    json!({ name: block })
}

fn grow(block: &mut Object, more: &[Value]) {
    if let Value::Array(content) = block.entry("content").or_insert_with(|| json!([])) {
        content.extend_from_slice(more);
    }
}

fn append(block: &mut Object, key: &str, more: &Value) {
    match (block.get_mut(key), more) {
        (Some(Value::String(text)), Value::String(more)) => text.push_str(more),
        _ => {
            block.insert(key.to_owned(), more.clone());
        }
    }
}
