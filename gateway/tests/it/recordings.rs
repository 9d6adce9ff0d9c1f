//! Real answers of real providers pass unchanged.

use crate::client;
use crate::rig::{MASTER, Rig};
use std::path::PathBuf;
use std::sync::Arc;
use weir_bench::mock::replay::{RecordedBody, Recording, Recordings, Replay};

/// Providers whose recordings are of OpenAI's dialect, and the prefix that serves them.
static PROVIDERS: &[(&str, &str)] = &[
    ("openai", "openai"),
    ("azure", "azure"),
    ("groq", "groq"),
    ("deepseek", "deepseek"),
    ("mistral", "mistral"),
    ("together", "together_ai"),
    ("openrouter", "openrouter"),
    ("xai", "xai"),
    ("perplexity", "perplexity"),
    ("cerebras", "cerebras"),
    ("huggingface", "huggingface"),
    ("vercel-gateway", "vercel_ai_gateway"),
];

static OPERATIONS: &[(&str, &str)] = &[
    ("chat", "/v1/chat/completions"),
    ("chat_stream", "/v1/chat/completions"),
    ("embeddings", "/v1/embeddings"),
    ("completions", "/v1/completions"),
    ("completions_stream", "/v1/completions"),
];

fn shared() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("WEIR_SHARED").map_or_else(|| root.join("shared"), PathBuf::from);
    let folder = shared.join("recordings/dev");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        !std::env::var("CI").is_ok_and(|ci| ci == "true"),
        "recordings are needed in CI and {} is not there",
        folder.display()
    );
    println!("skipped: no recordings at {}", folder.display());
    None
}

/// Our model prefix, the path to ask, and the recording.
fn of_this_dialect(recording: &Recording) -> Option<(&'static str, &'static str)> {
    let (_, prefix) = PROVIDERS.iter().find(|(name, _)| *name == recording.provider)?;
    let (_, path) = OPERATIONS.iter().find(|(name, _)| *name == recording.operation)?;
    recording.request.body.is_object().then_some((prefix, path))
}

#[tokio::test]
async fn recorded_answers_reach_the_client_as_they_are() {
    let Some(folder) = shared() else { return };
    let all: Vec<Recording> = Recordings::dir(&folder).unwrap();
    let chosen: Vec<_> = all.iter().filter_map(|r| Some((r, of_this_dialect(r)?))).collect();
    assert!(chosen.len() > 60, "only {} recordings of this dialect", chosen.len());
    let replay = Arc::new(Replay::new(chosen[0].0).slices(97));
    let models: String = PROVIDERS.iter().map(|(_, prefix)| model(prefix)).collect();
    let config = format!(
        "model_list:\n{models}litellm_settings: {{num_retries: 0, drop_params: true}}\nrouter_settings: {{disable_cooldowns: true}}\ngeneral_settings: {{master_key: os.environ/LITELLM_MASTER_KEY}}\n"
    );
    let rig = Rig::config(&config).over(Arc::clone(&replay)).await;
    let mut wrong = Vec::new();
    for (recording, (prefix, path)) in chosen {
        replay.play(recording);
        if let Err(why) = compare(&rig, recording, prefix, path).await {
            wrong.push(format!("{}: {why}", recording.id));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn model(prefix: &str) -> String {
    let extra = if prefix == "azure" { ", api_version: \"2024-10-21\"" } else { "" };
    format!(
        "  - {{model_name: \"{prefix}/*\", litellm_params: {{model: \"{prefix}/*\", api_base: \"MOCK/v1\", api_key: sk-fake{extra}}}}}\n"
    )
}

async fn compare(rig: &Rig, recording: &Recording, prefix: &str, path: &str) -> Result<(), String> {
    let mut body = recording.request.body.clone();
    let model = body["model"].as_str().unwrap_or("deployment").to_owned();
    body["model"] = format!("{prefix}/{model}").into();
    for field in ["organization", "metadata"] {
        body.as_object_mut().map(|b| b.remove(field));
    }
    let auth = format!("Bearer {MASTER}");
    let headers = [("authorization", auth.as_str()), ("content-type", "application/json")];
    let answer = client::send("POST", &format!("{}{path}", rig.url), &headers, body.to_string()).await;
    let status = recording.response.status;
    if answer.status != status {
        return Err(format!("status {} instead of {status}: {}", answer.status, answer.text()));
    }
    if status != 200 {
        return Ok(());
    }
    match &recording.response.body {
        RecordedBody::Json(expected) if answer.body != *expected => {
            Err(format!("{} is not what was sent", answer.text()))
        }
        RecordedBody::Text(text) => same_stream(&String::from_utf8_lossy(text), &answer.text(), &body),
        _ => Ok(()),
    }
}

/// Equal but for the usage chunk, which the client sees only if it asked, and the final `[DONE]`, which we add where
/// a provider leaves it out.
fn same_stream(recorded: &str, received: &str, body: &serde_json::Value) -> Result<(), String> {
    let asked = body["stream_options"]["include_usage"] == true;
    let expected: Vec<&str> = events(recorded).into_iter().filter(|e| asked || !only_usage(e)).collect();
    let mut got = events(received);
    if expected.last() != Some(&"data: [DONE]") {
        got.retain(|e| *e != "data: [DONE]");
    }
    if expected == got {
        return Ok(());
    }
    let at = expected.iter().zip(&got).position(|(a, b)| a != b).unwrap_or(expected.len().min(got.len()));
    Err(format!(
        "event {at}: {:?} instead of {:?} ({} and {} events)",
        got.get(at),
        expected.get(at),
        got.len(),
        expected.len()
    ))
}

fn events(text: &str) -> Vec<&str> {
    let parts = if text.contains("\r\n\r\n") { text.split("\r\n\r\n") } else { text.split("\n\n") };
    parts.map(str::trim).filter(|e| !e.is_empty()).collect()
}

fn only_usage(event: &str) -> bool {
    let Some(data) = event.strip_prefix("data:") else { return false };
    let value: serde_json::Value = serde_json::from_str(data.trim()).unwrap_or_default();
    value["usage"].is_object() && value["choices"].as_array().is_none_or(Vec::is_empty)
}
