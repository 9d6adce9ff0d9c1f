//! Images, audio and documents, in both directions.

use super::wire::{Blob, FileData, WirePart};
use serde_json::json;
use weir_core::chat::{Kind, Media, Source};

/// Media types by the end of an address; Vertex wants one for every file.
static TYPES: &[(&str, &str)] = &[
    (".png", "image/png"),
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
    (".webp", "image/webp"),
    (".gif", "image/gif"),
    (".heic", "image/heic"),
    (".pdf", "application/pdf"),
    (".txt", "text/plain"),
    (".csv", "text/csv"),
    (".html", "text/html"),
    (".mp3", "audio/mpeg"),
    (".wav", "audio/wav"),
    (".ogg", "audio/ogg"),
    (".flac", "audio/flac"),
    (".mp4", "video/mp4"),
    (".mov", "video/quicktime"),
    (".webm", "video/webm"),
];

/// What is assumed of a file that says nothing about itself.
#[derive(Clone, Copy)]
pub(super) enum Sort {
    Image,
    Audio,
    Document,
}

/// Text documents become text: Gemini reads them no other way. `levels`: the model takes a resolution for each part.
pub(super) fn write(media: &Media, sort: Sort, levels: bool) -> WirePart {
    let mut part = match &media.source {
        Source::Base64 { media_type, data } => WirePart {
            inline_data: Some(Blob { mime_type: media_type.clone(), data: data.clone(), display_name: None }),
            ..WirePart::default()
        },
        Source::Url { url, media_type } => file(url, media_type.as_deref(), sort),
        Source::File { id } => file(id, None, sort),
        Source::Text { text, .. } => return WirePart::text(text.clone()),
    };
    if let Some(level) = media.detail.as_deref().and_then(level).filter(|_| levels) {
        part.extra.insert("mediaResolution".into(), json!({ "level": level }));
    }
    part
}

fn level(detail: &str) -> Option<&'static str> {
    match detail {
        "low" => Some("MEDIA_RESOLUTION_LOW"),
        "medium" => Some("MEDIA_RESOLUTION_MEDIUM"),
        "high" => Some("MEDIA_RESOLUTION_HIGH"),
        _ => None,
    }
}

fn file(uri: &str, media_type: Option<&str>, sort: Sort) -> WirePart {
    let mime_type = media_type.unwrap_or_else(|| guess(uri, sort)).to_owned();
    let file = FileData { mime_type: Some(mime_type), file_uri: uri.to_owned(), display_name: None };
    WirePart { file_data: Some(file), ..WirePart::default() }
}

fn guess(uri: &str, sort: Sort) -> &'static str {
    let path = uri.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let known = TYPES.iter().find(|(end, _)| path.ends_with(end)).map(|(_, media_type)| *media_type);
    known.unwrap_or(match sort {
        // Addresses of YouTube are videos, and Google looks for itself.
        _ if path.contains("youtube.com/") || path.contains("youtu.be/") => "video/*",
        Sort::Image => "image/jpeg",
        Sort::Audio => "audio/mpeg",
        Sort::Document => "application/pdf",
    })
}

pub(super) fn read_blob(blob: Blob) -> Kind {
    let source = Source::Base64 { media_type: blob.mime_type, data: blob.data };
    kind(Media { name: blob.display_name, ..Media::new(source) })
}

pub(super) fn read_file(file: FileData) -> Kind {
    let source = Source::Url { url: file.file_uri, media_type: file.mime_type };
    kind(Media { name: file.display_name, ..Media::new(source) })
}

fn kind(media: Media) -> Kind {
    match media.source.media_type() {
        Some(t) if t.starts_with("image/") => Kind::Image(media),
        Some(t) if t.starts_with("audio/") => Kind::Audio(media),
        _ => Kind::Document(media),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_come_back_as_they_were() {
        for media in [
            Media::from_url("data:image/png;base64,QUJD"),
            Media::new(Source::Url { url: "gs://b/o".into(), media_type: Some("audio/wav".into()) }),
        ] {
            let part = write(&media, Sort::Document, false);
            let kind = part.inline_data.map(read_blob).or_else(|| part.file_data.map(read_file));
            assert!(matches!(kind, Some(Kind::Image(m) | Kind::Audio(m)) if m == media));
        }
    }

    #[test]
    fn types_are_guessed_from_the_address() {
        assert_eq!(guess("https://x/y.PNG?z=1", Sort::Document), "image/png");
        assert_eq!(guess("https://x/y", Sort::Image), "image/jpeg");
        assert_eq!(guess("https://youtu.be/abc", Sort::Document), "video/*");
    }
}
