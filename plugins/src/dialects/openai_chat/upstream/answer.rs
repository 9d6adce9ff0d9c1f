//! A whole answer.

use super::super::wire::{
    Choice, Chunk, KNOWN, Loose, Piece, WireAudio, WireCall, WireMessage, is_said, read_finish,
};
use super::{calls, sources};
use crate::dialects::TranslateError;
use crate::dialects::beside::beside;
use serde_json::Value;
use weir_core::chat::{
    Answer, Choice as Said, Citation, Dialect, Kind, Media, Object, Part, Source, ToolCall, ToolCallKind,
};

/// Members of every answer that say nothing beyond their own dialect.
static PLAIN: &[&str] = &["created", "prompt"];

pub(in super::super) fn read(body: &[u8]) -> Result<Answer, TranslateError> {
    let mut chunk: Chunk = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    let choice = chunk.take_choice();
    if choice.is_none() && chunk.is_fault() {
        return Err(TranslateError::Fault(super::fault(0, body)));
    }
    let Some(mut choice) = choice else { return Err(TranslateError::malformed("no choices")) };
    let rest = beside(body, KNOWN).map_err(TranslateError::malformed)?;
    let fault = choice.error.take().filter(is_said).or(chunk.error.take().filter(is_said));
    let fault = fault.map(|error| super::fault(0, error.to_string().as_bytes()));
    let usage = chunk.take_usage(Some(&mut choice));
    let id = chunk.id.take().filter(|id| !id.is_empty());
    let mut others_told = chunk.take_others();
    let mut content = choice.message.take().map(|m| parts(m, id.as_deref())).unwrap_or_default();
    if let Some(list) = sources::sources(&mut chunk) {
        cite(&mut content, list);
    }
    let calls = content.iter().any(|part| matches!(part.kind, Kind::ToolCall(_)));
    Ok(Answer {
        finish: choice.finish_reason.as_deref().map(|word| read_finish(word, calls)),
        content,
        model: chunk.model.filter(|m| !m.is_empty()),
        usage,
        service_tier: chunk.service_tier,
        fault: fault.or_else(|| super::failed(choice.finish_reason.as_deref()?)),
        extra: extra(rest, choice),
        others: others(&mut others_told, id.as_deref()),
        id,
    })
}

/// The second choice and those behind it.
fn others(told: &mut dyn Iterator<Item = (usize, Choice)>, id: Option<&str>) -> Vec<Said> {
    let mut others = Vec::new();
    for (index, choice) in told {
        others.resize_with(others.len().max(index), Said::default);
        if let Some(other) = others.get_mut(index - 1) {
            *other = said(choice, calls::beside(id, index).as_deref());
        }
    }
    others
}

fn said(mut choice: Choice, id: Option<&str>) -> Said {
    let content = choice.message.take().map(|message| parts(message, id)).unwrap_or_default();
    let calls = content.iter().any(|part| matches!(part.kind, Kind::ToolCall(_)));
    let finish = choice.finish_reason.as_deref().map(|word| read_finish(word, calls));
    Said { content, finish, extra: extra(Object::new(), choice) }
}

fn extra(mut extra: Object, choice: Choice) -> Object {
    extra.retain(|name, value| !value.is_null() && !PLAIN.contains(&name.as_str()));
    if let Some(logprobs) = choice.logprobs {
        extra.insert("logprobs".into(), logprobs);
    }
    extra
}

