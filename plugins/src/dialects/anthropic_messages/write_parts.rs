//! Parts as blocks, written straight to JSON text. No block: another dialect's own, sounds, images that a model made.

use super::DIALECT;
use crate::dialects::wire_body;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use weir_core::chat::{Citation, Kind, Media, Part, Source, ToolCall, ToolCallKind, ToolResult};

/// A part as a block, with its `cache_control` and members that only this dialect knows.
struct Block<'a>(&'a Part);

/// The parts of a list that are written, as `content`.
pub(super) struct Blocks<'a>(pub(super) &'a [Part]);

/// What most blocks are made of.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Wire<'a> {
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        citations: Vec<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a Value>,
    },
    Image {
        source: WireSource<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a Value>,
    },
    Document {
        source: WireSource<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a Value>,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Input<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a Value>,
    },
    ToolResult {
        tool_use_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Content<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a Value>,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireSource<'a> {
    Base64 { media_type: &'a str, data: &'a str },
    Text { media_type: &'a str, data: &'a str },
    Url { url: &'a str },
    File { file_id: &'a str },
}

/// The `input` of a call. Free text, and what a model wrote that is no object, goes into a member: Anthropic takes
/// nothing but objects.
#[derive(Serialize)]
#[serde(untagged)]
enum Input<'a> {
    Object(&'a RawValue),
    /// The member is [`FREE_TEXT`].
    Free {
        input: &'a str,
    },
}

/// The member that holds the free text of a custom tool.
pub(super) const FREE_TEXT: &str = "input";

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(&'a str),
    Blocks(Blocks<'a>),
}

/// One part as a tree.
pub(super) fn block(part: &Part) -> Option<Value> {
    is_block(part).then(|| serde_json::to_value(Block(part)).unwrap_or_default())
}

/// Whether a part is written among others: it is a block, and empty text is left out, since Anthropic refuses it when it
/// comes back.
pub(super) fn is_written(part: &Part) -> bool {
    is_block(part) && !is_empty(part)
}

/// About how many bytes the parts are as JSON text.
pub(super) fn room(parts: &[Part]) -> usize {
    parts.iter().map(|part| 48 + length(&part.kind)).sum()
}

fn is_block(part: &Part) -> bool {
    match &part.kind {
        Kind::Opaque { dialect, .. } => *dialect == DIALECT,
        Kind::Audio(_) => false,
        _ => true,
    }
}

/// Says nothing: would be refused, or would say nothing to anybody.
fn is_empty(part: &Part) -> bool {
    match &part.kind {
        Kind::Text { text, .. } | Kind::Refusal(text) => text.is_empty(),
        Kind::Thinking { text, .. } => text.is_empty() && part.signature.is_none(),
        _ => false,
    }
}

fn length(kind: &Kind) -> usize {
    match kind {
        Kind::Text { text, .. } | Kind::Refusal(text) | Kind::Thinking { text, .. } => wire_body::room(text),
        Kind::Image(Media {
            source: Source::Base64 { data, .. } | Source::Text { text: data, .. }, ..
        })
        | Kind::Document(Media {
            source: Source::Base64 { data, .. } | Source::Text { text: data, .. },
            ..
        })
        | Kind::RedactedThinking { data } => data.len(),
        Kind::ToolCall(call) => 64 + call.arguments.len(),
        Kind::ToolResult(result) => room(&result.content),
        _ => 0,
    }
}

// --- writing ---

impl Serialize for Blocks<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.0.iter().filter(|part| is_written(part)).map(Block))
    }
}

impl Serialize for Block<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let Part { kind, cache, extra, .. } = self.0;
        match (kind, Wire::of(self.0)) {
            (_, Some(wire)) if extra.is_empty() => wire.serialize(out),
            (Kind::Opaque { value, .. }, _) if extra.is_empty() && cache.is_none() => value.serialize(out),
            (_, wire) => with_members(self.0, wire).serialize(out),
        }
    }
}

