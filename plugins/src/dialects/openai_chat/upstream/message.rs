//! Messages of a request.

use super::super::wire::ToldCall;
use super::part::{self, Content, Piece};
use super::target::Target;
use crate::dialects::wire_body;
use crate::providers::Quirk;
use serde::Serialize;
use serde_json::{Value, json};
use weir_core::chat::{
    Dialect, Kind, Message, Object, Part, Role, Source, ToolCall, ToolCallKind, ToolResult,
};
use weir_core::error::ApiError;

/// Members of messages that other dialects use, or that LiteLLM gives to its clients.
static FOREIGN: &[&str] =
    &["id", "status", "type", "phase", "provider_specific_fields", "annotations", "function_call"];

/// One message, as it is sent.
#[derive(Serialize)]
struct Told {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<Value>,
    content: Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToldCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thinking_blocks: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    extra: Object,
}

/// All messages, in order, as JSON text.
///
/// # Errors
/// 500 for what cannot be written.
pub(super) fn write_all(messages: Vec<Message>, target: &Target<'_>) -> Result<Vec<u8>, ApiError> {
    let mut writer = Writer { target, out: Vec::with_capacity(messages.len()), media: Vec::new() };
    for message in messages {
        writer.push(message);
    }
    writer.flush();
    let room = writer.out.iter().map(Told::room).sum();
    wire_body::text(&writer.out, room)
}

struct Writer<'a> {
    target: &'a Target<'a>,
    out: Vec<Told>,
    /// Images and files out of tool results: OpenAI takes text only in tool messages, and nothing may stand between
    /// these. They follow in a user's message when the last result is written.
    media: Vec<Piece>,
}

// --- Writer ---

impl Writer<'_> {
    fn push(&mut self, message: Message) {
        let Message { role, content, name, extra } = message;
        let (results, rest): (Vec<Part>, Vec<Part>) =
            content.into_iter().partition(|part| matches!(part.kind, Kind::ToolResult(_)));
        let only_results = rest.is_empty() && (role == Role::Tool || !results.is_empty());
        let extra_of_result = if only_results { extra.clone() } else { Object::new() };
        for part in results {
            self.result(part, &extra_of_result);
        }
        if only_results {
            return;
        }
        self.flush();
        let told = match role {
            Role::Assistant => self.assistant(rest),
            role => Told::new(self.role(role), part::content(rest, self.target)),
        };
        self.out.push(told.with(name, extra));
    }

    /// Only OpenAI knows developers.
    fn role(&self, role: Role) -> &'static str {
        match role {
            Role::System => "system",
            Role::Developer if self.target.is_openai() => "developer",
            Role::Developer => "system",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        }
    }

    fn result(&mut self, part: Part, extra: &Object) {
        let Part { kind: Kind::ToolResult(result), cache, .. } = part else { return };
        let ToolResult { call_id, name, content, is_error } = result;
        let (media, texts): (Vec<Part>, Vec<Part>) = content.into_iter().partition(part::is_media);
        let mut told = Told::new("tool", self.result_text(texts, is_error, cache, media.len()));
        self.media_of(&call_id, media);
        told.tool_call_id = Some(call_id);
        self.out.push(told.with(name, extra.clone()));
    }

    /// OpenAI has no mark for a failed tool: the text says it.
    fn result_text(
        &self,
        mut texts: Vec<Part>,
        is_error: bool,
        cache: Option<Value>,
        media: usize,
    ) -> Content {
        if texts.is_empty() && media > 0 {
            texts.push(Part::text("The result follows in the next message."));
        }
        let says =
            texts.first().and_then(Part::as_text).is_some_and(|t| t.to_lowercase().starts_with("error"));
        if is_error && !says {
            match texts.first_mut().map(|part| &mut part.kind) {
                Some(Kind::Text { text, .. }) => text.insert_str(0, "Error: "),
                _ => texts.insert(0, Part::text("Error")),
            }
        }
        if let Some(last) = texts.last_mut() {
            last.cache = last.cache.take().or(cache);
        }
        part::content(texts, self.target)
    }

    fn media_of(&mut self, call_id: &str, media: Vec<Part>) {
        if media.is_empty() {
            return;
        }
        self.media.push(Piece::text(format!("Result of the tool call {call_id}:")));
        self.media.extend(media.into_iter().filter_map(|part| part::write(part, self.target)));
    }

    fn flush(&mut self) {
        if !self.media.is_empty() {
            let media = std::mem::take(&mut self.media);
            self.out.push(Told::new("user", Content::Pieces(media)));
        }
    }

    fn assistant(&self, parts: Vec<Part>) -> Told {
        let mut said = Said::default();
        parts.into_iter().for_each(|part| said.take(part, self.target));
        let mut told = Told::new("assistant", said.content());
        (told.audio, told.refusal, told.tool_calls) = (said.audio, said.refusal, said.calls);
        // OpenAI takes no thoughts back; those who do have names of their own for them.
        if self.target.has(Quirk::ReasoningContent) && !said.thoughts.is_empty() {
            told.reasoning_content = Some(said.thoughts);
        }
        if self.target.has(Quirk::ThinkingBlocks) {
            told.thinking_blocks = said.blocks;
        }
        told
    }
}

