//! Messages of `/v2/chat`. They are OpenAI's but for what an assistant thought, and for documents, which stand beside the
//! messages so that answers can cite them.

use serde_json::{Map, Value, json};
use weir_core::chat::{Kind as PartKind, Media, Message, Part, Role, Source, ToolCall, ToolResult};
use weir_core::error::{ApiError, Kind};

/// A message taken apart.
#[derive(Debug, Default)]
struct Spoken {
    /// Text and image blocks.
    content: Vec<Value>,
    thinking: String,
    calls: Vec<Value>,
    results: Vec<ToolResult>,
    documents: Vec<Value>,
}

/// All messages in order, and the documents in them.
///
/// # Errors
/// 400 for media that Cohere cannot take.
pub(super) fn messages(messages: Vec<Message>) -> Result<(Vec<Value>, Vec<Value>), ApiError> {
    let (mut out, mut documents) = (Vec::with_capacity(messages.len()), Vec::new());
    for message in messages {
        let role = message.role;
        let mut spoken = Spoken::of(message.content)?;
        for result in std::mem::take(&mut spoken.results) {
            out.push(tool_message(result, &mut documents)?);
        }
        documents.append(&mut spoken.documents);
        if role != Role::Tool || !spoken.content.is_empty() {
            out.push(write(role, spoken));
        }
    }
    Ok((out, documents))
}

fn tool_message(result: ToolResult, documents: &mut Vec<Value>) -> Result<Value, ApiError> {
    let mut spoken = Spoken::of(result.content)?;
    documents.append(&mut spoken.documents);
    Ok(json!({ "role": "tool", "tool_call_id": result.call_id, "content": shortest(spoken.content) }))
}

fn write(role: Role, mut spoken: Spoken) -> Value {
    let mut message = Map::new();
    message.insert("role".into(), role_name(role).into());
    thoughts(&mut spoken, &mut message);
    // An assistant that only calls tools says nothing; an empty text is refused there.
    if !spoken.content.is_empty() || spoken.calls.is_empty() {
        message.insert("content".into(), shortest(spoken.content));
    }
    if !spoken.calls.is_empty() {
        message.insert("tool_calls".into(), spoken.calls.into());
    }
    message.into()
}

/// What was thought before calls is the plan of the calls, which every model takes; else it is a block before the text.
fn thoughts(spoken: &mut Spoken, message: &mut Map<String, Value>) {
    let thinking = std::mem::take(&mut spoken.thinking);
    if thinking.is_empty() {
        return;
    }
    if spoken.calls.is_empty() {
        spoken.content.insert(0, json!({ "type": "thinking", "thinking": thinking }));
    } else {
        message.insert("tool_plan".into(), thinking.into());
    }
}

/// One text is a string.
fn shortest(mut content: Vec<Value>) -> Value {
    match content.as_mut_slice() {
        [] => "".into(),
        [one] if one["type"] == "text" => one["text"].take(),
        _ => content.into(),
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

fn call(call: ToolCall) -> Value {
    let arguments = if call.arguments.trim().is_empty() { "{}".to_owned() } else { call.arguments };
    let function = json!({ "name": call.name, "arguments": arguments });
    json!({ "id": call.id, "type": "function", "function": function })
}

// --- Spoken ---

impl Spoken {
    fn of(parts: Vec<Part>) -> Result<Self, ApiError> {
        let mut spoken = Self::default();
        for part in parts {
            spoken.add(part.kind)?;
        }
        Ok(spoken)
    }

    fn add(&mut self, kind: PartKind) -> Result<(), ApiError> {
        match kind {
            PartKind::Text { text, .. } | PartKind::Refusal(text) => {
                self.content.push(json!({ "type": "text", "text": text }));
            }
            PartKind::Image(media) => self.content.push(image(&media)?),
            PartKind::Document(media) => self.documents.push(document(media)?),
            PartKind::Audio(_) => return Err(refused("audio")),
            PartKind::Thinking { text, .. } => self.thinking.push_str(&text),
            PartKind::ToolCall(made) => self.calls.push(call(made)),
            PartKind::ToolResult(result) => self.results.push(result),
            PartKind::RedactedThinking { .. } | PartKind::Opaque { .. } => {}
        }
        Ok(())
    }
}

fn image(media: &Media) -> Result<Value, ApiError> {
    let url = media.source.to_url().ok_or_else(|| refused("images other than URLs and base64"))?;
    let mut image = Map::new();
    image.insert("url".into(), url.into());
    image.extend(media.detail.as_deref().map(|d| ("detail".to_owned(), d.into())));
    Ok(json!({ "type": "image_url", "image_url": image }))
}

fn document(media: Media) -> Result<Value, ApiError> {
    let Source::Text { text, .. } = media.source else {
        return Err(refused("documents other than plain text"));
    };
    let mut data = Map::new();
    data.extend(media.name.map(|name| ("title".to_owned(), name.into())));
    data.insert("text".into(), text.into());
    Ok(json!({ "data": data }))
}

fn refused(what: &str) -> ApiError {
    ApiError::new(Kind::BadRequest, format!("Cohere does not take {what}"))
}
