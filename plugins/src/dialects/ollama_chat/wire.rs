//! One line of an answer, as `/api/chat` and `/api/generate` write it.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use weir_core::domain::usage::Usage;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line {
    pub(super) model: Option<String>,
    pub(super) created_at: Option<String>,
    /// Of `/api/chat`.
    pub(super) message: Option<Message>,
    /// Of `/api/generate`, with `thinking` beside it.
    pub(super) response: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) done: Option<bool>,
    pub(super) done_reason: Option<String>,
    pub(super) prompt_eval_count: Option<u64>,
    pub(super) eval_count: Option<u64>,
    pub(super) error: Option<Value>,
    /// Of the tokens of this line, as in OpenAI's list.
    pub(super) logprobs: Option<Value>,
}

/// The members of [`Line`] that need no other place in a whole answer. What else there is (durations, `context`) is read of
/// whole answers only.
pub(super) static KNOWN: &[&str] = &[
    "model",
    "created_at",
    "message",
    "response",
    "thinking",
    "done",
    "done_reason",
    "prompt_eval_count",
    "eval_count",
    "error",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    pub(super) content: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) tool_calls: Option<Vec<Call>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Call {
    /// Since version 0.12 or so.
    #[serde(default)]
    pub(super) id: Option<String>,
    pub(super) function: Function,
}

#[derive(Debug, Deserialize)]
pub(super) struct Function {
    pub(super) name: String,
    /// An object; kept as text, so that long numbers stay what they are.
    #[serde(default)]
    pub(super) arguments: Option<Box<RawValue>>,
}

// --- Line ---

impl Line {
    /// What was counted. A prompt that was found in the cache is not counted at all (Ollama before 0.4).
    pub(super) fn usage(&self) -> Option<Usage> {
        if self.prompt_eval_count.is_none() && self.eval_count.is_none() {
            return None;
        }
        Some(Usage {
            input: self.prompt_eval_count.unwrap_or_default(),
            output: self.eval_count.unwrap_or_default(),
            ..Usage::default()
        })
    }
}

// --- Function ---

impl Function {
    /// The arguments as JSON text. Some servers write that text into a string.
    pub(super) fn arguments(&self) -> String {
        let raw = self.arguments.as_deref().map_or("", RawValue::get);
        match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str(raw).unwrap_or_default(),
            Some(b'n') | None => "{}".to_owned(),
            _ => raw.to_owned(),
        }
    }
}
