//! Embeddings: OpenAI's request and answer to and from `:embedContent`, `:batchEmbedContents` and Vertex's `:predict`.
//! Sources: OpenAI API reference, Gemini API reference, Vertex AI text embeddings API.

use super::usage::UsageMetadata;
use crate::dialects::TranslateError;
use base64::Engine;
use serde::Deserialize;
use serde_json::{Number, Value, json};
use weir_core::chat::Object;
use weir_core::domain::usage::Usage;
use weir_core::error::{ApiError, Kind};

/// An answer in OpenAI's form.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    pub body: Value,
    /// `None`: Google did not say, as the Gemini API mostly does not.
    pub usage: Option<Usage>,
}

/// OpenAI's request, with the members that LiteLLM's clients add for Google.
#[derive(Debug, Deserialize)]
struct OpenAi {
    input: Value,
    #[serde(default)]
    dimensions: Option<u64>,
    #[serde(default, alias = "taskType", alias = "input_type")]
    task_type: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default, rename = "auto_truncate", alias = "autoTruncate")]
    auto_truncate: Option<bool>,
}

/// Texts that Google's servers take at once are far fewer; this bounds what we build.
const MAX_TEXTS: usize = 2_048;

// --- requests to Google ---

/// `:batchEmbedContents` of the Gemini API, for one text and for many.
///
/// # Errors
/// 400: the input is no text; Google takes no token arrays.
pub fn write_batch(body: &[u8], model: &str) -> Result<Value, ApiError> {
    let request = openai(body)?;
    let model = format!("models/{}", model.trim_start_matches("models/"));
    let one = |text: &String| {
        let mut out = json!({ "model": model, "content": { "parts": [{ "text": text }] } });
        put(&mut out, "outputDimensionality", request.dimensions.map(Value::from));
        put(&mut out, "taskType", request.task_type.clone().map(Value::from));
        put(&mut out, "title", request.title.clone().map(Value::from));
        out
    };
    let requests: Vec<Value> = texts(&request.input)?.iter().map(one).collect();
    Ok(json!({ "requests": requests }))
}

/// Vertex's `:predict`.
///
/// # Errors
/// 400: the input is no text.
pub fn write_predict(body: &[u8]) -> Result<Value, ApiError> {
    let request = openai(body)?;
    let one = |text: &String| {
        let mut out = json!({ "content": text });
        put(&mut out, "task_type", request.task_type.clone().map(Value::from));
        put(&mut out, "title", request.title.clone().map(Value::from));
        out
    };
    let instances: Vec<Value> = texts(&request.input)?.iter().map(one).collect();
    let mut out = json!({ "instances": instances });
    let mut parameters = json!({});
    put(&mut parameters, "outputDimensionality", request.dimensions.map(Value::from));
    put(&mut parameters, "autoTruncate", request.auto_truncate.map(Value::from));
    put(&mut out, "parameters", Some(parameters).filter(|p| *p != json!({})));
    Ok(out)
}

fn openai(body: &[u8]) -> Result<OpenAi, ApiError> {
    serde_json::from_slice(body).map_err(|e| ApiError::new(Kind::BadRequest, format!("invalid request: {e}")))
}

fn texts(input: &Value) -> Result<Vec<String>, ApiError> {
    let bad = |why: &str| ApiError::new(Kind::BadRequest, why).with_param("input");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let all: Option<Vec<String>> = match input {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) if many.len() > MAX_TEXTS => return Err(bad("too many inputs")),
        Value::Array(many) => many.iter().map(text).collect(),
        _ => None,
    };
    let all = all.ok_or_else(|| bad("input must be text: this provider takes no token arrays"))?;
    if all.is_empty() { Err(bad("input must not be empty")) } else { Ok(all) }
}

fn put(out: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (out.as_object_mut(), value) {
        object.insert(name.into(), value);
    }
}

// --- answers from Google ---

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    #[serde(default)]
    embeddings: Vec<Vector>,
    #[serde(default)]
    embedding: Option<Vector>,
    #[serde(default)]
    usage_metadata: Option<UsageMetadata>,
}

#[derive(Debug, Deserialize)]
struct Vector {
    values: Vec<Number>,
    #[serde(default)]
    statistics: Statistics,
}

#[derive(Debug, Default, Deserialize)]
struct Statistics {
    #[serde(default, deserialize_with = "crate::dialects::counts::count")]
    token_count: u64,
}

