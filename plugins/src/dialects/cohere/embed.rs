//! Embeddings of Cohere (`/v2/embed`), Jina and Voyage (`/v1/embeddings`) for clients that speak OpenAI.

use super::Vendor;
use crate::dialects::TranslateError;
use crate::dialects::embeddings::{EmbeddingAnswer, EmbeddingAsk, Vector, list};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use weir_core::chat::{Object, ProviderFault, Source};

/// Cohere must be told what for; LiteLLM's word where the client says none.
const INPUT_TYPE: &str = "search_document";

/// Cohere's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    embeddings: Option<Box<RawValue>>,
    meta: Option<Meta>,
    message: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    billed_units: Option<Units>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Units {
    input_tokens: Option<f64>,
    image_tokens: Option<f64>,
}

/// Jina's and Voyage's: OpenAI's, but that Voyage says `total_tokens` only.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    data: Option<Vec<Item>>,
    usage: Option<Tokens>,
    detail: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    index: u64,
    embedding: Vector,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

// --- requests ---

/// The request of one vendor. Members that OpenAI does not have are the vendor's and win.
pub fn write_embeddings(vendor: Vendor, ask: EmbeddingAsk, model: &str) -> Object {
    let mut body = Object::new();
    body.insert("model".into(), model.into());
    let encoding = ask.encoding.map(Value::from);
    let said: Vec<(&str, Option<Value>)> = match vendor {
        Vendor::Cohere => {
            cohere_input(ask.input, &mut body);
            let types = encoding.unwrap_or_else(|| "float".into());
            vec![
                ("embedding_types", Some(json!([types]))),
                ("output_dimension", ask.dimensions.map(Value::from)),
            ]
        }
        Vendor::Jina => {
            body.insert("input".into(), jina_input(ask.input));
            vec![("embedding_type", encoding), ("dimensions", ask.dimensions.map(Value::from))]
        }
        Vendor::Voyage => {
            body.insert("input".into(), ask.input.into());
            // It knows no word for numbers, which it gives where nothing is said.
            let encoding = encoding.filter(|e| e != "float");
            vec![("encoding_format", encoding), ("output_dimension", ask.dimensions.map(Value::from))]
        }
    };
    body.extend(said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    body.extend(ask.extra);
    body
}

/// Texts, images, or both, each in a place of its own.
fn cohere_input(input: Vec<String>, body: &mut Object) {
    let images = input.iter().filter(|text| image(text).is_some()).count();
    let (name, value, kind) = match images {
        0 => ("texts", Value::from(input), INPUT_TYPE),
        n if n == input.len() => ("images", input.into(), "image"),
        _ => ("inputs", input.into_iter().map(cohere_item).collect(), INPUT_TYPE),
    };
    body.insert(name.into(), value);
    body.insert("input_type".into(), kind.into());
}

fn cohere_item(text: String) -> Value {
    let content = if image(&text).is_some() {
        json!({ "type": "image_url", "image_url": { "url": text } })
    } else {
        json!({ "type": "text", "text": text })
    };
    json!({ "content": [content] })
}

/// Texts as they are; where an image is among them, every item says what it is.
fn jina_input(input: Vec<String>) -> Value {
    if !input.iter().any(|text| image(text).is_some()) {
        return input.into();
    }
    let item = |text: String| match image(&text) {
        Some(data) => json!({ "image": data }),
        None => json!({ "text": text }),
    };
    input.into_iter().map(item).collect()
}

/// The base64 of an image's `data:` URL.
fn image(text: &str) -> Option<String> {
    if !text.starts_with("data:image/") {
        return None;
    }
    match Source::from_url(text) {
        Source::Base64 { data, .. } => Some(data),
        _ => None,
    }
}

// --- answers ---

/// The answer in OpenAI's form. `model` is what the client shall read.
pub fn read_embeddings(
    vendor: Vendor,
    body: &[u8],
    model: &str,
    base64: bool,
) -> Result<EmbeddingAnswer, TranslateError> {
    match vendor {
        Vendor::Cohere => read_cohere(body, model, base64),
        Vendor::Jina | Vendor::Voyage => read_listed(body, model, base64),
    }
}

fn read_cohere(body: &[u8], model: &str, base64: bool) -> Result<EmbeddingAnswer, TranslateError> {
    let wire: Wire = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    let raw = wire.embeddings.ok_or_else(|| nothing(wire.message))?;
    let units = wire.meta.and_then(|m| m.billed_units).unwrap_or_default();
    let tokens = [units.input_tokens, units.image_tokens];
    let billed = tokens.iter().flatten().copied().reduce(|a, b| a + b);
    list(model, vectors(&raw)?, billed.map(super::wire::whole), base64)
}

/// By type in version 2, one type after the other; a plain list in version 1.
fn vectors(raw: &RawValue) -> Result<Vec<Vector>, TranslateError> {
    if raw.get().starts_with('[') {
        return serde_json::from_str(raw.get()).map_err(TranslateError::malformed);
    }
    let typed: BTreeMap<String, Option<Vec<Vector>>> =
        serde_json::from_str(raw.get()).map_err(TranslateError::malformed)?;
    Ok(typed.into_values().flatten().flatten().collect())
}

fn read_listed(body: &[u8], model: &str, base64: bool) -> Result<EmbeddingAnswer, TranslateError> {
    let wire: Listed = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    let mut data = wire.data.ok_or_else(|| nothing(wire.detail))?;
    data.sort_by_key(|item| item.index);
    let tokens = wire.usage.and_then(|u| u.prompt_tokens.or(u.total_tokens));
    list(model, data.into_iter().map(|item| item.embedding).collect(), tokens, base64)
}

/// What is wrong where no vectors are: the provider's words, if there are any.
fn nothing(message: Option<String>) -> TranslateError {
    match message {
        Some(message) => TranslateError::Fault(ProviderFault { message, ..ProviderFault::default() }),
        None => TranslateError::malformed("an answer without embeddings"),
    }
}
