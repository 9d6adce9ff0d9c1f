//! Embeddings: the same three numbers for every input.

use serde_json::{Value, json};

use super::{Call, wire};
use crate::mock::ask::inputs;
use crate::mock::reply::Reply;
use crate::mock::turn::{EMBEDDING, EMBEDDING_TOKENS};

/// 0.1, 0.2 and -0.3 as little-endian 32 bit floats.
const BASE64: &str = "zczMPc3MTD6amZm+";

pub(super) fn reply(call: &Call<'_>) -> Reply {
    let base64 = call.ask.body["encoding_format"] == "base64";
    let embedding = if base64 { json!(BASE64) } else { json!(EMBEDDING) };
    let data: Vec<Value> = (0..inputs(&call.ask.body["input"]))
        .map(|index| json!({"object": "embedding", "index": index, "embedding": embedding}))
        .collect();
    wire::success(&json!({
        "object": "list",
        "data": data,
        "model": call.ask.model_or("emb"),
        "usage": {"prompt_tokens": EMBEDDING_TOKENS, "total_tokens": EMBEDDING_TOKENS},
    }))
}
