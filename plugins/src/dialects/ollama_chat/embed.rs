//! `/api/embed`, and answers of the older `/api/embeddings`.

use super::fault;
use crate::dialects::TranslateError;
use crate::dialects::embeddings::{EmbeddingAnswer, EmbeddingAsk, Vector, list};
use serde::Deserialize;
use serde_json::Value;
use weir_core::chat::Object;

/// Members that stand beside `options`.
static BESIDE: &[&str] = &["truncate", "keep_alive"];

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    embeddings: Option<Vec<Vector>>,
    /// Of `/api/embeddings`: one text, one vector.
    #[serde(default)]
    embedding: Option<Vector>,
    #[serde(default)]
    prompt_eval_count: Option<u64>,
    #[serde(default)]
    error: Option<Value>,
}

/// The request for `/api/embed`. Members that OpenAI does not have are options.
pub fn write_embeddings(ask: EmbeddingAsk, model: &str) -> Object {
    let mut body = Object::new();
    body.insert("model".into(), model.into());
    body.insert("input".into(), ask.input.into());
    body.extend(ask.dimensions.map(|d| ("dimensions".to_owned(), d.into())));
    let mut options = Object::new();
    for (name, value) in ask.extra {
        match value {
            Value::Object(more) if name == "options" => options.extend(more),
            value if BESIDE.contains(&name.as_str()) => drop(body.insert(name, value)),
            value => drop(options.insert(name, value)),
        }
    }
    if !options.is_empty() {
        body.insert("options".into(), options.into());
    }
    body
}

/// The answer in OpenAI's form. `model` is what the client shall read.
pub fn read_embeddings(body: &[u8], model: &str, base64: bool) -> Result<EmbeddingAnswer, TranslateError> {
    let wire: Wire = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    if let Some(error) = &wire.error {
        return Err(TranslateError::Fault(fault(error)));
    }
    let vectors = wire.embeddings.or_else(|| wire.embedding.map(|one| vec![one]));
    let vectors = vectors.ok_or_else(|| TranslateError::malformed("an answer without embeddings"))?;
    list(model, vectors, wire.prompt_eval_count, base64)
}
