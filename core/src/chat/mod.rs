//! The canonical chat model: the hub between dialects, so that N client and N provider formats need N + N adapters.
//!
//! `request.rs` is what a client asks, shaped like OpenAI's chat; `part.rs` is what messages are made of; `answer.rs`
//! is what a model says; `event.rs` is the same, as it arrives. Whatever the model does not know travels in `extra`
//! or as [`part::Kind::Opaque`], so that nothing is lost between two sides that both know it.

mod answer;
mod collect;
mod event;
mod part;
mod request;

pub use answer::{Answer, Choice, Finish};
pub use collect::{Collector, replay};
pub use event::{Begun, Delta, Event, Events, ProviderFault};
pub use part::{Citation, Kind, Media, Part, Source, ToolCall, ToolCallKind, ToolResult};
pub use request::{Format, Message, Reasoning, Request, Role, Tool, ToolChoice, ToolKind};

/// A JSON object, in the order it was written.
pub type Object = serde_json::Map<String, serde_json::Value>;

/// A wire format for chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    OpenAiChat,
    /// `/v1/completions`; spoken by clients only, to models that chat.
    OpenAiCompletions,
    OpenAiResponses,
    AnthropicMessages,
    BedrockConverse,
    /// Anthropic's Messages inside Bedrock's InvokeModel.
    BedrockInvoke,
    /// `/api/chat`.
    OllamaChat,
    /// `/api/generate`.
    OllamaGenerate,
    Gemini,
    /// Cohere's `/v2/chat`.
    CohereChat,
}
