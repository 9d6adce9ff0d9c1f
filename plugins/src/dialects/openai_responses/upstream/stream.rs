//! A stream of events, read. Items come with their place (`output_index`), their texts in pieces and then whole; what
//! was not told in pieces is taken from the whole, so that servers may leave out any of both.

use super::response::{self, Response};
use crate::dialects::dialect::{EventReader, TranslateError};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use weir_core::chat::{Begun, Delta, Event, Events, Kind, Part, ToolCall};
use weir_core::codec::Frame;

/// More items or blocks than this are no answer.
const MAX_BLOCKS: usize = 4_096;

/// One per response.
#[derive(Debug, Default)]
pub(in super::super) struct Reader {
    started: bool,
    /// Why the model stopped was said, or that it failed.
    finished: bool,
    calls: bool,
    blocks: Vec<Block>,
    /// Places of items that were told whole.
    done: Vec<u64>,
}

/// A block that was begun; its index is its place in the list.
#[derive(Debug)]
struct Block {
    sort: Sort,
    item: u64,
    /// Within a message.
    part: u64,
    /// Bytes and citations told so far.
    told: usize,
    cited: usize,
    stopped: bool,
    /// Which kind of thoughts this tells, and their part: the first kind that comes is told, not both.
    section: Option<Section>,
}

/// What a block can grow by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Text,
    Thinking,
    Refusal,
    Call,
    Whole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Section {
    summary: bool,
    part: u64,
}

/// Members of all events that are read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    output_index: Option<u64>,
    content_index: Option<u64>,
    summary_index: Option<u64>,
    #[serde(borrow)]
    delta: Option<Cow<'a, str>>,
    #[serde(borrow)]
    annotation: Option<&'a RawValue>,
    #[serde(borrow)]
    part: Option<&'a RawValue>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Peek<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
}

/// What an event of this name does. Others say nothing that does not come again.
type Step = fn(&mut Reader, &Wire<'_>, &mut Events) -> Result<(), TranslateError>;

#[rustfmt::skip]
static STEPS: &[(&str, Step)] = &[
    ("response.output_text.delta",             |r, w, out| r.speak(Begun::Text, w, out)),
    ("response.function_call_arguments.delta", Reader::arguments),
    ("response.custom_tool_call_input.delta",  Reader::arguments),
    ("response.reasoning_summary_text.delta",  |r, w, out| r.think(true, w, out)),
    ("response.reasoning_text.delta",          |r, w, out| r.think(false, w, out)),
    ("response.refusal.delta",                 |r, w, out| r.speak(Begun::Refusal, w, out)),
    ("response.created",                       Reader::start),
    ("response.in_progress",                   Reader::start),
    ("response.queued",                        Reader::start),
    ("response.output_item.added",             Reader::added),
    ("response.content_part.done",             Reader::part_done),
    ("response.output_text.annotation.added",  Reader::annotation),
    ("response.output_item.done",              Reader::item_done),
    ("response.completed",                     Reader::closing),
    ("response.incomplete",                    Reader::closing),
    ("response.failed",                        Reader::closing),
    ("response.cancelled",                     Reader::closing),
];

impl EventReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let json = frame.json();
        if self.finished || json.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        let kind = match frame {
            Frame::Sse { event, .. } if !event.is_empty() && event != "message" => Cow::Borrowed(event),
            _ => serde_json::from_slice::<Peek<'_>>(json).map_err(TranslateError::malformed)?.r#type,
        };
        if kind == "error" {
            return self.error(json, out);
        }
        let Some((_, step)) = STEPS.iter().find(|(name, _)| *name == kind) else { return Ok(()) };
        let wire: Wire<'_> = serde_json::from_slice(json).map_err(TranslateError::malformed)?;
        step(self, &wire, out)
    }

    fn end(&mut self, _out: &mut Events) -> Result<(), TranslateError> {
        if self.finished { Ok(()) } else { Err(TranslateError::Unfinished) }
    }
}

// --- Reader ---

impl Reader {
    fn start(&mut self, wire: &Wire<'_>, out: &mut Events) -> Result<(), TranslateError> {
        if self.started {
            return Ok(());
        }
        let response = wire.response()?;
        self.started = true;
        out.push(Event::Start {
            id: response.id.map(Cow::into_owned),
            model: response.model.map(Cow::into_owned),
        });
        Ok(())
    }

