//! What answers and streams look like on the wire, and the words for why a model stopped. Everything is optional: every
//! provider leaves something out or says null.

use super::usage::WireUsage;
use crate::dialects::wire_body::room;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use weir_core::body::Node;
use weir_core::chat::{Event, Finish, ToolCall, ToolCallKind};
use weir_core::domain::usage::Usage;

/// The members of [`Chunk`].
pub(super) static KNOWN: &[&str] = &[
    "id",
    "model",
    "object",
    "choices",
    "usage",
    "x_groq",
    "service_tier",
    "error",
    "citations",
    "search_results",
    "message",
    "detail",
    "type",
];

/// One chunk of a stream, and what a whole answer has in common with it. Nothing is flattened here: chunks are many.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk {
    pub id: Option<String>,
    pub model: Option<String>,
    pub object: Option<String>,
    pub choices: Option<Vec<Choice>>,
    pub usage: Option<WireUsage>,
    pub x_groq: Option<Groq>,
    pub service_tier: Option<String>,
    pub error: Option<Value>,
    /// Perplexity's sources: addresses, and the same with titles.
    pub citations: Option<Value>,
    pub search_results: Option<Value>,
    /// Members of errors that stand without a frame.
    pub message: Option<Value>,
    pub detail: Option<Value>,
    #[serde(rename = "type")]
    pub kind: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    pub index: Option<u64>,
    pub message: Option<WireMessage>,
    pub delta: Option<WireMessage>,
    pub finish_reason: Option<String>,
    pub logprobs: Option<Value>,
    /// OpenRouter reports here that the provider behind it failed.
    pub error: Option<Value>,
    /// Moonshot's place for it.
    pub usage: Option<WireUsage>,
}

/// Where Groq tells its usage to those who did not ask.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Groq {
    pub usage: Option<WireUsage>,
}

/// A message, whole or growing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireMessage {
    pub content: Option<Loose>,
    pub refusal: Option<String>,
    pub reasoning_content: Option<Loose>,
    pub reasoning: Option<Loose>,
    pub reasoning_details: Option<Vec<Value>>,
    pub thinking_blocks: Option<Vec<Value>>,
    pub tool_calls: Option<Vec<WireCall>>,
    pub function_call: Option<WireFunction>,
    pub annotations: Option<Vec<Value>>,
    pub audio: Option<WireAudio>,
    pub images: Option<Vec<Value>>,
}

/// Text, or what some providers say instead: Mistral's list of parts, arguments as an object.
#[derive(Debug)]
pub(super) enum Loose {
    Text(String),
    Other(Value),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireCall {
    pub index: Option<u64>,
    pub id: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub function: Option<WireFunction>,
    pub custom: Option<WireFunction>,
    /// Where LiteLLM and Google put Gemini's thought signature.
    pub provider_specific_fields: Option<Value>,
    pub extra_content: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireFunction {
    pub name: Option<String>,
    #[serde(alias = "input")]
    pub arguments: Option<Loose>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireAudio {
    pub id: Option<String>,
    pub data: Option<String>,
    pub transcript: Option<String>,
    pub expires_at: Option<i64>,
}

/// A tool call as it is written, to clients and to providers.
#[derive(Debug, Serialize)]
pub(super) struct ToldCall {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<ToldFunction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<ToldCustom>,
    /// LiteLLM's place for a proof of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_specific_fields: Option<Value>,
    /// Where Google's own OpenAI endpoint wants it; others ignore it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_content: Option<Value>,
}

#[derive(Debug, Serialize)]
pub(super) struct ToldFunction {
    name: String,
    arguments: String,
}

#[derive(Debug, Serialize)]
pub(super) struct ToldCustom {
    name: String,
    input: String,
}

/// A piece of content.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Thinking(String),
    /// A part that only its provider understands (Mistral's `reference`).
    Other(Value),
}

// --- Chunk ---

impl Chunk {
    /// The first choice. The others stay, where there are any.
    pub(super) fn take_choice(&mut self) -> Option<Choice> {
        let mut choices = self.choices.take()?;
        let first = choices.iter().position(|choice| choice.index.unwrap_or(0) == 0);
        let first = first.map(|at| choices.remove(at));
        self.choices = Some(choices).filter(|choices| !choices.is_empty());
        first
    }

    /// The others, each with its number.
    pub(super) fn take_others(&mut self) -> impl Iterator<Item = (usize, Choice)> + use<> {
        let choices = self.choices.take().unwrap_or_default().into_iter();
        let numbered = choices.filter_map(|choice| Some((usize::try_from(choice.index?).ok()?, choice)));
        numbered.filter(|(index, _)| (1..Event::CHOICES).contains(index))
    }

    /// The usage, wherever it stands. `choice`: the one that was taken.
    pub(super) fn take_usage(&mut self, choice: Option<&mut Choice>) -> Option<Usage> {
        let groq = self.x_groq.take().and_then(|groq| groq.usage);
        let told = self.usage.take().or(groq).or_else(|| choice?.usage.take())?;
        Some(told.usage().served_at(self.service_tier.as_deref()))
    }

    /// Whether this is an error in the place of an answer (or of a chunk).
    pub(super) fn is_fault(&self) -> bool {
        let bare = self.choices.is_none() && self.usage.is_none();
        let worded = bare && (self.message.is_some() || self.detail.is_some());
        let typed =
            self.object.as_deref() == Some("error") || self.kind.as_ref().is_some_and(|k| k == "error");
        self.error.as_ref().is_some_and(is_said) || typed || worded
    }
}

/// Some providers send `"error": null` or `{}` with every chunk.
pub(super) fn is_said(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::Object(object) => !object.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

// --- Loose ---

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        Node::deserialize(reader).map(|node| match node {
            Node::Text(text) => Loose::Text(text.into_owned()),
            other => Loose::Other(other.into_value()),
        })
    }
}

impl Loose {
    /// The text; anything else as JSON text. Null is nothing.
    pub(super) fn into_text(self) -> String {
        match self {
            Loose::Text(text) => text,
            Loose::Other(Value::Null) => String::new(),
            Loose::Other(value) => value.to_string(),
        }
    }

