//! A whole answer, in the shape that LiteLLM gives to answers of other providers.

use super::super::usage::ToldUsage;
use super::super::wire::{ToldCall, ToldFunction, finish_word};
use super::blocks;
use crate::dialects::View;
use crate::dialects::wire_body::room;
use serde::Serialize;
use serde_json::{Value, json};
use weir_core::chat::{Answer, Choice as Said, Finish, Kind, Part, ToolCall, ToolCallKind};

#[derive(Serialize)]
struct Body<'a> {
    id: String,
    created: i64,
    model: &'a str,
    object: &'static str,
    choices: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<ToldUsage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    /// What Bedrock's guardrails did, where the request asks for it; LiteLLM's name and place.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a Value>,
}

#[derive(Serialize)]
struct Choice<'a> {
    finish_reason: &'static str,
    index: usize,
    message: Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<&'a Value>,
}

/// `content` is null where there are only tool calls.
#[derive(Default, Serialize)]
struct Message {
    content: Option<String>,
    role: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToldCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<ToldFunction>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reasoning_content: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thinking_blocks: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<Value>,
    #[serde(skip_serializing_if = "Specific::is_empty")]
    provider_specific_fields: Specific,
}

/// What LiteLLM repeats or adds for clients that know the provider.
#[derive(Default, Serialize)]
struct Specific {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    citations: Vec<Vec<Value>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thinking_blocks: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thought_signatures: Vec<String>,
}

/// The JSON body of a 200.
pub(in super::super) fn write(mut answer: Answer, view: &View<'_>) -> Vec<u8> {
    let legacy = blocks::is_legacy(view.body);
    let (content, finish) = (std::mem::take(&mut answer.content), answer.finish.take());
    let mut extra = std::mem::take(&mut answer.extra);
    let trace = extra.shift_remove("trace");
    let mut said = vec![Said { content, finish, extra }];
    said.append(&mut answer.others);
    let choices: Vec<Choice<'_>> =
        said.iter_mut().enumerate().map(|(index, said)| Choice::of(index, said, legacy)).collect();
    let room: usize = choices.iter().map(|choice| choice.message.room()).sum();
    let body = Body {
        id: format!("chatcmpl-{}", view.id),
        created: view.created,
        model: answer.model.as_deref().unwrap_or(view.model),
        object: "chat.completion",
        choices,
        usage: answer.usage.as_ref().map(blocks::usage),
        service_tier: answer.service_tier.as_deref(),
        trace: trace.as_ref(),
    };
    let mut out = Vec::with_capacity(FRAME + room);
    // Writing into memory does not fail, and nothing here has keys that are no strings.
    let _ = serde_json::to_writer(&mut out, &body);
    out
}

/// Room for what stands around the message.
const FRAME: usize = 768;

// --- Choice ---

impl<'a> Choice<'a> {
    /// Takes what was said out of it.
    fn of(index: usize, said: &'a mut Said, legacy: bool) -> Self {
        let finish = said.finish.take().unwrap_or(Finish::Stop);
        let mut message = Message { role: "assistant", ..Message::default() };
        let mut chars = 0;
        for part in std::mem::take(&mut said.content) {
            message.take(part, &mut chars);
        }
        message.close(legacy);
        let called = message.function_call.is_some();
        Self {
            finish_reason: if called { "function_call" } else { finish_word(&finish) },
            index,
            message,
            // Other shapes than OpenAI's would break its SDKs.
            logprobs: said.extra.get("logprobs").filter(|told| told.is_object()),
        }
    }
}

// --- Message ---

impl Message {
    /// `chars`: characters of text so far.
    fn take(&mut self, part: Part, chars: &mut u64) {
        let Part { kind, signature, extra, .. } = part;
        match kind {
            Kind::Text { text, citations } => {
                let from = *chars;
                *chars += text.chars().count() as u64;
                self.annotations.extend(citations.iter().filter_map(|c| blocks::annotation(c, from, *chars)));
                if !citations.is_empty() {
                    let told = citations.iter().map(blocks::original).collect();
                    self.provider_specific_fields.citations.push(told);
                }
                self.provider_specific_fields.thought_signatures.extend(signature);
                add(&mut self.content, text);
            }
            Kind::Thinking { text, id } => {
                if signature.is_some() {
                    self.thinking_blocks.push(blocks::thinking(&text, signature.as_deref(), id.as_deref()));
                }
                self.reasoning_content.push_str(&text);
            }
            Kind::RedactedThinking { data } => self.thinking_blocks.push(blocks::redacted(&data)),
            Kind::Refusal(text) => add(&mut self.refusal, text),
            Kind::ToolCall(call) => self.tool_calls.push(tool_call(call, signature)),
            Kind::Image(media) => self.images.extend(blocks::image(&media, self.images.len())),
            Kind::Audio(media) => self.audio = Some(blocks::audio(&media, &extra)),
            // Server tools and what they found: OpenAI's chat has no words for them.
            Kind::Document(_) | Kind::ToolResult(_) | Kind::Opaque { .. } => {}
        }
    }

    fn close(&mut self, legacy: bool) {
        self.provider_specific_fields.thinking_blocks.clone_from(&self.thinking_blocks);
        if self.content.is_none()
            && self.tool_calls.is_empty()
            && self.refusal.is_none()
            && self.audio.is_none()
        {
            self.content = Some(String::new());
        }
        if legacy && !self.tool_calls.is_empty() {
            self.function_call = self.tool_calls.swap_remove(0).function;
            self.tool_calls.clear();
        }
    }

    /// About how many bytes it is as JSON text.
    fn room(&self) -> usize {
        let said = room(self.content.as_deref().unwrap_or_default()) + room(&self.reasoning_content);
        said + self.tool_calls.iter().map(ToldCall::room).sum::<usize>()
    }
}

/// Puts a text behind another. A first one is not copied.
fn add(said: &mut Option<String>, text: String) {
    match said {
        Some(said) => said.push_str(&text),
        None => *said = Some(text),
    }
}

impl Specific {
    fn is_empty(&self) -> bool {
        self.citations.is_empty() && self.thinking_blocks.is_empty() && self.thought_signatures.is_empty()
    }
}

fn tool_call(mut call: ToolCall, signature: Option<String>) -> ToldCall {
    if call.kind == ToolCallKind::Function && call.arguments.is_empty() {
        call.arguments.push_str(blocks::NO_ARGUMENTS);
    }
    let fields = signature.map(|proof| json!({ "thought_signature": proof }));
    ToldCall { provider_specific_fields: fields, ..ToldCall::from(call) }
}
