//! The recorded requests of a real LiteLLM 1.81, asked again: same status, same meaning of every field, same request
//! upstream. What differs on purpose stands in `differences.rs`, with its reason.
//!
//! `sent.rs` compares what the provider got, `told.rs` whole answers, `streamed.rs` streams, `headers.rs` heads.
//! `metrics.rs` compares a scrape. `limits.rs`, `routing.rs` and `cached.rs` walk recordings in which one request depends on others before it.

mod cached;
mod differences;
mod headers;
mod limits;
mod metrics;
mod routing;
mod sent;
mod streamed;
mod told;

use crate::client::{self, Answer};
use crate::rig::Rig;
use differences::{FILES, SKIPPED, differs};
use serde_json::Value;
use std::path::PathBuf;
use weir_bench::mock::Provider;

fn shared() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("WEIR_SHARED").map_or_else(|| root.join("shared"), PathBuf::from);
    let folder = shared.join("compat/litellm-1.81");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        !std::env::var("CI").is_ok_and(|ci| ci == "true"),
        "goldens are needed in CI and {} is not there",
        folder.display()
    );
    println!("skipped: no goldens at {}", folder.display());
    None
}

/// The cases of one file.
pub fn cases(file: &str) -> Option<Vec<Value>> {
    let path = shared()?.join("goldens").join(file);
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

#[tokio::test]
async fn goldens_of_the_served_dialects_agree() {
    let Some(folder) = shared() else { return };
    let config = std::fs::read_to_string(folder.join("configs/main.yaml")).unwrap();
    let config =
        config.replace("http://127.0.0.1:9100", "MOCK").replace("os.environ/LITELLM_MASTER_KEY", "sk-1234");
    let rig =
        Rig::config(&priced(config)).env("OPENAI_API_KEY", "sk-up-openai-env").over(Provider::new()).await;
    let (mut walked, mut wrong) = (0, Vec::new());
    for (file, only) in FILES {
        let text = std::fs::read_to_string(folder.join("goldens").join(file)).unwrap();
        let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
        for case in cases {
            let name = case["name"].as_str().unwrap();
            let chosen = only.is_empty() || only.iter().any(|o| name.starts_with(o));
            if !chosen || SKIPPED.iter().any(|(f, n, _)| f == file && *n == name) {
                continue;
            }
            walked += 1;
            let found = walk(&rig, &format!("{} {name}", file.trim_end_matches(".json")), &case).await;
            wrong.extend(found.into_iter().map(|w| format!("{file} {name}: {w}")));
        }
    }
    assert!(walked > 100, "only {walked} cases");
    assert!(wrong.is_empty(), "{} of {walked} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The catalogue no longer has these models.
fn priced(config: String) -> String {
    let opus = "input_cost_per_token: 0.000015, output_cost_per_token: 0.000075, \
                cache_creation_input_token_cost: 0.00001875, cache_read_input_token_cost: 0.0000015";
    let sonnet = "input_cost_per_token: 0.000003, output_cost_per_token: 0.000015";
    let models = [
        ("model: anthropic/claude-3-opus-20240229,", opus),
        ("model: anthropic/claude-sonnet-4-20250514,", sonnet),
        ("model: \"bedrock/anthropic.claude-3-sonnet-20240229-v1:0\",", sonnet),
    ];
    models.iter().fold(config, |config, (model, prices)| config.replace(model, &format!("{model} {prices},")))
}

async fn walk(rig: &Rig, name: &str, case: &Value) -> Vec<String> {
    rig.mock.take_log();
    let answer = ask(rig, &case["request"]).await;
    let expected = &case["response"];
    let mut wrong = Vec::new();
    if expected["status"] != answer.status {
        let told = format!("status {} instead of {}: {}", answer.status, expected["status"], answer.text());
        return if differs(name, "status") { vec![] } else { vec![told] };
    }
    if differs(name, "rewritten")
        && expected["headers"]["x-litellm-model-id"].as_str().is_some_and(|_| is_azure(case))
    {
        return vec![];
    }
    if !differs(name, "seen") && !differs(name, "body") {
        wrong.extend(sent::compare(rig, &case["upstream_received"]));
    }
    if !differs(name, "body") {
        wrong.extend(told::compare(name, expected, &answer));
    }
    if differs(name, "status") {
        return wrong;
    }
    wrong.extend(headers::compare(name, &expected["headers"], &answer));
    wrong
}

fn is_azure(case: &Value) -> bool {
    case["request"]["body"]["model"].as_str().is_some_and(|m| m.starts_with("azure"))
}

async fn ask(rig: &Rig, request: &Value) -> Answer {
    let url = format!("{}{}", rig.url, request["path"].as_str().unwrap());
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        headers.push((name.to_lowercase(), value.as_str().unwrap_or_default().to_owned()));
    }
    let body = match &request["body"] {
        Value::Null => String::new(),
        Value::Object(o) if o.contains_key("__raw__") => o["__raw__"].as_str().unwrap().to_owned(),
        body => body.to_string(),
    };
    if !headers.iter().any(|(n, _)| n == "content-type") && !body.is_empty() {
        headers.push(("content-type".into(), "application/json".into()));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    client::send(request["method"].as_str().unwrap(), &url, &headers, body).await
}
