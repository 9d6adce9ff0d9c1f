//! Messages of a chat: the text is one string, images stand beside it as bare base64, every tool result is a message.

use serde_json::{Map, Value, json};
use std::collections::HashMap;
use weir_core::chat::{Kind as PartKind, Message, Part, Request, Role, Source, ToolCall, ToolResult};
use weir_core::error::{ApiError, Kind};

/// A message taken apart.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    pub(super) content: String,
    pub(super) thinking: String,
    /// Base64 texts.
    pub(super) images: Vec<Value>,
    pub(super) calls: Vec<ToolCall>,
    pub(super) results: Vec<ToolResult>,
}

/// All messages, in order.
///
/// # Errors
/// 400 for media that Ollama cannot take.
pub(super) fn messages(request: &mut Request) -> Result<Vec<Value>, ApiError> {
    let messages = std::mem::take(&mut request.messages);
    let names = tool_names(&messages);
    let mut out = Vec::with_capacity(messages.len());
    for message in messages {
        let role = message.role;
        let mut spoken = Spoken::of(message.content)?;
        for result in std::mem::take(&mut spoken.results) {
            out.push(tool_message(result, &names)?);
        }
        if role != Role::Tool || !spoken.content.is_empty() {
            out.push(write(role_name(role), spoken).into());
        }
    }
    Ok(out)
}

/// Ollama knows the caller of a result by the tool's name, not by the call's id.
fn tool_names(messages: &[Message]) -> HashMap<String, String> {
    let calls = messages.iter().flat_map(|m| &m.content).filter_map(|part| match &part.kind {
        PartKind::ToolCall(call) => Some((call.id.clone(), call.name.clone())),
        _ => None,
    });
    calls.collect()
}

fn tool_message(result: ToolResult, names: &HashMap<String, String>) -> Result<Value, ApiError> {
    let name = result.name.as_deref().or_else(|| names.get(&result.call_id).map(String::as_str));
    let name = name.map(|n| ("tool_name".to_owned(), n.into()));
    let mut message = write("tool", Spoken::of(result.content)?);
    message.extend(name);
    message.insert("tool_call_id".into(), result.call_id.into());
    Ok(message.into())
}

fn write(role: &str, spoken: Spoken) -> Map<String, Value> {
    let mut message = Map::new();
    message.insert("role".into(), role.into());
    message.insert("content".into(), spoken.content.into());
    if !spoken.thinking.is_empty() {
        message.insert("thinking".into(), spoken.thinking.into());
    }
    if !spoken.calls.is_empty() {
        message.insert("tool_calls".into(), spoken.calls.into_iter().map(call).collect());
    }
    message.insert("images".into(), spoken.images.into());
    message
}

fn call(call: ToolCall) -> Value {
    let arguments = arguments(&call);
    json!({ "id": call.id, "function": { "name": call.name, "arguments": arguments } })
}

/// Ollama takes nothing but an object; text that is none travels inside one.
pub(super) fn arguments(call: &ToolCall) -> Value {
    call.object().map_or_else(|| json!({ "input": call.arguments }), Value::Object)
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

// --- Spoken ---

impl Spoken {
    /// Texts are put together without separators, as in LiteLLM.
    pub(super) fn of(parts: Vec<Part>) -> Result<Self, ApiError> {
        let mut spoken = Self::default();
        for part in parts {
            spoken.add(part.kind)?;
        }
        Ok(spoken)
    }

    fn add(&mut self, kind: PartKind) -> Result<(), ApiError> {
        match kind {
            PartKind::Text { text, .. } | PartKind::Refusal(text) => self.content.push_str(&text),
            PartKind::Thinking { text, .. } => self.thinking.push_str(&text),
            PartKind::Image(media) => self.images.push(image(media.source)?),
            PartKind::Document(media) => match media.source {
                Source::Text { text, .. } => self.content.push_str(&text),
                _ => return Err(refused("documents other than plain text")),
            },
            PartKind::Audio(_) => return Err(refused("audio")),
            PartKind::ToolCall(call) => self.calls.push(call),
            PartKind::ToolResult(result) => self.results.push(result),
            PartKind::RedactedThinking { .. } | PartKind::Opaque { .. } => {}
        }
        Ok(())
    }
}

fn image(source: Source) -> Result<Value, ApiError> {
    match source {
        Source::Base64 { data, .. } => Ok(data.into()),
        _ => Err(refused("images other than base64 data URLs")),
    }
}

fn refused(what: &str) -> ApiError {
    ApiError::new(Kind::BadRequest, format!("Ollama does not take {what}"))
}
