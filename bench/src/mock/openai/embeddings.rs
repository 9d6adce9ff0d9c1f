//! Embeddings: the same three numbers for every input.

use serde_json::{Value, json};

use super::{Call, wire};
use crate::mock::reply::Reply;

/// 0.1, 0.2 and -0.3 as little-endian 32 bit floats.
const BASE64: &str = "zczMPc3MTD6amZm+";

pub(super) fn reply(call: &Call<'_>) -> Reply {
    let embedding =
        if call.body["encoding_format"] == "base64" { json!(BASE64) } else { json!([0.1, 0.2, -0.3]) };
    let data: Vec<Value> = (0..inputs(&call.body["input"]))
        .map(|index| json!({"object": "embedding", "index": index, "embedding": embedding}))
        .collect();
    wire::success(&json!({
        "object": "list",
        "data": data,
        "model": call.model_or("emb"),
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    }))
}

/// A list of integers is one input, already cut into tokens.
fn inputs(input: &Value) -> usize {
    match input.as_array() {
        Some(list) if list.first().is_some_and(|first| !is_integer(first)) => list.len(),
        _ => 1,
    }
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}
