//! Looking at an answer on its way to the client, whatever dialect that client speaks: the texts of the canonical
//! model, piece by piece as they come. A watcher lets a piece pass, changes it, keeps it back, or wants it to wait for
//! somebody's answer.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;
use weir_core::chat::{Answer, Begun, Citation, Collector, Delta, Event, Events, Finish, replay};
use weir_core::error::{ApiError, Kind};

/// One watcher of one answer. Pure but for what it wants to wait for: the waiting is done by whoever leads the answer.
pub trait Watcher: Send + Sync {
    /// A piece of a block's text. Pieces end anywhere, but never inside a character.
    fn text(&mut self, piece: &Piece) -> Watch;

    /// A block is over. What of it was kept back comes now, as `Edit` or out of a `Hold`.
    fn stop(&mut self, block: usize, kind: TextKind) -> Watch;

    /// Whether nothing of a tool call goes on before it is over, so that it may be taken out of the answer.
    fn holds_calls(&self) -> bool {
        false
    }

    /// A tool call begins, of the tool of this name.
    fn begins(&mut self, _block: usize, _name: &str) {}
}

/// A piece of text of one block of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub block: usize,
    pub kind: TextKind,
    pub text: String,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    Text,
    Thinking,
    Refusal,
    /// Of a tool call: JSON, or free text.
    Arguments,
}

/// What becomes of a piece.
#[derive(Debug)]
pub enum Watch {
    /// It goes on as it is.
    Pass,
    /// This goes on in its place. Empty: nothing does, for now or for good.
    Edit(String),
    /// Of a tool call that is over and was held: it is not made, and this text stands in its place.
    Replace(String),
    /// The stream stands still until this is answered.
    Hold(Hold),
    /// Nothing more goes on.
    Refuse(ApiError),
}

type Waiting = Pin<Box<dyn Future<Output = Result<Option<String>, ApiError>> + Send>>;

/// Something to wait for. `Some` goes on in the piece's place, `None` lets it pass as it is.
pub struct Hold(Waiting);

/// Nobody waits longer, whatever the watcher's own limits are.
const LONGEST: Duration = Duration::from_secs(60);

impl Hold {
    pub fn new(waiting: impl Future<Output = Result<Option<String>, ApiError>> + Send + 'static) -> Self {
        Self(Box::pin(waiting))
    }

