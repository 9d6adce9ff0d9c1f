//! The conversation as Anthropic wants it: roles alternate, the user begins, nothing is empty, thoughts are signed.

use super::super::DIALECT;
use super::super::write_parts::{self, Blocks};
use crate::dialects::{Asked, wire_body};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use weir_core::chat::{Kind, Media, Message, Object, Part, Role, Source};
use weir_core::error::{ApiError, Kind as ErrorKind};

/// `messages`, as they are sent.
pub(super) struct Conversation(Vec<Turn>);

/// Consecutive messages of one side.
#[derive(Serialize)]
struct Turn {
    role: &'static str,
    #[serde(serialize_with = "as_blocks")]
    content: Vec<Part>,
    #[serde(flatten)]
    extra: Object,
}

/// The conversation, after the system was taken out. `faithful`: the client spoke this dialect, so that nothing is
/// mended.
pub(super) fn conversation(
    messages: Vec<Message>,
    asked: &Asked<'_>,
    faithful: bool,
) -> Result<Conversation, ApiError> {
    let mut turns: Vec<Turn> = Vec::with_capacity(messages.len());
    for message in messages {
        add(&mut turns, message, faithful)?;
    }
    if !faithful {
        begin_with_user(&mut turns, asked)?;
        trim_end(&mut turns);
    }
    Ok(Conversation(turns))
}

/// `system` as JSON text: the parts of all system messages. `None` where they say nothing.
///
/// # Errors
/// 500 for what cannot be written.
pub(super) fn system(mut parts: Vec<Part>) -> Result<Option<Vec<u8>>, ApiError> {
    parts.retain(|part| part.as_text().is_some_and(|text| !text.is_empty()));
    if parts.is_empty() {
        return Ok(None);
    }
    wire_body::text(&Blocks(&parts), write_parts::room(&parts)).map(Some)
}

impl Conversation {
    /// As JSON text.
    ///
    /// # Errors
    /// 500 for what cannot be written.
    pub(super) fn text(&self) -> Result<Vec<u8>, ApiError> {
        let room = self.0.iter().map(|turn| 40 + write_parts::room(&turn.content)).sum();
        wire_body::text(&self.0, room)
    }

    /// Whether a file is named that was uploaded before.
    pub(super) fn has_files(&self) -> bool {
        self.0.iter().flat_map(|turn| &turn.content).any(is_file)
    }
}

fn is_file(part: &Part) -> bool {
    match &part.kind {
        Kind::Image(Media { source: Source::File { .. }, .. })
        | Kind::Document(Media { source: Source::File { .. }, .. }) => true,
        Kind::Opaque { value, .. } => {
            value["source"]["type"] == "file" || value["type"] == "container_upload"
        }
        _ => false,
    }
}

fn as_blocks<S: Serializer>(parts: &[Part], out: S) -> Result<S::Ok, S::Error> {
    Blocks(parts).serialize(out)
}

fn add(turns: &mut Vec<Turn>, message: Message, faithful: bool) -> Result<(), ApiError> {
    let Message { role, content, mut extra, .. } = message;
    let role = match role {
        Role::Assistant => "assistant",
        Role::System | Role::Developer => "system",
        Role::User | Role::Tool => "user",
    };
    let mut content = written(content, faithful)?;
    // LiteLLM's place for it where the content is text.
    if let (Some(cache), Some(last)) = (extra.shift_remove("cache_control"), content.last_mut()) {
        last.cache = None;
        last.extra.insert("cache_control".to_owned(), cache);
    }
    if content.is_empty() {
        return Ok(());
    }
    match turns.last_mut().filter(|turn| turn.role == role) {
        Some(turn) => turn.content.append(&mut content),
        None => {
            let extra = if faithful { extra } else { Object::new() };
            turns.push(Turn { role, content, extra });
        }
    }
    Ok(())
}

/// The parts that are sent.
fn written(content: Vec<Part>, faithful: bool) -> Result<Vec<Part>, ApiError> {
    if let Some(place) = content.iter().position(is_audio) {
        let message = format!("content.{place}: Anthropic's models do not take audio");
        return Err(ApiError::new(ErrorKind::BadRequest, message));
    }
    let parts = content.into_iter().filter(may_go).map(|part| own(part, faithful));
    Ok(parts.filter(write_parts::is_written).collect())
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
        let content = vec![Part::text(".")];
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
    let Some(text) = last.content.last_mut().and_then(text_of) else { return };
    text.truncate(text.trim_end().len());
    if text.is_empty() {
        last.content.pop();
    }
}

fn text_of(part: &mut Part) -> Option<&mut String> {
    match &mut part.kind {
        Kind::Text { text, .. } | Kind::Refusal(text) => Some(text),
        Kind::Opaque { value, .. } => match value.get_mut("text") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
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
    use serde_json::json;

    #[test]
    fn p24_files_are_found_in_every_kind_of_block() {
        let file = || Media::new(Source::File { id: "f".into() });
        let own = |value| Kind::Opaque { dialect: DIALECT, value };
        let has = |kind| {
            let turn = Turn { role: "user", content: vec![Part::new(kind)], extra: Object::new() };
            Conversation(vec![turn]).has_files()
        };
        assert!(has(Kind::Image(file())) && has(Kind::Document(file())));
        assert!(has(own(json!({ "type": "x", "source": { "type": "file" } }))));
        assert!(has(own(json!({ "type": "container_upload" }))));
        assert!(!has(own(json!({ "type": "x" }))) && !has(Kind::Refusal("no".into())));
    }

    #[test]
    fn a_mark_of_the_message_stands_on_its_last_block() {
        let mut message = Message::new(Role::User, vec![Part::text("a"), Part::text("b")]);
        message.content[1].cache = Some(json!({ "type": "other" }));
        message.extra.insert("cache_control".into(), json!({ "type": "ephemeral" }));
        let mut turns = Vec::new();
        add(&mut turns, message, false).unwrap();
        let written: Value = serde_json::from_slice(&Conversation(turns).text().unwrap()).unwrap();
        let last = json!({ "type": "text", "text": "b", "cache_control": { "type": "ephemeral" } });
        let content = json!([{ "type": "text", "text": "a" }, last]);
        assert_eq!(written, json!([{ "role": "user", "content": content }]));
    }

    #[test]
    fn ids_get_letters_that_anthropic_takes() {
        assert_eq!(tool_id("call_1-A"), "call_1-A");
        assert_eq!(tool_id("functions.get:0"), "functions_get_0");
        assert_eq!(tool_id("é"), "_");
        assert_eq!(tool_id(""), "_");
    }
}
