//! Reranking: clients speak Cohere's format, which is LiteLLM's `/rerank`. Jina's and Voyage's differ in names.

use super::Vendor;
use super::wire::whole;
use crate::dialects::TranslateError;
use crate::dialects::embeddings::bad;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};
use weir_core::chat::{Object, ProviderFault};
use weir_core::domain::usage::Usage;
use weir_core::error::ApiError;

/// What the client gets, and what it cost.
#[derive(Debug)]
pub struct RerankAnswer {
    pub body: Vec<u8>,
    /// Cohere bills searches, the others tokens.
    pub search_units: Option<u64>,
    pub usage: Option<Usage>,
}

/// Any vendor's answer.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    id: Option<String>,
    results: Option<Vec<Item>>,
    /// Voyage's word for results.
    data: Option<Vec<Item>>,
    meta: Option<Object>,
    usage: Option<Object>,
    message: Option<String>,
    detail: Option<Value>,
}

#[derive(Deserialize, Serialize)]
struct Item {
    index: u64,
    relevance_score: Number,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    document: Option<Value>,
}

/// Cohere's parameters that the vendor does not know.
fn unknown(vendor: Vendor) -> &'static [&'static str] {
    match vendor {
        // Of version 1.
        Vendor::Cohere => &["max_chunks_per_doc"],
        Vendor::Jina | Vendor::Voyage => &["rank_fields", "max_chunks_per_doc", "max_tokens_per_doc"],
    }
}

/// The request of one vendor, from a client's body.
///
/// # Errors
/// 400 without a query and documents.
pub fn write_rerank(vendor: Vendor, mut ask: Object, model: &str) -> Result<Object, ApiError> {
    ask.retain(|name, value| !value.is_null() && !unknown(vendor).contains(&name.as_str()));
    if !ask.get("query").is_some_and(Value::is_string) {
        return Err(bad("'query' must be a text"));
    }
    match ask.get_mut("documents") {
        Some(Value::Array(documents)) if !documents.is_empty() => {
            if vendor == Vendor::Voyage {
                documents.iter_mut().for_each(only_text);
            }
        }
        _ => return Err(bad("'documents' must be a list of documents")),
    }
    if vendor == Vendor::Voyage
        && let Some(top) = ask.shift_remove("top_n")
    {
        ask.insert("top_k".into(), top);
    }
    ask.insert("model".into(), model.into());
    Ok(ask)
}

/// `{"text": …}` as the text in it.
fn only_text(document: &mut Value) {
    if let Some(text @ Value::String(_)) = document.get_mut("text").map(Value::take) {
        *document = text;
    }
}

/// The answer in Cohere's form; `id` is used where the vendor gives none.
pub fn read_rerank(vendor: Vendor, body: &[u8], id: &str) -> Result<RerankAnswer, TranslateError> {
    let wire: Wire = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    let results = if vendor == Vendor::Voyage { wire.data } else { wire.results };
    let Some(mut results) = results else { return Err(nothing(wire.message, wire.detail)) };
    results.iter_mut().filter_map(|item| item.document.as_mut()).for_each(as_object);
    let meta = match (vendor, wire.meta) {
        (Vendor::Cohere, meta) => meta.unwrap_or_default(),
        _ => counted(wire.usage.unwrap_or_default()),
    };
    let units = billed(&meta, "search_units");
    let tokens = billed(&meta, "total_tokens");
    let answer = json!({ "id": wire.id.as_deref().unwrap_or(id), "results": results, "meta": meta });
    let body = serde_json::to_vec(&answer).map_err(TranslateError::malformed)?;
    let usage = tokens.map(|input| Usage { input, ..Usage::default() });
    Ok(RerankAnswer { body, search_units: units, usage })
}

/// Documents that come back as texts.
fn as_object(document: &mut Value) {
    if document.is_string() {
        *document = json!({ "text": document.take() });
    }
}

/// Token counts in Cohere's places.
fn counted(usage: Object) -> Object {
    let mut meta = Map::new();
    let total = usage.get("total_tokens").cloned().unwrap_or_else(|| 0.into());
    meta.insert("billed_units".into(), json!({ "total_tokens": total }));
    let input = usage.get("prompt_tokens").cloned().unwrap_or(total);
    meta.insert("tokens".into(), json!({ "input_tokens": input }));
    meta
}

fn billed(meta: &Object, unit: &str) -> Option<u64> {
    meta.get("billed_units")?.get(unit)?.as_f64().map(whole)
}

fn nothing(message: Option<String>, detail: Option<Value>) -> TranslateError {
    let detail = detail.map(|d| d.as_str().map_or_else(|| d.to_string(), str::to_owned));
    match message.or(detail) {
        Some(message) => TranslateError::Fault(ProviderFault { message, ..ProviderFault::default() }),
        None => TranslateError::malformed("an answer without results"),
    }
}
