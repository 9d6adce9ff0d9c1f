//! What a raw request asks for: the model it names, and the dialect in which its answer tells usage.

use super::Family;
use crate::dialects::bedrock_converse::Model;
use http::Method;
use percent_encoding::percent_decode_str;
use std::ops::Range;
use weir_core::body::{Form, JsonBody};
use weir_core::chat::Dialect;
use weir_core::domain::operation::{OPERATIONS, Operation};

/// As far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meant {
    pub model: Option<Named>,
    /// The operation of ours that is asked for in the same way; prices and counts go by it.
    pub like: Option<Operation>,
    /// `None`: nothing is known of the answer.
    pub dialect: Option<Dialect>,
    pub stream: bool,
}

/// A model by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub stands: Stands,
}

/// Where the name stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    /// In the path below the prefix, percent-encoded.
    Path(Range<usize>),
    Body,
    Form,
}

/// A request as far as it was read.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    pub method: &'a Method,
    /// Guarded, below the prefix.
    pub path: &'a str,
    /// Empty where the body is no JSON object.
    pub body: &'a JsonBody,
    pub form: Option<&'a Form>,
}

impl Meant {
    /// Of a provider's own API.
    pub fn of(family: Family, seen: Seen<'_>) -> Self {
        let model = match in_path(family, seen.path) {
            Some(range) => {
                Some(Named { name: decoded(&seen.path[range.clone()]), stands: Stands::Path(range) })
            }
            None if hides(family, seen.path) => None,
            None => in_body(&seen),
        };
        let model = model.filter(|named| !named.name.is_empty());
        let spoken =
            (seen.method == Method::POST).then(|| spoken(family, seen.path, model.as_ref())).flatten();
        let stream = seen.body.is_true("stream") || seen.path.to_ascii_lowercase().contains("stream");
        Self { model, like: spoken.map(|(like, _)| like), dialect: spoken.and_then(|(_, d)| d), stream }
    }

    /// Of a configured endpoint, about which nobody knows anything but what the body says.
    pub fn unknown(seen: Seen<'_>) -> Self {
        Self { model: in_body(&seen), stream: seen.body.is_true("stream"), ..Self::default() }
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

// --- the model ---

fn in_body(seen: &Seen<'_>) -> Option<Named> {
    if let Some(form) = seen.form {
        let (_, model) = form.texts().find(|(name, _)| *name == "model")?;
        return Some(Named { name: model.to_owned(), stands: Stands::Form });
    }
    let name = seen.body.string("model")?;
    Some(Named { name: name.strip_prefix("models/").unwrap_or(&name).to_owned(), stands: Stands::Body })
}

/// Letter case is ignored, as some providers do: no spelling may hide a model.
fn in_path(family: Family, path: &str) -> Option<Range<usize>> {
    let lower = path.to_ascii_lowercase();
    let after = |marker: &str| lower.find(marker).map(|at| at + marker.len());
    match family {
        Family::OpenAi | Family::Anthropic | Family::Cohere => None,
        Family::Azure => {
            let start = after("/deployments/")?;
            let length = path[start..].find('/').unwrap_or(path.len() - start);
            Some(start..start + length)
        }
        Family::Bedrock => {
            let start = after("/model/").filter(|start| *start == "/model/".len())?;
            let end = path.rfind('/').filter(|end| *end > start)?;
            Some(start..end)
        }
        Family::Gemini | Family::Vertex => {
            let start = after("/models/").or_else(|| lower.find("/tunedmodels/").map(|at| at + 1))?;
            let end = path[start..].rfind(':').map_or(path.len(), |at| start + at);
            Some(start..end)
        }
    }
}

/// Whether the model is to be named in the path, so that the body's word does not count.
fn hides(family: Family, path: &str) -> bool {
    let whole = decoded(path).to_ascii_lowercase();
    match family {
        Family::OpenAi | Family::Anthropic | Family::Cohere => false,
        Family::Azure => whole.contains("deployments"),
        Family::Bedrock => true,
        Family::Gemini | Family::Vertex => whole.contains(':'),
    }
}

// --- how it speaks ---

type Spoken = (Operation, Option<Dialect>);

/// What follows the colon in Google's paths.
static METHODS: &[(&str, Operation)] = &[
    ("generateContent", Operation::Generate),
    ("streamGenerateContent", Operation::StreamGenerate),
    ("countTokens", Operation::CountContents),
    ("embedContent", Operation::Embeddings),
    ("batchEmbedContents", Operation::Embeddings),
];

fn spoken(family: Family, path: &str, model: Option<&Named>) -> Option<Spoken> {
    match family {
        Family::OpenAi | Family::Azure => like_openai(path),
        Family::Anthropic => like_anthropic(path),
        Family::Bedrock => like_bedrock(path, &model?.name),
        Family::Gemini | Family::Vertex => like_google(path).or_else(|| like_openai(path)),
        Family::Cohere => like_cohere(path),
    }
}

fn like_openai(path: &str) -> Option<Spoken> {
    let row = OPERATIONS.iter().find(|row| !row.openai_path.is_empty() && path.ends_with(row.openai_path))?;
    let plain = match row.operation {
        Operation::Completions | Operation::Embeddings => Dialect::OpenAiChat,
        _ => Dialect::OpenAiResponses,
    };
    Some((row.operation, Some(row.chat.unwrap_or(plain))))
}

fn like_anthropic(path: &str) -> Option<Spoken> {
    if path.ends_with("/messages/count_tokens") {
        return Some((Operation::CountTokens, None));
    }
    path.ends_with("/messages").then_some((Operation::Messages, Some(Dialect::AnthropicMessages)))
}

/// Only Claude's own format is known behind InvokeModel. What streams is text, and tells its tokens in the end.
fn like_bedrock(path: &str, model: &str) -> Option<Spoken> {
    match path.rsplit('/').next()? {
        "converse" | "converse-stream" => Some((Operation::Chat, Some(Dialect::BedrockConverse))),
        "count-tokens" => Some((Operation::CountTokens, None)),
        "invoke" | "invoke-with-response-stream" if Model::of(model).claude_since(3, 0) => {
            Some((Operation::Messages, Some(Dialect::BedrockInvoke)))
        }
        "invoke-with-response-stream" => Some((Operation::Chat, Some(Dialect::BedrockInvoke))),
        _ => None,
    }
}

fn like_google(path: &str) -> Option<Spoken> {
    let (before, method) = path.rsplit_once(':')?;
    if matches!(method, "rawPredict" | "streamRawPredict") {
        let claude = before.contains("/publishers/anthropic/");
        let (like, dialect) = match claude {
            true => (Operation::Messages, Dialect::AnthropicMessages),
            false => (Operation::Chat, Dialect::OpenAiChat),
        };
        return Some((like, Some(dialect)));
    }
    let (_, like) = METHODS.iter().find(|(name, _)| *name == method)?;
    Some((*like, Some(Dialect::Gemini)))
}

fn like_cohere(path: &str) -> Option<Spoken> {
    match path.rsplit('/').next()? {
        "chat" => Some((Operation::Chat, Some(Dialect::CohereChat))),
        "embed" => Some((Operation::Embeddings, Some(Dialect::CohereChat))),
        "rerank" => Some((Operation::Rerank, Some(Dialect::CohereChat))),
        _ => None,
    }
}
