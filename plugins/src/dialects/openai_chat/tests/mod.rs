//! Both sides of the dialect over recorded traffic, and rules one by one.

mod answers;
mod goldens;
mod hostile;
mod requests;
mod rules;
mod streams;

use super::OpenAiChat;
use crate::dialects::{Asked, ClientDialect, Params, TranslateError, UpstreamDialect, View};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use serde_json::{Value, json};
use std::path::PathBuf;
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Collector, Event, Events, Object, Request};
use weir_core::codec::{Deframer, Framing, frames};
use weir_core::error::ApiError;

/// One recorded interaction.
pub(super) struct Recording {
    pub id: String,
    pub provider: String,
    pub request: Value,
    pub status: u64,
    pub body: Value,
    pub text: String,
}

/// A file or folder of the shared references.
#[expect(
    clippy::disallowed_methods,
    reason = "where test data lies is the business of whoever runs the tests"
)]
pub(super) fn shared(path: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let found = std::env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from).join(path);
    if found.exists() {
        return Some(found);
    }
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    assert!(!ci, "{path} is needed: set WEIR_SHARED to the folder of shared references");
    println!("SKIPPED: no {path}; set WEIR_SHARED to the folder of shared references");
    None
}

/// Names of providers in recordings that are not their prefixes.
static PREFIXES: &[(&str, &str)] = &[("together", "together_ai"), ("vercel-gateway", "vercel_ai_gateway")];

/// Recordings of this dialect: all of chat but for those providers whose own dialect has the name.
pub(super) fn recordings() -> Vec<Recording> {
    let Some(folder) = shared("recordings/dev") else { return Vec::new() };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "json"));
    files.sort();
    let all: Vec<Recording> = files.iter().filter_map(|f| recording(&std::fs::read(f).unwrap())).collect();
    assert!(all.len() > 60, "only {} recordings", all.len());
    all
}

fn recording(bytes: &[u8]) -> Option<Recording> {
    let file: Value = serde_json::from_slice(bytes).unwrap();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let (provider, operation) = (text(&file["provider"]), text(&file["operation"]));
    let native = ["ollama", "cohere"].contains(&provider.as_str());
    let chat = if native { "chat_compat" } else { "chat" };
    if operation.strip_suffix("_stream").unwrap_or(&operation) != chat {
        return None;
    }
    let prefix = PREFIXES.iter().find(|(name, _)| *name == provider).map_or(provider.as_str(), |(_, p)| p);
    Some(Recording {
        id: text(&file["id"]),
        provider: prefix.to_owned(),
        request: file["request"]["body"].clone(),
        status: file["response"]["status"].as_u64().unwrap_or_default(),
        body: file["response"]["body"].clone(),
        text: text(&file["response"]["body_text"]),
    })
}

pub(super) fn body(value: &Value) -> JsonBody {
    JsonBody::parse(Bytes::from(value.to_string())).unwrap()
}

pub(super) fn read_request(value: &Value) -> Result<Request, ApiError> {
    OpenAiChat.read_request(&body(value), &HeaderMap::new())
}

/// What goes to a provider.
pub(super) fn write_request(
    request: Request,
    provider: &str,
    model: &str,
    params: &Params,
) -> Result<Object, ApiError> {
    let headers = HeaderMap::new();
    let asked = Asked { model, provider, params, headers: &headers };
    OpenAiChat.write_request(request, &asked).map(|wire| wire.body.into_object())
}

/// All events of a stream that comes in these pieces.
pub(super) fn events(pieces: &[&[u8]]) -> Result<Events, TranslateError> {
    let mut deframer = Deframer::new(Framing::Sse, 1 << 20);
    let mut reader = OpenAiChat.reader();
    let mut out = Events::new();
    for piece in pieces {
        let block = deframer.push(Bytes::copy_from_slice(piece))?;
        frames::each(Framing::Sse, &block, |frame| reader.read(frame, &mut out))?;
    }
    let rest = deframer.rest();
    frames::each(Framing::Sse, &rest, |frame| reader.read(frame, &mut out))?;
    reader.end(&mut out)?;
    Ok(out)
}

