//! Over recorded traffic: `requests.rs`, `answers.rs`, `streams.rs`; over what LiteLLM sent: `crossed.rs`; over what
//! nobody should send: `hostile.rs`; the writer's order of events: `order.rs`.

mod answers;
mod crossed;
mod hostile;
mod order;
mod requests;
mod shared;
mod streams;

use super::AnthropicMessages;
use crate::dialects::{Asked, ClientDialect, EventReader, Params, TranslateError, UpstreamDialect, View};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use serde_json::{Map, Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::{Event, Events, Request};
use weir_core::codec::frames::each;
use weir_core::codec::{Deframer, Framing, sse};
use weir_core::error::ApiError;

/// A body as the gateway has it.
fn body(value: &Value) -> JsonBody {
    JsonBody::parse(Bytes::from(value.to_string())).unwrap()
}

fn read_request(value: &Value) -> Result<Request, ApiError> {
    AnthropicMessages.read_request(&body(value), &HeaderMap::new())
}

/// The provider's request, for rules without any leniency.
fn write_request(request: Request, model: &str, params: &Params) -> Result<Value, ApiError> {
    let headers = HeaderMap::new();
    let asked = Asked { model, provider: "anthropic", params, headers: &headers };
    AnthropicMessages.write_request(request, &asked).map(|wire| wire.body.into())
}

/// Calls with a view of a client that asked for this model.
fn with_view<T>(model: &str, call: impl FnOnce(&View<'_>) -> T) -> T {
    let body = body(&json!({}));
    call(&View { model, id: "made-up", created: 0, include_usage: true, body: &body })
}

/// The events of a stream that arrives in these pieces.
fn read_stream(pieces: &[&[u8]]) -> Result<Events, TranslateError> {
    let mut deframer = Deframer::new(Framing::Sse, 1 << 20);
    let mut reader = AnthropicMessages.reader();
    let mut out = Events::new();
    for piece in pieces {
        let block = deframer.push(Bytes::copy_from_slice(piece))?;
        feed(&block, &mut *reader, &mut out)?;
    }
    feed(&deframer.rest(), &mut *reader, &mut out)?;
    reader.end(&mut out)?;
    Ok(out)
}

fn feed(block: &[u8], reader: &mut dyn EventReader, out: &mut Events) -> Result<(), TranslateError> {
    each(Framing::Sse, block, |frame| reader.read(frame, out))
}

/// The events as a client of this dialect receives them.
fn write_stream(events: Vec<Event>, model: &str) -> Vec<u8> {
    let mut out = BytesMut::new();
    with_view(model, |view| {
        let mut writer = AnthropicMessages.writer(view);
        events.into_iter().for_each(|event| writer.write(event, &mut out));
        writer.end(&mut out);
    });
    out.to_vec()
}

/// What a client has after a stream: the message, put together the way Anthropic's SDKs do it. Checks the order of
/// events on the way, and that each event is named by its type.
fn fold(stream: &[u8]) -> Result<Value, String> {
    let mut fold = Fold::default();
    for event in sse::events(stream) {
        let data = sse::data(event).ok_or("an event without data")?;
        let value: Value = serde_json::from_slice(&data).map_err(|e| e.to_string())?;
        if value["type"] != sse::name(event) {
            return Err(format!("named {:?}: {value}", sse::name(event)));
        }
        fold.take(&value)?;
    }
    if fold.phase != "message_stop" {
        return Err(format!("ends after {:?}", fold.phase));
    }
    Ok(Value::Object(fold.message))
}

#[derive(Default)]
struct Fold {
    message: Map<String, Value>,
    content: Vec<Value>,
    open: Option<(Value, String)>,
    phase: String,
}

impl Fold {
    fn take(&mut self, event: &Value) -> Result<(), String> {
        let kind = event["type"].as_str().unwrap_or_default();
        if kind == "ping" {
            return Ok(());
        }
        let may = match kind {
            "message_start" => self.phase.is_empty(),
            "content_block_start" => self.phase == "message_start" && self.open.is_none(),
            "content_block_delta" | "content_block_stop" => self.open.is_some(),
            "message_delta" => self.phase == "message_start" && self.open.is_none(),
            "message_stop" => self.phase == "message_delta",
            _ => false,
        };
        if !may {
            return Err(format!("{kind} after {:?}", self.phase));
        }
        if kind.starts_with("content_block") && event["index"] != json!(self.content.len()) {
            return Err(format!("index of {event}"));
        }
        match kind {
            "message_start" => self.message = event["message"].as_object().cloned().ok_or("no message")?,
            "content_block_start" => self.open = Some((event["content_block"].clone(), String::new())),
            "content_block_delta" => self.piece(&event["delta"])?,
            "content_block_stop" => self.close()?,
            "message_delta" => self.ending(event),
            _ => {}
        }
        if !kind.starts_with("content_block") {
            kind.clone_into(&mut self.phase);
        }
        Ok(())
    }

    fn piece(&mut self, delta: &Value) -> Result<(), String> {
        let Some((block, input)) = &mut self.open else { return Ok(()) };
        let (member, wanted) = match delta["type"].as_str().unwrap_or_default() {
            "text_delta" => ("text", "text"),
            "thinking_delta" => ("thinking", "thinking"),
            "signature_delta" => ("signature", "thinking"),
            "input_json_delta" => ("partial_json", "tool_use"),
            "citations_delta" => ("citation", "text"),
            other => return Err(format!("delta {other:?}")),
        };
        if !block["type"].as_str().unwrap_or_default().ends_with(wanted) {
            return Err(format!("{delta} for {block}"));
        }
        match member {
            "partial_json" => input.push_str(delta[member].as_str().ok_or("no text")?),
            "citation" if block["citations"].is_array() => {
                block["citations"].as_array_mut().unwrap().push(delta[member].clone());
            }
            "citation" => block["citations"] = json!([delta[member]]),
            _ => {
                let more = delta[member].as_str().ok_or("no text")?;
                let text = format!("{}{more}", block[member].as_str().unwrap_or_default());
                block[member] = json!(text);
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some((mut block, input)) = self.open.take() else { return Ok(()) };
        if !input.is_empty() {
            block["input"] = serde_json::from_str(&input).map_err(|e| format!("{input}: {e}"))?;
        }
        self.content.push(block);
        Ok(())
    }

    fn ending(&mut self, event: &Value) {
        self.message.insert("content".to_owned(), Value::Array(std::mem::take(&mut self.content)));
        for part in [&event["delta"], &event["usage"]] {
            for (name, value) in part.as_object().into_iter().flatten() {
                let holder = if name.starts_with("stop") {
                    &mut self.message
                } else {
                    self.message["usage"].as_object_mut().unwrap()
                };
                holder.insert(name.clone(), value.clone());
            }
        }
    }
}

/// The meaning of a message: without what a stream cannot carry across dialects (`caller`), empty text, and members of
/// the usage that are no counts of tokens.
fn meaning(message: &Value) -> Value {
    let content: Vec<Value> = message["content"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|b| b["text"] != "")
        .map(plain_block)
        .collect();
    let usage = &message["usage"];
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    json!({
        "id": message["id"], "model": message["model"], "role": message["role"], "content": content,
        "stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"],
        "usage": {
            "input": count("input_tokens"), "output": count("output_tokens"),
            "read": count("cache_read_input_tokens"), "write": count("cache_creation_input_tokens"),
            "thinking": usage["output_tokens_details"]["thinking_tokens"].as_u64().unwrap_or(0),
        },
    })
}

fn plain_block(block: &Value) -> Value {
    let mut block = block.clone();
    if let Value::Object(object) = &mut block {
        let is_opaque =
            !matches!(object["type"].as_str(), Some("text" | "tool_use" | "thinking" | "redacted_thinking"));
        object
            .retain(|name, value| is_opaque || !(name == "caller" || value.is_null() || *value == json!([])));
    }
    block
}
