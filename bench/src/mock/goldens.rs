//! The goldens, as far as they show the provider's own bytes: sizes and headers of what it answered.

use http::Method;
use serde_json::Value;

use super::MockServer;
use super::testing::{Got, provider, send, shared};

/// Headers that the recorded proxy made itself out of others.
const MADE_FOR_ANTHROPIC: &str = "x-ratelimit-";

/// Headers of the provider that the golden shows, as the mock must send them; the date is the server's.
fn headers(golden: &Value, anthropic: bool) -> Vec<(String, String)> {
    let headers = golden["response"]["headers"].as_object().into_iter().flatten();
    let shown =
        headers.filter_map(|(name, value)| Some((name.strip_prefix("llm_provider-")?, value.as_str()?)));
    let made_by_proxy = |name: &str| anthropic && name.starts_with(MADE_FOR_ANTHROPIC);
    let own = shown.filter(|(name, _)| !matches!(*name, "date" | "content-length") && !made_by_proxy(name));
    own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The goldens of the first run had constant ids, as in `chatcmpl-mock1`.
fn length(got: &Got) -> usize {
    let value = got.json();
    let id = value["id"].as_str().unwrap_or_default();
    let more = match id.split_once("-mock-") {
        Some((prefix, _)) => id.len() - prefix.len() - "-mock1".len(),
        None => 0,
    };
    got.body.len() - more
}

/// The answer to the last of the requests; `__flaky` needs the ones before it.
async fn replay(server: &MockServer, sent: &[Value]) -> Got {
    let mut got = None;
    for request in sent {
        let method: Method = request["method"].as_str().unwrap().parse().unwrap();
        let body = if request["body"].is_null() { String::new() } else { request["body"].to_string() };
        got = Some(send(server, method, request["path"].as_str().unwrap(), &body).await);
    }
    got.expect("a provider that answered was asked")
}

/// What cannot be compared: Azure's errors were recorded with OpenAI's body, and forms were not kept.
fn comparable(file: &str, sent: &[Value], got: &Got) -> bool {
    let form = sent.iter().any(|request| request["body"]["_raw_len"].is_number());
    !form
        && !(got.status != 200
            && (file == "chat_azure.json" || sent[0]["path"].as_str().unwrap().starts_with("/openai/")))
}

#[tokio::test]
async fn replies_have_the_headers_and_lengths_of_the_goldens() {
    let Some(folder) = shared("compat/litellm-1.81/goldens") else { return };
    let server = provider().await;
    let mut compared = 0;
    for file in ["chat_openai.json", "chat_azure.json", "chat_anthropic.json", "endpoints_llm_nodb.json"] {
        let goldens: Value = serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
        for golden in goldens.as_array().unwrap() {
            let size = golden["response"]["headers"]["llm_provider-content-length"].as_str();
            let (Some(size), Some(sent)) = (size, golden["upstream_received"].as_array()) else { continue };
            let got = replay(&server, sent).await;
            if !comparable(file, sent, &got) {
                continue;
            }
            let name = &golden["name"];
            assert_eq!(length(&got).to_string(), size, "{file} {name}: {}", got.text());
            for (header, value) in headers(golden, !got.header("anthropic-organization-id").is_empty()) {
                assert_eq!(got.header(&header), value, "{file} {name} {header}");
            }
            compared += 1;
        }
    }
    assert!(compared > 55, "only {compared} goldens compared");
}

/// Every request that a provider received is known to the mock: none answers with an unknown path.
#[tokio::test]
async fn every_recorded_request_finds_its_provider() {
    let Some(folder) = shared("compat/litellm-1.81/goldens") else { return };
    let server = provider().await;
    let mut seen = 0;
    for file in ["chat_bedrock.json", "chat_ollama.json", "chat_ollama_chat.json", "endpoints_llm_nodb.json"]
    {
        let goldens: Value = serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
        for golden in goldens.as_array().unwrap() {
            for request in golden["upstream_received"].as_array().into_iter().flatten() {
                if request["body"].to_string().contains("__sleep") {
                    continue;
                }
                let got = replay(&server, std::slice::from_ref(request)).await;
                let unknown = String::from_utf8_lossy(&got.body).contains("unknown path");
                assert!(!unknown, "{file} {} {}", request["method"], request["path"]);
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "only {seen} requests");
}
