//! The recorded requests of a real LiteLLM 1.81, asked again: same status, same meaning of every field, same request
//! upstream. What differs on purpose stands in `DIFFERENCES`, with its reason.

use crate::client::{self, Answer};
use crate::rig::Rig;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use weir_core::domain::money::NanoUsd;

/// Golden files of the dialects that are served, and the cases of them that are walked (all, or those that start so).
static FILES: &[(&str, &[&str])] = &[
    ("chat_openai.json", &[]),
    ("chat_azure.json", &[]),
    ("endpoints_llm_nodb.json", &["completions", "embeddings"]),
    ("errors_auth_db.json", &[]),
];

/// (file, case, why): cases that are not compared at all.
static SKIPPED: &[(&str, &str, &str)] = &[
    ("chat_openai.json", "mock_response", "P36: a client may not choose the answer"),
    (
        "chat_openai.json",
        "mock_testing_fallbacks",
        "a test switch of LiteLLM; its fallback speaks Ollama's native dialect",
    ),
    (
        "chat_openai.json",
        "request_fallbacks",
        "the fallback speaks Ollama's native dialect; routing.rs has the same over OpenAI's",
    ),
    ("chat_openai.json", "drop_params_request", "Ollama's native dialect"),
    ("chat_openai.json", "client_api_key_in_body", "VERDICTS: refused"),
    (
        "endpoints_llm_nodb.json",
        "completions_on_chat_model",
        "completions over a chat model are a translation, not a relay",
    ),
    ("endpoints_llm_nodb.json", "completions_on_chat_model_stream", "as above"),
    ("endpoints_llm_nodb.json", "completions_on_ollama_chat", "Ollama's native dialect"),
    ("endpoints_llm_nodb.json", "embeddings_ollama", "Ollama's native dialect"),
    ("errors_auth_db.json", "empty_bearer", "never sent: the recording client refused it"),
    ("errors_auth_db.json", "unknown_model_messages", "/v1/messages is not served yet"),
    ("errors_auth_db.json", "messages_missing_key", "/v1/messages is not served yet"),
    ("errors_auth_db.json", "temperature_str", "an Anthropic model"),
];

/// (case, what, why): single aspects that differ.
static DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "response_format_json_object",
        "rewritten",
        "sent as asked; LiteLLM drops it for old API versions of Azure",
    ),
    (
        "response_format_json_schema",
        "rewritten",
        "sent as asked; LiteLLM makes it a tool for old API versions of Azure",
    ),
    ("cors_simple", "body", "the catalogue's models of `openai/*` are of another day"),
    ("cors_preflight", "origin", "no credentials are allowed across origins, so the origin is not repeated"),
    ("stream_bad_type", "status", "the provider judges the body: the mock streams"),
    ("embeddings_no_input", "status", "the provider judges the body: the mock takes it"),
    ("upstream_error_429", "limits", "limits of a refusal are the provider's; retry-after is passed on"),
    ("upstream_error_408", "status", "P28: the provider's own status is passed on"),
    ("upstream_error_422", "status", "P28: the provider's own status is passed on"),
    ("upstream_error_401", "status", "P28: Azure's 401 became a 400 there by a defect"),
    ("upstream_error_404", "status", "P28: Azure's 404 became a 400 there by a defect"),
    ("stream_disconnect_mid", "body", "VERDICTS: a drop is an error event, not a normal end"),
    ("no_messages", "status", "the provider judges the body: the mock takes it"),
    ("num_retries_request_flaky", "seen", "the mock counts per process"),
    ("client_api_base_in_body", "message", "our own words"),
    ("json_not_object", "status", "a client's mistake is a 400, not a 500"),
    ("empty_body", "status", "a client's mistake is a 400, not a 500"),
    ("form_content_type_with_json", "status", "a JSON body is taken whatever it is called"),
    ("messages_not_list", "status", "the provider judges the body: the mock takes it"),
    ("model_not_str", "status", "a client's mistake is a 400, not a 500"),
    ("basic_auth", "message", "P35: an unknown credential is not repeated"),
    ("invalid_key_not_sk", "message", "P35: an unknown credential is not repeated"),
];

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

fn differs(case: &str, what: &str) -> bool {
    DIFFERENCES.iter().any(|(c, w, _)| *c == case && (*w == what || *w == "status" && what != "seen"))
}

