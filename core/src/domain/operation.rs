//! What a client asks a model to do. Paths are mapped to operations in the gateway; providers map operations to
//! their own paths.

use crate::chat::Dialect;
use serde::{Deserialize, Serialize};

/// One LLM operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    Chat,
    Completions,
    Embeddings,
    /// Anthropic's Messages.
    Messages,
    /// Anthropic's count of a request's tokens; nothing is generated.
    CountTokens,
    /// OpenAI's Responses.
    Responses,
    /// Gemini's `:generateContent` and `:streamGenerateContent`.
    Generate,
}

/// One row per operation: everything that is only a name.
pub struct OperationRow {
    pub operation: Operation,
    /// The `call_type` of spend logs and metrics, LiteLLM's function names.
    pub call_type: &'static str,
    /// The canonical route, also the `route` label of metrics.
    pub route: &'static str,
    /// Path below an OpenAI-style base URL; empty where OpenAI has none.
    pub openai_path: &'static str,
    /// Whether the answer may be a stream.
    pub streams: bool,
    /// The dialect of a chat, which may be translated into a provider's; `None`: relayed only.
    pub chat: Option<Dialect>,
    /// How errors are told.
    pub errors: Dialect,
}

pub static OPERATIONS: &[OperationRow] = &[
    OperationRow {
        operation: Operation::Chat,
        call_type: "acompletion",
        route: "/v1/chat/completions",
        openai_path: "/chat/completions",
        streams: true,
        chat: Some(Dialect::OpenAiChat),
        errors: Dialect::OpenAiChat,
    },
    OperationRow {
        operation: Operation::Completions,
        call_type: "atext_completion",
        route: "/v1/completions",
        openai_path: "/completions",
        streams: true,
        chat: None,
        errors: Dialect::OpenAiChat,
    },
    OperationRow {
        operation: Operation::Embeddings,
        call_type: "aembedding",
        route: "/v1/embeddings",
        openai_path: "/embeddings",
        streams: false,
        chat: None,
        errors: Dialect::OpenAiChat,
    },
    OperationRow {
        operation: Operation::Messages,
        call_type: "anthropic_messages",
        route: "/v1/messages",
        openai_path: "",
        streams: true,
        chat: Some(Dialect::AnthropicMessages),
        errors: Dialect::AnthropicMessages,
    },
    OperationRow {
        operation: Operation::CountTokens,
        call_type: "acount_tokens",
        route: "/v1/messages/count_tokens",
        openai_path: "",
        streams: false,
        chat: None,
        errors: Dialect::AnthropicMessages,
    },
    OperationRow {
        operation: Operation::Responses,
        call_type: "aresponses",
        route: "/v1/responses",
        openai_path: "/responses",
        streams: true,
        chat: Some(Dialect::OpenAiResponses),
        errors: Dialect::OpenAiChat,
    },
    OperationRow {
        operation: Operation::Generate,
        call_type: "agenerate_content",
        route: "/v1beta/models/{model}:generateContent",
        openai_path: "",
        streams: true,
        chat: Some(Dialect::Gemini),
        errors: Dialect::Gemini,
    },
];

impl Operation {
    /// The operation's row in [`OPERATIONS`].
    pub fn row(self) -> &'static OperationRow {
        &OPERATIONS[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (index, row) in OPERATIONS.iter().enumerate() {
            assert_eq!(row.operation as usize, index);
        }
    }
}
