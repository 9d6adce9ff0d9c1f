//! `/utils/transform_request`: what would be sent upstream. Nothing is sent, and no secret is shown: LiteLLM shows the
//! first and last letters of keys, we show none.

use crate::dialects::anthropic_messages::AnthropicMessages;
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::openai_responses::OpenAiResponses;
use crate::dialects::{Asked, ClientDialect, Params, UpstreamDialect, WireRequest};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::{Dialect, Object};
use weir_core::error::{ApiError, Kind};

/// What a client sends.
#[derive(Clone, Debug, Deserialize)]
pub struct TransformRequest {
    /// LiteLLM's name of the call: `completion`, `anthropic_messages`, `responses`, each with or without an `a`.
    pub call_type: String,
    pub request_body: Object,
}

/// Where it would go.
#[derive(Clone, Copy)]
pub struct Destination<'a> {
    /// The whole address.
    pub url: &'a str,
    /// What the deployment's requests carry. Secrets are known by being marked sensitive, or by their names.
    pub headers: &'a HeaderMap,
    pub dialect: &'a dyn UpstreamDialect,
    pub model: &'a str,
    pub provider: &'a str,
    pub params: &'a Params,
}

/// The dialects of call types.
static CALLS: &[(&[&str], Dialect, &dyn ClientDialect)] = &[
    (&["completion", "acompletion"], Dialect::OpenAiChat, &OpenAiChat),
    (&["anthropic_messages", "aanthropic_messages"], Dialect::AnthropicMessages, &AnthropicMessages),
    (&["responses", "aresponses"], Dialect::OpenAiResponses, &OpenAiResponses),
];

/// The dialect that a call type is written in; `None` for one that cannot be shown.
pub fn dialect_of(call_type: &str) -> Option<Dialect> {
    CALLS.iter().find(|(names, ..)| names.contains(&call_type)).map(|(_, dialect, _)| *dialect)
}

/// Headers that hold secrets, whatever put them there.
static SECRET_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-amz-security-token",
    "cookie",
    "ocp-apim-subscription-key",
];

/// Members and query parameters that hold secrets, as parts of their names.
static SECRET_WORDS: &[&str] = &["api_key", "apikey", "secret", "password", "access_token", "session_token"];

const MASK: &str = "****";

/// Members deeper than this are not looked at, and not shown.
const MAX_DEPTH: usize = 64;

/// The answer. What goes wrong is told in its `error`, as LiteLLM does.
pub fn transform_request(request: &TransformRequest, to: &Destination<'_>) -> Value {
    match written(request, to) {
        Ok(wire) => json!({
            "raw_request_api_base": shown_url(to.url),
            "raw_request_body": shown(&wire.body.into(), MAX_DEPTH),
            "raw_request_headers": shown_headers(to.headers, &wire.headers),
            "error": null,
        }),
        Err(error) => json!({
            "raw_request_api_base": null,
            "raw_request_body": null,
            "raw_request_headers": null,
            "error": error.message(),
        }),
    }
}

fn written(request: &TransformRequest, to: &Destination<'_>) -> Result<WireRequest, ApiError> {
    let call = CALLS.iter().find(|(names, ..)| names.contains(&request.call_type.as_str()));
    let Some((.., client)) = call else {
        let message = format!("call_type {:?} cannot be shown", clip(&request.call_type));
        return Err(ApiError::new(Kind::BadRequest, message));
    };
    let text = Value::Object(request.request_body.clone()).to_string();
    let body = JsonBody::parse(Bytes::from(text))
        .map_err(|error| ApiError::new(Kind::BadJson, error.to_string()))?;
    let headers = HeaderMap::new();
    let asked = Asked { model: to.model, provider: to.provider, params: to.params, headers: &headers };
    to.dialect.write_request(client.read_request(&body, &headers)?, &asked)
}

fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(64)]
}

// --- without secrets ---

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    name == "key" || SECRET_WORDS.iter().any(|word| name.contains(word))
}

fn shown(value: &Value, depth: usize) -> Value {
    let Some(deeper) = depth.checked_sub(1) else { return MASK.into() };
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| member(name, value, deeper)).collect(),
        Value::Array(items) => items.iter().map(|item| shown(item, deeper)).collect(),
        other => other.clone(),
    }
}

/// A text under a secret's name. Objects are not: a tool may have a parameter called `password`.
fn member(name: &str, value: &Value, depth: usize) -> (String, Value) {
    let masked = value.is_string() && is_secret(name);
    (name.to_owned(), if masked { MASK.into() } else { shown(value, depth) })
}

fn shown_headers(configured: &HeaderMap, written: &[(HeaderName, HeaderValue)]) -> Value {
    let all = configured.iter().chain(written.iter().map(|(name, value)| (name, value)));
    let told = all.filter(|(name, _)| *name != http::header::HOST && *name != http::header::ACCEPT_ENCODING);
    Value::Object(told.map(|(name, value)| (name.to_string(), header(name, value))).collect::<Map<_, _>>())
}

fn header(name: &HeaderName, value: &HeaderValue) -> Value {
    let named = SECRET_HEADERS.contains(&name.as_str()) || is_secret(name.as_str());
    if value.is_sensitive() || named {
        return MASK.into();
    }
    String::from_utf8_lossy(value.as_bytes()).into_owned().into()
}

/// Neither `user:password@` nor secrets of the query.
fn shown_url(url: &str) -> String {
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let path = match path.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, below) = rest.split_at(end);
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{below}")
        }
        None => path.to_owned(),
    };
    let Some(query) = query else { return path };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}
