//! What a client asks a model.

use super::part::{Kind, Part, join};
use super::{Dialect, Object};
use serde_json::{Number, Value};

/// One chat request. `None` and empty mean: not said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// As the client named it.
    pub model: String,
    /// In order. System and developer messages stand where the client put them, mostly first.
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tool_calls: Option<bool>,
    /// Output tokens, reasoning included.
    pub max_tokens: Option<u64>,
    pub temperature: Option<Number>,
    pub top_p: Option<Number>,
    pub top_k: Option<u64>,
    pub stop: Vec<String>,
    pub seed: Option<i64>,
    pub presence_penalty: Option<Number>,
    pub frequency_penalty: Option<Number>,
    pub n: Option<u64>,
    pub logprobs: Option<bool>,
    pub top_logprobs: Option<u64>,
    pub format: Option<Format>,
    pub reasoning: Option<Reasoning>,
    /// The end user's id.
    pub user: Option<String>,
    pub service_tier: Option<String>,
    /// `cache_control` of the whole request (Anthropic's automatic caching).
    pub cache: Option<Value>,
    pub stream: bool,
    /// Top-level members that the model does not know, as written. Ours (`metadata`, `fallbacks`, …) are gone.
    pub extra: Object,
    /// Top-level members that only this dialect understands (Anthropic's `context_management`): every other dialect
    /// leaves them out. A member the model knows in part holds here what is left of it.
    pub native: Option<(Dialect, Object)>,
}

/// Who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    /// Holds tool results and nothing else.
    Tool,
}

/// One turn of a conversation. `extra` holds members that the model does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub role: Role,
    pub content: Vec<Part>,
    pub name: Option<String>,
    pub extra: Object,
}

/// A tool that the model may call. `cache`: Anthropic's mark for its cache, as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    pub kind: ToolKind,
    pub cache: Option<Value>,
    pub extra: Object,
}

/// Who runs a tool, and what it is given.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolKind {
    Function {
        name: String,
        description: Option<String>,
        /// JSON schema of the arguments.
        parameters: Option<Value>,
        strict: Option<bool>,
    },
    /// OpenAI's custom tools; `format` is a grammar.
    Custom { name: String, description: Option<String>, format: Option<Value> },
    /// A tool that the provider runs (web search, code execution), as its dialect writes it.
    Provider { dialect: Dialect, value: Value },
}

/// Which tools the model may or must call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    Auto,
    None,
    /// At least one tool.
    Required,
    /// This tool.
    Named(String),
}

/// The form that the answer must have.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    Text,
    JsonObject,
    JsonSchema { name: Option<String>, description: Option<String>, schema: Value, strict: Option<bool> },
}

/// How much the model should think.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reasoning {
    /// `none`, `minimal`, `low`, `medium`, `high`, `xhigh`.
    pub effort: Option<String>,
    /// Anthropic's and Gemini's budget of tokens.
    pub budget: Option<u64>,
    /// Explicitly on or off (Anthropic's `thinking.type`, Ollama's `think`).
    pub enabled: Option<bool>,
    /// Anthropic's `thinking.type: adaptive`: the model decides.
    pub adaptive: bool,
    /// OpenAI's `reasoning.summary`.
    pub summary: Option<String>,
}

// --- Request ---

impl Request {
    /// The text and parts of all system and developer messages, taken out of the conversation, in order.
    pub fn take_system(&mut self) -> Vec<Part> {
        let is_system = |m: &Message| matches!(m.role, Role::System | Role::Developer);
        let (system, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.messages).into_iter().partition(is_system);
        self.messages = rest;
        system.into_iter().flat_map(|m| m.content).collect()
    }

    /// The name of the tool behind a call, from the assistant's message that made it.
    pub fn tool_name(&self, call_id: &str) -> Option<&str> {
        self.messages.iter().rev().flat_map(|m| &m.content).find_map(|part| match &part.kind {
            Kind::ToolCall(call) if call.id == call_id => Some(call.name.as_str()),
            _ => None,
        })
    }

    /// OpenAI's names of the optional parameters that were said. What a provider does not support is found with it.
    pub fn said(&self) -> Vec<&'static str> {
        let said = [
            ("tools", !self.tools.is_empty()),
            ("tool_choice", self.tool_choice.is_some()),
            ("parallel_tool_calls", self.parallel_tool_calls.is_some()),
            ("max_tokens", self.max_tokens.is_some()),
            ("temperature", self.temperature.is_some()),
            ("top_p", self.top_p.is_some()),
            ("stop", !self.stop.is_empty()),
            ("seed", self.seed.is_some()),
            ("presence_penalty", self.presence_penalty.is_some()),
            ("frequency_penalty", self.frequency_penalty.is_some()),
            ("n", self.n.is_some_and(|n| n > 1)),
            ("logprobs", self.logprobs == Some(true)),
            ("top_logprobs", self.top_logprobs.is_some()),
            ("response_format", self.format.is_some()),
            ("reasoning_effort", self.reasoning.as_ref().is_some_and(|r| r.effort.is_some())),
            ("user", self.user.is_some()),
            ("service_tier", self.service_tier.is_some()),
        ];
        said.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
    }
}

impl Message {
    pub fn new(role: Role, content: Vec<Part>) -> Self {
        Self { role, content, name: None, extra: Object::new() }
    }

    /// The text parts, joined by line breaks.
    pub fn text(&self) -> String {
        join(&self.content)
    }
}

impl Tool {
    pub fn new(kind: ToolKind) -> Self {
        Self { kind, cache: None, extra: Object::new() }
    }

    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            ToolKind::Function { name, .. } | ToolKind::Custom { name, .. } => Some(name),
            ToolKind::Provider { .. } => None,
        }
    }
}
