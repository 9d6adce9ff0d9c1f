//! Parts of a message's content.

use super::fields::{Fields, Path, missing, wrong_type};
use serde_json::Value;
use weir_core::body::Node;
use weir_core::chat::{Dialect, Kind, Media, Object, Part, Source};
use weir_core::error::ApiError;

/// Types of OpenAI's, and of thoughts.
static KNOWN: &[&str] = &[
    "text",
    "input_text",
    "output_text",
    "image_url",
    "input_audio",
    "file",
    "refusal",
    "thinking",
    "redacted_thinking",
];

/// Anthropic's types, which say where they have it from.
static SOURCED: &[&str] = &["image", "document"];

/// One part. Types that OpenAI does not know stay as they are, for a provider that does.
pub(super) fn read(node: Node<'_>, path: Path) -> Result<Part, ApiError> {
    if is_opaque(&node) {
        return Ok(opaque(node.into_value()));
    }
    let mut fields = Fields::of(node, path)?;
    let cache = fields.take("cache_control").map(Node::into_value);
    let kind = match &*fields.word("type")? {
        "text" | "input_text" | "output_text" => text(&mut fields)?,
        "image_url" => Kind::Image(image(&mut fields)?),
        "input_audio" => Kind::Audio(audio(&mut fields)?),
        "file" => Kind::Document(file(&mut fields)?),
        "refusal" => Kind::Refusal(fields.required("refusal")?),
        "thinking" => thinking(&mut fields)?,
        "redacted_thinking" => Kind::RedactedThinking { data: fields.required("data")? },
        "image" => Kind::Image(sourced(&mut fields)?),
        _ => Kind::Document(sourced(&mut fields)?),
    };
    let signature = fields.text("signature");
    Ok(Part { kind, cache, signature, extra: fields.rest() })
}

fn is_opaque(node: &Node<'_>) -> bool {
    let Some(kind) = node.get("type").and_then(Node::as_str) else { return false };
    let has_source = || node.get("source").is_some_and(|source| !source.is_null());
    let is_sourced = SOURCED.contains(&kind) && has_source();
    !KNOWN.contains(&kind) && !is_sourced
}

/// `cache_control` is taken out of the value: it stands at the part.
fn opaque(mut value: Value) -> Part {
    let cache = value.as_object_mut().and_then(|object| object.shift_remove("cache_control"));
    let cache = cache.filter(|cache| !cache.is_null());
    let mut part = Part::new(Kind::Opaque { dialect: Dialect::OpenAiChat, value });
    part.cache = cache;
    part
}

fn text(fields: &mut Fields<'_>) -> Result<Kind, ApiError> {
    Ok(Kind::Text { text: fields.string("text")?.unwrap_or_default(), citations: Vec::new() })
}

/// `{"url", "detail"}`, or the URL alone. `format` is LiteLLM's name for the media type.
fn image(fields: &mut Fields<'_>) -> Result<Media, ApiError> {
    let path = fields.path("image_url");
    let mut inner = match fields.take("image_url") {
        Some(Node::Text(url)) => return Ok(Media::from_url(&url)),
        Some(object @ Node::Object(_)) => Fields::of(object, path)?,
        Some(other) => return Err(wrong_type(&path, "an object", &other)),
        None => return Err(missing(&path)),
    };
    let mut media = Media::from_url(&inner.word("url")?);
    media.detail = inner.string("detail")?;
    say_type(&mut media.source, inner.text("format"));
    Ok(media)
}

fn say_type(source: &mut Source, told: Option<String>) {
    let Some(told) = told else { return };
    match source {
        Source::Base64 { media_type, .. } => *media_type = told,
        Source::Url { media_type, .. } => *media_type = Some(told),
        Source::File { .. } | Source::Text { .. } => {}
    }
}

