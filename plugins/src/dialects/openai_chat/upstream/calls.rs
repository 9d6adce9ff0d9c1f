//! Which of the tool calls of a stream a delta belongs to. Providers differ: some leave out the index, some the id, some
//! give every call the index 0, some repeat name and id with every delta.

use super::super::wire::{Loose, WireCall};
use crate::dialects::TranslateError;
use weir_core::chat::{Begun, Delta, Event, Events, ToolCallKind};

/// More calls in one answer are no answer. OpenAI's limit of tools is 128.
const MAX_CALLS: usize = 512;
/// Arguments that wait for the name of their call.
const MAX_WAITING: usize = 1024 * 1024;
/// OpenAI refuses longer ids when they come back.
const MAX_ID: usize = 40;

/// Calls stay open until the stream ends, since their deltas may interleave.
#[derive(Default)]
pub(super) struct Calls {
    slots: Vec<Slot>,
}

struct Slot {
    index: Option<u64>,
    id: Option<String>,
    kind: ToolCallKind,
    /// The block, once the name is known.
    block: Option<usize>,
    waiting: String,
}

/// An id for a call without one: unique within its answer, and as far as the answer's id is, beyond it.
pub(super) fn made_up(answer: Option<&str>, index: usize) -> String {
    let clean: String = answer.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let end = clean.len().saturating_sub(MAX_ID - 12);
    format!("call_{}_{index}", &clean[end..])
}

/// What ids of calls are made of in another choice than the first: they are unique in the whole answer.
pub(super) fn beside(answer: Option<&str>, choice: usize) -> Option<String> {
    Some(format!("{}c{choice}", answer.unwrap_or_default()))
}

// --- Calls ---

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Takes one delta. `next` is the index of the next block.
    pub(super) fn take(
        &mut self,
        mut call: WireCall,
        answer: Option<&str>,
        next: &mut usize,
        out: &mut Events,
    ) -> Result<(), TranslateError> {
        let signature = call.signature();
        let (function, custom) = call.take_function();
        let id = call.id.filter(|id| !id.is_empty());
        let name = function.name.filter(|name| !name.is_empty());
        let at = self.slot(call.index, id.as_deref(), name.is_some());
        if at >= MAX_CALLS {
            return Err(TranslateError::malformed(format!("more than {MAX_CALLS} tool calls")));
        }
        if at == self.slots.len() {
            let kind = if custom { ToolCallKind::Custom } else { ToolCallKind::Function };
            let slot = Slot { index: call.index, id: None, kind, block: None, waiting: String::new() };
            self.slots.push(slot);
        }
        let Some(slot) = self.slots.get_mut(at) else { return Ok(()) };
        slot.id = slot.id.take().or(id);
        if let Some(name) = name {
            slot.begin(name, || made_up(answer, at), next, out);
        }
        slot.grow(function.arguments.map(Loose::into_text).unwrap_or_default(), out)?;
        if let (Some(index), Some(signature)) = (slot.block, signature) {
            out.push(Event::BlockDelta { index, delta: Delta::Signature(signature) });
        }
        Ok(())
    }

    /// Ends all calls; one whose name never came is told without.
    pub(super) fn close(&mut self, answer: Option<&str>, next: &mut usize, out: &mut Events) {
        for (at, slot) in self.slots.iter_mut().enumerate() {
            slot.begin(String::new(), || made_up(answer, at), next, out);
        }
        out.extend(
            self.slots.drain(..).filter_map(|slot| slot.block).map(|index| Event::BlockStop { index }),
        );
    }

    /// Position of the call, or of a new one.
    fn slot(&self, index: Option<u64>, id: Option<&str>, named: bool) -> usize {
        let new = self.slots.len();
        let by_id = |id: &str| self.slots.iter().position(|slot| slot.id.as_deref() == Some(id));
        let Some(index) = index else {
            return match id {
                Some(id) => by_id(id).unwrap_or(new),
                None if named => new,
                None => new.saturating_sub(1),
            };
        };
        let Some(at) = self.slots.iter().rposition(|slot| slot.index == Some(index)) else { return new };
        // Another id with another name under the same index is another call (Gemini's OpenAI endpoint).
        let known = self.slots.get(at).and_then(|slot| slot.id.as_deref());
        match (id, known) {
            (Some(id), Some(known)) if named && id != known => by_id(id).unwrap_or(new),
            _ => at,
        }
    }
}

impl Slot {
    fn begin(&mut self, name: String, made_up: impl Fn() -> String, next: &mut usize, out: &mut Events) {
        if self.block.is_some() {
            return;
        }
        let index = *next;
        *next += 1;
        self.block = Some(index);
        let id = self.id.get_or_insert_with(made_up).clone();
        out.push(Event::BlockStart { index, block: Begun::ToolCall { id, name, kind: self.kind } });
        if !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            out.push(Event::BlockDelta { index, delta: Delta::Arguments(waiting) });
        }
    }

    fn grow(&mut self, arguments: String, out: &mut Events) -> Result<(), TranslateError> {
        if arguments.is_empty() {
            return Ok(());
        }
        match self.block {
            Some(index) => out.push(Event::BlockDelta { index, delta: Delta::Arguments(arguments) }),
            None if self.waiting.len() + arguments.len() > MAX_WAITING => {
                return Err(TranslateError::malformed("a tool call without a name"));
            }
            None => self.waiting.push_str(&arguments),
        }
        Ok(())
    }
}
