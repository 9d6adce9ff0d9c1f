//! InvokeModel with the embedding bodies of Titan (one text) and Cohere (several).

use serde_json::{Value, json};

use crate::mock::ask::{Ask, inputs};
use crate::mock::reply::Reply;
use crate::mock::turn::{EMBEDDING, EMBEDDING_TOKENS};
use crate::mock::wire;

/// By the name of the model: the bodies do not say.
pub(super) fn are_of(model: &str) -> bool {
    is_titan(model) || model.contains("cohere.embed")
}

fn is_titan(model: &str) -> bool {
    model.contains("titan-embed")
}

pub(super) fn reply(ask: &Ask<'_>, model: &str) -> Reply {
    let value = if is_titan(model) { titan(model) } else { cohere(&ask.body) };
    let tokens = EMBEDDING_TOKENS.to_string();
    wire::plain(200, &value).header("x-amzn-bedrock-input-token-count", &tokens)
}

fn titan(model: &str) -> Value {
    let mut value = json!({"embedding": EMBEDDING, "inputTextTokenCount": EMBEDDING_TOKENS});
    if model.contains("-v2") {
        value["embeddingsByType"] = json!({"float": EMBEDDING});
    }
    value
}

/// By type where types were asked for.
fn cohere(body: &Value) -> Value {
    let vectors: Vec<Value> = (0..inputs(&body["texts"])).map(|_| json!(EMBEDDING)).collect();
    let by_type = body["embedding_types"].is_array();
    let (embeddings, kind) = if by_type {
        (json!({"float": vectors}), "embeddings_by_type")
    } else {
        (vectors.into(), "embeddings_floats")
    };
    json!({"id": "emb-mock1", "texts": body["texts"], "embeddings": embeddings, "response_type": kind})
}
