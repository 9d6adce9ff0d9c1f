//! What a model says, as it arrives: blocks that start, grow and stop, like Anthropic's events.

use super::answer::Finish;
use super::part::{Citation, Part, ToolCallKind};
use crate::domain::usage::Usage;
use serde_json::Value;

/// Events of one frame.
pub type Events = Vec<Event>;

/// The grammar: `Start`, then blocks, then `Finish`; `Usage` may come at any time, each one replacing the one before.
/// What belongs to other choices comes `Beside` that, before the `Finish`, and has the same grammar for each of them.
/// Block indices are dense, in the order of their starts. Several blocks may be open at once (OpenAI's parallel tool
/// calls); each is stopped before `Finish`. `End` is made by the gateway, not by readers.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Start {
        id: Option<String>,
        model: Option<String>,
    },
    BlockStart {
        index: usize,
        block: Begun,
    },
    BlockDelta {
        index: usize,
        delta: Delta,
    },
    BlockStop {
        index: usize,
    },
    Usage(Usage),
    /// How likely the tokens were that were said since the last of these: OpenAI's `logprobs`.
    Logprobs(Box<Value>),
    Finish(Finish),
    /// Of another choice than the first: neither start nor usage nor fault.
    Beside {
        /// 1 and more.
        choice: usize,
        event: Box<Event>,
    },
    /// The provider reports an error inside the stream; nothing follows.
    Fault(ProviderFault),
}

impl Event {
    /// Choices that are told at most: OpenAI takes no more.
    pub const CHOICES: usize = 128;

    /// The same of another choice than the first.
    pub fn beside(self, choice: usize) -> Self {
        Event::Beside { choice, event: Box::new(self) }
    }
}

/// A block that starts. What it holds already (mostly nothing) comes as deltas, except for blocks that are whole.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    Text,
    Thinking {
        id: Option<String>,
    },
    Refusal,
    ToolCall {
        id: String,
        name: String,
        kind: ToolCallKind,
    },
    /// Comes whole: redacted thoughts, media, blocks that only one dialect understands.
    Whole(Box<Part>),
}

/// What a block grows by.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// Text of a text, thinking or refusal block.
    Text(String),
    /// A piece of a tool call's arguments.
    Arguments(String),
    /// The block's signature, whole.
    Signature(String),
    Citation(Box<Citation>),
}

/// An error as a provider words it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderFault {
    /// 0 where the provider does not say.
    pub status: u16,
    pub message: String,
    /// The provider's `type`, `__type` or `status` word.
    pub kind: Option<String>,
    pub code: Option<String>,
}
