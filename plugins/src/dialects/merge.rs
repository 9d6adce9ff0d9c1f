//! `merge_reasoning_content_in_choices`: a model's thoughts inside its text, between `<think>` and `</think>`, for
//! clients that know no other place for them. As LiteLLM does it, but that the tag is closed whatever follows.

use super::EventWriter;
use bytes::BytesMut;
use weir_core::chat::{Answer, Begun, Delta, Event, Kind, Part};

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// A whole answer with its thoughts in the text.
pub fn merged(mut answer: Answer) -> Answer {
    answer.content = answer.content.into_iter().filter_map(part).collect();
    answer
}

fn part(part: Part) -> Option<Part> {
    match part.kind {
        Kind::Thinking { text, .. } => (!text.is_empty()).then(|| Part::text(format!("{OPEN}{text}{CLOSE}"))),
        Kind::RedactedThinking { .. } => None,
        _ => Some(part),
    }
}

/// A stream with its thoughts in the text.
pub struct Merging {
    inner: Box<dyn EventWriter>,
    thoughts: Vec<Thought>,
}

/// A block of thoughts that has begun and not ended.
struct Thought {
    index: usize,
    /// Whether anything was thought: no tags without it.
    opened: bool,
}

impl Merging {
    pub fn new(inner: Box<dyn EventWriter>) -> Self {
        Self { inner, thoughts: Vec::new() }
    }

    fn delta(&mut self, index: usize, delta: Delta, out: &mut BytesMut) {
        let thought = self.thoughts.iter_mut().find(|thought| thought.index == index);
        let delta = match (thought, delta) {
            (None, delta) => delta,
            (Some(thought), Delta::Text(text)) if !text.is_empty() => {
                let tag = if std::mem::replace(&mut thought.opened, true) { "" } else { OPEN };
                Delta::Text(format!("{tag}{text}"))
            }
            // A signature proves thoughts that are no thoughts any more.
            (Some(_), _) => return,
        };
        self.inner.write(Event::BlockDelta { index, delta }, out);
    }

    fn stop(&mut self, index: usize, out: &mut BytesMut) {
        let place = self.thoughts.iter().position(|thought| thought.index == index);
        if place.is_some_and(|place| self.thoughts.swap_remove(place).opened) {
            self.inner.write(Event::BlockDelta { index, delta: Delta::Text(CLOSE.into()) }, out);
        }
        self.inner.write(Event::BlockStop { index }, out);
    }
}

impl EventWriter for Merging {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            Event::BlockStart { index, block: Begun::Thinking { .. } } => {
                self.thoughts.push(Thought { index, opened: false });
                self.inner.write(Event::BlockStart { index, block: Begun::Text }, out);
            }
            Event::BlockStart { index, block: Begun::Whole(part) } if is_hidden(&part) => {
                self.inner.write(Event::BlockStart { index, block: Begun::Text }, out);
            }
            Event::BlockDelta { index, delta } => self.delta(index, delta, out),
            Event::BlockStop { index } => self.stop(index, out),
            other => self.inner.write(other, out),
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        self.inner.end(out);
    }
}

fn is_hidden(part: &Part) -> bool {
    matches!(part.kind, Kind::Thinking { .. } | Kind::RedactedThinking { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::chat::{Collector, Finish, replay};

    struct Collecting(std::sync::Arc<std::sync::Mutex<Collector>>);

    impl EventWriter for Collecting {
        fn write(&mut self, event: Event, _: &mut BytesMut) {
            self.0.lock().unwrap().take(event);
        }

        fn end(&mut self, _: &mut BytesMut) {}
    }

    fn thought(text: &str) -> Part {
        let kind = Kind::Thinking { text: text.into(), id: None };
        Part { signature: Some("proof".into()), ..Part::new(kind) }
    }

    fn answer(content: Vec<Part>) -> Answer {
        Answer { content, finish: Some(Finish::Stop), ..Answer::default() }
    }

    fn streamed(answer: &Answer) -> Answer {
        let collector = std::sync::Arc::default();
        let mut writer = Merging::new(Box::new(Collecting(std::sync::Arc::clone(&collector))));
        let mut out = BytesMut::new();
        replay(answer.clone()).into_iter().for_each(|event| writer.write(event, &mut out));
        writer.end(&mut out);
        std::mem::take(&mut *collector.lock().unwrap()).finish()
    }

    #[test]
    fn p24_thoughts_stand_in_the_text_streamed_and_plain() {
        let hidden = Part::new(Kind::RedactedThinking { data: "x".into() });
        for (content, expected) in [
            (vec![thought("hm"), Part::text("yes")], "<think>hm</think>yes"),
            (vec![thought(""), Part::text("yes")], "yes"),
            (vec![hidden, Part::text("yes")], "yes"),
            (vec![thought("a"), Part::text("b"), thought("c")], "<think>a</think>b<think>c</think>"),
            (vec![Part::text("b")], "b"),
        ] {
            let answer = answer(content);
            assert_eq!(streamed(&answer).text(), expected);
            let whole = merged(answer);
            assert_eq!(whole.text(), expected);
            assert!(whole.content.iter().all(|part| part.signature.is_none()));
        }
    }
}
