//! The tables of all adapters.

use super::anthropic_messages::AnthropicMessages;
use super::bedrock_converse::BedrockConverse;
use super::bedrock_invoke::BedrockInvoke;
use super::cohere::CohereChat;
use super::gemini::Gemini;
use super::ollama_chat::{OllamaChat, OllamaGenerate};
use super::openai_chat::OpenAiChat;
use super::openai_completions::OpenAiCompletions;
use super::openai_responses::OpenAiResponses;
use super::{ClientDialect, UpstreamDialect};
use std::sync::LazyLock;
use weir_core::chat::Dialect;

static INVOKE: LazyLock<BedrockInvoke> = LazyLock::new(|| BedrockInvoke::new(Box::new(AnthropicMessages)));

/// The adapter for clients; `None` for what only providers speak.
pub fn client(dialect: Dialect) -> Option<&'static dyn ClientDialect> {
    Some(match dialect {
        Dialect::OpenAiChat => &OpenAiChat,
        Dialect::OpenAiCompletions => &OpenAiCompletions,
        Dialect::OpenAiResponses => &OpenAiResponses,
        Dialect::AnthropicMessages => &AnthropicMessages,
        Dialect::Gemini => &Gemini,
        Dialect::BedrockConverse
        | Dialect::BedrockInvoke
        | Dialect::OllamaChat
        | Dialect::OllamaGenerate
        | Dialect::CohereChat => return None,
    })
}

/// The adapter for providers. Those that serve completions are relayed, and tell errors and usage as in a chat.
pub fn upstream(dialect: Dialect) -> &'static dyn UpstreamDialect {
    match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiCompletions => &OpenAiChat,
        Dialect::OpenAiResponses => &OpenAiResponses,
        Dialect::AnthropicMessages => &AnthropicMessages,
        Dialect::BedrockConverse => &BedrockConverse,
        Dialect::BedrockInvoke => &*INVOKE,
        Dialect::OllamaChat => &OllamaChat,
        Dialect::OllamaGenerate => &OllamaGenerate,
        Dialect::Gemini => &Gemini,
        Dialect::CohereChat => &CohereChat,
    }
}
