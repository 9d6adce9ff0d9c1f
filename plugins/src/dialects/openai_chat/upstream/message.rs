//! Messages of a request.

use super::part;
use super::target::Target;
use crate::providers::Quirk;
use serde_json::{Value, json};
use weir_core::chat::{
    Dialect, Kind, Message, Object, Part, Role, Source, ToolCall, ToolCallKind, ToolResult,
};

/// Members of messages that other dialects use, or that LiteLLM gives to its clients.
static FOREIGN: &[&str] =
    &["id", "status", "type", "phase", "provider_specific_fields", "annotations", "function_call"];

/// All messages, in order.
pub(super) fn write_all(messages: Vec<Message>, target: &Target<'_>) -> Vec<Value> {
    let mut writer = Writer { target, out: Vec::with_capacity(messages.len()), media: Vec::new() };
    for message in messages {
        writer.push(message);
    }
    writer.flush();
    writer.out
}

struct Writer<'a> {
    target: &'a Target<'a>,
    out: Vec<Value>,
    /// Images and files out of tool results: OpenAI takes text only in tool messages, and nothing may stand between
    /// these. They follow in a user's message when the last result is written.
    media: Vec<Value>,
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
        let mut told = Object::new();
        told.insert("role".into(), self.role(role).into());
        if role == Role::Assistant {
            self.assistant(rest, &mut told);
        } else {
            told.insert("content".into(), part::content(rest, self.target));
        }
        finish(told, name, extra, &mut self.out);
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
        let mut told = Object::new();
        told.insert("role".into(), "tool".into());
        told.insert("tool_call_id".into(), call_id.as_str().into());
        told.insert("content".into(), self.result_text(texts, is_error, cache, media.len()));
        self.media_of(&call_id, media);
        finish(told, name, extra.clone(), &mut self.out);
    }

    /// OpenAI has no mark for a failed tool: the text says it.
    fn result_text(&self, mut texts: Vec<Part>, is_error: bool, cache: Option<Value>, media: usize) -> Value {
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
        self.media.push(json!({ "type": "text", "text": format!("Result of the tool call {call_id}:") }));
        self.media.extend(media.into_iter().filter_map(|part| part::write(part, self.target)));
    }

    fn flush(&mut self) {
        if !self.media.is_empty() {
            let media = std::mem::take(&mut self.media);
            self.out.push(json!({ "role": "user", "content": media }));
        }
    }

    fn assistant(&self, parts: Vec<Part>, told: &mut Object) {
        let mut said = Said::default();
        parts.into_iter().for_each(|part| said.take(part, self.target));
        if let Some(audio) = said.audio {
            told.insert("audio".into(), audio);
        }
        let content = match (said.text, said.parts.is_empty()) {
            (text, false) => mixed(text, said.parts),
            (text, true) if !text.is_empty() => text.into(),
            // OpenAI takes null only beside calls.
            (_, true) if said.calls.is_empty() && said.refusal.is_none() => "".into(),
            (_, true) => Value::Null,
        };
        told.insert("content".into(), content);
        if let Some(refusal) = said.refusal {
            told.insert("refusal".into(), refusal.into());
        }
        if !said.calls.is_empty() {
            told.insert("tool_calls".into(), said.calls.into());
        }
        self.thoughts(said.thoughts, said.blocks, told);
    }

    /// OpenAI takes no thoughts back; those who do have names of their own for them.
    fn thoughts(&self, text: String, blocks: Vec<Value>, told: &mut Object) {
        if self.target.has(Quirk::ReasoningContent) && !text.is_empty() {
            told.insert("reasoning_content".into(), text.into());
        }
        if self.target.has(Quirk::ThinkingBlocks) && !blocks.is_empty() {
            told.insert("thinking_blocks".into(), blocks.into());
        }
    }
}

/// What one message of the assistant says.
#[derive(Default)]
struct Said {
    text: String,
    /// Parts that are no text; with them, content is a list.
    parts: Vec<Value>,
    refusal: Option<String>,
    calls: Vec<Value>,
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
                self.parts.push(json!({ "type": "text", "text": text, "cache_control": cache }));
            }
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
                self.parts.push(value);
            }
            // Media of an assistant and blocks of other dialects: no provider of this one takes them.
            _ => {}
        }
    }

    /// Text so far becomes a part, so that the order stays.
    fn settle(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.parts.push(json!({ "type": "text", "text": text }));
        }
    }
}

fn mixed(text: String, mut parts: Vec<Value>) -> Value {
    if !text.is_empty() {
        parts.push(json!({ "type": "text", "text": text }));
    }
    parts.into()
}

fn tool_call(call: ToolCall, signature: Option<String>) -> Value {
    let ToolCall { id, name, arguments, kind } = call;
    let mut told = match kind {
        ToolCallKind::Function => {
            let arguments = if arguments.trim().is_empty() { "{}".to_owned() } else { arguments };
            json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
        }
        ToolCallKind::Custom => {
            json!({ "id": id, "type": "custom", "custom": { "name": name, "input": arguments } })
        }
    };
    if let Some(signature) = signature {
        // Where Google's own OpenAI endpoint wants Gemini's proof; others ignore it.
        told["extra_content"] = json!({ "google": { "thought_signature": signature } });
    }
    told
}

fn finish(mut told: Object, name: Option<String>, extra: Object, out: &mut Vec<Value>) {
    if let Some(name) = name {
        told.insert("name".into(), name.into());
    }
    for (member, value) in extra {
        if !FOREIGN.contains(&member.as_str()) && !told.contains_key(&member) {
            told.insert(member, value);
        }
    }
    out.push(Value::Object(told));
}
