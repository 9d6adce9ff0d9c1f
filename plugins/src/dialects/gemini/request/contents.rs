//! The conversation for Google: roles `user` and `model` in turn, results of functions among the user's parts.

use super::super::ids;
use super::super::media::{self, Sort};
use super::super::model::Model;
use super::super::wire::{Content, FunctionCall, FunctionResponse, WirePart};
use super::read::HINTS;
use serde_json::Value;
use weir_core::chat::{Dialect, Kind, Object, Part, Request, Role, ToolCall, ToolCallKind, ToolResult};
use weir_core::error::{ApiError, Kind as ErrorKind};

/// Gemini 3 refuses function calls without a signature; this one says that there is none, because another model or an
/// older one made the call. Base64 of `skip_thought_signature_validator`, from Google's page on thought signatures.
const NO_SIGNATURE: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// The request's messages, without system messages. Consecutive messages of one role become one.
///
/// # Errors
/// A tool result whose tool is nowhere named.
pub(super) fn write(request: &Request, model: Model<'_>) -> Result<Vec<Content>, ApiError> {
    let writer = Writer { request, model };
    let mut contents: Vec<Content> = Vec::new();
    for message in &request.messages {
        let role = if message.role == Role::Assistant { "model" } else { "user" };
        let mut parts = Vec::with_capacity(message.content.len());
        for part in &message.content {
            writer.part(part, &mut parts)?;
        }
        match contents.last_mut() {
            Some(last) if last.role.as_deref() == Some(role) => last.parts.append(&mut parts),
            _ if parts.is_empty() => {}
            _ => contents.push(Content { role: Some(role.into()), parts }),
        }
    }
    if model.is_3() {
        contents.iter_mut().for_each(sign);
    }
    if contents.is_empty() {
        // Google refuses a conversation without a turn.
        contents.push(Content { role: Some("user".into()), parts: vec![WirePart::text(" ")] });
    }
    Ok(contents)
}

/// The first call of a turn must be signed, parallel ones need not.
fn sign(content: &mut Content) {
    let call = content.parts.iter_mut().find(|part| part.function_call.is_some());
    if let Some(call) = call {
        call.thought_signature.get_or_insert_with(|| NO_SIGNATURE.to_owned());
    }
}

struct Writer<'a> {
    request: &'a Request,
    model: Model<'a>,
}

// --- Writer ---

impl Writer<'_> {
    fn part(&self, part: &Part, out: &mut Vec<WirePart>) -> Result<(), ApiError> {
        let before = out.len();
        match &part.kind {
            Kind::Text { text, .. } | Kind::Refusal(text) => out.extend(text_part(text, part)),
            // The signature of a thought may be another provider's, and Google does not want its own back.
            Kind::Thinking { text, .. } if !text.is_empty() => {
                out.push(WirePart { thought: Some(true), ..WirePart::text(text.clone()) });
                return Ok(());
            }
            Kind::Thinking { .. } | Kind::RedactedThinking { .. } => return Ok(()),
            Kind::Image(media) => out.push(media::write(media, Sort::Image, self.model.is_3())),
            Kind::Audio(media) => out.push(media::write(media, Sort::Audio, false)),
            Kind::Document(media) => out.push(media::write(media, Sort::Document, false)),
            Kind::ToolCall(call) => out.push(call_part(call)),
            Kind::ToolResult(result) => self.result(result, out)?,
            Kind::Opaque { dialect: Dialect::Gemini, value } => {
                out.extend(serde_json::from_value::<WirePart>(value.clone()).ok());
            }
            Kind::Opaque { .. } => {}
        }
        if let Some(wire) = out.get_mut(before) {
            adorn(wire, part);
        }
        Ok(())
    }

    fn result(&self, result: &ToolResult, out: &mut Vec<WirePart>) -> Result<(), ApiError> {
        let named = result.name.as_deref().filter(|name| !name.is_empty());
        let name = named.or_else(|| self.request.tool_name(&result.call_id)).ok_or_else(|| {
            let message = format!("no tool call {:?} stands before its result", result.call_id);
            ApiError::new(ErrorKind::BadRequest, message).with_param("messages")
        })?;
        let media: Vec<WirePart> = result.content.iter().filter_map(|part| self.media(part)).collect();
        let (inside, beside) = if self.model.is_3() { (media, Vec::new()) } else { (Vec::new(), media) };
        let response = FunctionResponse {
            id: ids::for_google(&result.call_id),
            name: name.to_owned(),
            response: Some(response(result)),
            parts: inside,
        };
        out.push(WirePart { function_response: Some(response), ..WirePart::default() });
        out.extend(beside);
        Ok(())
    }

    fn media(&self, part: &Part) -> Option<WirePart> {
        match &part.kind {
            Kind::Image(media) => Some(media::write(media, Sort::Image, self.model.is_3())),
            Kind::Audio(media) => Some(media::write(media, Sort::Audio, false)),
            Kind::Document(media) => Some(media::write(media, Sort::Document, false)),
            _ => None,
        }
    }
}

/// Empty text only travels for its signature.
fn text_part(text: &str, part: &Part) -> Option<WirePart> {
    (!text.is_empty() || part.signature.is_some()).then(|| WirePart::text(text))
}

fn call_part(call: &ToolCall) -> WirePart {
    let args = match call.kind {
        ToolCallKind::Custom => alone("input", &call.arguments),
        // Text that is no object cannot be an argument list; it is told under a name rather than lost.
        ToolCallKind::Function => call.object().unwrap_or_else(|| alone("arguments", &call.arguments)),
    };
    let function = FunctionCall { id: ids::for_google(&call.id), name: call.name.clone(), args: Some(args) };
    WirePart {
        function_call: Some(function),
        thought_signature: ids::signature(&call.id).map(str::to_owned),
        ..WirePart::default()
    }
}

/// Google wants an object. Text that is one goes as it is; other text under LiteLLM's name for it.
fn response(result: &ToolResult) -> Object {
    let text = result.text();
    if let Ok(object) = serde_json::from_str::<Object>(&text) {
        return object;
    }
    alone(if result.is_error { "error" } else { "content" }, &text)
}

fn alone(name: &str, text: &str) -> Object {
    Object::from_iter([(name.to_owned(), Value::from(text))])
}

/// What a part says beside its data.
fn adorn(wire: &mut WirePart, part: &Part) {
    if let Some(signature) = &part.signature {
        wire.thought_signature = Some(signature.clone());
    }
    for name in HINTS {
        if let Some(hint) = part.extra.get(*name) {
            wire.extra.insert((*name).to_owned(), hint.clone());
        }
    }
}
