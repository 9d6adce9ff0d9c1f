//! Recorded traffic from the shared folder.

use serde_json::Value;
use std::path::{Path, PathBuf};

pub struct Recording {
    pub name: String,
    pub model: String,
    pub request: Value,
    pub status: u64,
    /// JSON of a plain answer, or the text of a stream.
    pub response: Response,
}

pub enum Response {
    Json(Value),
    Stream(String),
}

/// All chats in Gemini's dialect.
pub fn all() -> Vec<Recording> {
    named(&["gemini-generate", "vertex-generate"])
}

pub fn embeddings() -> Vec<Recording> {
    named(&["gemini-embeddings", "vertex-embeddings"])
}

fn named(starts: &[&str]) -> Vec<Recording> {
    let Some(folder) = shared("recordings/dev") else { return Vec::new() };
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        starts.iter().any(|start| name.starts_with(start))
    });
    names.sort();
    assert!(!names.is_empty(), "no recording of {starts:?}");
    names.iter().map(|path| Recording::read(path)).collect()
}

/// Whole answers of status 200.
pub fn answers() -> Vec<(String, Value)> {
    let plain = all().into_iter().filter(|r| r.status == 200);
    plain
        .filter_map(|r| match r.response {
            Response::Json(json) => Some((r.name, json)),
            Response::Stream(_) => None,
        })
        .collect()
}

/// Streams as server-sent events; those that were recorded as a list are put into that form.
pub fn streams() -> Vec<(String, String)> {
    let all = all().into_iter().filter(|r| r.status == 200);
    all.filter_map(|r| match r.response {
        Response::Stream(text) => Some((r.name, text)),
        Response::Json(Value::Array(chunks)) => {
            Some((r.name, chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect()))
        }
        Response::Json(_) => None,
    })
    .collect()
}

/// What LiteLLM answered to a client of Gemini's dialect over a provider of OpenAI's.
pub fn golden() -> Option<Value> {
    let file = shared("compat/litellm-1.81/goldens/endpoints_llm_nodb.json")?;
    let cases: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let cases = cases.as_array().or_else(|| cases["cases"].as_array()).unwrap();
    Some(cases.iter().find(|case| case["name"] == "gemini_generateContent").cloned().unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a test helper that finds the shared folder")]
fn shared(path: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from);
    let found = shared.join(path);
    if found.exists() {
        return Some(found);
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "{path} is needed: set WEIR_SHARED to the folder of shared references");
    println!("SKIPPED: no {path}; set WEIR_SHARED to the folder of shared references");
    None
}

// --- Recording ---

impl Recording {
    fn read(path: &Path) -> Self {
        let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let address = json["request"]["path"].as_str().unwrap();
        let model = address.split("/models/").nth(1).and_then(|rest| rest.split(':').next()).unwrap();
        let response = match json["response"]["body_text"].as_str() {
            Some(text) => Response::Stream(text.to_owned()),
            None => Response::Json(json["response"]["body"].clone()),
        };
        Self {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            model: model.to_owned(),
            request: json["request"]["body"].clone(),
            status: json["response"]["status"].as_u64().unwrap(),
            response,
        }
    }
}
