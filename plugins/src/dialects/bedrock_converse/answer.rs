//! Converse's answer.

use super::{error, media};
use crate::dialects::dialect::TranslateError;
use crate::dialects::json_tool::JSON_TOOL;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use weir_core::chat::{
    Answer, Citation, Dialect, Finish, Kind, Media, Object, Part, Source, ToolCall, ToolCallKind,
};
use weir_core::domain::usage::Usage;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAnswer {
    output: Option<Output>,
    stop_reason: Option<String>,
    usage: Option<WireUsage>,
    service_tier: Option<Value>,
    #[serde(flatten)]
    extra: Object,
}

#[derive(Deserialize)]
struct Output {
    message: Option<WireMessage>,
}

#[derive(Deserialize)]
struct WireMessage {
    #[serde(default)]
    content: Vec<Value>,
}

/// One block that is understood; any other is carried as it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Block {
    Text(String),
    ToolUse(ToolUse),
    ReasoningContent(Thought),
    CitationsContent(Cited),
    Image(Medium),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolUse {
    pub tool_use_id: String,
    pub name: String,
    #[serde(default)]
    input: Value,
    /// `server_tool_use`: Bedrock runs it itself.
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Thought {
    ReasoningText { text: String, signature: Option<String> },
    RedactedContent(String),
}

#[derive(Deserialize)]
struct Cited {
    #[serde(default)]
    content: Vec<CitedText>,
    #[serde(default)]
    citations: Vec<Value>,
}

#[derive(Deserialize)]
struct CitedText {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Medium {
    format: String,
    source: Bytes,
}

#[derive(Deserialize)]
struct Bytes {
    bytes: String,
}

/// Two spellings of the cache counts come together in one body.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireUsage {
    input_tokens: Count,
    output_tokens: Count,
    total_tokens: Count,
    cache_read_input_tokens: Count,
    cache_read_input_token_count: Count,
    cache_write_input_tokens: Count,
    cache_write_input_token_count: Count,
    cache_details: Option<Vec<CacheDetail>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CacheDetail {
    input_tokens: Count,
    ttl: Option<String>,
}

/// A count as any number, or none.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(from = "Option<f64>")]
struct Count(u64);

// --- WireAnswer ---

pub(super) fn read(body: &[u8]) -> Result<Answer, TranslateError> {
    let read: WireAnswer = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    let Some(message) = read.output.and_then(|output| output.message) else {
        let fault = error::in_answer(&read.extra).map(TranslateError::Fault);
        return Err(fault.unwrap_or_else(|| TranslateError::malformed("an answer without output.message")));
    };
    let content: Vec<Part> = message.content.into_iter().map(part).collect();
    let reason = read.stop_reason.ok_or_else(|| TranslateError::malformed("an answer without stopReason"))?;
    let sequence = read.extra.get("additionalModelResponseFields");
    let called = content.iter().any(|p| matches!(p.kind, Kind::ToolCall(_)));
    let service_tier = read.service_tier.as_ref().and_then(tier);
    Ok(Answer {
        finish: Some(finish(&reason, sequence, called)),
        content,
        usage: read.usage.map(|usage| Usage::from(usage).served_at(service_tier.as_deref())),
        service_tier,
        extra: read.extra,
        ..Answer::default()
    })
}

/// `called`: the answer calls a tool of the client's. The tool that stands for a format is none.
pub(super) fn finish(reason: &str, fields: Option<&Value>, called: bool) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "tool_use" if called => Finish::ToolCalls,
        "tool_use" => Finish::Stop,
        "stop_sequence" => {
            let named = fields.and_then(|f| f.get("stop_sequence")).and_then(Value::as_str);
            Finish::StopSequence(named.map(str::to_owned))
        }
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "content_filtered" | "guardrail_intervened" => Finish::ContentFilter,
        other => Finish::Other(other.to_owned()),
    }
}

pub(super) fn tier(tier: &Value) -> Option<String> {
    tier.get("type").unwrap_or(tier).as_str().map(str::to_owned)
}

