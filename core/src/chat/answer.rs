//! What a model says, whole.

use super::part::{Kind, Part};
use super::{Object, ProviderFault};
use crate::domain::usage::Usage;

/// One answer with one choice. A dialect with several choices is only ever relayed.
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
