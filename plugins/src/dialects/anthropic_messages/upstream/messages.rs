//! The conversation as Anthropic wants it: roles alternate, the user begins, nothing is empty, thoughts are signed.

use super::super::{DIALECT, write_parts};
use crate::dialects::Asked;
use serde_json::{Value, json};
use std::borrow::Cow;
use weir_core::chat::{Kind, Message, Object, Part, Role};
use weir_core::error::{ApiError, Kind as ErrorKind};

/// `messages`, after the system was taken out. `faithful`: the client spoke this dialect, so that nothing is mended.
pub(super) fn write(
    messages: Vec<Message>,
    asked: &Asked<'_>,
    faithful: bool,
) -> Result<Vec<Value>, ApiError> {
    let mut turns: Vec<Turn> = Vec::with_capacity(messages.len());
    for message in messages {
        add(&mut turns, message, faithful)?;
    }
    if !faithful {
        begin_with_user(&mut turns, asked)?;
        trim_end(&mut turns);
    }
    Ok(turns.into_iter().map(Turn::value).collect())
}

/// `system`: the parts of all system messages.
pub(super) fn system(parts: Vec<Part>) -> Vec<Value> {
    parts
        .into_iter()
        .filter(|p| p.as_text().is_some_and(|text| !text.is_empty()))
        .filter_map(write_parts::block)
        .collect()
}

/// Consecutive messages of one side.
struct Turn {
    role: &'static str,
    content: Vec<Value>,
    extra: Object,
}

impl Turn {
    fn value(self) -> Value {
        let mut out = json!({ "role": self.role, "content": self.content });
        if let Value::Object(object) = &mut out {
            object.extend(self.extra);
        }
        out
    }
}

fn add(turns: &mut Vec<Turn>, message: Message, faithful: bool) -> Result<(), ApiError> {
    let Message { role, content, mut extra, .. } = message;
    let role = match role {
        Role::Assistant => "assistant",
        Role::System | Role::Developer => "system",
        Role::User | Role::Tool => "user",
    };
    let mut blocks = blocks(content, faithful)?;
    // LiteLLM's place for it where the content is text.
    if let (Some(cache), Some(last)) = (extra.shift_remove("cache_control"), blocks.last_mut()) {
        last["cache_control"] = cache;
    }
    if blocks.is_empty() {
        return Ok(());
    }
    match turns.last_mut().filter(|turn| turn.role == role) {
        Some(turn) => turn.content.append(&mut blocks),
        None => {
            let extra = if faithful { extra } else { Object::new() };
            turns.push(Turn { role, content: blocks, extra });
        }
    }
    Ok(())
}

fn blocks(content: Vec<Part>, faithful: bool) -> Result<Vec<Value>, ApiError> {
    if let Some(place) = content.iter().position(is_audio) {
        let message = format!("content.{place}: Anthropic's models do not take audio");
        return Err(ApiError::new(ErrorKind::BadRequest, message));
    }
    Ok(write_parts::blocks(content.into_iter().filter(may_go).map(|part| own(part, faithful)).collect()))
}

fn is_audio(part: &Part) -> bool {
    match &part.kind {
        Kind::Audio(_) => true,
        Kind::ToolResult(result) => result.content.iter().any(is_audio),
        _ => false,
    }
}

/// Thoughts without a signature are refused, and so are those that another provider signed (they have ids).
fn may_go(part: &Part) -> bool {
    match &part.kind {
        Kind::Thinking { id, .. } => id.is_none() && part.signature.as_ref().is_some_and(|s| !s.is_empty()),
        _ => true,
    }
}

/// Members of a part that OpenAI's clients may say in Anthropic's words, as with LiteLLM. Others are refused.
static KEPT: &[&str] = &["citations", "context"];

/// Ids in the letters that Anthropic takes; sources only as it gave them itself.
fn own(mut part: Part, faithful: bool) -> Part {
    if !faithful {
        part.extra.retain(|name, _| KEPT.contains(&name.as_str()));
    }
    match &mut part.kind {
        Kind::ToolCall(call) => clean(&mut call.id),
        Kind::ToolResult(result) => {
            clean(&mut result.call_id);
            let content = std::mem::take(&mut result.content);
            result.content = content.into_iter().map(|part| own(part, faithful)).collect();
        }
        Kind::Text { citations, .. } => {
            citations.retain(|c| matches!(&c.original, Some((dialect, _)) if *dialect == DIALECT));
        }
        _ => {}
    }
    part
}

fn clean(id: &mut String) {
    if let Cow::Owned(clean) = tool_id(id) {
        *id = clean;
    }
}

/// `^[a-zA-Z0-9_-]+$`, as LiteLLM makes it.
fn tool_id(id: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !id.is_empty() && id.chars().all(fits) {
        return Cow::Borrowed(id);
    }
    if id.is_empty() {
        return Cow::Owned("_".to_owned());
    }
    Cow::Owned(id.chars().map(|c| if fits(c) { c } else { '_' }).collect())
}

/// LiteLLM's rule and words.
fn begin_with_user(turns: &mut Vec<Turn>, asked: &Asked<'_>) -> Result<(), ApiError> {
    if turns.first().is_some_and(|turn| turn.role == "user") {
        return Ok(());
    }
    if asked.params.modify {
        let content = vec![json!({ "type": "text", "text": "." })];
        turns.insert(0, Turn { role: "user", content, extra: Object::new() });
        return Ok(());
    }
    let message = "Invalid first message. The first message with content must have the role 'user' for Anthropic; \
                   the system prompt is sent separately. Set `litellm_settings.modify_params: true` to insert a \
                   placeholder.";
    Err(ApiError::new(ErrorKind::BadRequest, message))
}

/// The beginning of an answer must not end with white space.
fn trim_end(turns: &mut [Turn]) {
    let Some(last) = turns.last_mut().filter(|turn| turn.role == "assistant") else { return };
    let Some(Value::String(text)) = last.content.last_mut().and_then(|block| block.get_mut("text")) else {
        return;
    };
    text.truncate(text.trim_end().len());
    if text.is_empty() {
        last.content.pop();
    }
}

/// The last answer with tool calls does not begin with a thought: Anthropic refuses to think on from there.
pub(super) fn calls_without_thought(messages: &[Message]) -> bool {
    let last = messages.iter().rev().find(|m| m.role == Role::Assistant);
    last.is_some_and(|message| {
        let calls = message.content.iter().any(|p| matches!(p.kind, Kind::ToolCall(_)));
        let thought = |p: &Part| {
            matches!(p.kind, Kind::RedactedThinking { .. }) || {
                matches!(p.kind, Kind::Thinking { .. }) && may_go(p)
            }
        };
        calls && !message.content.iter().any(thought)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_get_letters_that_anthropic_takes() {
        assert_eq!(tool_id("call_1-A"), "call_1-A");
        assert_eq!(tool_id("functions.get:0"), "functions_get_0");
        assert_eq!(tool_id("é"), "_");
        assert_eq!(tool_id(""), "_");
    }
}