#[tokio::test]
async fn goldens_of_the_served_dialects_agree() {
    let Some(folder) = shared() else { return };
    let config = std::fs::read_to_string(folder.join("configs/main.yaml")).unwrap();
    let config =
        config.replace("http://127.0.0.1:9100", "MOCK").replace("os.environ/LITELLM_MASTER_KEY", "sk-1234");
    let rig = Rig::config(&config).env("OPENAI_API_KEY", "sk-up-openai-env").start().await;
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
            let found = walk(&rig, name, &case).await;
            wrong.extend(found.into_iter().map(|w| format!("{file} {name}: {w}")));
        }
    }
    assert!(walked > 100, "only {walked} cases");
    assert!(wrong.is_empty(), "{} of {walked} cases differ:\n{}", wrong.len(), wrong.join("\n"));
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
        wrong.extend(upstream(rig, &case["upstream_received"]));
    }
    if !differs(name, "body") {
        wrong.extend(body(name, expected, &answer));
    }
    if differs(name, "status") {
        return wrong;
    }
    wrong.extend(headers(name, &expected["headers"], &answer));
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

/// The provider got the same path, credential and body; a stream is asked for its usage beside.
fn upstream(rig: &Rig, expected: &Value) -> Vec<String> {
    let seen = rig.mock.take_log();
    let expected = expected.as_array().cloned().unwrap_or_default();
    if seen.len() != expected.len() {
        return vec![format!("{} requests upstream instead of {}", seen.len(), expected.len())];
    }
    let mut wrong = Vec::new();
    for (seen, expected) in seen.iter().zip(&expected) {
        if expected["path"] != seen.path {
            wrong.push(format!("path {} instead of {}", seen.path, expected["path"]));
        }
        let mut want = expected["body"].clone();
        if want["stream"] == true {
            want["stream_options"] = json!({"include_usage": true});
        }
        let mut got = seen.json();
        // LiteLLM names Azure's deployment in the path alone or in both; the path decides.
        if seen.path.starts_with("/openai/deployments/") {
            got.as_object_mut().map(|o| o.remove("model"));
            want.as_object_mut().map(|o| o.remove("model"));
        }
        if let Some(members) = want.as_object_mut() {
            members.retain(|k, v| !(k == "stream" && *v == false));
        }
        let (got, want) = (clean(&got), clean(&want));
        if got != want {
            wrong.push(format!("sent {got} instead of {want}"));
        }
    }
    wrong
}

fn body(name: &str, expected: &Value, answer: &Answer) -> Vec<String> {
    if let Some(lines) = expected["sse_lines"].as_array() {
        let text: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
        let recorded = Answer { status: 200, headers: Default::default(), body: text.join("\n").into() };
        let (want, got) = (meaning(&recorded), meaning(answer));
        return if want == got { vec![] } else { vec![format!("stream {got} instead of {want}")] };
    }
    if expected["body"].is_null() || expected["body"] == "" {
        return vec![];
    }
    let text = answer.text();
    let got: Value = serde_json::from_str(&text).unwrap_or(Value::from(text));
    if differs(name, "message") {
        let kinds = |v: &Value| json!([v["error"]["type"], v["error"]["code"]]);
        return if kinds(&got) == kinds(&expected["body"]) { vec![] } else { vec![format!("{got}")] };
    }
    let mut wrong = Vec::new();
    compare("", &clean(&expected["body"]), &clean(&got), &mut wrong);
    wrong
}

/// LiteLLM drops nulls; members that are null mean the same as members that are not there.
fn clean(value: &Value) -> Value {
    match value {
        Value::Object(o) => {
            let kept = o
                .iter()
                .filter(|(k, v)| !v.is_null() && *k != "logprobs" && *k != "created" && *k != "annotations");
            Value::Object(kept.map(|(k, v)| (k.clone(), clean(v))).collect::<Map<_, _>>())
        }
        Value::Array(a) => a.iter().map(clean).collect(),
        Value::Number(n) => json!(n.as_f64()),
        other => other.clone(),
    }
}

/// Everything the golden says must be there; what is more is the provider's own.
fn compare(path: &str, want: &Value, got: &Value, wrong: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            for (key, value) in want {
                compare(&format!("{path}.{key}"), value, got.get(key).unwrap_or(&Value::Null), wrong);
            }
        }
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
            want.iter()
                .zip(got)
                .enumerate()
                .for_each(|(i, (w, g))| compare(&format!("{path}[{i}]"), w, g, wrong));
        }
        _ if path.ends_with(".id") && same_kind_of_id(want, got) => {}
        _ if path.ends_with(".message") => messages(path, want, got, wrong),
        // An embedding's usage never has completion tokens; LiteLLM adds a zero.
        _ if (want == &json!(0.0) || want == &json!({})) && got.is_null() => {}
        _ if want != got => wrong.push(format!("{path}: {got} instead of {want}")),
        _ => {}
    }
}

