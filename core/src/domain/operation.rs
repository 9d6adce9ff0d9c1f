//! What a client asks a model to do. Paths are mapped to operations in the gateway; providers map operations to
//! their own paths.

use serde::{Deserialize, Serialize};

/// One LLM operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    Chat,
    Completions,
    Embeddings,
}

/// One row per operation: everything that is only a name.
pub struct OperationRow {
    pub operation: Operation,
    /// The `call_type` of spend logs and metrics, LiteLLM's function names.
    pub call_type: &'static str,
    /// The canonical route, also the `route` label of metrics.
    pub route: &'static str,
    /// Path below an OpenAI-style base URL.
    pub openai_path: &'static str,
    /// Whether the answer may be a stream.
    pub streams: bool,
}

pub static OPERATIONS: &[OperationRow] = &[
    OperationRow {
        operation: Operation::Chat,
        call_type: "acompletion",
        route: "/v1/chat/completions",
        openai_path: "/chat/completions",
        streams: true,
    },
    OperationRow {
        operation: Operation::Completions,
        call_type: "atext_completion",
        route: "/v1/completions",
        openai_path: "/completions",
        streams: true,
    },
    OperationRow {
        operation: Operation::Embeddings,
        call_type: "aembedding",
        route: "/v1/embeddings",
        openai_path: "/embeddings",
        streams: false,
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