    /// # Errors
    /// What the watcher refuses, or that it took too long.
    pub async fn answer(self) -> Result<Option<String>, ApiError> {
        let late = |_| {
            let message = format!("The check of the answer took longer than {} s.", LONGEST.as_secs());
            ApiError::new(Kind::GuardrailUnavailable, message)
        };
        timeout(LONGEST, self.0).await.map_err(late)?
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

/// All watchers of one answer, in order: what one lets pass, the next one sees.
pub struct Watchers {
    stages: Vec<Box<dyn Watcher>>,
    queue: VecDeque<Item>,
    /// What a `Hold` is about.
    waiting: Option<Item>,
    blocks: Vec<Block>,
    /// Whether somebody wants to see tool calls whole before they begin.
    holds_calls: bool,
    /// Tool calls, and how many of them were taken out.
    calls: usize,
    replaced: usize,
    /// Blocks that have gone on.
    begun: usize,
}

/// Something on its way, and which watcher it comes to next.
struct Item {
    stage: usize,
    what: What,
}

enum What {
    Piece(Piece),
    Stop(usize, TextKind),
    Other(Event),
}

/// A block, by its index.
struct Block {
    /// `None`: it holds no text.
    kind: Option<TextKind>,
    /// How it begins, as long as that waits.
    start: Option<Begun>,
    /// Its index behind the watchers: blocks that have waited come later.
    out: Option<usize>,
    came: Print,
    went: Print,
    /// Told at the end, and only of a text that nobody changed: they prove it, or say where its parts come from.
    signature: Option<String>,
    citations: Vec<Citation>,
}

/// A fingerprint of bytes that does not depend on how they were cut (FNV-1a). Not against forgery: both sides are ours.
#[derive(PartialEq, Eq)]
struct Print(u64);

// --- Watchers ---

impl Watchers {
    pub fn new(stages: Vec<Box<dyn Watcher>>) -> Self {
        Self {
            holds_calls: stages.iter().any(|stage| stage.holds_calls()),
            stages,
            queue: VecDeque::new(),
            waiting: None,
            blocks: Vec::new(),
            calls: 0,
            replaced: 0,
            begun: 0,
        }
    }

    /// Takes an event. What goes on comes from [`Watchers::run`].
    pub fn push(&mut self, event: Event) {
        let last = self.stages.len();
        let (stage, what) = match event {
            Event::BlockStart { index, block } => match self.begin(index, block) {
                Some(block) => (last, What::Other(Event::BlockStart { index, block })),
                None => return,
            },
            Event::BlockDelta { index, delta } => match self.delta(index, delta) {
                Some((stage, what)) => (stage, what),
                None => return,
            },
            Event::BlockStop { index } => match self.kind(index) {
                Some(kind) => (0, What::Stop(index, kind)),
                None => (last, What::Other(Event::BlockStop { index })),
            },
            // Nobody looks at other choices, and likely tokens tell what was said before it was changed.
            Event::Beside { .. } | Event::Logprobs(_) => return,
            other => (last, What::Other(other)),
        };
        self.queue.push_back(Item { stage, what });
    }

    /// `None`: it waits until it is over.
    fn begin(&mut self, index: usize, begun: Begun) -> Option<Begun> {
        let kind = match &begun {
            Begun::Text => Some(TextKind::Text),
            Begun::Thinking { .. } => Some(TextKind::Thinking),
            Begun::Refusal => Some(TextKind::Refusal),
            Begun::ToolCall { name, .. } => {
                self.calls += 1;
                self.stages.iter_mut().for_each(|stage| stage.begins(index, name));
                Some(TextKind::Arguments)
            }
            Begun::Whole(_) => None,
        };
        // Indices are dense, in the order of starts.
        if index != self.blocks.len() {
            return Some(begun);
        }
        let waits = self.holds_calls && kind == Some(TextKind::Arguments);
        let (start, now) = if waits { (Some(begun), None) } else { (None, Some(begun)) };
        let (came, went) = (Print::new(), Print::new());
        self.blocks.push(Block {
            kind,
            start,
            out: None,
            came,
            went,
            signature: None,
            citations: Vec::new(),
        });
        now
    }

    fn kind(&self, index: usize) -> Option<TextKind> {
        self.blocks.get(index)?.kind
    }

    fn delta(&mut self, index: usize, delta: Delta) -> Option<(usize, What)> {
        let last = self.stages.len();
        let block = self.blocks.get_mut(index).filter(|block| block.kind.is_some());
        let Some((block, kind)) = block.and_then(|block| block.kind.map(|kind| (block, kind))) else {
            return Some((last, What::Other(Event::BlockDelta { index, delta })));
        };
        match delta {
            Delta::Text(text) | Delta::Arguments(text) => {
                block.came.add(&text);
                Some((0, What::Piece(Piece { block: index, kind, text })))
            }
            Delta::Signature(signature) => {
                block.signature = Some(signature);
                None
            }
            Delta::Citation(citation) => {
                block.citations.push(*citation);
                None
            }
        }
    }

    /// Leads what there is past all watchers. `Some`: somebody must be waited for, then [`Watchers::resume`] and this
    /// again.
    ///
    /// # Errors
    /// A watcher refuses the answer; what went on before stands.
    pub fn run(&mut self, out: &mut Events) -> Result<Option<Hold>, ApiError> {
        while let Some(item) = self.queue.pop_front() {
            if let Some(hold) = self.step(item, out)? {
                return Ok(Some(hold));
            }
        }
        Ok(None)
    }

    /// The answer that was waited for.
    pub fn resume(&mut self, answer: Option<String>) {
        if let Some(Item { stage, what }) = self.waiting.take() {
            self.go_on(stage, what, answer);
        }
    }

    fn step(&mut self, item: Item, out: &mut Events) -> Result<Option<Hold>, ApiError> {
        let Item { stage, what } = item;
        let watch = match (self.stages.get_mut(stage), &what) {
            (Some(watcher), What::Piece(piece)) => watcher.text(piece),
            (Some(watcher), What::Stop(block, kind)) => watcher.stop(*block, *kind),
            _ => {
                self.emit(what, out);
                return Ok(None);
            }
        };
        match watch {
            Watch::Pass => self.go_on(stage, what, None),
            Watch::Edit(text) => self.go_on(stage, what, Some(text)),
            Watch::Replace(text) => {
                let what = self.taken_out(what);
                // Dialects with a single text would say it in the middle of a line.
                let said = self.blocks.iter().any(|b| b.out.is_some() && b.kind == Some(TextKind::Text));
                let text = if said { format!("\n\n{text}") } else { text };
                self.go_on(stage, what, Some(text));
            }
            Watch::Refuse(error) => return Err(error),
            Watch::Hold(hold) => {
                self.waiting = Some(Item { stage, what });
                return Ok(Some(hold));
            }
        }
        Ok(None)
    }

    /// The end of a tool call that has not begun, as the end of a text.
    fn taken_out(&mut self, what: What) -> What {
        let What::Stop(index, _) = what else { return what };
        match self.blocks.get_mut(index).filter(|block| block.start.is_some()) {
            Some(block) => {
                (block.kind, block.start) = (Some(TextKind::Text), Some(Begun::Text));
                self.replaced += 1;
                What::Stop(index, TextKind::Text)
            }
            None => what,
        }
    }

    /// To the next watcher. `instead`: of a piece, or what of a block was kept back until its end.
    fn go_on(&mut self, stage: usize, what: What, instead: Option<String>) {
        let stage = stage + 1;
        let (text, block, kind, stop) = match what {
            What::Piece(Piece { block, kind, text }) => (instead.unwrap_or(text), block, kind, false),
            What::Stop(block, kind) => (instead.unwrap_or_default(), block, kind, true),
            What::Other(event) => {
                self.queue.push_front(Item { stage, what: What::Other(event) });
                return;
            }
        };
        if stop {
            self.queue.push_front(Item { stage, what: What::Stop(block, kind) });
        }
        if !text.is_empty() {
            self.queue.push_front(Item { stage, what: What::Piece(Piece { block, kind, text }) });
        }
    }

    /// The index of a block behind the watchers, which begins now if it has waited.
    fn placed(&mut self, index: usize, out: &mut Events) -> usize {
        let Some(block) = self.blocks.get_mut(index) else { return index };
        let place = *block.out.get_or_insert_with(|| {
            self.begun += 1;
            self.begun - 1
        });
        out.extend(block.start.take().map(|block| Event::BlockStart { index: place, block }));
        place
    }

    /// An answer all of whose calls were taken out wants none.
    fn finished(&self, finish: Finish) -> Finish {
        let none = self.replaced > 0 && self.replaced == self.calls;
        if none && finish == Finish::ToolCalls { Finish::Stop } else { finish }
    }

    fn other(&mut self, event: Event, out: &mut Events) {
        let event = match event {
            Event::BlockStart { index, block } => Event::BlockStart { index: self.placed(index, out), block },
            Event::BlockDelta { index, delta } => Event::BlockDelta { index: self.placed(index, out), delta },
            Event::BlockStop { index } => Event::BlockStop { index: self.placed(index, out) },
            Event::Finish(finish) => Event::Finish(self.finished(finish)),
            other => other,
        };
        out.push(event);
    }

    fn emit(&mut self, what: What, out: &mut Events) {
        match what {
            What::Other(event) => self.other(event, out),
            What::Piece(Piece { block: index, kind, text }) => {
                let place = self.placed(index, out);
                if let Some(block) = self.blocks.get_mut(index) {
                    block.went.add(&text);
                }
                let arguments = kind == TextKind::Arguments;
                let delta = if arguments { Delta::Arguments(text) } else { Delta::Text(text) };
                out.push(Event::BlockDelta { index: place, delta });
            }
            What::Stop(index, _) => {
                let place = self.placed(index, out);
                if let Some(block) = self.blocks.get_mut(index).filter(|block| block.came == block.went) {
                    let citations = std::mem::take(&mut block.citations).into_iter().map(Box::new);
                    let deltas =
                        citations.map(Delta::Citation).chain(block.signature.take().map(Delta::Signature));
                    out.extend(deltas.map(|delta| Event::BlockDelta { index: place, delta }));
                }
                out.push(Event::BlockStop { index: place });
            }
        }
    }

    /// Leads a whole answer past all watchers.
    ///
    /// # Errors
    /// A watcher refuses it, or does not answer in time.
    pub async fn whole(mut self, mut answer: Answer) -> Result<Answer, ApiError> {
        let (extra, tier) = (std::mem::take(&mut answer.extra), answer.service_tier.take());
        replay(answer).into_iter().for_each(|event| self.push(event));
        let mut out = Events::new();
        while let Some(hold) = self.run(&mut out)? {
            let answer = hold.answer().await?;
            self.resume(answer);
        }
        let mut collector = Collector::default();
        out.into_iter().for_each(|event| collector.take(event));
        Ok(Answer { extra, service_tier: tier, ..collector.finish() })
    }
}

impl Print {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, text: &str) {
        self.0 =
            text.bytes().fold(self.0, |print, byte| (print ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::chat::{Kind, Part, ToolCall, ToolCallKind};

    /// Keeps everything back until the end of a block, then asks somebody who shouts.
    #[derive(Default)]
    struct Shouting(String);

    impl Watcher for Shouting {
        fn text(&mut self, piece: &Piece) -> Watch {
            self.0.push_str(&piece.text);
            Watch::Edit(String::new())
        }

        fn stop(&mut self, _: usize, _: TextKind) -> Watch {
            let text = std::mem::take(&mut self.0);
            Watch::Hold(Hold::new(async move { Ok(Some(text.to_uppercase())) }))
        }
    }

    /// Says each piece twice; refuses a word.
    struct Twice;

    impl Watcher for Twice {
        fn text(&mut self, piece: &Piece) -> Watch {
            match piece.text.as_str() {
                "same" => Watch::Pass,
                "NO" => Watch::Refuse(ApiError::new(weir_core::error::Kind::GuardrailBlocked, "no")),
                text => Watch::Edit(format!("{text}{text}")),
            }
        }

        fn stop(&mut self, _: usize, _: TextKind) -> Watch {
            Watch::Pass
        }
    }

    fn said(parts: Vec<Part>) -> Answer {
        Answer { content: parts, finish: Some(Finish::Stop), ..Answer::default() }
    }

    #[tokio::test]
    async fn one_watcher_sees_what_the_other_lets_pass() {
        let watchers = Watchers::new(vec![Box::new(Shouting::default()), Box::new(Twice)]);
        let answer = watchers.whole(said(vec![Part::text("a"), Part::text("b")])).await.unwrap();
        assert_eq!(answer.text(), "AABB");
        assert_eq!(answer.finish, Some(Finish::Stop));
        let refusing = Watchers::new(vec![Box::new(Shouting::default()), Box::new(Twice)]);
        let refused = refusing.whole(said(vec![Part::text("no")])).await.unwrap_err();
        assert_eq!(refused.status(), 400);
    }

    #[tokio::test]
    async fn a_thought_that_was_changed_loses_its_proof() {
        let thought = |text: &str| {
            let kind = Kind::Thinking { text: text.into(), id: None };
            Part { signature: Some("proof".into()), ..Part::new(kind) }
        };
        for (text, proof) in [("same", Some("proof")), ("other", None)] {
            let answer = Watchers::new(vec![Box::new(Twice)]).whole(said(vec![thought(text)])).await.unwrap();
            assert_eq!(answer.content[0].signature.as_deref(), proof, "{text}");
        }
    }

    /// Takes calls of `bad` out of answers.
    #[derive(Default)]
    struct Strict(Vec<(usize, String, String)>);

    impl Watcher for Strict {
        fn holds_calls(&self) -> bool {
            true
        }

        fn begins(&mut self, block: usize, name: &str) {
            self.0.push((block, name.to_owned(), String::new()));
        }

        fn text(&mut self, piece: &Piece) -> Watch {
            let Some(call) = self.0.iter_mut().find(|call| call.0 == piece.block) else { return Watch::Pass };
            call.2.push_str(&piece.text);
            Watch::Edit(String::new())
        }

        fn stop(&mut self, block: usize, _: TextKind) -> Watch {
            match self.0.iter().find(|call| call.0 == block) {
                None => Watch::Pass,
                Some((_, name, _)) if name == "bad" => Watch::Replace("no".to_owned()),
                Some((.., arguments)) => Watch::Edit(arguments.clone()),
            }
        }
    }

    fn call(name: &str) -> Part {
        let (id, arguments) = (format!("id-{name}"), "{\"a\":1}".to_owned());
        let kind = ToolCallKind::Function;
        Part::new(Kind::ToolCall(ToolCall { id, name: name.to_owned(), arguments, kind }))
    }

    #[tokio::test]
    async fn a_call_is_taken_out_of_an_answer_and_the_others_stay() {
        for (calls, finish) in [(vec!["bad", "good"], Finish::ToolCalls), (vec!["bad"], Finish::Stop)] {
            let mut parts = vec![Part::text("well")];
            parts.extend(calls.iter().map(|name| call(name)));
            let answer = Answer { finish: Some(Finish::ToolCalls), ..said(parts) };
            let answer = Watchers::new(vec![Box::new(Strict::default())]).whole(answer).await.unwrap();
            assert_eq!(answer.finish, Some(finish));
            assert_eq!(answer.content[..2], [Part::text("well"), Part::text("\n\nno")]);
            assert_eq!(answer.content[2..], calls[1..].iter().map(|name| call(name)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn blocks_are_dense_in_the_order_in_which_they_go_on() {
        let mut watchers = Watchers::new(vec![Box::new(Strict::default())]);
        let tool = |index: usize, name: &str| Event::BlockStart {
            index,
            block: Begun::ToolCall { id: name.into(), name: name.into(), kind: ToolCallKind::Function },
        };
        let events = [
            tool(0, "good"),
            Event::BlockStart { index: 1, block: Begun::Text },
            Event::BlockDelta { index: 1, delta: Delta::Text("t".into()) },
            Event::BlockDelta { index: 0, delta: Delta::Arguments("{}".into()) },
            Event::BlockStop { index: 1 },
            Event::BlockStop { index: 0 },
            Event::Finish(Finish::ToolCalls),
        ];
        events.into_iter().for_each(|event| watchers.push(event));
        let mut out = Events::new();
        assert!(watchers.run(&mut out).unwrap().is_none());
        let Some(Event::BlockStart { index: 0, block: Begun::Text }) = out.first() else { panic!("{out:?}") };
        assert_eq!(out[3], tool(1, "good"));
        assert_eq!(out[4], Event::BlockDelta { index: 1, delta: Delta::Arguments("{}".into()) });
        assert_eq!(out[5..], [Event::BlockStop { index: 1 }, Event::Finish(Finish::ToolCalls)]);
    }

    #[test]
    fn what_comes_behind_a_hold_waits() {
        let mut watchers = Watchers::new(vec![Box::new(Shouting::default())]);
        replay(said(vec![Part::text("a")])).into_iter().for_each(|event| watchers.push(event));
        let mut out = Events::new();
        assert!(watchers.run(&mut out).unwrap().is_some());
        let shown = |out: &Events| out.iter().any(|e| matches!(e, Event::Finish(_)));
        assert!(!shown(&out), "{out:?}");
        watchers.resume(Some("A".into()));
        assert!(watchers.run(&mut out).unwrap().is_none());
        assert!(shown(&out) && out.contains(&Event::BlockDelta { index: 0, delta: Delta::Text("A".into()) }));
    }
}
