//! A client's request: refused with a reason, or understood and told to every provider.

use crate::{crossed, framing};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use weir_core::body::JsonBody;
use weir_core::chat::Request;
use weir_core::error::ApiError;
use weir_plugins::dialects::anthropic_messages::AnthropicMessages;
use weir_plugins::dialects::bedrock_converse::BedrockConverse;
use weir_plugins::dialects::bedrock_invoke::BedrockInvoke;
use weir_plugins::dialects::cohere::CohereChat;
use weir_plugins::dialects::gemini::{Gemini, read_count_request};
use weir_plugins::dialects::ollama_chat::{OllamaChat, OllamaGenerate};
use weir_plugins::dialects::openai_chat::OpenAiChat;
use weir_plugins::dialects::openai_responses::{self, OpenAiResponses};
use weir_plugins::dialects::{Asked, ClientDialect, Params, UpstreamDialect};

/// Names that change what is written.
static MODELS: &[&str] = &[
    "gpt-4o",
    "o3-mini",
    "gpt-5.1",
    "claude-opus-4-5",
    "claude-3-haiku-20240307",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "amazon.nova-pro-v1:0",
    "gemini-2.5-flash",
    "gemini-3-pro",
    "qwen3",
    "gpt-oss:20b",
    "",
];

pub fn check(client: &dyn ClientDialect, bytes: &[u8]) {
    let Ok(body) = JsonBody::parse(Bytes::copy_from_slice(bytes)) else { return };
    understood(client.read_request(&body, &headers()), bytes);
}

pub fn gemini(bytes: &[u8]) {
    check(&Gemini, bytes);
    let Ok(body) = JsonBody::parse(Bytes::copy_from_slice(bytes)) else { return };
    understood(read_count_request(&body), bytes);
}

/// With what a response keeps of its request, and how the next one continues it.
pub fn responses(bytes: &[u8]) {
    check(&OpenAiResponses, bytes);
    let Ok(body) = JsonBody::parse(Bytes::copy_from_slice(bytes)) else { return };
    openai_responses::state(&body).err().iter().for_each(refusal);
    let Ok(mut request) = OpenAiResponses.read_request(&body, &headers()) else { return };
    match openai_responses::input_items(&body).and_then(openai_responses::messages) {
        Ok(history) => {
            openai_responses::prepend(&mut request, history, &body);
            understood(Ok(request), bytes);
        }
        Err(error) => refusal(&error),
    }
}

fn understood(request: Result<Request, ApiError>, bytes: &[u8]) {
    match request {
        Ok(request) => written(&request, MODELS[framing::cut(bytes) % MODELS.len()]),
        Err(error) => refusal(&error),
    }
}

/// The client's fault, in words that every dialect can carry.
fn refusal(error: &ApiError) {
    assert!((400..500).contains(&error.status()), "{error:?}");
    crossed::errors(error);
}

fn written(request: &Request, model: &str) {
    let invoke = BedrockInvoke::new(Box::new(AnthropicMessages));
    let upstreams: [&dyn UpstreamDialect; 9] = [
        &OpenAiChat,
        &OpenAiResponses,
        &AnthropicMessages,
        &BedrockConverse,
        &invoke,
        &OllamaChat,
        &OllamaGenerate,
        &Gemini,
        &CohereChat,
    ];
    let strict = Params { provider: "p".into(), ..Params::default() };
    let lax = Params { drop: true, modify: true, ..strict.clone() };
    let headers = headers();
    for upstream in upstreams {
        for params in [&strict, &lax] {
            let asked = Asked { model, provider: "p", params, headers: &headers };
            match upstream.write_request(request.clone(), &asked) {
                Ok(wire) => json(&wire.body.to_vec().unwrap_or_else(|e| panic!("{e}"))),
                Err(error) => refusal(&error),
            }
        }
    }
}

/// Whatever is sent is JSON.
fn json(body: &[u8]) {
    serde_json::from_slice::<&serde_json::value::RawValue>(body).unwrap_or_else(|e| panic!("{e}"));
}

fn headers() -> HeaderMap {
    let beta = HeaderValue::from_static("context-1m-2025-08-07,interleaved-thinking-2025-05-14");
    HeaderMap::from_iter([(http::HeaderName::from_static("anthropic-beta"), beta)])
}