fn same_kind_of_id(want: &Value, got: &Value) -> bool {
    let prefix = |v: &Value| v.as_str().and_then(|s| s.split(['-', '_']).next().map(str::to_owned));
    prefix(want).is_some() && prefix(want) == prefix(got) || got.is_null() && want.is_null()
}

/// Error messages agree when they name the same class and end with the provider's words; ours may say more.
fn messages(path: &str, want: &Value, got: &Value, wrong: &mut Vec<String>) {
    let (want, got) = (want.as_str().unwrap_or_default(), got.as_str().unwrap_or_default());
    let core =
        |m: &str| m.split(" - ").last().unwrap_or(m).split(". Received").next().unwrap_or(m).to_owned();
    let start = |m: &str| m.chars().take(22).collect::<String>();
    // The mock's Azure errors have other texts than those of the recording.
    let azure = want.contains("Azure") && got.contains("AzureException - azure mock error");
    let same_core = azure || !core(want).is_empty() && got.contains(core(want).trim_end_matches('.'));
    if !same_core && start(want) != start(got) {
        wrong.push(format!("{path}: {got:?} instead of {want:?}"));
    }
}

/// What a stream says, however it is cut into chunks.
fn meaning(answer: &Answer) -> Value {
    let chunks = answer.chunks();
    let mut tools: Map<String, Value> = Map::new();
    let (mut finish, mut usage, mut error, mut text) = (Value::Null, Value::Null, false, String::new());
    for chunk in &chunks {
        let choice = &chunk["choices"][0];
        text.push_str(choice["delta"]["content"].as_str().or(choice["text"].as_str()).unwrap_or_default());
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let entry = tools
                .entry(call["index"].to_string())
                .or_insert_with(|| json!({"name": "", "arguments": ""}));
            for part in ["name", "arguments"] {
                let more = call["function"][part].as_str().unwrap_or_default();
                entry[part] = format!("{}{more}", entry[part].as_str().unwrap_or_default()).into();
            }
        }
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
        if chunk["usage"]["total_tokens"].as_u64().is_some_and(|t| t > 0) {
            usage = chunk["usage"]["total_tokens"].clone();
        }
        error |= chunk["error"].is_object();
    }
    let done = answer.events().last().is_some_and(|e| e == "[DONE]");
    let text_completion = chunks.first().is_some_and(|c| c["object"] == "text_completion");
    // LiteLLM puts a guessed usage into every chunk of a text completion, asked or not.
    let usage = if text_completion { Value::Null } else { usage };
    json!({"text": text, "tools": tools, "finish": finish, "usage": usage, "error": error, "done": done})
}

/// Headers that clients and scripts read. Their values are compared where they are not of the moment.
static HEADERS: &[(&str, bool)] = &[
    ("x-litellm-call-id", false),
    ("x-litellm-model-id", false),
    ("x-litellm-version", true),
    ("x-litellm-model-group", true),
    ("x-litellm-attempted-retries", true),
    ("x-litellm-attempted-fallbacks", true),
    ("x-litellm-response-cost", false),
    ("x-ratelimit-limit-requests", true),
    ("x-ratelimit-remaining-tokens", true),
    ("llm_provider-x-request-id", true),
    ("llm_provider-openai-organization", true),
    ("content-type", true),
    ("location", false),
    ("access-control-allow-origin", true),
];

fn headers(case: &str, expected: &Value, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, exact) in HEADERS {
        let Some(want) = expected[*name].as_str() else { continue };
        let got = answer.header(name);
        if differs(case, "origin") && name.starts_with("access")
            || differs(case, "limits") && name.starts_with("x-rate")
        {
            continue;
        }
        let nano = |text: &str| NanoUsd::parse(text).ok();
        let cost = *name == "x-litellm-response-cost" && nano(want) != nano(got);
        let json = *name == "content-type"
            && got.starts_with("application/json")
            && want.starts_with("application/json");
        if got.is_empty() || cost || *exact && got != want && !json {
            wrong.push(format!("header {name}: {got:?} instead of {want:?}"));
        }
    }
    wrong
}
