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
    /// Gemini's `:generateContent`.
    Generate,
    /// Gemini's `:streamGenerateContent`.
    StreamGenerate,
    /// Gemini's `:countTokens`.
    CountContents,
    Moderations,
    Images,
    ImageEdits,
    ImageVariations,
    /// Cohere's reranking, which others have copied.
    Rerank,
    Speech,
    Transcriptions,
    Translations,
    /// A call of a provider's own API, passed through as it is.
    PassThrough,
    /// A WebSocket session in which both sides speak.
    Realtime,
}

/// Whether an answer is a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    Never,
    /// Where the body says `stream: true`.
    Asked,
    Always,
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
    pub streams: Streams,
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
        streams: Streams::Asked,
        chat: Some(Dialect::OpenAiChat),
        errors: Dialect::OpenAiChat,
    },
    OperationRow {
        operation: Operation::Completions,
        call_type: "atext_completion",
        route: "/v1/completions",
        openai_path: "/completions",
        streams: Streams::Asked,
        chat: None,
        errors: Dialect::OpenAiChat,
    },
    OperationRow {
        operation: Operation::Embeddings,
        call_type: "aembedding",
        route: "/v1/embeddings",
        openai_path: "/embeddings",
        streams: Streams::Never,
        chat: None,
        errors: Dialect::OpenAiChat,
    },
    OperationRow {
        operation: Operation::Messages,
        call_type: "anthropic_messages",
        route: "/v1/messages",
        openai_path: "",
        streams: Streams::Asked,
        chat: Some(Dialect::AnthropicMessages),
        errors: Dialect::AnthropicMessages,
    },
    OperationRow {
        operation: Operation::CountTokens,
        call_type: "acount_tokens",
        route: "/v1/messages/count_tokens",
        openai_path: "",
        streams: Streams::Never,
        chat: None,
        errors: Dialect::AnthropicMessages,
    },
    OperationRow {
        operation: Operation::Responses,
        call_type: "aresponses",
        route: "/v1/responses",
        openai_path: "/responses",
        streams: Streams::Asked,
        chat: Some(Dialect::OpenAiResponses),
        errors: Dialect::OpenAiChat,
    },
    OperationRow {
        operation: Operation::Generate,
        call_type: "agenerate_content",
        route: "/v1beta/models/{model}:generateContent",
        openai_path: "",
        streams: Streams::Asked,
        chat: Some(Dialect::Gemini),
        errors: Dialect::Gemini,
    },
    OperationRow {
        operation: Operation::StreamGenerate,
        call_type: "agenerate_content_stream",
        route: "/v1beta/models/{model}:streamGenerateContent",
        openai_path: "",
        streams: Streams::Always,
        chat: Some(Dialect::Gemini),
        errors: Dialect::Gemini,
    },
    OperationRow {
        operation: Operation::CountContents,
        call_type: "acount_tokens",
        route: "/v1beta/models/{model}:countTokens",
        openai_path: "",
        streams: Streams::Never,
        chat: None,
        errors: Dialect::Gemini,
    },
    relayed(Operation::Moderations, "amoderation", "/v1/moderations", Streams::Never),
    relayed(Operation::Images, "aimage_generation", "/v1/images/generations", Streams::Asked),
    relayed(Operation::ImageEdits, "aimage_edit", "/v1/images/edits", Streams::Asked),
    relayed(Operation::ImageVariations, "aimage_variation", "/v1/images/variations", Streams::Never),
    relayed(Operation::Rerank, "arerank", "/v1/rerank", Streams::Never),
    relayed(Operation::Speech, "aspeech", "/v1/audio/speech", Streams::Never),
    relayed(Operation::Transcriptions, "atranscription", "/v1/audio/transcriptions", Streams::Asked),
    relayed(Operation::Translations, "atranscription", "/v1/audio/translations", Streams::Never),
    OperationRow {
        operation: Operation::PassThrough,
        call_type: "pass_through_endpoint",
        route: "/pass_through",
        openai_path: "",
        streams: Streams::Never,
        chat: None,
        errors: Dialect::OpenAiChat,
    },
    relayed(Operation::Realtime, "_arealtime", "/v1/realtime", Streams::Never),
];

/// What goes to providers of OpenAI's kind as it came. `route`: OpenAI's path below `/v1`.
const fn relayed(
    operation: Operation,
    call_type: &'static str,
    route: &'static str,
    streams: Streams,
) -> OperationRow {
    let (_, openai_path) = route.split_at("/v1".len());
    OperationRow {
        operation,
        call_type,
        route,
        openai_path,
        streams,
        chat: None,
        errors: Dialect::OpenAiChat,
    }
}

impl Streams {
    /// Whether this request is answered with a stream; `asked`: its body says so.
    pub fn of(self, asked: impl FnOnce() -> bool) -> bool {
        match self {
            Streams::Never => false,
            Streams::Asked => asked(),
            Streams::Always => true,
        }
    }
}

impl Operation {
    /// The operation's row in [`OPERATIONS`].
    pub fn row(self) -> &'static OperationRow {
        &OPERATIONS[self as usize]
    }

    /// Whether files may come with it, in a multipart form.
    pub fn takes_forms(self) -> bool {
        use Operation as O;
        matches!(self, O::ImageEdits | O::ImageVariations | O::Transcriptions | O::Translations)
    }

    /// Nothing is generated, only counted: free of charge.
    pub fn counts(self) -> bool {
        matches!(self, Operation::CountTokens | Operation::CountContents)
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
