//! What a model says, whole.

use super::part::{Kind, Part};
use super::{Object, ProviderFault};
use crate::domain::usage::Usage;

/// One answer; of several choices the first, with the others beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The provider's own id; `None` where it has none.
    pub id: Option<String>,
    /// The model as the provider names it.
    pub model: Option<String>,
    pub content: Vec<Part>,
    pub finish: Option<Finish>,
    /// `None`: the provider did not say.
    pub usage: Option<Usage>,
    pub service_tier: Option<String>,
    /// A fault that the provider reports inside an otherwise successful answer.
    pub fault: Option<ProviderFault>,
    /// Members that the model does not know, as the dialect of the provider wrote them.
    pub extra: Object,
    /// The second choice and those behind it, for clients whose dialect has several. Nobody looks at what they say.
    pub others: Vec<Choice>,
}

/// One of several answers to the same request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    pub content: Vec<Part>,
    pub finish: Option<Finish>,
    pub extra: Object,
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    Stop,
    /// At one of the request's stop sequences, which is named where the provider says it.
    StopSequence(Option<String>),
    Length,
    ToolCalls,
    ContentFilter,
    Refusal,
    /// A server tool needs another turn (Anthropic's `pause_turn`).
    Pause,
    /// Anything else, in the provider's word.
    Other(String),
}

impl Answer {
    /// All visible text, in order, without separators.
    pub fn text(&self) -> String {
        self.content.iter().filter_map(Part::as_text).collect()
    }

    pub fn has_tool_calls(&self) -> bool {
        self.content.iter().any(|p| matches!(p.kind, Kind::ToolCall(_)))
    }
}
