//! Messages of a request.

use super::fields::{Fields, Path, missing, wrong_type, wrong_value};
use super::part;
use weir_core::body::Node;
use weir_core::chat::{Kind, Media, Message, Part, Role, Source, ToolCall, ToolCallKind, ToolResult};
use weir_core::error::ApiError;

static ROLES: &[&str] = &["system", "developer", "user", "assistant", "tool", "function"];

/// Calls made the old way (`function_call`) have no ids; they get one, and the `function` message that answers finds it.
#[derive(Default)]
struct Legacy {
    /// Name and id.
    calls: Vec<(String, String)>,
}

pub(super) fn read_all(list: Vec<Node<'_>>) -> Result<Vec<Message>, ApiError> {
    let mut legacy = Legacy::default();
    let mut messages = Vec::with_capacity(list.len());
    for (index, node) in list.into_iter().enumerate() {
        messages.push(read(index, node, &mut legacy)?);
    }
    Ok(messages)
}

fn read(index: usize, node: Node<'_>, legacy: &mut Legacy) -> Result<Message, ApiError> {
    let mut fields = Fields::of(node, Path::of("messages").item(index))?;
    let role = fields.word("role")?;
    match &*role {
        "system" => plain(Role::System, fields),
        "developer" => plain(Role::Developer, fields),
        "user" => plain(Role::User, fields),
        "assistant" => assistant(index, fields, legacy),
        "tool" => tool(fields),
        "function" => function(fields, legacy),
        _ => Err(wrong_value(&fields.path("role"), &role, ROLES)),
    }
}

fn plain(role: Role, mut fields: Fields<'_>) -> Result<Message, ApiError> {
    if !fields.has("content") {
        return Err(missing(&fields.path("content")));
    }
    let content = content(&mut fields)?;
    finish(role, content, fields)
}

fn assistant(index: usize, mut fields: Fields<'_>, legacy: &mut Legacy) -> Result<Message, ApiError> {
    let mut parts = part::thoughts(&mut fields)?;
    parts.extend(content(&mut fields)?);
    sign_text(&mut parts, &fields);
    if let Some(refusal) = fields.string("refusal")? {
        parts.push(Part::new(Kind::Refusal(refusal)));
    }
    parts.extend(spoken(&mut fields));
    let path = fields.path("tool_calls");
    for (at, call) in fields.list("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
        parts.push(tool_call(call, path.item(at))?);
    }
    if let Some(call) = fields.object("function_call")? {
        parts.push(legacy.call(index, call)?);
    }
    finish(Role::Assistant, parts, fields)
}

/// `cache_control` of the whole message marks its last part.
fn finish(role: Role, mut content: Vec<Part>, mut fields: Fields<'_>) -> Result<Message, ApiError> {
    let cache = fields.take("cache_control").map(Node::into_value);
    if let Some(last) = content.last_mut() {
        last.cache = last.cache.take().or(cache);
    }
    let name = fields.string("name")?;
    Ok(Message { role, content, name, extra: fields.rest() })
}