    /// Calls and thoughts begin with their item, texts with their first piece, everything else when it is whole. What
    /// an item holds at this point is told again.
    fn added(&mut self, wire: &Wire<'_>, out: &mut Events) -> Result<(), TranslateError> {
        for part in response::parts(wire.item()?)? {
            if matches!(part.kind, Kind::Thinking { .. } | Kind::ToolCall(_)) {
                self.block(wire.place(), 0, begun(&part), out)?;
            }
        }
        Ok(())
    }

    fn speak(&mut self, block: Begun, wire: &Wire<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let index = self.block(wire.place(), wire.content_index.unwrap_or_default(), block, out)?;
        self.tell(index, wire.delta(), Delta::Text, out);
        Ok(())
    }

    fn think(&mut self, summary: bool, wire: &Wire<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let part = if summary { wire.summary_index } else { wire.content_index }.unwrap_or_default();
        let section = Section { summary, part };
        let index = self.block(wire.place(), 0, Begun::Thinking { id: None }, out)?;
        let before = self.blocks[index].section.replace(section);
        match before {
            Some(other) if other.summary != summary => {
                self.blocks[index].section = before;
                return Ok(());
            }
            Some(other) if other.part != part => {
                self.tell(index, super::super::items::PARAGRAPH, Delta::Text, out);
            }
            _ => {}
        }
        self.tell(index, wire.delta(), Delta::Text, out);
        Ok(())
    }

    fn arguments(&mut self, wire: &Wire<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let call = self.find(wire.place(), 0).filter(|index| self.blocks[*index].sort == Sort::Call);
        let Some(index) = call else {
            return Err(TranslateError::malformed("arguments of a call that was not begun"));
        };
        self.tell(index, wire.delta(), Delta::Arguments, out);
        Ok(())
    }

    fn annotation(&mut self, wire: &Wire<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let Some(raw) = wire.annotation else { return Ok(()) };
        let value: Value = serde_json::from_str(raw.get()).map_err(TranslateError::malformed)?;
        let index = self.block(wire.place(), wire.content_index.unwrap_or_default(), Begun::Text, out)?;
        if !self.blocks[index].stopped {
            self.blocks[index].cited += 1;
            let citation = Box::new(super::super::items::citation(value));
            out.push(Event::BlockDelta { index, delta: Delta::Citation(citation) });
        }
        Ok(())
    }

    fn part_done(&mut self, wire: &Wire<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let Some(raw) = wire.part else { return Ok(()) };
        let value: Value = serde_json::from_str(raw.get()).map_err(TranslateError::malformed)?;
        // The parts of thoughts are told with their item.
        if matches!(super::super::items::kind(&value), "output_text" | "refusal") {
            let part = super::super::items::part(value).map_err(TranslateError::malformed)?;
            self.whole(wire.place(), wire.content_index.unwrap_or_default(), part, out)?;
        }
        Ok(())
    }

    fn item_done(&mut self, wire: &Wire<'_>, out: &mut Events) -> Result<(), TranslateError> {
        self.item(wire.place(), wire.item()?, out)
    }

    fn item(&mut self, place: u64, item: &RawValue, out: &mut Events) -> Result<(), TranslateError> {
        if self.done.contains(&place) {
            return Ok(());
        }
        for (number, part) in (0..).zip(response::parts(item)?) {
            self.whole(place, number, part, out)?;
        }
        self.done.push(place);
        bound(self.done.len())
    }

    /// The response is over. Items that were never told are told now.
    fn closing(&mut self, wire: &Wire<'_>, out: &mut Events) -> Result<(), TranslateError> {
        self.start(wire, out)?;
        let response = wire.response()?;
        if let Some(fault) = response.fault() {
            self.finished = true;
            // What was used is paid, however it ended.
            out.extend(response.usage().map(Event::Usage));
            out.push(Event::Fault(fault));
            return Ok(());
        }
        for (place, item) in (0..).zip(response.output.iter().flatten()) {
            self.item(place, item, out)?;
        }
        for index in 0..self.blocks.len() {
            self.stop(index, out);
        }
        self.finished = true;
        out.extend(response.usage().map(Event::Usage));
        out.push(Event::Finish(response.finish(self.calls)));
        Ok(())
    }

    fn error(&mut self, json: &[u8], out: &mut Events) -> Result<(), TranslateError> {
        self.start(&Wire::default(), out)?;
        self.finished = true;
        let mut fault = response::fault(json);
        // The event's own name is no kind of error.
        fault.kind = fault.kind.filter(|kind| kind != "error");
        out.push(Event::Fault(fault));
        Ok(())
    }

    // --- blocks ---

