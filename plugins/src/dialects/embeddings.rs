//! OpenAI's embeddings, the shape clients speak: what they ask, and the list they get. Providers with a format of their
//! own translate to and from these two.

use super::cohere::{self, Vendor};
use super::{TranslateError, bedrock_invoke, gemini, ollama_chat};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use weir_core::chat::Object;
use weir_core::domain::usage::Usage;
use weir_core::error::{ApiError, Kind};

/// Who has embeddings of its own format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Embeddings {
    Ollama,
    Vendor(Vendor),
    Gemini,
    /// Google's models on Vertex AI.
    Vertex,
    Bedrock,
}

/// What a client asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbeddingAsk {
    /// Texts, or images as `data:` URLs.
    pub input: Vec<String>,
    pub dimensions: Option<u64>,
    /// `float`, `base64`, or a provider's own word.
    pub encoding: Option<String>,
    /// Everything else, as written.
    pub extra: Object,
}

/// What the client gets, and what it cost.
#[derive(Debug)]
pub struct EmbeddingAnswer {
    pub body: Vec<u8>,
    /// `None`: the provider did not say.
    pub usage: Option<Usage>,
}

/// One vector as the provider wrote it: numbers are not read, so that no digit changes.
pub(super) type Vector = Box<RawValue>;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Item>,
    model: &'a str,
    usage: Tokens,
}

#[derive(Serialize)]
struct Item {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

#[derive(Serialize)]
struct Tokens {
    prompt_tokens: u64,
    total_tokens: u64,
}

// --- Embeddings ---

impl Embeddings {
    /// The provider's requests for OpenAI's: mostly one, or one after another where it takes one text at a time.
    ///
    /// # Errors
    /// 400 for what the provider cannot take: token arrays, too many texts.
    pub fn write(self, body: &[u8], model: &str) -> Result<Vec<Object>, ApiError> {
        let object: Object = serde_json::from_slice(body).map_err(|_| bad("the body must be an object"))?;
        let only = match self {
            Embeddings::Ollama => ollama_chat::write_embeddings(EmbeddingAsk::read(object)?, model),
            Embeddings::Vendor(vendor) => {
                cohere::write_embeddings(vendor, EmbeddingAsk::read(object)?, model)
            }
            Embeddings::Gemini => object_of(gemini::write_batch(body, model)?)?,
            Embeddings::Vertex => object_of(gemini::write_predict(body)?)?,
            Embeddings::Bedrock => return bedrock_invoke::embeddings::write(model, &object),
        };
        Ok(vec![only])
    }

    /// OpenAI's answer for the provider's. `model` is what the client shall read, `counted` the tokens of all requests
    /// where only the answers' heads tell them.
    ///
    /// # Errors
    /// The answer is not what the provider's API says.
    pub fn read(
        self,
        body: &[u8],
        model: &str,
        base64: bool,
        counted: Option<u64>,
    ) -> Result<EmbeddingAnswer, TranslateError> {
        match self {
            Embeddings::Ollama => ollama_chat::read_embeddings(body, model, base64),
            Embeddings::Vendor(vendor) => cohere::read_embeddings(vendor, body, model, base64),
            Embeddings::Gemini => gemini::read_batch(body, model, base64).map(google),
            Embeddings::Vertex => gemini::read_predict(body, model, base64).map(google),
            Embeddings::Bedrock => bedrock(body, model, base64, counted),
        }
    }
}

fn one(body: &[u8]) -> serde_json::Result<Vec<&RawValue>> {
    serde_json::from_slice(body).map(|only| vec![only])
}

fn object_of(value: Value) -> Result<Object, ApiError> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(bad("the body must be an object")),
    }
}

fn google(read: gemini::Embedded) -> EmbeddingAnswer {
    EmbeddingAnswer { body: read.body.to_string().into_bytes(), usage: read.usage }
}

fn bedrock(
    body: &[u8],
    model: &str,
    base64: bool,
    counted: Option<u64>,
) -> Result<EmbeddingAnswer, TranslateError> {
    let several = body.first() == Some(&b'[');
    let bodies: Vec<&RawValue> =
        if several { serde_json::from_slice(body) } else { one(body) }.map_err(TranslateError::malformed)?;
    // The sum stands with the first.
    let tokens = std::iter::once(counted).chain(std::iter::repeat(None));
    let bodies = bodies.into_iter().map(|body| body.get().as_bytes()).zip(tokens);
    let parts: Vec<_> =
        bodies.map(|(body, tokens)| bedrock_invoke::embeddings::Part { body, tokens }).collect();
    let read = bedrock_invoke::embeddings::read(model, &parts, base64).map_err(TranslateError::Malformed)?;
    let tokens = read.get("usage").and_then(|usage| usage.get("prompt_tokens")).and_then(Value::as_u64);
    let usage = tokens.filter(|n| *n > 0).map(|input| Usage { input, ..Usage::default() });
    Ok(EmbeddingAnswer { body: Value::Object(read).to_string().into_bytes(), usage })
}

