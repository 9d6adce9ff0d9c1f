//! Messages as items of an input.

use serde_json::{Value, json};
use std::collections::HashSet;
use weir_core::chat::{
    Dialect, Kind, Media, Message, Part, Role, Source, ToolCall, ToolCallKind, ToolResult,
};

/// How OpenAI's encrypted thoughts begin. Signatures of other providers' models are no thoughts of these.
const ENCRYPTED: &str = "gAAAA";

#[derive(Debug, Default)]
pub(super) struct Conversation {
    input: Vec<Value>,
    /// Ids of calls of custom tools: their results are items of another kind.
    custom: HashSet<String>,
    /// Parts of a message that goes on.
    speech: Vec<Value>,
}

impl Conversation {
    pub(super) fn write(messages: Vec<Message>) -> Vec<Value> {
        let mut conversation = Conversation::default();
        for message in messages {
            let role = message.role;
            for part in message.content {
                conversation.part(role, part);
            }
            conversation.flush(role);
        }
        conversation.input
    }

    fn part(&mut self, role: Role, part: Part) {
        let Part { kind, signature, .. } = part;
        let item = match kind {
            Kind::ToolCall(call) => Some(self.call(call)),
            Kind::ToolResult(result) => Some(self.result(result)),
            Kind::Thinking { text, id } => reasoning(&text, id, signature),
            Kind::RedactedThinking { .. } => None,
            Kind::Opaque { dialect: Dialect::OpenAiResponses, value } if is_item(&value) => Some(value),
            spoken => return self.speech.extend(speech(role, spoken)),
        };
        if let Some(item) = item {
            self.flush(role);
            self.input.push(item);
        }
    }

    /// Ends the message.
    fn flush(&mut self, role: Role) {
        let speech = std::mem::take(&mut self.speech);
        if !speech.is_empty() {
            self.input.push(json!({ "type": "message", "role": word(role), "content": speech }));
        }
    }

    fn call(&mut self, call: ToolCall) -> Value {
        let ToolCall { id, name, arguments, kind } = call;
        match kind {
            ToolCallKind::Function => {
                let arguments = if arguments.is_empty() { "{}".to_owned() } else { arguments };
                json!({ "type": "function_call", "call_id": id, "name": name, "arguments": arguments })
            }
            ToolCallKind::Custom => {
                self.custom.insert(id.clone());
                json!({ "type": "custom_tool_call", "call_id": id, "name": name, "input": arguments })
            }
        }
    }

    fn result(&self, result: ToolResult) -> Value {
        let custom = self.custom.contains(&result.call_id);
        let kind = if custom { "custom_tool_call_output" } else { "function_call_output" };
        json!({ "type": kind, "call_id": result.call_id, "output": output(result) })
    }
}

/// Text alone is a string: not every server reads parts.
fn output(result: ToolResult) -> Value {
    if result.content.iter().all(|part| part.as_text().is_some()) {
        return result.text().into();
    }
    let parts = result.content.into_iter().filter_map(|part| speech(Role::User, part.kind));
    Value::Array(parts.collect())
}

fn is_item(value: &Value) -> bool {
    // Parts of messages are kept the same way; their types begin so.
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    !kind.starts_with("input_") && !kind.starts_with("output_")
}

fn word(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::User | Role::Tool => "user",
        Role::Assistant => "assistant",
    }
}

/// Only with a proof that the provider can read: without one it is refused.
fn reasoning(text: &str, id: Option<String>, signature: Option<String>) -> Option<Value> {
    let proof = signature.filter(|proof| id.is_some() || proof.starts_with(ENCRYPTED))?;
    let summary = if text.is_empty() { json!([]) } else { json!([{ "type": "summary_text", "text": text }]) };
    let mut item = json!({ "type": "reasoning", "summary": summary, "encrypted_content": proof });
    if let (Some(id), Some(item)) = (id, item.as_object_mut()) {
        item.insert("id".into(), id.into());
    }
    Some(item)
}

/// A part of a message. `None`: it cannot be said here.
fn speech(role: Role, kind: Kind) -> Option<Value> {
    let assistant = role == Role::Assistant;
    match kind {
        Kind::Text { text, .. } if text.is_empty() => None,
        Kind::Text { text, .. } if assistant => Some(json!({ "type": "output_text", "text": text })),
        Kind::Text { text, .. } => Some(json!({ "type": "input_text", "text": text })),
        Kind::Refusal(text) if assistant => Some(json!({ "type": "refusal", "refusal": text })),
        Kind::Refusal(text) => Some(json!({ "type": "input_text", "text": text })),
        Kind::Opaque { dialect: Dialect::OpenAiResponses, value } => Some(value),
        // Models do not answer in media here, so none can be put into their mouths.
        _ if assistant => None,
        Kind::Image(media) => image(media),
        Kind::Document(media) => document(media),
        Kind::Audio(media) => audio(media),
        _ => None,
    }
}

fn image(media: Media) -> Option<Value> {
    let detail = media.detail.unwrap_or_else(|| "auto".to_owned());
    match media.source {
        Source::File { id } => Some(json!({ "type": "input_image", "file_id": id, "detail": detail })),
        source => {
            source.to_url().map(|url| json!({ "type": "input_image", "image_url": url, "detail": detail }))
        }
    }
}

fn document(media: Media) -> Option<Value> {
    let name = media.name.unwrap_or_else(|| "document.pdf".to_owned());
    match media.source {
        Source::File { id } => Some(json!({ "type": "input_file", "file_id": id })),
        Source::Url { url, .. } => Some(json!({ "type": "input_file", "file_url": url })),
        Source::Text { text, .. } => Some(json!({ "type": "input_text", "text": text })),
        source @ Source::Base64 { .. } => {
            source.to_url().map(|data| json!({ "type": "input_file", "filename": name, "file_data": data }))
        }
    }
}

fn audio(media: Media) -> Option<Value> {
    let Source::Base64 { media_type, data } = media.source else { return None };
    let format = media_type.rsplit('/').next().unwrap_or("wav").to_owned();
    Some(json!({ "type": "input_audio", "input_audio": { "data": data, "format": format } }))
}
