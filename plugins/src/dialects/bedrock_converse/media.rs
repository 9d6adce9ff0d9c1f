//! Images, documents, videos and sound. Bedrock takes bytes or objects in S3, and tells them apart by format, not by
//! media type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::HashSet;
use weir_core::chat::{Media, Object, Source};
use weir_core::error::{ApiError, Kind as ErrorKind};

/// Media type, block, format. Source: Bedrock API Reference, ImageBlock, DocumentBlock, VideoBlock, AudioBlock.
#[rustfmt::skip]
static FORMATS: &[(&str, &str, &str)] = &[
    ("image/png", "image", "png"),
    ("image/jpeg", "image", "jpeg"),
    ("image/jpg", "image", "jpeg"),
    ("image/gif", "image", "gif"),
    ("image/webp", "image", "webp"),
    ("application/pdf", "document", "pdf"),
    ("text/csv", "document", "csv"),
    ("application/msword", "document", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", "docx"),
    ("application/vnd.ms-excel", "document", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "document", "xlsx"),
    ("text/html", "document", "html"),
    ("text/plain", "document", "txt"),
    ("text/markdown", "document", "md"),
    ("video/mp4", "video", "mp4"),
    ("video/quicktime", "video", "mov"),
    ("video/x-matroska", "video", "mkv"),
    ("video/webm", "video", "webm"),
    ("video/x-flv", "video", "flv"),
    ("video/mpeg", "video", "mpeg"),
    ("video/x-ms-wmv", "video", "wmv"),
    ("video/3gpp", "video", "three_gp"),
    ("audio/mpeg", "audio", "mp3"),
    ("audio/mp3", "audio", "mp3"),
    ("audio/wav", "audio", "wav"),
    ("audio/x-wav", "audio", "wav"),
    ("audio/ogg", "audio", "ogg"),
    ("audio/flac", "audio", "flac"),
    ("audio/aac", "audio", "aac"),
    ("audio/mp4", "audio", "m4a"),
];

/// Names of the documents of one request: Bedrock refuses two of one name.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

/// The media type behind a format, for reading.
pub(super) fn media_type(block: &str, format: &str) -> String {
    let known = FORMATS.iter().find(|(_, b, f)| *b == block && *f == format);
    known.map_or_else(|| format!("{block}/{format}"), |(media_type, ..)| (*media_type).to_owned())
}

/// The block for a medium. `extra` are the part's own members: a document's `citations` and `context`.
///
/// # Errors
/// 400 for addresses that Bedrock does not fetch and types that it does not know.
pub(super) fn block(media: &Media, extra: &Object, names: &mut Names) -> Result<Value, ApiError> {
    let (media_type, source) = source(media)?;
    let plain = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = FORMATS.iter().find(|(known, ..)| *known == plain);
    let (_, kind, format) = known.ok_or_else(|| {
        refuse(format!(
            "bedrock does not take media of type {media_type:?}: use an image, document, video or sound"
        ))
    })?;
    let mut block = json!({ "format": format, "source": source });
    if *kind == "document" {
        block["name"] = json!(names.name(media.name.as_deref()));
        for member in ["citations", "context"] {
            if let Some(value) = extra.get(member).filter(|v| !v.is_null()) {
                block[member] = value.clone();
            }
        }
    }
    Ok(json!({ (*kind): block }))
}

fn source(media: &Media) -> Result<(String, Value), ApiError> {
    match &media.source {
        Source::Base64 { media_type, data } => Ok((media_type.clone(), json!({ "bytes": data }))),
        Source::Text { media_type, text } => {
            Ok((media_type.clone(), json!({ "bytes": STANDARD.encode(text) })))
        }
        Source::Url { url, media_type } if url.starts_with("s3://") => {
            let by_name = || guess(url).map(str::to_owned);
            let media_type = media_type.clone().or_else(by_name).unwrap_or_default();
            Ok((media_type, json!({ "s3Location": { "uri": url } })))
        }
        Source::Url { .. } => Err(refuse(
            "bedrock fetches no addresses: send images and documents as base64 (a data: URL) or as s3://",
        )),
        Source::File { .. } => Err(refuse("bedrock knows no uploaded files: send the content itself")),
    }
}

/// The media type of an object by the end of its name.
fn guess(url: &str) -> Option<&'static str> {
    let ending = url.rsplit_once('.')?.1.to_ascii_lowercase();
    let ending = if ending == "jpg" { "jpeg".to_owned() } else { ending };
    FORMATS.iter().find(|(_, _, format)| *format == ending).map(|(media_type, ..)| *media_type)
}

fn refuse(why: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadRequest, why)
}

impl Names {
    /// Letters, digits, single spaces, hyphens, parentheses and brackets are all that Bedrock takes.
    fn name(&mut self, given: Option<&str>) -> String {
        let given = given.map(|name| name.rsplit_once('.').map_or(name, |(front, _)| front));
        let clean = sanitise(given.unwrap_or_default());
        let name = if clean.is_empty() { format!("Document {}", self.0.len() + 1) } else { clean };
        let twins = (2..).map(|n: u64| format!("{name} ({n})"));
        // Ends: the set is finite.
        let free = std::iter::once(name.clone()).chain(twins).find(|name| self.0.insert(name.clone()));
        free.unwrap_or(name)
    }
}

const LONGEST_NAME: usize = 180;

fn sanitise(name: &str) -> String {
    let ok = |c: char| if c.is_ascii_alphanumeric() || "-()[]".contains(c) { c } else { ' ' };
    let spaced: String = name.chars().map(ok).take(LONGEST_NAME).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_names_are_cleaned_and_unique() {
        let mut names = Names::default();
        assert_eq!(names.name(Some("Q3_report (final).v2.pdf")), "Q3 report (final) v2");
        assert_eq!(names.name(Some("Q3 report (final)  v2.txt")), "Q3 report (final) v2 (2)");
        assert_eq!(names.name(None), "Document 3");
        assert_eq!(names.name(Some("日本")), "Document 4");
    }
}