    pub(super) fn into_pieces(self) -> Vec<Piece> {
        match self {
            Loose::Text(text) => vec![Piece::Text(text)],
            Loose::Other(Value::Array(parts)) => parts.into_iter().map(piece).collect(),
            Loose::Other(_) => Vec::new(),
        }
    }
}

/// Mistral: `{"type":"thinking","thinking":[{"type":"text","text":…}]}`.
fn piece(part: Value) -> Piece {
    let text = |part: &Value| part.get("text").and_then(Value::as_str).map(str::to_owned);
    match part.get("type").and_then(Value::as_str) {
        Some("text" | "output_text") => Piece::Text(text(&part).unwrap_or_default()),
        Some("thinking") => Piece::Thinking(match part.get("thinking") {
            Some(Value::String(thought)) => thought.clone(),
            Some(Value::Array(list)) => list.iter().filter_map(text).collect(),
            _ => String::new(),
        }),
        _ => Piece::Other(part),
    }
}

// --- WireMessage ---

impl WireMessage {
    /// Whether there is anything in it.
    pub(super) fn says(&self) -> bool {
        let text = |loose: &Option<Loose>| {
            loose.as_ref().is_some_and(|l| !matches!(l, Loose::Text(t) if t.is_empty()))
        };
        text(&self.content)
            || text(&self.reasoning_content)
            || text(&self.reasoning)
            || self.refusal.is_some()
            || self.reasoning_details.is_some()
            || self.thinking_blocks.is_some()
            || self.tool_calls.is_some()
            || self.function_call.is_some()
            || self.annotations.is_some()
            || self.audio.is_some()
            || self.images.is_some()
    }

    /// What the model thought, by whichever name; a provider that uses both says the same twice.
    pub(super) fn take_reasoning(&mut self) -> Option<String> {
        let content = self.reasoning_content.take().map(Loose::into_text).filter(|t| !t.is_empty());
        let other = self.reasoning.take().map(Loose::into_text).filter(|t| !t.is_empty());
        content.or(other)
    }
}

impl WireCall {
    /// Name and arguments, and whether the tool is a custom one.
    pub(super) fn take_function(&mut self) -> (WireFunction, bool) {
        let custom = self.kind.as_deref() == Some("custom") || self.custom.is_some();
        let function = if custom { self.custom.take() } else { self.function.take() };
        (function.unwrap_or_default(), custom)
    }

    pub(super) fn signature(&self) -> Option<String> {
        let ours = self.provider_specific_fields.as_ref().and_then(|p| p.get("thought_signature"));
        let google = || self.extra_content.as_ref()?.get("google")?.get("thought_signature");
        ours.or_else(google).and_then(Value::as_str).map(str::to_owned)
    }
}

// --- ToldCall ---

impl From<ToolCall> for ToldCall {
    fn from(call: ToolCall) -> Self {
        let ToolCall { id, name, arguments, kind } = call;
        let (kind, function, custom) = match kind {
            ToolCallKind::Function => ("function", Some(ToldFunction { name, arguments }), None),
            ToolCallKind::Custom => ("custom", None, Some(ToldCustom { name, input: arguments })),
        };
        Self { id, kind, function, custom, provider_specific_fields: None, extra_content: None }
    }
}

impl ToldCall {
    /// About how many bytes it is as JSON text.
    pub(super) fn room(&self) -> usize {
        128 + self.function.as_ref().map_or(0, |function| room(&function.arguments))
    }
}

// --- why a model stopped ---

/// OpenAI's words, those of providers that follow it, and what they mean.
static FINISHES: &[(&str, Finish)] = &[
    ("stop", Finish::Stop),
    ("length", Finish::Length),
    ("tool_calls", Finish::ToolCalls),
    ("function_call", Finish::ToolCalls),
    ("content_filter", Finish::ContentFilter),
    // Together and Hugging Face.
    ("eos", Finish::Stop),
    ("eos_token", Finish::Stop),
    ("stop_sequence", Finish::StopSequence(None)),
    ("end_turn", Finish::Stop),
    // Mistral.
    ("model_length", Finish::Length),
    ("max_tokens", Finish::Length),
    ("tool_use", Finish::ToolCalls),
    ("refusal", Finish::Refusal),
];

/// `calls`: the answer holds tool calls. Several servers, and OpenAI where the choice was forced, say `stop` then.
pub(super) fn read_finish(word: &str, calls: bool) -> Finish {
    let known = FINISHES.iter().find(|(name, _)| *name == word).map(|(_, finish)| finish.clone());
    match known {
        Some(Finish::Stop) if calls => Finish::ToolCalls,
        Some(finish) => finish,
        None => Finish::Other(word.to_owned()),
    }
}

/// Words of Google's that are no plain end; the last is LiteLLM's, as OpenAI has none for it.
static ODD: &[(&str, &str)] = &[
    ("OTHER", "content_filter"),
    ("IMAGE_OTHER", "content_filter"),
    ("MALFORMED_FUNCTION_CALL", "malformed_function_call"),
];

/// OpenAI knows five words; LiteLLM's rules for the others.
pub(in crate::dialects) fn finish_word(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::Pause => "stop",
        Finish::Other(word) => ODD.iter().find(|(odd, _)| odd == word).map_or("stop", |(_, told)| *told),
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter | Finish::Refusal => "content_filter",
    }
}