fn audio(fields: &mut Fields<'_>) -> Result<Media, ApiError> {
    let mut inner = fields.required_object("input_audio")?;
    let data = inner.required("data")?;
    let format = inner.required("format")?;
    let media_type = if format == "mp3" { "audio/mpeg".to_owned() } else { format!("audio/{format}") };
    Ok(Media::new(Source::Base64 { media_type, data }))
}

/// An uploaded file's id, a `data:` URL, or (LiteLLM) an address in place of the id.
fn file(fields: &mut Fields<'_>) -> Result<Media, ApiError> {
    let mut inner = fields.required_object("file")?;
    let told = inner.text("format");
    let source = match (inner.string("file_data")?, inner.string("file_id")?) {
        (Some(data), _) => from_data(data, told.clone()),
        (None, Some(id)) if is_address(&id) => Source::Url { url: id, media_type: None },
        (None, Some(id)) => Source::File { id },
        (None, None) => return Err(missing(&inner.path("file_data"))),
    };
    let mut media = Media::new(source);
    say_type(&mut media.source, told);
    media.name = inner.string("filename")?;
    Ok(media)
}

fn from_data(data: String, told: Option<String>) -> Source {
    if data.starts_with("data:") || is_address(&data) {
        return Source::from_url(&data);
    }
    Source::Base64 { media_type: told.unwrap_or_else(|| "application/pdf".to_owned()), data }
}

fn is_address(text: &str) -> bool {
    ["https://", "http://", "gs://", "s3://"].iter().any(|scheme| text.starts_with(scheme))
}

/// Anthropic's images and documents, which LiteLLM lets through.
fn sourced(fields: &mut Fields<'_>) -> Result<Media, ApiError> {
    let mut inner = fields.required_object("source")?;
    let kind = inner.required("type")?;
    let media_type = inner.string("media_type")?;
    let source = match kind.as_str() {
        "url" => Source::Url { url: inner.required("url")?, media_type },
        "file" => Source::File { id: inner.required("file_id")? },
        "text" => {
            let media_type = media_type.unwrap_or_else(|| "text/plain".to_owned());
            Source::Text { media_type, text: inner.required("data")? }
        }
        _ => {
            let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
            Source::Base64 { media_type, data: inner.required("data")? }
        }
    };
    let mut media = Media::new(source);
    media.name = fields.text("title");
    Ok(media)
}

/// Anthropic's thought is a string, Mistral's a list of text parts.
fn thinking(fields: &mut Fields<'_>) -> Result<Kind, ApiError> {
    let text = match fields.take("thinking") {
        None => String::new(),
        Some(Node::Text(text)) => text.into_owned(),
        Some(Node::List(list)) => {
            list.iter().filter_map(|p| p.get("text").and_then(Node::as_str)).collect::<String>()
        }
        Some(other) => return Err(wrong_type(&fields.path("thinking"), "a string", &other)),
    };
    Ok(Kind::Thinking { text, id: fields.text("id") })
}

/// What the model thought in an earlier turn: LiteLLM's `thinking_blocks`, or else the text that goes by the names
/// `reasoning_content` (DeepSeek) and `reasoning` (OpenRouter, Groq), which only repeats the blocks.
pub(super) fn thoughts(fields: &mut Fields<'_>) -> Result<Vec<Part>, ApiError> {
    let blocks = fields.list("thinking_blocks")?.unwrap_or_default();
    let content = fields.text("reasoning_content");
    let text = content.or(fields.text("reasoning")).filter(|t| !t.is_empty());
    if blocks.is_empty() {
        return Ok(text.map(|text| Part::new(Kind::Thinking { text, id: None })).into_iter().collect());
    }
    let path = fields.path("thinking_blocks");
    let read = |(i, block)| read(block, path.item(i)).map(bare);
    blocks.into_iter().enumerate().map(read).collect()
}

/// An empty signature is none.
fn bare(mut part: Part) -> Part {
    part.signature = part.signature.filter(|s| !s.is_empty());
    part.extra = Object::new();
    part
}
