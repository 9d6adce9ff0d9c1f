//! The conversation. Converse wants users and assistants in turn, tool results in the user's turn.

use super::Model;
use super::media::{self, Names};
use crate::dialects::dialect::Asked;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use weir_core::chat::{Dialect, Kind, Message, Object, Part, Role, ToolCall, ToolCallKind, ToolResult};
use weir_core::error::ApiError;

/// What LiteLLM puts where `modify_params` may mend a request.
const CONTINUE: &str = "Please continue.";
const NOTHING: &str = ".";

/// Writes parts as content blocks.
struct Writer<'a> {
    model: &'a Model<'a>,
    names: Names,
}

/// Messages of one role, made one.
struct Turn {
    role: &'static str,
    blocks: Vec<Value>,
}

/// # Errors
/// Media that Bedrock does not take.
pub(super) fn write(
    messages: &[Message],
    model: &Model<'_>,
    asked: &Asked<'_>,
) -> Result<Vec<Value>, ApiError> {
    let mut writer = Writer { model, names: Names::default() };
    let mut turns: Vec<Turn> = Vec::new();
    for message in messages {
        let role = if message.role == Role::Assistant { "assistant" } else { "user" };
        let blocks = writer.message(message)?;
        match turns.last_mut() {
            Some(turn) if turn.role == role => turn.blocks.extend(blocks),
            _ => turns.push(Turn { role, blocks }),
        }
    }
    turns.iter_mut().for_each(|turn| turn.drop_blanks(asked.params.modify));
    turns.retain(|turn| !turn.blocks.is_empty());
    if asked.params.modify && turns.first().is_some_and(|turn| turn.role == "assistant") {
        turns.insert(0, Turn { role: "user", blocks: vec![json!({ "text": CONTINUE })] });
    }
    Ok(turns.into_iter().map(Turn::value).collect())
}

/// `system`: text, cache points and what a Bedrock client wrote itself.
pub(super) fn system(parts: &[Part], model: &Model<'_>) -> Vec<Value> {
    let mut blocks = Vec::new();
    for part in parts {
        match &part.kind {
            Kind::Text { text, .. } if !text.is_empty() => blocks.push(json!({ "text": text })),
            Kind::Opaque { dialect, value } => blocks.extend(foreign(*dialect, value)),
            _ => continue,
        }
        blocks.extend(part.cache.as_ref().map(|cache| cache_point(cache, model)));
    }
    blocks
}

/// Anthropic's `cache_control` as a block of its own, behind what it marks. Lifetimes are known since Claude 4.5.
pub(super) fn cache_point(cache: &Value, model: &Model<'_>) -> Value {
    let ttl = cache.get("ttl").and_then(Value::as_str).filter(|ttl| matches!(*ttl, "5m" | "1h"));
    match ttl.filter(|_| model.claude_since(4, 5) || model.is_opaque()) {
        Some(ttl) => json!({ "cachePoint": { "type": "default", "ttl": ttl } }),
        None => json!({ "cachePoint": { "type": "default" } }),
    }
}

impl Turn {
    fn value(self) -> Value {
        // `json!` would copy the blocks.
        let members = [("role", self.role.into()), ("content", Value::Array(self.blocks))];
        Value::Object(members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
    }

    /// Bedrock refuses blank text. A turn of nothing else is the client's to explain, unless it may be mended.
    fn drop_blanks(&mut self, modify: bool) {
        let is_blank = |block: &Value| block["text"].as_str().is_some_and(|text| text.trim().is_empty());
        let said = |block: &Value| !is_blank(block) && block.get("cachePoint").is_none();
        if self.blocks.iter().any(said) {
            self.blocks.retain(|block| !is_blank(block));
        } else if self.role == "assistant" {
            self.blocks.clear();
        } else if modify {
            self.blocks = vec![json!({ "text": NOTHING })];
        }
    }
}

impl Writer<'_> {
    fn message(&mut self, message: &Message) -> Result<Vec<Value>, ApiError> {
        let mut blocks = Vec::new();
        for part in &message.content {
            let block = self.part(part)?;
            let Some(block) = block else { continue };
            blocks.push(block);
            blocks.extend(cached(part).map(|cache| cache_point(cache, self.model)));
        }
        // OpenAI's messages may carry the mark themselves.
        let mark = message.extra.get("cache_control").filter(|cache| cache.is_object());
        blocks.extend(mark.map(|cache| cache_point(cache, self.model)));
        Ok(blocks)
    }

