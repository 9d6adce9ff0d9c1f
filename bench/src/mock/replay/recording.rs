//! Recorded interactions: one JSON file each.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::mock::json;

/// One request to a real provider and its answer.
#[derive(Debug, Clone, Deserialize)]
pub struct Recording {
    pub id: String,
    pub provider: String,
    pub operation: String,
    pub model: String,
    #[serde(default)]
    pub features: Vec<String>,
    pub request: RecordedRequest,
    pub response: RecordedResponse,
}

#[derive(Debug, Clone, Deserialize)]
pub struct RecordedRequest {
    pub method: String,
    pub path: String,
    #[serde(default)]
    pub query: Map<String, Value>,
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// Null when there was none or none was kept.
    #[serde(default)]
    pub body: Value,
}

/// As the mock sends it: with a content type, and without headers about the length or coding of the body.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "ResponseFile")]
pub struct RecordedResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: RecordedBody,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedBody {
    /// Compact JSON; numbers are spelt as they were recorded.
    Json(Bytes),
    /// A stream of text events.
    Text(Bytes),
    /// A stream of binary frames.
    Binary(Bytes),
}

/// Reads folders of recordings.
pub struct Recordings;

/// The response as the file has it.
#[derive(Deserialize)]
struct ResponseFile {
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<Box<RawValue>>,
    body_text: Option<String>,
    body_base64: Option<String>,
}

/// Bodies are stored decoded and unframed, so these would lie.
const FRAMING_HEADERS: &[&str] = &["content-length", "transfer-encoding", "content-encoding", "connection"];

// --- impl Recording ---

impl Recording {
    /// Reads one file; the error names it.
    pub fn load(path: impl AsRef<Path>) -> anyhow::Result<Recording> {
        let path = path.as_ref();
        let text = fs::read(path).with_context(|| format!("recording {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("recording {}", path.display()))
    }

    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|known| known == feature)
    }
}

impl Recordings {
    /// Every `*.json` file of a folder, not of folders in it, in the order of their names.
    pub fn dir(path: impl AsRef<Path>) -> anyhow::Result<Vec<Recording>> {
        let path = path.as_ref();
        let entries = fs::read_dir(path).with_context(|| format!("recordings {}", path.display()))?;
        let mut files: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        files.iter().map(Recording::load).collect()
    }
}

// --- impl RecordedBody ---

impl RecordedBody {
    /// Exactly what the client of the mock receives.
    pub fn bytes(&self) -> Bytes {
        match self {
            RecordedBody::Json(body) | RecordedBody::Text(body) | RecordedBody::Binary(body) => body.clone(),
        }
    }

    pub fn is_stream(&self) -> bool {
        !matches!(self, RecordedBody::Json(_))
    }

    /// For records whose source had dropped the header.
    fn content_type(&self) -> &'static str {
        match self {
            RecordedBody::Json(_) => "application/json",
            RecordedBody::Text(text) if text.starts_with(b"{") => "application/x-ndjson",
            RecordedBody::Text(_) => "text/event-stream",
            RecordedBody::Binary(_) => "application/vnd.amazon.eventstream",
        }
    }
}

// --- impl RecordedResponse ---

impl TryFrom<ResponseFile> for RecordedResponse {
    type Error = anyhow::Error;

    fn try_from(file: ResponseFile) -> anyhow::Result<RecordedResponse> {
        let mut headers = kept_headers(&file.headers)?;
        let status = file.status;
        let body = file.into_body()?;
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".to_owned(), body.content_type().to_owned()));
        }
        Ok(RecordedResponse { status, headers, body })
    }
}

impl ResponseFile {
    fn into_body(self) -> anyhow::Result<RecordedBody> {
        match (self.body, self.body_text, self.body_base64) {
            (Some(json), None, None) => Ok(RecordedBody::Json(json::squeeze(json.get()).into())),
            (None, Some(text), None) => Ok(RecordedBody::Text(text.into())),
            (None, None, Some(base64)) => Ok(RecordedBody::Binary(STANDARD.decode(base64)?.into())),
            _ => Err(anyhow!("response: wants exactly one of body, body_text, body_base64")),
        }
    }
}

fn kept_headers(recorded: &Map<String, Value>) -> anyhow::Result<Vec<(String, String)>> {
    let kept = |name: &str| !FRAMING_HEADERS.iter().any(|framing| framing.eq_ignore_ascii_case(name));
    let text = |(name, value): (&String, &Value)| {
        let value = value.as_str().ok_or_else(|| anyhow!("response: header {name} is not text"))?;
        Ok((name.clone(), value.to_owned()))
    };
    recorded.iter().filter(|(name, _)| kept(name)).map(text).collect()
}
