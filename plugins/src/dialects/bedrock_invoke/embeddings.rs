//! Embeddings by InvokeModel: OpenAI's request to Titan's, Nova's or Cohere's, and their answers back. Titan and Nova take
//! one text per request, so one request of a client may become several; [`write()`] gives them in order and [`read()`]
//! takes their answers in the same order.

use super::super::bedrock_converse::Model;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use weir_core::chat::Object;
use weir_core::error::{ApiError, Kind};

/// Texts that one request may hold. Source: Cohere Embed on Bedrock.
const COHERE_TEXTS: usize = 96;
/// Texts of a client's request. Titan and Nova make one request of each.
const MOST_TEXTS: usize = 2048;

/// A family of embedding models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    TitanV1,
    TitanV2,
    TitanImage,
    Nova,
    Cohere,
}

/// One answer of Bedrock.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub body: &'a [u8],
    /// The header `x-amzn-bedrock-input-token-count`: Cohere's body does not say.
    pub tokens: Option<u64>,
}

fn family(model: &str) -> Option<Family> {
    let model = Model::of(model);
    let families = [
        ("amazon.titan-embed-image", Family::TitanImage),
        ("amazon.titan-embed-text-v2", Family::TitanV2),
        ("amazon.titan-embed", Family::TitanV1),
        ("amazon.nova-2-multimodal-embeddings", Family::Nova),
        ("cohere.embed", Family::Cohere),
    ];
    families.into_iter().find(|(start, _)| model.base.starts_with(start)).map(|(_, family)| family)
}

// --- requests ---

/// The requests that a client's request becomes.
///
/// # Errors
/// 400 for models that are not known, token arrays and too many texts.
pub fn write(model: &str, request: &Object) -> Result<Vec<Object>, ApiError> {
    let family =
        family(model).ok_or_else(|| refuse(format!("{model:?} is no embedding model of bedrock")))?;
    let texts = texts(request.get("input"))?;
    let bodies = match family {
        Family::Cohere => texts.chunks(COHERE_TEXTS).map(|texts| cohere(texts, request)).collect(),
        Family::Nova => texts.iter().map(|text| nova(text, request)).collect(),
        _ => texts.iter().map(|text| titan(family, text, request)).collect(),
    };
    Ok(bodies)
}

fn texts(input: Option<&Value>) -> Result<Vec<&str>, ApiError> {
    let none = || refuse("bedrock embeds text: input must be a string or a list of strings");
    let texts = match input {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(items)) => {
            items.iter().map(Value::as_str).collect::<Option<Vec<_>>>().ok_or_else(none)?
        }
        _ => return Err(none()),
    };
    if texts.is_empty() || texts.len() > MOST_TEXTS {
        return Err(refuse(format!("input must hold 1 to {MOST_TEXTS} texts")));
    }
    Ok(texts)
}

fn titan(family: Family, text: &str, request: &Object) -> Object {
    let mut body = extras(request);
    body.insert("inputText".to_owned(), json!(text));
    let Some(dimensions) = request.get("dimensions").filter(|d| !d.is_null()) else { return body };
    match family {
        Family::TitanV2 => body.insert("dimensions".to_owned(), dimensions.clone()),
        Family::TitanImage => {
            body.insert("embeddingConfig".to_owned(), json!({ "outputEmbeddingLength": dimensions }))
        }
        Family::TitanV1 | Family::Nova | Family::Cohere => None, // one size only
    };
    body
}

/// Nova must be told what for; LiteLLM's word where the client says none.
fn nova(text: &str, request: &Object) -> Object {
    let mut params = Map::new();
    params.insert("embeddingPurpose".to_owned(), json!("GENERIC_INDEX"));
    params.insert("text".to_owned(), json!({ "truncationMode": "END", "value": text }));
    if let Some(dimensions) = request.get("dimensions").filter(|d| !d.is_null()) {
        params.insert("embeddingDimension".to_owned(), dimensions.clone());
    }
    params.extend(extras(request));
    let mut body = Map::new();
    body.insert("taskType".to_owned(), json!("SINGLE_EMBEDDING"));
    body.insert("singleEmbeddingParams".to_owned(), Value::Object(params));
    body
}