/// The answers of several requests in one body, for [`Embeddings::read`].
pub fn joined(mut answers: Vec<Bytes>) -> Bytes {
    if answers.len() == 1 {
        return answers.swap_remove(0);
    }
    Bytes::from([b"[", &*answers.join(&b","[..]), b"]"].concat())
}

// --- EmbeddingAsk ---

impl EmbeddingAsk {
    /// Reads the body of a request. `model` and `user` are left out: the caller names the model.
    ///
    /// # Errors
    /// 400 for anything but texts; token arrays can only be read by the tokenizer's owner.
    pub fn read(mut object: Object) -> Result<Self, ApiError> {
        object.retain(|name, value| !value.is_null() && name != "model" && name != "user");
        let input = texts(object.shift_remove("input"))?;
        let dimensions = match object.shift_remove("dimensions") {
            None => None,
            Some(value) => Some(value.as_u64().ok_or_else(|| bad("'dimensions' must be a whole number"))?),
        };
        let encoding = match object.shift_remove("encoding_format") {
            None => None,
            Some(Value::String(word)) => Some(word),
            Some(_) => return Err(bad("'encoding_format' must be a string")),
        };
        Ok(Self { input, dimensions, encoding, extra: object })
    }

    /// Whether the client wants little-endian 32-bit floats as base64.
    pub fn base64(&self) -> bool {
        self.encoding.as_deref() == Some("base64")
    }
}

fn texts(input: Option<Value>) -> Result<Vec<String>, ApiError> {
    let items = match input {
        Some(Value::String(text)) => return Ok(vec![text]),
        Some(Value::Array(items)) if !items.is_empty() => items,
        _ => return Err(bad("'input' must be a text or a list of texts")),
    };
    let text = |item| match item {
        Value::String(text) => Ok(text),
        _ => Err(bad("this model takes texts as 'input', not tokens")),
    };
    items.into_iter().map(text).collect()
}

pub(super) fn bad(message: &str) -> ApiError {
    ApiError::new(Kind::BadRequest, message)
}

/// The list for the client. Vectors that come as numbers become base64 if that was asked.
pub(super) fn list(
    model: &str,
    vectors: Vec<Vector>,
    input_tokens: Option<u64>,
    base64: bool,
) -> Result<EmbeddingAnswer, TranslateError> {
    let item = |(index, vector)| {
        let embedding = if base64 { packed(vector)? } else { vector };
        Ok(Item { object: "embedding", index, embedding })
    };
    let data = vectors.into_iter().enumerate().map(item).collect::<Result<_, TranslateError>>()?;
    let tokens = input_tokens.unwrap_or_default();
    let usage = Tokens { prompt_tokens: tokens, total_tokens: tokens };
    let body = serde_json::to_vec(&List { object: "list", data, model, usage });
    let body = body.map_err(TranslateError::malformed)?;
    Ok(EmbeddingAnswer { body, usage: input_tokens.map(|input| Usage { input, ..Usage::default() }) })
}

fn packed(vector: Vector) -> Result<Vector, TranslateError> {
    if !vector.get().starts_with('[') {
        return Ok(vector);
    }
    let numbers: Vec<f32> = serde_json::from_str(vector.get()).map_err(TranslateError::malformed)?;
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
    let text = Value::from(STANDARD.encode(bytes)).to_string();
    RawValue::from_string(text).map_err(TranslateError::malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(value: Value) -> Result<EmbeddingAsk, ApiError> {
        EmbeddingAsk::read(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn texts_are_read_and_tokens_are_refused() {
        let one = ask(json!({"model": "m", "input": "a", "dimensions": 3, "x": 1, "y": null})).unwrap();
        assert_eq!((one.input, one.dimensions), (vec!["a".to_owned()], Some(3)));
        assert_eq!(Value::Object(one.extra), json!({"x": 1}));
        assert!(ask(json!({"input": ["a"], "encoding_format": "base64"})).unwrap().base64());
        for refused in [
            json!({}),
            json!({"input": []}),
            json!({"input": [1, 2]}),
            json!({"input": [[1]]}),
            json!({"input": "a", "dimensions": "3"}),
            json!({"input": "a", "encoding_format": 3}),
        ] {
            assert!(ask(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn digits_are_kept_and_base64_is_made_only_where_it_is_asked() {
        let vector = || vec![RawValue::from_string("[0.1,0.2,-0.30]".into()).unwrap()];
        let plain = list("m", vector(), Some(8), false).unwrap();
        assert!(String::from_utf8_lossy(&plain.body).contains("[0.1,0.2,-0.30]"));
        assert_eq!(plain.usage.map(|u| u.input), Some(8));
        let packed = list("m", vector(), None, true).unwrap();
        assert!(String::from_utf8_lossy(&packed.body).contains(r#""zczMPc3MTD6amZm+""#));
        assert_eq!(packed.usage, None);
        let text = vec![RawValue::from_string("[\"x\"]".into()).unwrap()];
        assert!(list("m", text, None, true).is_err());
    }
}