pub(super) fn collect(events: Events) -> Answer {
    let mut collector = Collector::default();
    events.into_iter().for_each(|event| collector.take(event));
    collector.finish()
}

/// The client's request does not matter to most answers.
pub(super) fn plain_request() -> JsonBody {
    body(&json!({ "model": "m", "messages": [] }))
}

pub(super) fn view(body: &JsonBody, include_usage: bool) -> View<'_> {
    View { model: "asked", id: "0-1", created: 7, include_usage, body }
}

pub(super) fn write_answer(answer: Answer, body: &JsonBody) -> Value {
    serde_json::from_slice(&OpenAiChat.write_answer(answer, &view(body, true))).unwrap()
}

/// Chunks of the client's stream; the last thing it says must be `[DONE]`.
pub(super) fn write_stream(events: Events, body: &JsonBody, include_usage: bool) -> Vec<Value> {
    let mut writer = OpenAiChat.writer(&view(body, include_usage));
    let mut out = BytesMut::new();
    events.into_iter().for_each(|event| writer.write(event, &mut out));
    writer.end(&mut out);
    let text = String::from_utf8(out.to_vec()).unwrap();
    let mut lines: Vec<&str> = text.split("\n\n").filter(|l| !l.is_empty()).collect();
    assert_eq!(lines.pop(), Some("data: [DONE]"));
    lines.into_iter().map(|l| serde_json::from_str(l.strip_prefix("data: ").unwrap()).unwrap()).collect()
}

/// Puts chunks together the way OpenAI's libraries do: strings grow, lists grow by index or end, objects merge.
pub(super) fn assemble(chunks: &[Value]) -> Value {
    let mut message = json!({ "role": "assistant", "content": null });
    let mut finish = Value::Null;
    let mut usage = Value::Null;
    for chunk in chunks {
        assert_eq!(chunk["id"], chunks[0]["id"], "one id for all chunks");
        if let Some(told) = chunk.get("usage") {
            assert_eq!(chunk["choices"], json!([]), "usage comes alone");
            usage = told.clone();
        }
        let Some(choice) = chunk["choices"].get(0).filter(|choice| choice["index"] == 0) else { continue };
        merge(&mut message, &choice["delta"]);
        if !choice["finish_reason"].is_null() {
            assert!(finish.is_null(), "finished twice");
            finish = choice["finish_reason"].clone();
        }
    }
    json!({ "message": message, "finish_reason": finish, "usage": usage })
}

fn merge(into: &mut Value, delta: &Value) {
    for (name, value) in delta.as_object().unwrap() {
        let slot = &mut into[name.as_str()];
        match (slot, value) {
            (_, Value::String(_)) if ["id", "type", "role"].contains(&name.as_str()) => {
                into[name.as_str()] = value.clone()
            }
            (Value::String(text), Value::String(more)) => text.push_str(more),
            (Value::Array(list), Value::Array(more)) => more.iter().for_each(|item| merge_item(list, item)),
            (slot @ Value::Null, Value::Array(more)) => {
                let mut list = Vec::new();
                more.iter().for_each(|item| merge_item(&mut list, item));
                *slot = list.into();
            }
            (slot @ Value::Object(_), Value::Object(_)) => merge(slot, value),
            (slot, value) => *slot = value.clone(),
        }
    }
}

fn merge_item(list: &mut Vec<Value>, item: &Value) {
    let known = item.get("index").and_then(|index| list.iter_mut().find(|i| i.get("index") == Some(index)));
    match known {
        Some(known) => merge(known, item),
        None => list.push(item.clone()),
    }
}

/// Whether a stream reports an error.
pub(super) fn fault(events: &Events) -> Option<&weir_core::chat::ProviderFault> {
    events.iter().find_map(|event| match event {
        Event::Fault(fault) => Some(fault),
        _ => None,
    })
}
