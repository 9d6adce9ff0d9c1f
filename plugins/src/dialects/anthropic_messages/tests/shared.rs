//! The folder of shared references: `WEIR_SHARED`, or `shared` beside the checkout.

use super::streams;
use serde_json::Value;
use std::path::PathBuf;

/// One recorded interaction of this dialect.
pub(super) struct Recording {
    pub name: String,
    pub status: u64,
    /// With the model in it, as Anthropic has it: other clouds have it in the path.
    pub request: Option<Value>,
    pub answer: Option<Value>,
    /// As Anthropic would stream it.
    pub stream: Option<Vec<u8>>,
}

#[expect(clippy::disallowed_methods, reason = "a test looks for its data")]
fn part(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = std::env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from).join(name);
    if path.exists() {
        return Some(path);
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "{name} is needed: set WEIR_SHARED to the folder of shared references");
    println!("SKIPPED: no {name}; set WEIR_SHARED to the folder of shared references");
    None
}

/// Cases of a file of goldens.
pub(super) fn goldens(file: &str) -> Vec<Value> {
    let Some(path) = part(&format!("compat/litellm-1.81/goldens/{file}")) else { return Vec::new() };
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// All recordings of this dialect, from Anthropic and the clouds that host its models.
pub(super) fn recordings() -> Vec<Recording> {
    let Some(folder) = part("recordings/dev") else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
    paths.sort();
    let all: Vec<Recording> = paths.iter().filter_map(read).collect();
    assert!(all.len() > 40, "only {} recordings", all.len());
    all
}

fn read(path: &PathBuf) -> Option<Recording> {
    let name = path.file_stem()?.to_string_lossy().into_owned();
    let prefixes = ["anthropic-messages", "bedrock-invoke", "vertex-messages"];
    if !prefixes.iter().any(|prefix| name.starts_with(prefix)) {
        return None;
    }
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let request = file["request"]["body"].as_object().cloned();
    // Bedrock invokes other makers' models in their own formats.
    let is_ours = |r: &serde_json::Map<String, Value>| {
        name.starts_with("anthropic") || r.contains_key("anthropic_version")
    };
    if !request.as_ref().is_none_or(is_ours) {
        return None;
    }
    let request = request.map(|mut request| {
        request.entry("model").or_insert_with(|| file["model"].clone());
        Value::Object(request)
    });
    let response = &file["response"];
    let answer = Some(response["body"].clone()).filter(Value::is_object);
    let text = response["body_text"].as_str().map(|text| text.as_bytes().to_vec());
    let stream = text.or_else(|| response["body_base64"].as_str().map(streams::from_event_stream));
    Some(Recording { name, status: response["status"].as_u64()?, request, answer, stream })
}
