//! The list of models.

use serde_json::{Value, json};

use crate::mock::reply::Reply;
use crate::mock::wire;

const MODELS: &[(&str, &str)] = &[("gpt-4o", "openai"), ("mock-up-model", "mock")];

pub(super) fn list() -> Reply {
    let data: Vec<Value> = MODELS.iter().map(|(id, owner)| model(id, owner)).collect();
    wire::plain(200, &json!({"object": "list", "data": data}))
}

fn model(id: &str, owner: &str) -> Value {
    json!({"id": id, "object": "model", "created": wire::CREATED, "owned_by": owner})
}
