//! Events of `/v2/chat` to ours. A text stays open beyond its `content-end`, because citations of it may still come.

use super::wire::{Call, Content, Delta as WireDelta, DeltaMessage, Event as Wire, end};
use super::{answer, cite};
use crate::dialects::{EventReader, TranslateError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use weir_core::chat::{Begun, Delta, Event, Events, ProviderFault, ToolCallKind};
use weir_core::codec::Frame;

/// One per stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    started: bool,
    /// Its last event has come, or a fault.
    over: bool,
    blocks: usize,
    called: usize,
    /// The text or thinking block that grows.
    open: Option<(usize, Said)>,
    /// Calls that grow: Cohere's index, ours.
    calls: Vec<(u64, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Plan,
    Thinking,
    Text,
}

/// More than any model opens at once.
const MOST_CALLS: usize = 128;

impl EventReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let json = frame.json();
        if self.over || json == b"[DONE]" {
            return Ok(());
        }
        let event: Wire = serde_json::from_slice(json).map_err(TranslateError::malformed)?;
        self.take(event, out)
    }

    fn end(&mut self, _: &mut Events) -> Result<(), TranslateError> {
        if self.over { Ok(()) } else { Err(TranslateError::Unfinished) }
    }
}

// --- Reader ---

impl Reader {
    fn take(&mut self, event: Wire, out: &mut Events) -> Result<(), TranslateError> {
        if event.kind.is_empty() || event.kind == "error" {
            return self.fault(event, out);
        }
        if !self.started {
            self.started = true;
            out.push(Event::Start { id: event.id, model: None });
        }
        let mut delta = event.delta;
        let message = delta.message.take().unwrap_or_default();
        match event.kind.as_str() {
            "content-start" => self.content(message, true, out)?,
            "content-delta" => {
                self.content(message, false, out)?;
                let likely = event.logprobs.filter(Value::is_object);
                let told = likely.map(|one| json!({ "content": [answer::logprob(&one)] }));
                out.extend(told.map(|told| Event::Logprobs(Box::new(told))));
            }
            "tool-plan-delta" => self.say(Said::Plan, message.tool_plan, out),
            "tool-call-start" => self.call_start(event.index, message, out)?,
            "tool-call-delta" => self.call_delta(event.index, message, out)?,
            "tool-call-end" => self.call_end(event.index, out),
            "citation-start" => self.cite(message, out),
            "message-end" => self.message_end(delta, out),
            // Ends of contents and citations say nothing; what Cohere invents next says nothing to us.
            _ => {}
        }
        Ok(())
    }

    fn fault(&mut self, event: Wire, out: &mut Events) -> Result<(), TranslateError> {
        let message = event.message.or(event.delta.error);
        let message = message.ok_or_else(|| TranslateError::malformed("an event without a type"))?;
        self.over = true;
        out.push(Event::Fault(ProviderFault { message, ..ProviderFault::default() }));
        Ok(())
    }

    /// A new content is a new block, even after one of its kind.
    fn content(&mut self, message: DeltaMessage, new: bool, out: &mut Events) -> Result<(), TranslateError> {
        let Some(content) = one::<Content>(message.content)? else { return Ok(()) };
        if new {
            self.stop(out);
        }
        self.say(Said::Thinking, content.thinking, out);
        self.say(Said::Text, content.text, out);
        Ok(())
    }

    fn say(&mut self, said: Said, text: Option<String>, out: &mut Events) {
        let Some(text) = text.filter(|t| !t.is_empty()) else { return };
        let index = self.opened(said, out);
        out.push(Event::BlockDelta { index, delta: Delta::Text(text) });
    }

    /// The open block of this kind, or a new one.
    fn opened(&mut self, said: Said, out: &mut Events) -> usize {
        if let Some((index, open)) = self.open
            && open == said
        {
            return index;
        }
        self.stop(out);
        let block = if said == Said::Text { Begun::Text } else { Begun::Thinking { id: None } };
        let index = self.begin(block, out);
        self.open = Some((index, said));
        index
    }

    fn begin(&mut self, block: Begun, out: &mut Events) -> usize {
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

    fn call_start(&mut self, at: u64, message: DeltaMessage, out: &mut Events) -> Result<(), TranslateError> {
        let call = one::<Call>(message.tool_calls)?.unwrap_or_default();
        if self.calls.len() >= MOST_CALLS {
            return Err(TranslateError::malformed("too many open tool calls"));
        }
        self.call_end(at, out);
        self.stop(out);
        let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{}", self.called));
        self.called += 1;
        let name = call.function.name.unwrap_or_default();
        let index = self.begin(Begun::ToolCall { id, name, kind: ToolCallKind::Function }, out);
        self.calls.push((at, index));
        argue(index, call.function.arguments, out);
        Ok(())
    }

    fn call_delta(&mut self, at: u64, message: DeltaMessage, out: &mut Events) -> Result<(), TranslateError> {
        let call = one::<Call>(message.tool_calls)?.unwrap_or_default();
        let open = self.calls.iter().find(|(theirs, _)| *theirs == at);
        let (_, index) =
            open.ok_or_else(|| TranslateError::malformed("a piece of a call that never began"))?;
        argue(*index, call.function.arguments, out);
        Ok(())
    }

    fn call_end(&mut self, at: u64, out: &mut Events) {
        if let Some(found) = self.calls.iter().position(|(theirs, _)| *theirs == at) {
            let (_, index) = self.calls.remove(found);
            out.push(Event::BlockStop { index });
        }
    }

    fn cite(&mut self, message: DeltaMessage, out: &mut Events) {
        let citations = match message.citations {
            Some(Value::Array(all)) => all,
            Some(one) => vec![one],
            None => return,
        };
        for citation in citations.into_iter().flat_map(cite::citations) {
            let index = self.opened(Said::Text, out);
            out.push(Event::BlockDelta { index, delta: Delta::Citation(Box::new(citation)) });
        }
    }

    fn message_end(&mut self, delta: WireDelta, out: &mut Events) {
        self.over = true;
        self.stop(out);
        out.extend(self.calls.drain(..).map(|(_, index)| Event::BlockStop { index }));
        out.extend(delta.usage.and_then(|u| u.usage()).map(Event::Usage));
        let end = end(delta.finish_reason.as_deref(), delta.error, self.called > 0);
        out.push(end.map_or_else(Event::Fault, Event::Finish));
    }
}

fn argue(index: usize, arguments: Option<String>, out: &mut Events) {
    if let Some(piece) = arguments.filter(|a| !a.is_empty()) {
        out.push(Event::BlockDelta { index, delta: Delta::Arguments(piece) });
    }
}

/// The one thing that a member holds; an empty list is nothing.
fn one<T: DeserializeOwned>(member: Option<Value>) -> Result<Option<T>, TranslateError> {
    match member {
        None | Some(Value::Array(_)) => Ok(None),
        Some(value) => T::deserialize(value).map(Some).map_err(TranslateError::malformed),
    }
}
