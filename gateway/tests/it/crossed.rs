//! Every client API over every provider's own dialect, against mocks of all of them: the answer is the model's, and
//! what is booked is what the provider reported.

use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};
use weir_bench::mock::Provider;

/// Model name and its deployment; `MOCK` is the provider.
static MODELS: &[(&str, &str)] = &[
    ("openai", r#"{model: openai/gpt-4o, api_base: "MOCK/v1", api_key: k}"#),
    ("azure", r#"{model: azure/gpt-4o, api_base: "MOCK", api_key: k, api_version: "2024-10-21"}"#),
    ("anthropic", r#"{model: anthropic/claude-sonnet-4-5, api_base: "MOCK", api_key: k}"#),
    (
        "converse",
        r#"{model: bedrock/converse/amazon.nova-pro-v1:0, guardrailConfig: {guardrailIdentifier: g, guardrailVersion: "1"}, aws_bedrock_runtime_endpoint: "MOCK", aws_access_key_id: AKIAFAKE, aws_secret_access_key: fake, aws_region_name: us-east-1}"#,
    ),
    (
        "claude-on-bedrock",
        r#"{model: bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0, aws_bedrock_runtime_endpoint: "MOCK", aws_access_key_id: AKIAFAKE, aws_secret_access_key: fake, aws_region_name: us-east-1}"#,
    ),
    ("ollama", r#"{model: ollama/llama3.1, api_base: "MOCK"}"#),
    ("ollama-chat", r#"{model: ollama_chat/llama3.1, api_base: "MOCK", num_ctx: 4096, keep_alive: 5m}"#),
    (
        "gemini",
        r#"{model: gemini/gemini-2.5-flash, safety_settings: [{category: c, threshold: t}], api_base: "MOCK", api_key: k}"#,
    ),
    (
        "vertex",
        r#"{model: vertex_ai/gemini-2.5-flash, api_base: "MOCK", vertex_project: p, extra_headers: {authorization: Bearer t}}"#,
    ),
    (
        "claude-on-vertex",
        r#"{model: vertex_ai/claude-sonnet-4-5@20250929, api_base: "MOCK", vertex_project: p, extra_headers: {authorization: Bearer t}}"#,
    ),
    ("foundry", r#"{model: azure_ai/Mistral-large-2411, api_base: "MOCK/v1", api_key: k}"#),
    ("claude-on-foundry", r#"{model: azure_ai/claude-sonnet-4-5, api_base: "MOCK", api_key: k}"#),
    ("cohere", r#"{model: cohere/command-a-03-2025, api_base: "MOCK", api_key: k}"#),
];

async fn rig() -> Rig {
    let models: String = MODELS
        .iter()
        .map(|(name, params)| format!("  - {{model_name: {name}, litellm_params: {params}}}\n"))
        .collect();
    let config = format!(
        "model_list:\n{models}litellm_settings: {{num_retries: 0}}\n\
         general_settings: {{master_key: os.environ/LITELLM_MASTER_KEY}}\n"
    );
    Rig::config(&config).over(Provider::new()).await
}

/// One client API: its path, a request, and where the answer's text stands.
struct Api {
    path: &'static str,
    request: fn(&str, &str, bool) -> Value,
    text: fn(&Value) -> String,
    /// The texts of a stream's events, joined.
    streamed: fn(&[Value]) -> String,
}

static APIS: &[Api] = &[
    Api {
        path: "/v1/chat/completions",
        request: |model, say, stream| json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": say}]}),
        text: |answer| text(&answer["choices"][0]["message"]["content"]),
        streamed: |events| events.iter().map(|e| text(&e["choices"][0]["delta"]["content"])).collect(),
    },
    Api {
        path: "/v1/completions",
        request: |model, say, stream| json!({"model": model, "stream": stream, "prompt": say, "max_tokens": 100}),
        text: |answer| text(&answer["choices"][0]["text"]),
        streamed: |events| events.iter().map(|e| text(&e["choices"][0]["text"])).collect(),
    },
    Api {
        path: "/v1/messages",
        request: |model, say, stream| {
            json!({"model": model, "stream": stream, "max_tokens": 100,
                   "messages": [{"role": "user", "content": say}]})
        },
        text: |answer| {
            answer["content"].as_array().into_iter().flatten().map(|block| text(&block["text"])).collect()
        },
        streamed: |events| events.iter().map(|e| text(&e["delta"]["text"])).collect(),
    },
    Api {
        path: "/v1/responses",
        request: |model, say, stream| json!({"model": model, "stream": stream, "input": say}),
        text: |answer| {
            let items = answer["output"].as_array().into_iter().flatten();
            let parts = items.flat_map(|item| item["content"].as_array().cloned().unwrap_or_default());
            parts.map(|part| text(&part["text"])).collect()
        },
        streamed: |events| {
            let deltas = events.iter().filter(|e| e["type"] == "response.output_text.delta");
            deltas.map(|e| text(&e["delta"])).collect()
        },
    },
];

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn p10_p20_every_client_reaches_every_provider_and_the_same_is_booked_for_streams() {
    let rig = rig().await;
    for api in APIS {
        for (model, _) in MODELS {
            let at = format!("{} over {model}", api.path);
            let plain = rig.post(api.path, MASTER, (api.request)(model, "Say hello", false)).await;
            assert_eq!(plain.status, 200, "{at}: {}", plain.text());
            let said = (api.text)(&plain.json());
            assert!(!said.is_empty(), "{at}: {}", plain.text());
            let stream = rig.post(api.path, MASTER, (api.request)(model, "Say hello", true)).await;
            assert_eq!(stream.status, 200, "{at}: {}", stream.text());
            assert_eq!((api.streamed)(&events(&stream)), said, "{at}: {}", stream.text());
            let (whole, pieces) = (booked(&rig, &plain).await, booked(&rig, &stream).await);
            assert_eq!(whole, pieces, "{at}: booked for plain and streamed");
            assert!(whole.0 > 0 && whole.1 > 0, "{at}: {whole:?}");
        }
    }
}

/// The JSON of a stream's events.
fn events(answer: &crate::client::Answer) -> Vec<Value> {
    let text = answer.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter_map(|json| serde_json::from_str(json).ok()).collect()
}

async fn booked(rig: &Rig, answer: &crate::client::Answer) -> (u64, u64) {
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    let number = |name: &str| row[name].as_u64().unwrap_or_default();
    (number("prompt_tokens"), number("completion_tokens"))
}

#[tokio::test]
async fn errors_are_told_in_the_clients_dialect() {
    let rig = rig().await;
    let refused = rig.post("/v1/messages", "sk-nobody", json!({"model": "openai", "messages": []})).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["type"], "error", "{}", refused.text());
    assert_eq!(refused.json()["error"]["type"], "authentication_error", "{}", refused.text());
}

#[tokio::test]
async fn a_providers_own_parameters_in_the_config_reach_it() {
    let rig = rig().await;
    let cases = [
        ("ollama-chat", "/options/num_ctx", json!(4096)),
        ("ollama-chat", "/keep_alive", json!("5m")),
        ("converse", "/guardrailConfig/guardrailIdentifier", json!("g")),
        ("gemini", "/safetySettings/0/category", json!("c")),
    ];
    for (model, at, value) in cases {
        rig.mock.take_log();
        let answer = rig.chat(model, "Say hello").await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let seen = rig.mock.take_log().remove(0).json();
        assert_eq!(seen.pointer(at), Some(&value), "{model}: {seen}");
    }
}

#[tokio::test]
async fn what_only_google_knows_reaches_no_other_however_it_is_written() {
    let rig = rig().await;
    for (safety, cached) in [("safetySettings", "cachedContent"), ("safety_settings", "cached_content")] {
        rig.mock.take_log();
        let contents = json!([{"role": "user", "parts": [{"text": "Say hello"}]}]);
        let body = json!({"contents": contents, safety: [{"category": "c"}], cached: "c"});
        let answer = rig.post("/v1beta/models/openai:generateContent", MASTER, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = rig.mock.take_log().remove(0).json();
        assert!(seen.get(safety).is_none() && seen.get(cached).is_none(), "{seen}");
    }
}