    fn find(&self, item: u64, part: u64) -> Option<usize> {
        self.blocks.iter().rposition(|b| b.item == item && b.part == part)
    }

    /// The block at a place, begun if it is new. One of another sort stands there only where indices are wrong.
    fn block(
        &mut self,
        item: u64,
        part: u64,
        begun: Begun,
        out: &mut Events,
    ) -> Result<usize, TranslateError> {
        self.start(&Wire::default(), out)?;
        let sort = Sort::of(&begun);
        if let Some(index) = self.find(item, part) {
            let fits = self.blocks[index].sort == sort;
            let error = || TranslateError::malformed(format!("a piece of another kind in item {item}"));
            return fits.then_some(index).ok_or_else(error);
        }
        let index = self.blocks.len();
        bound(index)?;
        self.calls |= sort == Sort::Call;
        self.blocks.push(Block { sort, item, part, told: 0, cited: 0, stopped: false, section: None });
        out.push(Event::BlockStart { index, block: begun });
        Ok(index)
    }

    fn tell(&mut self, index: usize, text: &str, delta: fn(String) -> Delta, out: &mut Events) {
        let block = &mut self.blocks[index];
        if !text.is_empty() && !block.stopped {
            block.told += text.len();
            out.push(Event::BlockDelta { index, delta: delta(text.to_owned()) });
        }
    }

    /// A part is whole: tells what is missing and stops it.
    fn whole(&mut self, item: u64, number: u64, part: Part, out: &mut Events) -> Result<(), TranslateError> {
        let index = self.block(item, number, begun(&part), out)?;
        if self.blocks[index].stopped {
            return Ok(());
        }
        self.catch_up(index, &part, out);
        if let Kind::Text { citations, .. } = part.kind {
            let new = citations.into_iter().skip(self.blocks[index].cited);
            out.extend(new.map(|c| Event::BlockDelta { index, delta: Delta::Citation(Box::new(c)) }));
        }
        out.extend(part.signature.map(|s| Event::BlockDelta { index, delta: Delta::Signature(s) }));
        self.stop(index, out);
        Ok(())
    }

    fn catch_up(&mut self, index: usize, part: &Part, out: &mut Events) {
        let (text, delta): (&str, fn(String) -> Delta) = match &part.kind {
            Kind::Text { text, .. } | Kind::Thinking { text, .. } | Kind::Refusal(text) => {
                (text, Delta::Text)
            }
            Kind::ToolCall(call) => (&call.arguments, Delta::Arguments),
            _ => return,
        };
        let missing = text.get(self.blocks[index].told..).unwrap_or_default();
        self.tell(index, missing, delta, out);
    }

    fn stop(&mut self, index: usize, out: &mut Events) {
        if !std::mem::replace(&mut self.blocks[index].stopped, true) {
            out.push(Event::BlockStop { index });
        }
    }
}

impl Sort {
    fn of(begun: &Begun) -> Self {
        match begun {
            Begun::Text => Sort::Text,
            Begun::Thinking { .. } => Sort::Thinking,
            Begun::Refusal => Sort::Refusal,
            Begun::ToolCall { .. } => Sort::Call,
            Begun::Whole(_) => Sort::Whole,
        }
    }
}

fn begun(part: &Part) -> Begun {
    match &part.kind {
        Kind::Text { .. } => Begun::Text,
        Kind::Refusal(_) => Begun::Refusal,
        Kind::Thinking { id, .. } => Begun::Thinking { id: id.clone() },
        Kind::ToolCall(ToolCall { id, name, kind, .. }) => {
            Begun::ToolCall { id: id.clone(), name: name.clone(), kind: *kind }
        }
        _ => Begun::Whole(Box::new(part.clone())),
    }
}

fn bound(blocks: usize) -> Result<(), TranslateError> {
    if blocks < MAX_BLOCKS { Ok(()) } else { Err(TranslateError::malformed("too many items in one answer")) }
}

// --- Wire ---

impl<'a> Wire<'a> {
    fn place(&self) -> u64 {
        self.output_index.unwrap_or_default()
    }

    fn delta(&self) -> &str {
        self.delta.as_deref().unwrap_or_default()
    }

    fn item(&self) -> Result<&'a RawValue, TranslateError> {
        self.item.ok_or_else(|| TranslateError::malformed("an event without its item"))
    }

    /// Empty where the event has none.
    fn response(&self) -> Result<Response<'a>, TranslateError> {
        let Some(raw) = self.response else { return Ok(Response::default()) };
        serde_json::from_str(raw.get()).map_err(TranslateError::malformed)
    }
}
