//! A stream made whole, and a whole answer told as a stream.

use super::event::{Begun, Delta, Event, Events};
use super::part::{Kind, Part, ToolCall};
use super::{Answer, Choice, Finish, Object};

/// Gathers events into the answer that they tell.
#[derive(Debug, Default)]
pub struct Collector {
    answer: Answer,
}

impl Collector {
    /// Takes one event. Deltas for blocks that never started are dropped: readers do not make them.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Start { id, model } => (self.answer.id, self.answer.model) = (id, model),
            Event::Usage(usage) => self.answer.usage = Some(usage),
            Event::Fault(fault) => self.answer.fault = Some(fault),
            Event::Beside { choice, event } => self.beside(choice, *event),
            event => said(&mut self.answer.content, &mut self.answer.finish, event),
        }
    }

    fn beside(&mut self, choice: usize, event: Event) {
        let others = &mut self.answer.others;
        if (1..Event::CHOICES).contains(&choice) {
            let most = others.len().max(choice);
            others.resize_with(most, Choice::default);
        }
        if let Some(other) = choice.checked_sub(1).and_then(|at| others.get_mut(at)) {
            said(&mut other.content, &mut other.finish, event);
        }
    }

    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    pub fn finish(self) -> Answer {
        self.answer
    }
}

/// What one choice says.
fn said(content: &mut Vec<Part>, finished: &mut Option<Finish>, event: Event) {
    match event {
        Event::BlockStart { block, .. } => content.push(begin(block)),
        Event::BlockDelta { index, delta } => {
            if let Some(part) = content.get_mut(index) {
                grow(part, delta);
            }
        }
        Event::Finish(finish) => *finished = Some(finish),
        // Whole answers keep how likely their tokens were among their members.
        _ => {}
    }
}

fn begin(block: Begun) -> Part {
    match block {
        Begun::Text => Part::text(""),
        Begun::Thinking { id } => Part::new(Kind::Thinking { text: String::new(), id }),
        Begun::Refusal => Part::new(Kind::Refusal(String::new())),
        Begun::ToolCall { id, name, kind } => {
            Part::new(Kind::ToolCall(ToolCall { id, name, arguments: String::new(), kind }))
        }
        Begun::Whole(part) => *part,
    }
}

fn grow(part: &mut Part, delta: Delta) {
    match (&mut part.kind, delta) {
        (_, Delta::Signature(signature)) => part.signature = Some(signature),
        (Kind::Text { text, .. } | Kind::Thinking { text, .. } | Kind::Refusal(text), Delta::Text(more)) => {
            text.push_str(&more);
        }
        (Kind::ToolCall(call), Delta::Arguments(more)) => call.arguments.push_str(&more),
        (Kind::Text { citations, .. }, Delta::Citation(citation)) => citations.push(*citation),
        _ => {}
    }
}

/// Tells a whole answer as events. Collecting them gives the answer back, but for `extra` and `service_tier`.
pub fn replay(answer: Answer) -> Events {
    let mut out = vec![Event::Start { id: answer.id, model: answer.model }];
    tell_all(answer.content, &mut out);
    for (at, other) in answer.others.into_iter().enumerate() {
        let mut told = Events::new();
        tell_all(other.content, &mut told);
        told.extend(other.finish.map(Event::Finish));
        out.extend(told.into_iter().map(|event| event.beside(at + 1)));
    }
    out.extend(answer.usage.map(Event::Usage));
    out.extend(answer.fault.map(Event::Fault));
    out.extend(answer.finish.map(Event::Finish));
    out
}

fn tell_all(content: Vec<Part>, out: &mut Events) {
    for (index, part) in content.into_iter().enumerate() {
        tell(index, part, out);
        out.push(Event::BlockStop { index });
    }
}

fn tell(index: usize, part: Part, out: &mut Events) {
    let Part { kind, cache, signature, extra } = part;
    let mut deltas = Vec::new();
    let block = match kind {
        Kind::Text { text, citations } => {
            deltas.push(Delta::Text(text));
            deltas.extend(citations.into_iter().map(|c| Delta::Citation(Box::new(c))));
            Begun::Text
        }
        Kind::Thinking { text, id } => {
            deltas.push(Delta::Text(text));
            Begun::Thinking { id }
        }
        Kind::Refusal(text) => {
            deltas.push(Delta::Text(text));
            Begun::Refusal
        }
        Kind::ToolCall(ToolCall { id, name, arguments, kind }) => {
            deltas.push(Delta::Arguments(arguments));
            Begun::ToolCall { id, name, kind }
        }
        kind => Begun::Whole(Box::new(Part { kind, cache, signature: None, extra: Object::clone(&extra) })),
    };
    deltas.extend(signature.map(Delta::Signature));
    out.push(Event::BlockStart { index, block });
    out.extend(deltas.into_iter().filter(|d| !is_empty(d)).map(|delta| Event::BlockDelta { index, delta }));
}

fn is_empty(delta: &Delta) -> bool {
    matches!(delta, Delta::Text(text) | Delta::Arguments(text) if text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Citation, ToolCallKind};
    use crate::domain::usage::Usage;

    #[test]
    fn p20_an_answer_told_as_events_is_the_answer() {
        let call = ToolCall {
            id: "c1".into(),
            name: "f".into(),
            arguments: "{\"a\":1}".into(),
            kind: ToolCallKind::Function,
        };
        let mut thought = Part::new(Kind::Thinking { text: "hm".into(), id: Some("rs_1".into()) });
        thought.signature = Some("sig".into());
        let citations = vec![Citation { url: Some("https://x".into()), ..Citation::default() }];
        let answer = Answer {
            id: Some("a".into()),
            model: Some("m".into()),
            content: vec![
                thought,
                Part::new(Kind::RedactedThinking { data: "xx".into() }),
                Part::new(Kind::Text { text: "hello".into(), citations }),
                Part::new(Kind::ToolCall(call)),
            ],
            finish: Some(Finish::ToolCalls),
            usage: Some(Usage { input: 1, output: 2, ..Usage::default() }),
            others: vec![
                Choice { content: vec![Part::text("hi")], finish: Some(Finish::Length), ..Choice::default() },
                Choice { content: vec![Part::text("ho")], finish: Some(Finish::Stop), ..Choice::default() },
            ],
            ..Answer::default()
        };
        let mut collector = Collector::default();
        replay(answer.clone()).into_iter().for_each(|e| collector.take(e));
        assert_eq!(collector.finish(), answer);
    }
}