    fn part(&mut self, part: &Part) -> Result<Option<Value>, ApiError> {
        Ok(match &part.kind {
            Kind::Text { text, .. } | Kind::Refusal(text) => Some(json!({ "text": text })),
            Kind::Image(media) | Kind::Document(media) | Kind::Audio(media) => {
                Some(media::block(media, &part.extra, &mut self.names)?)
            }
            Kind::Thinking { text, .. } => thought(text, part.signature.as_deref()),
            Kind::RedactedThinking { data } => {
                Some(json!({ "reasoningContent": { "redactedContent": STANDARD.encode(data) } }))
            }
            Kind::ToolCall(call) => Some(tool_use(call)),
            Kind::ToolResult(result) => Some(self.tool_result(result)?),
            Kind::Opaque { dialect, value } => foreign(*dialect, value),
        })
    }

    fn tool_result(&mut self, result: &ToolResult) -> Result<Value, ApiError> {
        let mut content = Vec::new();
        for part in &result.content {
            match &part.kind {
                Kind::Text { text, .. } if text.is_empty() => {}
                _ => content.extend(self.part(part)?),
            }
        }
        let mut block = Object::new();
        block.insert("toolUseId".to_owned(), tool_id(&result.call_id).into());
        block.insert("content".to_owned(), Value::Array(content));
        if result.is_error {
            block.insert("status".to_owned(), "error".into());
        }
        Ok(only("toolResult", block))
    }
}

/// A tool result is marked itself or by one of its parts; points may not stand inside of it.
fn cached(part: &Part) -> Option<&Value> {
    let inside = || match &part.kind {
        Kind::ToolResult(result) => result.content.iter().find_map(|part| part.cache.as_ref()),
        _ => None,
    };
    part.cache.as_ref().or_else(inside)
}

/// An object of one member. `json!` would copy what is in it.
fn only(name: &str, inner: Object) -> Value {
    Value::Object(Object::from_iter([(name.to_owned(), Value::Object(inner))]))
}

/// Models check the signature, so a thought without one is left out.
fn thought(text: &str, signature: Option<&str>) -> Option<Value> {
    let signature = signature?;
    Some(json!({ "reasoningContent": { "reasoningText": { "text": text, "signature": signature } } }))
}

/// The input must be an object; anything else is wrapped into one.
fn tool_use(call: &ToolCall) -> Value {
    let input = match call.kind {
        ToolCallKind::Function => call.object(),
        ToolCallKind::Custom => None,
    };
    let input = input.unwrap_or_else(|| Object::from_iter([("input".to_owned(), json!(call.arguments))]));
    let mut block = Object::new();
    block.insert("toolUseId".to_owned(), tool_id(&call.id).into());
    block.insert("name".to_owned(), call.name.as_str().into());
    block.insert("input".to_owned(), Value::Object(input));
    only("toolUse", block)
}

const LONGEST_ID: usize = 64;

/// Bedrock's ids are 64 letters, digits and `_.:-`. A long one keeps its end, where ids differ.
fn tool_id(id: &str) -> String {
    let ok = |c: char| if c.is_ascii_alphanumeric() || "_.:-".contains(c) { c } else { '_' };
    let clean: Vec<char> = id.chars().map(ok).collect();
    clean[clean.len().saturating_sub(LONGEST_ID)..].iter().collect()
}

/// Blocks in Bedrock's own words, also from OpenAI clients: LiteLLM's `guarded_text` is checked by the guardrail.
fn foreign(dialect: Dialect, value: &Value) -> Option<Value> {
    if dialect == Dialect::BedrockConverse {
        return Some(value.clone());
    }
    if dialect != Dialect::OpenAiChat {
        return None;
    }
    if value.get("guardContent").is_some() || value.get("cachePoint").is_some() {
        return Some(value.clone());
    }
    let guarded = value.get("type").and_then(Value::as_str) == Some("guarded_text");
    let text = value.get("text").filter(|_| guarded)?;
    Some(json!({ "guardContent": { "text": { "text": text } } }))
}
