//! Parts of a message's content.

use super::target::Target;
use crate::dialects::wire_body::room;
use crate::providers::Quirk;
use serde::Serialize;
use serde_json::{Value, json};
use weir_core::chat::{Dialect, Kind, Media, Object, Part, Source};

/// What a message says.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Content {
    Null,
    Text(String),
    Pieces(Vec<Piece>),
}

/// One item of a list of parts.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Piece {
    Text {
        #[serde(rename = "type")]
        kind: &'static str,
        text: String,
    },
    Image {
        #[serde(rename = "type")]
        kind: &'static str,
        image_url: Address,
    },
    Tree(Value),
}

#[derive(Serialize)]
pub(super) struct Address {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Members of parts that are OpenAI's; those of other dialects (`citations`, `context`) would be refused.
static OURS: &[&str] = &["prompt_cache_breakpoint"];

/// A single text is a string, as every provider takes it; anything else is a list of parts.
pub(super) fn content(parts: Vec<Part>, target: &Target<'_>) -> Content {
    let cached = target.has(Quirk::CacheControl) && parts.iter().any(|part| part.cache.is_some());
    let plain = parts
        .iter()
        .all(|part| part.as_text().is_some() && !part.extra.keys().any(|k| OURS.contains(&k.as_str())));
    if plain && !cached && (parts.len() <= 1 || target.has(Quirk::TextContent)) {
        return Content::Text(joined(parts));
    }
    Content::Pieces(parts.into_iter().filter_map(|part| write(part, target)).collect())
}

/// Texts, with line breaks between them. A single one is not copied.
fn joined(parts: Vec<Part>) -> String {
    let mut texts = parts.into_iter().filter_map(|part| match part.kind {
        Kind::Text { text, .. } => Some(text),
        _ => None,
    });
    let mut all = texts.next().unwrap_or_default();
    for text in texts {
        all.push('\n');
        all.push_str(&text);
    }
    all
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
pub(super) fn write(part: Part, target: &Target<'_>) -> Option<Piece> {
    let Part { kind, cache, mut extra, .. } = part;
    extra.retain(|name, _| OURS.contains(&name.as_str()));
    let piece = match kind {
        Kind::Text { text, .. } => Piece::text(text),
        Kind::Image(media) => image(media),
        Kind::Audio(media) => Piece::Tree(audio(media)?),
        Kind::Document(media) => document(media),
        Kind::Refusal(text) => Piece::Tree(json!({ "type": "refusal", "refusal": text })),
        Kind::Opaque { dialect: Dialect::OpenAiChat, value } => Piece::Tree(value),
        _ => return None,
    };
    Some(piece.marked(cache.filter(|_| target.has(Quirk::CacheControl)), extra))
}

fn image(media: Media) -> Piece {
    let Some(url) = media.source.to_url() else { return document(media) };
    Piece::Image { kind: "image_url", image_url: Address { url, detail: media.detail } }
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
fn document(media: Media) -> Piece {
    let Media { source, name, .. } = media;
    match source {
        Source::Text { text, .. } => Piece::text(match name {
            Some(name) => format!("{name}\n\n{text}"),
            None => text,
        }),
        Source::File { id } => Piece::Tree(json!({ "type": "file", "file": { "file_id": id } })),
        Source::Base64 { .. } | Source::Url { .. } => {
            let name = name.unwrap_or_else(|| default_name(&source));
            let file = json!({ "filename": name, "file_data": source.to_url() });
            Piece::Tree(json!({ "type": "file", "file": file }))
        }
    }
}

fn default_name(source: &Source) -> String {
    let kind = source.media_type().and_then(|t| t.split('/').nth(1)).unwrap_or("pdf");
    let end = if kind.bytes().all(|b| b.is_ascii_alphanumeric()) { kind } else { "bin" };
    format!("document.{end}")
}

// --- Content, Piece ---

impl Content {
    /// About how many bytes it is as JSON text.
    pub(super) fn room(&self) -> usize {
        match self {
            Content::Null => 4,
            Content::Text(text) => room(text),
            Content::Pieces(pieces) => pieces.iter().map(|piece| 32 + piece.room()).sum(),
        }
    }
}

impl Piece {
    pub(super) fn text(text: String) -> Self {
        Piece::Text { kind: "text", text }
    }

    /// With a mark of a cache, and what else was said of it.
    pub(super) fn marked(self, cache: Option<Value>, extra: Object) -> Self {
        if cache.is_none() && extra.is_empty() {
            return self;
        }
        let mut tree = serde_json::to_value(self).unwrap_or_default();
        if let Some(object) = tree.as_object_mut() {
            object.extend(cache.map(|cache| ("cache_control".to_owned(), cache)));
            object.extend(extra);
        }
        Piece::Tree(tree)
    }

    fn room(&self) -> usize {
        match self {
            Piece::Text { text, .. } => room(text),
            Piece::Image { image_url, .. } => image_url.url.len(),
            Piece::Tree(_) => 64,
        }
    }
}