pub(super) fn part(block: Value) -> Part {
    match Block::deserialize(&block) {
        Ok(Block::Text(text)) => Part::text(text),
        Ok(Block::ToolUse(tool)) if !tool.is_bedrocks_own() => tool.part(),
        Ok(Block::ReasoningContent(Thought::ReasoningText { text, signature })) => {
            let mut part = Part::new(Kind::Thinking { text, id: None });
            part.signature = signature;
            part
        }
        Ok(Block::ReasoningContent(Thought::RedactedContent(data))) => redacted(&data),
        Ok(Block::CitationsContent(cited)) => {
            let text = cited.content.into_iter().map(|c| c.text).collect();
            let citations = cited.citations.into_iter().map(citation).collect();
            Part::new(Kind::Text { text, citations })
        }
        Ok(Block::Image(Medium { format, source })) => {
            let source =
                Source::Base64 { media_type: media::media_type("image", &format), data: source.bytes };
            Part::new(Kind::Image(Media::new(source)))
        }
        Ok(Block::ToolUse(_)) | Err(_) => opaque(block),
    }
}

fn opaque(value: Value) -> Part {
    Part::new(Kind::Opaque { dialect: Dialect::BedrockConverse, value })
}

/// Converse wraps the text that Anthropic's own API shows into one more base64; the text is kept, so that the thought
/// can go back to either.
pub(super) fn redacted(data: &str) -> Part {
    let inner = STANDARD.decode(data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    Part::new(Kind::RedactedThinking { data: inner.unwrap_or_else(|| data.to_owned()) })
}

pub(super) fn citation(original: Value) -> Citation {
    let text = |value: &Value| value.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
    let source = original.get("sourceContent").and_then(Value::as_array);
    let cited: String =
        source.into_iter().flatten().filter_map(|piece| piece.get("text").and_then(Value::as_str)).collect();
    Citation {
        url: original.pointer("/location/web/url").and_then(text),
        title: original.get("title").and_then(text),
        cited_text: Some(cited).filter(|cited| !cited.is_empty()),
        start: None,
        end: None,
        original: Some((Dialect::BedrockConverse, original)),
    }
}

// --- ToolUse ---

impl ToolUse {
    pub fn is_bedrocks_own(&self) -> bool {
        self.kind.as_deref() == Some("server_tool_use")
    }

    pub fn stands_for_format(&self) -> bool {
        self.name == JSON_TOOL
    }

    fn part(self) -> Part {
        let arguments = match &self.input {
            Value::Null => String::new(),
            input => input.to_string(),
        };
        if self.stands_for_format() {
            return Part::text(arguments);
        }
        let Self { tool_use_id: id, name, .. } = self;
        Part::new(Kind::ToolCall(ToolCall { id, name, arguments, kind: ToolCallKind::Function }))
    }
}

// --- usage ---

impl From<Option<f64>> for Count {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "negative and odd counts become 0"
    )]
    fn from(count: Option<f64>) -> Self {
        Self(count.unwrap_or(0.0) as u64)
    }
}

impl From<WireUsage> for Usage {
    /// Bedrock's input is what was neither read from nor written to a cache, unless the total says that it is all.
    fn from(wire: WireUsage) -> Self {
        let read = wire.cache_read_input_tokens.0.max(wire.cache_read_input_token_count.0);
        let written = wire.cache_write_input_tokens.0.max(wire.cache_write_input_token_count.0);
        let details = wire.cache_details.unwrap_or_default();
        let hour = details.iter().filter(|d| d.ttl.as_deref() == Some("1h")).map(|d| d.input_tokens.0);
        let hour = hour.fold(0, u64::saturating_add).min(written);
        let cached = read.saturating_add(written);
        let whole = wire.total_tokens.0 == wire.input_tokens.0.saturating_add(wire.output_tokens.0);
        let within = whole && wire.input_tokens.0 >= cached;
        Usage {
            input: wire.input_tokens.0.saturating_add(if within { 0 } else { cached }),
            output: wire.output_tokens.0,
            cache_read: read,
            cache_write: written - hour,
            cache_write_1h: hour,
            ..Usage::default()
        }
    }
}
