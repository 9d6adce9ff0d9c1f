//! Ollama's own API: `/api/chat`, `/api/generate` and `/api/embed`. Source: Ollama's API documentation; LiteLLM's rules
//! for its prefixes `ollama_chat/` and `ollama/`.
//!
//! Requests: `options.rs` is what both calls share, `message.rs` the messages of a chat, `prompt.rs` the one text that
//! `/api/generate` takes. Answers: `wire.rs` is a line; `stream.rs` turns lines into events, with `think.rs` for thoughts
//! in tags and `call.rs` for calls that a model writes as text; a whole answer is a stream of one line.

mod call;
mod embed;
mod message;
mod options;
mod prompt;
mod stream;
mod think;
mod wire;

pub use embed::{read_embeddings, write_embeddings};

use super::openai_chat;
use super::settle::settle;
use super::{Asked, EventReader, TranslateError, UpstreamDialect, WireRequest};
use serde_json::Value;
use stream::Reader;
use weir_core::chat::{Answer, Object, ProviderFault, Request, ToolChoice};
use weir_core::codec::Framing;
use weir_core::error::ApiError;

/// `/api/chat`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OllamaChat;

/// `/api/generate`: one prompt, made of all messages. Tools are described in the prompt; an answer that is nothing but
/// a call in the form that was asked for becomes one.
#[derive(Clone, Copy, Debug, Default)]
pub struct OllamaGenerate;

/// OpenAI's parameters that LiteLLM passes to either call. `tool_choice` and `user` are taken and left out: Ollama has no
/// such thing.
static SUPPORTED: &[&str] = &[
    "max_tokens",
    "temperature",
    "top_p",
    "seed",
    "stop",
    "frequency_penalty",
    "response_format",
    "reasoning_effort",
    "tools",
    "tool_choice",
    "user",
];

/// What can be said to a model, by OpenAI's names.
pub fn supported_params(_model: &str) -> Vec<&'static str> {
    super::told(SUPPORTED)
}

impl UpstreamDialect for OllamaChat {
    fn framing(&self) -> Framing {
        Framing::Ndjson
    }

    fn write_request(&self, request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
        let mut request = prepared(request, asked)?;
        let tools = options::tools(&request, asked)?;
        let messages = message::messages(&mut request)?;
        let mut body = Object::new();
        body.insert("model".into(), asked.model.into());
        body.insert("messages".into(), messages.into());
        if !tools.is_empty() {
            body.insert("tools".into(), tools.into());
        }
        options::finish(&mut body, request, asked.model, options::CHAT);
        Ok(WireRequest { body: body.into(), headers: Vec::new() })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, TranslateError> {
        Reader::chat().whole(body)
    }

    fn reader(&self) -> Box<dyn EventReader> {
        Box::new(Reader::chat())
    }

    fn read_error(&self, status: u16, body: &[u8]) -> ProviderFault {
        read_error(status, body)
    }
}

impl UpstreamDialect for OllamaGenerate {
    fn framing(&self) -> Framing {
        Framing::Ndjson
    }

    fn write_request(&self, request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
        let mut request = prepared(request, asked)?;
        let tools = options::tools(&request, asked)?;
        let asks_calls = !tools.is_empty();
        let (prompt, images) = prompt::prompt(&mut request, &tools)?;
        let mut body = Object::new();
        body.insert("model".into(), asked.model.into());
        body.insert("prompt".into(), prompt.into());
        body.insert("images".into(), images.into());
        if asks_calls {
            body.insert("format".into(), "json".into());
        }
        options::finish(&mut body, request, asked.model, options::GENERATE);
        Ok(WireRequest { body: body.into(), headers: Vec::new() })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, TranslateError> {
        Reader::generate().whole(body)
    }

    fn reader(&self) -> Box<dyn EventReader> {
        Box::new(Reader::generate())
    }

    fn read_error(&self, status: u16, body: &[u8]) -> ProviderFault {
        read_error(status, body)
    }
}

fn prepared(mut request: Request, asked: &Asked<'_>) -> Result<Request, ApiError> {
    settle(&mut request, asked.params, SUPPORTED)?;
    // Ollama cannot be told to call nothing; it can be told of no tools.
    if request.tool_choice == Some(ToolChoice::None) {
        request.tools.clear();
    }
    Ok(request)
}

fn read_error(status: u16, body: &[u8]) -> ProviderFault {
    let error = openai_chat::read_error(body);
    ProviderFault { status, message: error.message, kind: error.error_type, code: error.code }
}

/// The fault behind an `error` member.
fn fault(error: &Value) -> ProviderFault {
    let member = |name: &str| error.get(name).and_then(Value::as_str);
    let message =
        error.as_str().or_else(|| member("message")).map_or_else(|| error.to_string(), str::to_owned);
    ProviderFault {
        status: 0,
        message,
        kind: member("type").map(str::to_owned),
        code: member("code").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
