//! A whole answer of `/v2/chat`.

use super::cite;
use super::wire::{Answer as Wire, Call, Content, Message, end};
use crate::dialects::TranslateError;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_core::chat::{Answer, Citation, Kind, Object, Part, ProviderFault, ToolCall, ToolCallKind};

pub(super) fn read(body: &[u8]) -> Result<Answer, TranslateError> {
    let wire: Wire = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    let message = match wire.message {
        Some(Value::String(message)) => {
            return Err(TranslateError::Fault(ProviderFault { message, ..ProviderFault::default() }));
        }
        Some(message) => Message::deserialize(message).map_err(TranslateError::malformed)?,
        None => return Err(TranslateError::malformed("an answer without a message")),
    };
    let content = content(message);
    let called = content.iter().any(|part| matches!(part.kind, Kind::ToolCall(_)));
    let finish = end(wire.finish_reason.as_deref(), wire.error, called).map_err(TranslateError::Fault)?;
    Ok(Answer {
        id: wire.id,
        content,
        finish: Some(finish),
        usage: wire.usage.and_then(|u| u.usage()),
        extra: with_logprobs(wire.extra),
        ..Answer::default()
    })
}

/// `logprobs` in OpenAI's form.
fn with_logprobs(mut extra: Object) -> Object {
    if let Some(list @ Value::Array(_)) = extra.get_mut("logprobs") {
        let content: Vec<Value> = list.as_array().into_iter().flatten().map(logprob).collect();
        *list = json!({ "content": content });
    }
    extra
}

/// One token's in OpenAI's form.
pub(super) fn logprob(told: &Value) -> Value {
    let token = told.get("text").and_then(Value::as_str).unwrap_or_default();
    let logprob = told.get("logprobs").and_then(|all| all.get(0));
    json!({ "token": token, "logprob": logprob, "bytes": token.as_bytes(), "top_logprobs": [] })
}

/// In the order of a stream: the plan, the blocks, the calls.
fn content(message: Message) -> Vec<Part> {
    let mut parts = Vec::new();
    parts.extend(message.tool_plan.filter(|p| !p.is_empty()).map(thinking));
    let before = parts.len();
    let blocks = message.content.unwrap_or_default();
    // Positions of blocks in the answer, for what cites them.
    let mut places = Vec::with_capacity(blocks.len());
    for block in blocks {
        places.push(parts.len());
        parts.extend(part(block));
    }
    for citation in message.citations.unwrap_or_default() {
        let place =
            cite::content_index(&citation).and_then(|i| places.get(usize::try_from(i).ok()?).copied());
        attach(&mut parts[before..], place.map(|p| p.saturating_sub(before)), cite::citations(citation));
    }
    let calls = message.tool_calls.unwrap_or_default();
    parts
        .extend(calls.into_iter().enumerate().map(|(n, call)| Part::new(Kind::ToolCall(tool_call(n, call)))));
    parts
}

fn part(block: Content) -> Option<Part> {
    let text = block.text.filter(|t| !t.is_empty()).map(Part::text);
    block.thinking.filter(|t| !t.is_empty()).map(thinking).or(text)
}

fn thinking(text: String) -> Part {
    Part::new(Kind::Thinking { text, id: None })
}

/// To the text that is named, else to the first one. Citations of nothing are nothing.
fn attach(parts: &mut [Part], place: Option<usize>, new: Vec<Citation>) {
    let is_text = |part: &Part| matches!(part.kind, Kind::Text { .. });
    let named = place.filter(|p| parts.get(*p).is_some_and(is_text));
    let Some(at) = named.or_else(|| parts.iter().position(is_text)) else { return };
    if let Kind::Text { citations, .. } = &mut parts[at].kind {
        citations.extend(new);
    }
}

fn tool_call(position: usize, call: Call) -> ToolCall {
    ToolCall {
        id: call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{position}")),
        name: call.function.name.unwrap_or_default(),
        arguments: call.function.arguments.unwrap_or_default(),
        kind: ToolCallKind::Function,
    }
}