// --- Told ---

impl Told {
    fn new(role: &'static str, content: Content) -> Self {
        Self {
            role,
            tool_call_id: None,
            audio: None,
            content,
            refusal: None,
            tool_calls: Vec::new(),
            reasoning_content: None,
            thinking_blocks: Vec::new(),
            name: None,
            extra: Object::new(),
        }
    }

    /// With members that the model does not know, as far as they mean something to OpenAI's dialect.
    fn with(mut self, name: Option<String>, mut extra: Object) -> Self {
        self.name = name;
        extra.retain(|member, _| !FOREIGN.contains(&member.as_str()) && !self.says(member));
        self.extra = extra;
        self
    }

    fn says(&self, member: &str) -> bool {
        match member {
            "role" | "content" => true,
            "tool_call_id" => self.tool_call_id.is_some(),
            "audio" => self.audio.is_some(),
            "refusal" => self.refusal.is_some(),
            "tool_calls" => !self.tool_calls.is_empty(),
            "reasoning_content" => self.reasoning_content.is_some(),
            "thinking_blocks" => !self.thinking_blocks.is_empty(),
            "name" => self.name.is_some(),
            _ => false,
        }
    }

    /// About how many bytes it is as JSON text.
    fn room(&self) -> usize {
        40 + self.content.room() + self.tool_calls.iter().map(ToldCall::room).sum::<usize>()
    }
}

/// What one message of the assistant says.
#[derive(Default)]
struct Said {
    text: String,
    /// Parts that are no text; with them, content is a list.
    parts: Vec<Piece>,
    refusal: Option<String>,
    calls: Vec<ToldCall>,
    thoughts: String,
    /// Thoughts with their proof, in LiteLLM's shape.
    blocks: Vec<Value>,
    audio: Option<Value>,
}

impl Said {
    fn take(&mut self, part: Part, target: &Target<'_>) {
        let Part { kind, signature, cache, .. } = part;
        match kind {
            // The marks of a cache need a list of parts; plain text needs none.
            Kind::Text { text, .. } if cache.is_some() && target.has(Quirk::CacheControl) => {
                self.settle();
                self.parts.push(Piece::text(text).marked(cache, Object::new()));
            }
            Kind::Text { text, .. } if self.text.is_empty() => self.text = text,
            Kind::Text { text, .. } => self.text.push_str(&text),
            Kind::Thinking { text, .. } => {
                self.thoughts.push_str(&text);
                let block = |proof| json!({ "type": "thinking", "thinking": text, "signature": proof });
                self.blocks.extend(signature.map(block));
            }
            Kind::RedactedThinking { data } => {
                self.blocks.push(json!({ "type": "redacted_thinking", "data": data }));
            }
            Kind::Refusal(text) => self.refusal.get_or_insert_default().push_str(&text),
            Kind::ToolCall(call) => self.calls.push(tool_call(call, signature)),
            Kind::Audio(media) => {
                if let Source::File { id } = media.source {
                    self.audio = Some(json!({ "id": id }));
                }
            }
            Kind::Opaque { dialect: Dialect::OpenAiChat, value } => {
                self.settle();
                self.parts.push(Piece::Tree(value));
            }
            // Media of an assistant and blocks of other dialects: no provider of this one takes them.
            _ => {}
        }
    }

    /// Text so far becomes a part, so that the order stays.
    fn settle(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.parts.push(Piece::text(text));
        }
    }

    /// Takes out what becomes the content.
    fn content(&mut self) -> Content {
        if !self.parts.is_empty() {
            self.settle();
            return Content::Pieces(std::mem::take(&mut self.parts));
        }
        // OpenAI takes null only beside calls.
        let may_be_null = !self.calls.is_empty() || self.refusal.is_some();
        if self.text.is_empty() && may_be_null {
            return Content::Null;
        }
        Content::Text(std::mem::take(&mut self.text))
    }
}

fn tool_call(mut call: ToolCall, signature: Option<String>) -> ToldCall {
    if call.kind == ToolCallKind::Function && call.arguments.trim().is_empty() {
        "{}".clone_into(&mut call.arguments);
    }
    let extra_content = signature.map(|proof| json!({ "google": { "thought_signature": proof } }));
    ToldCall { extra_content, ..ToldCall::from(call) }
}
