//! Answers and events of `/v2/chat` as they are written.

use serde::Deserialize;
use serde_json::Value;
use weir_core::chat::{Finish, Object, ProviderFault};
use weir_core::domain::usage::Usage;

/// A whole answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) id: Option<String>,
    /// An object; errors have a text here.
    pub(super) message: Option<Value>,
    pub(super) finish_reason: Option<String>,
    pub(super) usage: Option<WireUsage>,
    pub(super) error: Option<String>,
    /// `logprobs`.
    #[serde(flatten)]
    pub(super) extra: Object,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    pub(super) content: Option<Vec<Content>>,
    pub(super) tool_plan: Option<String>,
    pub(super) tool_calls: Option<Vec<Call>>,
    pub(super) citations: Option<Vec<Value>>,
}

/// A block, or a piece of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) text: Option<String>,
    pub(super) thinking: Option<String>,
}

/// A call, or a piece of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    pub(super) function: Function,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Function {
    pub(super) name: Option<String>,
    pub(super) arguments: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    /// With the prompt that Cohere puts around ours, and of which much is cached.
    tokens: Option<Tokens>,
    /// What the invoice says: without that prompt.
    billed_units: Option<Tokens>,
    cached_tokens: Option<f64>,
}

/// Numbers may be written as floats.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input_tokens: Option<f64>,
    output_tokens: Option<f64>,
}

/// One event of a stream. What `index` counts depends on the type.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: Option<String>,
    pub(super) index: u64,
    pub(super) delta: Delta,
    /// An error that came instead of an event.
    pub(super) message: Option<String>,
    /// How likely the piece of text is.
    pub(super) logprobs: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delta {
    pub(super) message: Option<DeltaMessage>,
    pub(super) finish_reason: Option<String>,
    pub(super) usage: Option<WireUsage>,
    pub(super) error: Option<String>,
}

/// In `message-start` the members are lists, all of them empty; afterwards each is one thing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeltaMessage {
    pub(super) content: Option<Value>,
    pub(super) tool_plan: Option<String>,
    pub(super) tool_calls: Option<Value>,
    pub(super) citations: Option<Value>,
}

// --- WireUsage ---

impl WireUsage {
    /// Tokens that are billed; those that the model read and wrote where nothing is said of billing. `None` where
    /// nothing is said at all. Cohere bills what it has cached as everything else.
    pub(super) fn usage(&self) -> Option<Usage> {
        if let Some(billed) = self.billed_units.filter(Tokens::is_said) {
            return Some(billed.usage());
        }
        let read = self.tokens.filter(Tokens::is_said)?.usage();
        Some(Usage { cache_read: count(self.cached_tokens).min(read.input), ..read })
    }
}

impl Tokens {
    fn is_said(&self) -> bool {
        self.input_tokens.is_some() || self.output_tokens.is_some()
    }

    fn usage(self) -> Usage {
        Usage { input: count(self.input_tokens), output: count(self.output_tokens), ..Usage::default() }
    }
}

fn count(number: Option<f64>) -> u64 {
    number.map(whole).unwrap_or_default()
}

/// A count as a whole number. `as` saturates: what is below nothing counts nothing.
pub(super) fn whole(number: f64) -> u64 {
    number as u64
}

// --- how an answer ends ---

/// What a reason means: an end, or a fault.
pub(super) fn end(
    reason: Option<&str>,
    error: Option<String>,
    called: bool,
) -> Result<Finish, ProviderFault> {
    Ok(match reason {
        Some("STOP_SEQUENCE") => Finish::StopSequence(None),
        Some("MAX_TOKENS") => Finish::Length,
        Some("TOOL_CALL") => Finish::ToolCalls,
        Some("ERROR_TOXIC") => Finish::ContentFilter,
        Some(word) if word.starts_with("ERROR") || word == "TIMEOUT" => return Err(fault(word, error)),
        None | Some("COMPLETE") if called => Finish::ToolCalls,
        None | Some("COMPLETE") => Finish::Stop,
        Some(other) => Finish::Other(other.to_owned()),
    })
}

fn fault(word: &str, error: Option<String>) -> ProviderFault {
    let message = error.unwrap_or_else(|| format!("the answer ended with {word}"));
    ProviderFault { status: 0, message, kind: Some(word.to_owned()), code: None }
}