/// A block with members that only this dialect knows, which may take the place of ours.
fn with_members(part: &Part, wire: Option<Wire<'_>>) -> Value {
    let mut block = match (&part.kind, wire) {
        (Kind::Opaque { value, .. }, _) => value.clone(),
        (_, Some(wire)) => serde_json::to_value(wire).unwrap_or_default(),
        (_, None) => Value::Null,
    };
    if let Value::Object(object) = &mut block {
        object.extend(part.extra.clone());
        object.extend(cached(part).map(|cache| ("cache_control".to_owned(), cache.clone())));
    }
    block
}

/// Thoughts are never marked.
fn cached(part: &Part) -> Option<&Value> {
    let may_be = !matches!(part.kind, Kind::Thinking { .. } | Kind::RedactedThinking { .. });
    part.cache.as_ref().filter(|_| may_be)
}

impl<'a> Wire<'a> {
    /// `None`: it is written as its dialect wrote it, or not at all.
    fn of(part: &'a Part) -> Option<Self> {
        let cache_control = cached(part);
        Some(match &part.kind {
            Kind::Text { text, citations } => {
                Wire::Text { text, citations: citations.iter().map(citation).collect(), cache_control }
            }
            Kind::Refusal(text) => Wire::Text { text, citations: Vec::new(), cache_control },
            Kind::Image(media) => Wire::media(media, true, cache_control),
            Kind::Document(media) => Wire::media(media, false, cache_control),
            Kind::Thinking { text, .. } => {
                Wire::Thinking { thinking: text, signature: part.signature.as_deref().unwrap_or_default() }
            }
            Kind::RedactedThinking { data } => Wire::RedactedThinking { data },
            Kind::ToolCall(call) => {
                Wire::ToolUse { id: &call.id, name: &call.name, input: Input::of(call), cache_control }
            }
            Kind::ToolResult(result) => Wire::ToolResult {
                tool_use_id: &result.call_id,
                content: Content::of(result),
                is_error: result.is_error,
                cache_control,
            },
            Kind::Opaque { .. } | Kind::Audio(_) => return None,
        })
    }

    /// By what is inside, not by what it was called: OpenAI's clients send PDFs as images and images as files.
    fn media(media: &'a Media, called_image: bool, cache_control: Option<&'a Value>) -> Self {
        let source = match &media.source {
            Source::Base64 { media_type, data } => WireSource::Base64 { media_type, data },
            Source::Text { media_type, text } => WireSource::Text { media_type, data: text },
            Source::Url { url, .. } => WireSource::Url { url },
            Source::File { id } => WireSource::File { file_id: id },
        };
        if media.source.media_type().map_or(called_image, |known| known.starts_with("image/")) {
            return Wire::Image { source, cache_control };
        }
        Wire::Document { source, title: media.name.as_deref(), cache_control }
    }
}

impl<'a> Input<'a> {
    fn of(call: &'a ToolCall) -> Self {
        let object = if call.kind == ToolCallKind::Custom { None } else { call.object_text() };
        object.map_or(Input::Free { input: &call.arguments }, Input::Object)
    }
}

impl<'a> Content<'a> {
    /// One plain text is written as text, as LiteLLM does.
    fn of(result: &'a ToolResult) -> Option<Self> {
        match result.content.as_slice() {
            [] => None,
            [Part { kind: Kind::Text { text, citations }, cache: None, extra, .. }]
                if citations.is_empty() && extra.is_empty() =>
            {
                Some(Content::Text(text))
            }
            parts => Some(Content::Blocks(Blocks(parts))),
        }
    }
}

/// As Anthropic wrote it, or the nearest of its own kinds: a page on the web, or a document.
pub(super) fn citation(citation: &Citation) -> Value {
    let cited_text = citation.cited_text.as_deref().unwrap_or_default();
    match (&citation.original, &citation.url) {
        (Some((dialect, value)), _) if *dialect == DIALECT => value.clone(),
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