/// String or parts; an empty string is no part, since no other dialect takes empty text.
fn content(fields: &mut Fields<'_>) -> Result<Vec<Part>, ApiError> {
    match fields.take("content") {
        None => Ok(Vec::new()),
        Some(Node::Text(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Node::Text(text)) => Ok(vec![Part::text(text)]),
        Some(Node::List(list)) => {
            let path = fields.path("content");
            list.into_iter().enumerate().map(|(i, part)| part::read(part, path.item(i))).collect()
        }
        Some(other) => {
            Err(wrong_type(&fields.path("content"), "one of a string or array of objects", &other))
        }
    }
}

/// Gemini signs text; LiteLLM hands the proof to the client in `provider_specific_fields.thought_signatures`.
fn sign_text(parts: &mut [Part], fields: &Fields<'_>) {
    let signatures = fields.peek("provider_specific_fields").and_then(|p| p.get("thought_signatures"));
    let Some(signature) = signatures.and_then(|s| s.item(0)).and_then(Node::as_str) else { return };
    if let Some(text) = parts.iter_mut().rev().find(|p| p.as_text().is_some()) {
        text.signature.get_or_insert_with(|| signature.to_owned());
    }
}

/// Audio that the model said before is named by its id.
fn spoken(fields: &mut Fields<'_>) -> Option<Part> {
    let id = fields.peek("audio")?.get("id")?.as_str()?.to_owned();
    fields.take("audio");
    Some(Part::new(Kind::Audio(Media::new(Source::File { id }))))
}

fn tool_call(node: Node<'_>, path: Path) -> Result<Part, ApiError> {
    let mut fields = Fields::of(node, path)?;
    let id = fields.required("id")?;
    let custom = fields.string("type")?.as_deref() == Some("custom");
    let kind = if custom { ToolCallKind::Custom } else { ToolCallKind::Function };
    let (member, input) = if custom { ("custom", "input") } else { ("function", "arguments") };
    let mut call = fields.required_object(member)?;
    let name = call.required("name")?;
    let arguments = arguments(&mut call, input)?;
    let mut part = Part::new(Kind::ToolCall(ToolCall { id, name, arguments, kind }));
    part.signature = signature(&fields);
    part.cache = fields.take("cache_control").map(Node::into_value);
    Ok(part)
}

/// Text; an object is what some clients make of it.
fn arguments(call: &mut Fields<'_>, name: &'static str) -> Result<String, ApiError> {
    match call.take(name) {
        None => Ok(String::new()),
        Some(Node::Text(text)) => Ok(text.into_owned()),
        Some(object @ Node::Object(_)) => Ok(object.into_value().to_string()),
        Some(other) => Err(wrong_type(&call.path(name), "a string", &other)),
    }
}

/// Gemini's proof of a call, where LiteLLM and where Google's own OpenAI endpoint put it.
fn signature(fields: &Fields<'_>) -> Option<String> {
    let ours = fields.peek("provider_specific_fields").and_then(|p| p.get("thought_signature"));
    let google = || fields.peek("extra_content")?.get("google")?.get("thought_signature");
    ours.or_else(google).and_then(Node::as_str).map(str::to_owned)
}

fn tool(mut fields: Fields<'_>) -> Result<Message, ApiError> {
    let call_id = fields.required("tool_call_id")?;
    result(call_id, fields)
}

fn function(mut fields: Fields<'_>, legacy: &Legacy) -> Result<Message, ApiError> {
    let name = fields.required("name")?;
    let id = legacy.id(&name);
    let mut message = result(id, fields)?;
    if let Some(Part { kind: Kind::ToolResult(result), .. }) = message.content.first_mut() {
        result.name = Some(name);
    }
    Ok(message)
}

fn result(call_id: String, mut fields: Fields<'_>) -> Result<Message, ApiError> {
    let content = content(&mut fields)?;
    let name = fields.string("name")?;
    let result = ToolResult { call_id, name, content, is_error: false };
    finish(Role::Tool, vec![Part::new(Kind::ToolResult(result))], fields)
}

// --- Legacy ---

impl Legacy {
    fn call(&mut self, index: usize, mut fields: Fields<'_>) -> Result<Part, ApiError> {
        let name = fields.required("name")?;
        let arguments = arguments(&mut fields, "arguments")?;
        let id = format!("call_legacy_{index}");
        self.calls.push((name.clone(), id.clone()));
        Ok(Part::new(Kind::ToolCall(ToolCall { id, name, arguments, kind: ToolCallKind::Function })))
    }

    /// The id of the last call of this function.
    fn id(&self, name: &str) -> String {
        let call = self.calls.iter().rev().find(|(called, _)| called == name);
        call.map_or_else(|| format!("call_legacy_{name}"), |(_, id)| id.clone())
    }
}