/// `input_type` is required; LiteLLM sends `search_document` where nobody says.
fn cohere(texts: &[&str], request: &Object) -> Object {
    let mut body = Map::new();
    body.insert("texts".to_owned(), json!(texts));
    body.insert("input_type".to_owned(), json!("search_document"));
    body.append(&mut extras(request));
    if let Some(dimensions) = request.get("dimensions").filter(|d| !d.is_null()) {
        body.insert("output_dimension".to_owned(), dimensions.clone());
    }
    body
}

/// Members that are the model's own (`normalize`, `truncate`, `input_type`, …).
fn extras(request: &Object) -> Object {
    const OPENAIS: &[&str] = &["input", "model", "dimensions", "encoding_format", "user", "metadata"];
    let own = request.iter().filter(|(name, value)| !OPENAIS.contains(&name.as_str()) && !value.is_null());
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn refuse(why: impl Into<String>) -> ApiError {
    ApiError::new(Kind::BadRequest, why)
}

// --- answers ---

/// Titan's, and Nova's `embeddings`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Single {
    embedding: Option<Vec<f64>>,
    /// By its type, where the client asked for another than `float`.
    embeddings_by_type: Option<BTreeMap<String, Vec<f64>>>,
    embeddings: Option<Vec<Typed>>,
    input_text_token_count: Option<u64>,
}

#[derive(Deserialize)]
struct Typed {
    embedding: Vec<f64>,
}

#[derive(Deserialize)]
struct Cohere {
    embeddings: Vectors,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Vectors {
    Plain(Vec<Vec<f64>>),
    ByType(BTreeMap<String, Vec<Vec<f64>>>),
}

/// OpenAI's answer out of Bedrock's answers. `base64`: the client's `encoding_format`.
///
/// # Errors
/// An answer is not what its family says; the text is for the log.
pub fn read(model: &str, parts: &[Part<'_>], base64: bool) -> Result<Object, String> {
    let (mut data, mut tokens) = (Vec::new(), 0_u64);
    for part in parts {
        let (vectors, counted) = vectors(model, part)?;
        tokens = tokens.saturating_add(counted);
        for vector in vectors {
            data.push(
                json!({ "object": "embedding", "index": data.len(), "embedding": shown(&vector, base64) }),
            );
        }
    }
    let mut answer = Map::new();
    answer.insert("object".to_owned(), json!("list"));
    answer.insert("data".to_owned(), Value::Array(data));
    answer.insert("model".to_owned(), json!(model));
    answer.insert("usage".to_owned(), json!({ "prompt_tokens": tokens, "total_tokens": tokens }));
    Ok(answer)
}

fn vectors(model: &str, part: &Part<'_>) -> Result<(Vec<Vec<f64>>, u64), String> {
    let bad = |e: serde_json::Error| e.to_string();
    if family(model) == Some(Family::Cohere) {
        let read: Cohere = serde_json::from_slice(part.body).map_err(bad)?;
        let vectors = match read.embeddings {
            Vectors::Plain(vectors) => vectors,
            Vectors::ByType(by_type) => wanted(by_type).ok_or("an answer without embeddings")?,
        };
        return Ok((vectors, part.tokens.unwrap_or(0)));
    }
    let read: Single = serde_json::from_slice(part.body).map_err(bad)?;
    let tokens = read.input_text_token_count.or(part.tokens).unwrap_or(0);
    if let Some(typed) = read.embeddings {
        return Ok((typed.into_iter().map(|one| one.embedding).collect(), tokens));
    }
    let by_type = || read.embeddings_by_type.and_then(wanted);
    let vector = read.embedding.or_else(by_type).ok_or("an answer without an embedding")?;
    Ok((vec![vector], tokens))
}

/// Floats where they are given, else the type that was asked for.
fn wanted<T>(mut by_type: BTreeMap<String, T>) -> Option<T> {
    by_type.remove("float").or_else(|| by_type.into_values().next())
}

/// OpenAI's base64 is of 32-bit floats, little-endian.
fn shown(vector: &[f64], base64: bool) -> Value {
    if !base64 {
        return json!(vector);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the format has 32 bits")]
    let bytes: Vec<u8> = vector.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect();
    json!(STANDARD.encode(bytes))
}