fn parts(mut message: WireMessage, id: Option<&str>) -> Vec<Part> {
    let mut out = thoughts(&mut message);
    let mut pieces = message.content.take().map(Loose::into_pieces).unwrap_or_default();
    pieces.retain(|piece| !matches!(piece, Piece::Text(text) | Piece::Thinking(text) if text.is_empty()));
    out.extend(pieces.into_iter().map(piece));
    let citations = message.annotations.take().unwrap_or_default();
    cite(&mut out, citations.into_iter().map(sources::annotation).collect());
    let refusal = message.refusal.take().filter(|text| !text.is_empty());
    out.extend(refusal.map(|text| Part::new(Kind::Refusal(text))));
    out.extend(message.images.take().unwrap_or_default().iter().filter_map(image));
    out.extend(message.audio.take().map(audio));
    for (index, call) in message.tool_calls.take().unwrap_or_default().into_iter().enumerate() {
        out.push(tool_call(call, index, id));
    }
    if let Some(function) = message.function_call.take() {
        out.push(tool_call(WireCall { function: Some(function), ..WireCall::default() }, 0, id));
    }
    out
}

/// Thoughts: blocks with proof where there are some, else the text.
fn thoughts(message: &mut WireMessage) -> Vec<Part> {
    let text = message.take_reasoning();
    let blocks = message.thinking_blocks.take().unwrap_or_default();
    let details = message.reasoning_details.take().unwrap_or_default();
    let proven: Vec<Part> = blocks.iter().chain(&details).filter_map(proven).collect();
    let told =
        proven.iter().any(|part| matches!(&part.kind, Kind::Thinking { text, .. } if !text.is_empty()));
    let text = text.filter(|_| !told).map(|text| Part::new(Kind::Thinking { text, id: None }));
    text.into_iter().chain(proven).collect()
}

/// LiteLLM's `thinking_blocks` and OpenRouter's `reasoning_details`, as far as they say more than the text.
pub(super) fn proven(block: &Value) -> Option<Part> {
    let text = |name: &str| block.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    match text("type")? {
        "thinking" | "reasoning.text" => {
            let signature = text("signature")?.to_owned();
            let thought = text("thinking").or(text("text")).unwrap_or_default().to_owned();
            let mut part = Part::new(Kind::Thinking { text: thought, id: None });
            part.signature = Some(signature);
            Some(part)
        }
        "redacted_thinking" | "reasoning.encrypted" => {
            Some(Part::new(Kind::RedactedThinking { data: text("data")?.to_owned() }))
        }
        _ => None,
    }
}

pub(super) fn piece(piece: Piece) -> Part {
    match piece {
        Piece::Text(text) => Part::text(text),
        Piece::Thinking(text) => Part::new(Kind::Thinking { text, id: None }),
        Piece::Other(value) => Part::new(Kind::Opaque { dialect: Dialect::OpenAiChat, value }),
    }
}

/// Citations belong to the last text.
fn cite(parts: &mut [Part], list: Vec<Citation>) {
    let text = parts.iter_mut().rev().find_map(|part| match &mut part.kind {
        Kind::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(citations) = text {
        citations.extend(list);
    }
}

/// OpenRouter's and LiteLLM's pictures.
pub(super) fn image(value: &Value) -> Option<Part> {
    let url = value.get("image_url")?.get("url")?.as_str()?;
    Some(Part::new(Kind::Image(Media::from_url(url))))
}

/// The format is the request's; the answer does not say it.
pub(super) fn audio(wire: WireAudio) -> Part {
    let data = wire.data.unwrap_or_default();
    let mut media = Media::new(Source::Base64 { media_type: "audio/wav".into(), data });
    media.transcript = wire.transcript;
    let mut part = Part::new(Kind::Audio(media));
    if let Some(id) = wire.id {
        part.extra.insert("id".into(), id.into());
    }
    if let Some(at) = wire.expires_at {
        part.extra.insert("expires_at".into(), at.into());
    }
    part
}

fn tool_call(mut call: WireCall, index: usize, answer: Option<&str>) -> Part {
    let signature = call.signature();
    let (function, custom) = call.take_function();
    let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| calls::made_up(answer, index));
    let mut part = Part::new(Kind::ToolCall(ToolCall {
        id,
        name: function.name.unwrap_or_default(),
        arguments: function.arguments.map(Loose::into_text).unwrap_or_default(),
        kind: if custom { ToolCallKind::Custom } else { ToolCallKind::Function },
    }));
    part.signature = signature;
    part
}