#[derive(Debug, Deserialize)]
struct Predicted {
    predictions: Vec<Prediction>,
}

#[derive(Debug, Deserialize)]
struct Prediction {
    embeddings: Vector,
}

/// The answer of `:embedContent` or `:batchEmbedContents`. `base64`: OpenAI's `encoding_format`.
pub fn read_batch(body: &[u8], model: &str, base64: bool) -> Result<Embedded, TranslateError> {
    let batch: Batch = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    let usage = batch.usage_metadata.map(|u| u.usage());
    let vectors: Vec<Vector> = batch.embeddings.into_iter().chain(batch.embedding).collect();
    embedded(&vectors, model, base64, usage)
}

/// The answer of Vertex's `:predict`, which counts tokens for each text.
pub fn read_predict(body: &[u8], model: &str, base64: bool) -> Result<Embedded, TranslateError> {
    let predicted: Predicted = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    let vectors: Vec<Vector> = predicted.predictions.into_iter().map(|p| p.embeddings).collect();
    let input = vectors.iter().fold(0, |sum: u64, v| sum.saturating_add(v.statistics.token_count));
    embedded(&vectors, model, base64, Some(Usage { input, ..Usage::default() }))
}

fn embedded(
    vectors: &[Vector],
    model: &str,
    base64: bool,
    usage: Option<Usage>,
) -> Result<Embedded, TranslateError> {
    if vectors.is_empty() {
        return Err(TranslateError::malformed("no embeddings"));
    }
    let encode = |vector: &Vector| if base64 { packed(&vector.values) } else { json!(vector.values) };
    let data: Vec<Value> = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| json!({ "object": "embedding", "index": index, "embedding": encode(vector) }))
        .collect();
    let tokens = usage.map_or(0, |u| u.input);
    let body = json!({
        "object": "list",
        "data": data,
        "model": model,
        "usage": { "prompt_tokens": tokens, "total_tokens": tokens },
    });
    Ok(Embedded { body, usage })
}

/// Little-endian 32-bit floats, as OpenAI packs them.
fn packed(values: &[Number]) -> Value {
    let bytes: Vec<u8> =
        values.iter().flat_map(|n| (n.as_f64().unwrap_or_default() as f32).to_le_bytes()).collect();
    base64::engine::general_purpose::STANDARD.encode(bytes).into()
}

// --- clients that speak Google's ---

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EmbedContent {
    content: super::wire::Content,
    #[serde(alias = "output_dimensionality")]
    output_dimensionality: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct BatchEmbedContents {
    requests: Vec<EmbedContent>,
}

/// `:embedContent` or `:batchEmbedContents` as OpenAI's request, and whether it was a batch.
///
/// # Errors
/// 400: neither of the two.
pub fn write_openai_request(body: &[u8], model: &str) -> Result<(Value, bool), ApiError> {
    let bad =
        |e: serde_json::Error| ApiError::new(Kind::BadRequest, format!("Invalid JSON payload received. {e}"));
    let object: Object = serde_json::from_slice(body).map_err(bad)?;
    let batch = object.contains_key("requests");
    let value = Value::Object(object);
    let requests = if batch {
        serde_json::from_value::<BatchEmbedContents>(value).map_err(bad)?.requests
    } else {
        vec![serde_json::from_value::<EmbedContent>(value).map_err(bad)?]
    };
    let input: Vec<String> = requests.iter().map(said).collect();
    let mut out = json!({ "model": model, "input": input });
    let dimensions = requests.first().and_then(|r| r.output_dimensionality);
    put(&mut out, "dimensions", dimensions.map(Value::from));
    Ok((out, batch))
}

fn said(request: &EmbedContent) -> String {
    let texts: Vec<&str> = request.content.parts.iter().filter_map(|p| p.text.as_deref()).collect();
    texts.join("\n")
}

/// OpenAI's answer (with numbers, not base64) as Google's.
pub fn write_embed_answer(body: &[u8], batch: bool) -> Result<Value, TranslateError> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        embedding: Vec<Number>,
    }
    let list: List = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    let mut all = list.data.into_iter().map(|one| json!({ "values": one.embedding }));
    if batch {
        return Ok(json!({ "embeddings": all.collect::<Vec<_>>() }));
    }
    let first = all.next().ok_or_else(|| TranslateError::malformed("no embeddings"))?;
    Ok(json!({ "embedding": first }))
}
