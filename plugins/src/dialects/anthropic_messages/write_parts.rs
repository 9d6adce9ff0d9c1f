//! Parts to blocks. `None` where this dialect has no such block: another dialect's own, sounds, images that a model
//! made.

use super::DIALECT;
use serde_json::{Value, json};
use weir_core::chat::{Citation, Kind, Media, Part, Source, ToolCall, ToolCallKind, ToolResult};

/// One part as a block, with its `cache_control` and members that only this dialect knows.
pub(super) fn block(part: Part) -> Option<Value> {
    let Part { kind, cache, signature, extra } = part;
    let may_be_cached = !matches!(kind, Kind::Thinking { .. } | Kind::RedactedThinking { .. });
    let mut block = match kind {
        Kind::Text { text, citations } => text_block(text, citations),
        Kind::Refusal(text) => json!({ "type": "text", "text": text }),
        Kind::Image(media) => media_block(media, true),
        Kind::Document(media) => media_block(media, false),
        Kind::Thinking { text, .. } => {
            json!({ "type": "thinking", "thinking": text, "signature": signature.unwrap_or_default() })
        }
        Kind::RedactedThinking { data } => json!({ "type": "redacted_thinking", "data": data }),
        Kind::ToolCall(call) => tool_use(&call),
        Kind::ToolResult(result) => tool_result(result),
        Kind::Opaque { dialect, value } if dialect == DIALECT => value,
        Kind::Opaque { .. } | Kind::Audio(_) => return None,
    };
    if let Value::Object(object) = &mut block {
        object.extend(extra);
        object.extend(cache.filter(|_| may_be_cached).map(|cache| ("cache_control".to_owned(), cache)));
    }
    Some(block)
}

/// All parts that can be written; empty text is left out, since Anthropic refuses it when it comes back.
pub(super) fn blocks(parts: Vec<Part>) -> Vec<Value> {
    parts.into_iter().filter(|part| !is_empty(part)).filter_map(block).collect()
}

/// Says nothing: would be refused, or would say nothing to anybody.
pub(super) fn is_empty(part: &Part) -> bool {
    match &part.kind {
        Kind::Text { text, .. } | Kind::Refusal(text) => text.is_empty(),
        Kind::Thinking { text, .. } => text.is_empty() && part.signature.is_none(),
        _ => false,
    }
}

/// The `input` of a call. Free text, and what a model wrote that is no object, goes into a member: Anthropic takes
/// nothing but objects.
pub(super) fn input(call: &ToolCall) -> Value {
    let object = if call.kind == ToolCallKind::Custom { None } else { call.object() };
    object.map_or_else(|| json!({ FREE_TEXT: call.arguments }), Value::Object)
}

/// The member that holds the free text of a custom tool.
pub(super) const FREE_TEXT: &str = "input";

fn text_block(text: String, citations: Vec<Citation>) -> Value {
    let mut block = json!({ "type": "text", "text": text });
    if !citations.is_empty() {
        block["citations"] = citations.into_iter().map(citation).collect();
    }
    block
}

/// As Anthropic wrote it, or the nearest of its own kinds: a page on the web, or a document.
pub(super) fn citation(citation: Citation) -> Value {
    let cited_text = citation.cited_text.unwrap_or_default();
    match (citation.original, citation.url) {
        (Some((dialect, value)), _) if dialect == DIALECT => value,
        (_, Some(url)) => json!({
            "type": "web_search_result_location",
            "url": url,
            "title": citation.title,
            "cited_text": cited_text,
            "encrypted_index": "",
        }),
        (_, None) => json!({
            "type": "char_location",
            "cited_text": cited_text,
            "document_index": 0,
            "document_title": citation.title,
            "start_char_index": 0,
            "end_char_index": 0,
        }),
    }
}

/// By what is inside, not by what it was called: OpenAI's clients send PDFs as images and images as files.
fn media_block(media: Media, called_image: bool) -> Value {
    let is_image = media.source.media_type().map_or(called_image, |known| known.starts_with("image/"));
    let source = match media.source {
        Source::Base64 { media_type, data } => {
            json!({ "type": "base64", "media_type": media_type, "data": data })
        }
        Source::Text { media_type, text } => {
            json!({ "type": "text", "media_type": media_type, "data": text })
        }
        Source::Url { url, .. } => json!({ "type": "url", "url": url }),
        Source::File { id } => json!({ "type": "file", "file_id": id }),
    };
    let mut block = json!({ "type": if is_image { "image" } else { "document" }, "source": source });
    if let Some(name) = media.name.filter(|_| !is_image) {
        block["title"] = json!(name);
    }
    block
}

fn tool_use(call: &ToolCall) -> Value {
    json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": input(call) })
}

/// One plain text is written as text, as LiteLLM does.
fn tool_result(result: ToolResult) -> Value {
    let mut out = json!({ "type": "tool_result", "tool_use_id": result.call_id });
    match result.content.as_slice() {
        [] => {}
        [Part { kind: Kind::Text { text, citations }, cache: None, extra, .. }]
            if citations.is_empty() && extra.is_empty() =>
        {
            out["content"] = json!(text);
        }
        _ => out["content"] = blocks(result.content).into(),
    }
    if result.is_error {
        out["is_error"] = json!(true);
    }
    out
}
