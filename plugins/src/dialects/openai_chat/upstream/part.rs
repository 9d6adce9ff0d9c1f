//! Parts of a message's content.

use super::target::Target;
use crate::providers::Quirk;
use serde_json::{Value, json};
use weir_core::chat::{Dialect, Kind, Media, Object, Part, Source};

/// Members of parts that are OpenAI's; those of other dialects (`citations`, `context`) would be refused.
static OURS: &[&str] = &["prompt_cache_breakpoint"];

/// A single text is a string, as every provider takes it; anything else is a list of parts.
pub(super) fn content(parts: Vec<Part>, target: &Target<'_>) -> Value {
    let cached = target.has(Quirk::CacheControl) && parts.iter().any(|part| part.cache.is_some());
    let plain = parts
        .iter()
        .all(|part| part.as_text().is_some() && !part.extra.keys().any(|k| OURS.contains(&k.as_str())));
    if plain && !cached && (parts.len() <= 1 || target.has(Quirk::TextContent)) {
        let texts: Vec<&str> = parts.iter().filter_map(Part::as_text).collect();
        return texts.join("\n").into();
    }
    parts.into_iter().filter_map(|part| write(part, target)).collect()
}

/// Whether a tool result cannot hold it.
pub(super) fn is_media(part: &Part) -> bool {
    match &part.kind {
        Kind::Image(_) | Kind::Audio(_) => true,
        Kind::Document(media) => !matches!(media.source, Source::Text { .. }),
        _ => false,
    }
}

/// One part; `None` for blocks that this dialect has no words for.
pub(super) fn write(part: Part, target: &Target<'_>) -> Option<Value> {
    let Part { kind, cache, extra, .. } = part;
    let mut told = match kind {
        Kind::Text { text, .. } => json!({ "type": "text", "text": text }),
        Kind::Image(media) => image(media),
        Kind::Audio(media) => audio(media)?,
        Kind::Document(media) => document(media),
        Kind::Refusal(text) => json!({ "type": "refusal", "refusal": text }),
        Kind::Opaque { dialect: Dialect::OpenAiChat, value } => value,
        _ => return None,
    };
    if let Some(object) = told.as_object_mut() {
        mark(object, cache.filter(|_| target.has(Quirk::CacheControl)), extra);
    }
    Some(told)
}

fn mark(told: &mut Object, cache: Option<Value>, extra: Object) {
    if let Some(cache) = cache {
        told.insert("cache_control".into(), cache);
    }
    told.extend(extra.into_iter().filter(|(name, _)| OURS.contains(&name.as_str())));
}

fn image(media: Media) -> Value {
    let Some(url) = media.source.to_url() else { return document(media) };
    let mut inner = json!({ "url": url });
    if let Some(detail) = media.detail {
        inner["detail"] = detail.into();
    }
    json!({ "type": "image_url", "image_url": inner })
}

/// OpenAI takes audio as data only.
fn audio(media: Media) -> Option<Value> {
    let Source::Base64 { media_type, data } = media.source else { return None };
    let format = media_type.strip_prefix("audio/").unwrap_or(&media_type);
    let format = match format {
        "mpeg" => "mp3",
        "x-wav" | "wave" | "vnd.wave" => "wav",
        other => other,
    };
    Some(json!({ "type": "input_audio", "input_audio": { "data": data, "format": format } }))
}

/// Data needs a file name. An address in the place of data is what routers take; OpenAI says itself that it does not.
fn document(media: Media) -> Value {
    let Media { source, name, .. } = media;
    match source {
        Source::Text { text, .. } => {
            let text = name.map_or_else(|| text.clone(), |name| format!("{name}\n\n{text}"));
            json!({ "type": "text", "text": text })
        }
        Source::File { id } => json!({ "type": "file", "file": { "file_id": id } }),
        Source::Base64 { .. } | Source::Url { .. } => {
            let name = name.unwrap_or_else(|| default_name(&source));
            json!({ "type": "file", "file": { "filename": name, "file_data": source.to_url() } })
        }
    }
}

fn default_name(source: &Source) -> String {
    let kind = source.media_type().and_then(|t| t.split('/').nth(1)).unwrap_or("pdf");
    let end = if kind.bytes().all(|b| b.is_ascii_alphanumeric()) { kind } else { "bin" };
    format!("document.{end}")
}
