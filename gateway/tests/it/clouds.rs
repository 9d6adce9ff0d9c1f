//! Clouds that hand out tokens, over a mock of their token endpoints and of all providers: Google for Vertex AI,
//! Microsoft Entra for Azure. And what a deployment's settings change in requests and answers.

use crate::rig::{MASTER, Rig, chat};
use serde_json::{Value, json};
use weir_bench::mock::{Provider, Reply, Seen, Upstream};

const CONFIG: &str = r#"
model_list:
  - model_name: gemini
    litellm_params: &google
      model: vertex_ai/gemini-2.5-flash
      api_base: "MOCK"
      vertex_project: p-1
      vertex_location: europe-west1
      vertex_credentials: {type: authorized_user, client_id: c, client_secret: s, refresh_token: one, token_uri: "MOCK/google/token"}
  - model_name: claude
    litellm_params: {<<: *google, model: vertex_ai/claude-sonnet-4-5@20250929}
  - model_name: llama
    litellm_params: {<<: *google, model: vertex_ai/meta/llama-4-scout-maas}
  - model_name: embeds
    litellm_params: {<<: *google, model: vertex_ai/text-embedding-005}
  - model_name: refused
    litellm_params:
      <<: *google
      vertex_credentials: {type: authorized_user, client_id: c, client_secret: s, refresh_token: revoked, token_uri: "MOCK/google/token"}
  - model_name: azure
    litellm_params: &azure
      model: azure/gpt-4o
      api_base: "MOCK"
      api_version: "2024-10-21"
      tenant_id: t-1
      client_id: c-1
      client_secret: s-1
      azure_authority_host: "MOCK/entra"
  - model_name: foundry
    litellm_params: {<<: *azure, model: azure_ai/claude-sonnet-4-5}
  - model_name: marked
    litellm_params:
      model: anthropic/claude-sonnet-4-5
      api_base: "MOCK"
      api_key: k
      cache_control_injection_points: [{location: message, role: system}, {location: message, index: -1}]
  - model_name: router-marked
    litellm_params:
      model: openrouter/anthropic/claude-sonnet-4-5
      api_base: "MOCK/v1"
      api_key: k
      cache_control_injection_points: [{location: message, role: user}]
  - model_name: merged
    litellm_params: {model: openai/thinks, api_base: "MOCK/thinks", api_key: k, merge_reasoning_content_in_choices: true}
  - model_name: titan
    litellm_params: {model: bedrock/amazon.titan-embed-text-v2:0, aws_bedrock_runtime_endpoint: "MOCK", api_key: k, aws_region_name: us-east-1}
litellm_settings: {num_retries: 0}
router_settings: {disable_cooldowns: true}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"#;

/// All providers, and the endpoints that give tokens for them.
struct Cloud(Provider);

impl Upstream for Cloud {
    fn answer(&self, seen: &Seen) -> Reply {
        let route = seen.route();
        if route.ends_with("/token") {
            return token(seen);
        }
        if route.starts_with("/thinks") {
            return thinks(seen);
        }
        if route.ends_with("/endpoints/openapi/chat/completions") {
            return self.0.answer(&Seen { path: "/v1/chat/completions".into(), ..seen.clone() });
        }
        self.0.answer(seen)
    }
}

fn token(seen: &Seen) -> Reply {
    let asked = String::from_utf8_lossy(&seen.body);
    if asked.contains("revoked") {
        return json_reply(
            400,
            &json!({"error": "invalid_grant", "error_description": "Token has been revoked."}),
        );
    }
    json_reply(
        200,
        &json!({"access_token": format!("for{}", seen.route().replace('/', "-")), "expires_in": 3599}),
    )
}

fn json_reply(status: u16, body: &Value) -> Reply {
    full(status, "application/json", body.to_string())
}

fn full(status: u16, kind: &str, body: String) -> Reply {
    let headers = vec![("content-type".into(), kind.to_owned())];
    Reply::Full { status, headers, body: body.into(), delay: std::time::Duration::ZERO }
}

/// A provider of OpenAI's dialect that tells its thoughts.
fn thinks(seen: &Seen) -> Reply {
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5});
    if seen.json()["stream"] != true {
        let message = json!({"role": "assistant", "reasoning_content": "hm, well", "content": "yes"});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        return json_reply(
            200,
            &json!({"id": "c1", "object": "chat.completion", "choices": [choice], "usage": usage}),
        );
    }
    let deltas = [
        json!({"reasoning_content": "hm, "}),
        json!({"reasoning_content": "well"}),
        json!({"content": "yes"}),
    ];
    let chunk = |delta: &Value| json!({"id": "c1", "choices": [{"index": 0, "delta": delta}]}).to_string();
    let mut events: Vec<String> = deltas.iter().map(chunk).collect();
    let stop = json!({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    events.extend([
        stop.to_string(),
        json!({"id": "c1", "choices": [], "usage": usage}).to_string(),
        "[DONE]".into(),
    ]);
    full(200, "text/event-stream", events.iter().map(|event| format!("data: {event}\n\n")).collect())
}

async fn rig() -> Rig {
    Rig::config(CONFIG).over(Cloud(Provider::new())).await
}

/// What was asked at paths that hold this.
fn seen(rig: &Rig, part: &str) -> Vec<Seen> {
    rig.mock.take_log().into_iter().filter(|seen| seen.path.contains(part)).collect()
}

#[tokio::test]
async fn a_token_is_fetched_once_for_all_models_of_one_identity() {
    let rig = rig().await;
    let calls = (0..40).map(|n| {
        let model = ["gemini", "claude", "llama"][n % 3];
        rig.chat(model, "Say hello")
    });
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let log = rig.mock.take_log();
    let (tokens, chats): (Vec<_>, Vec<_>) = log.into_iter().partition(|seen| seen.path == "/google/token");
    assert_eq!((tokens.len(), chats.len()), (1, 40));
    assert_eq!(
        String::from_utf8_lossy(&tokens[0].body),
        "grant_type=refresh%5Ftoken&client_id=c&client_secret=s&refresh_token=one"
    );
    assert!(chats.iter().all(|seen| seen.header("authorization") == "Bearer for-google-token"));
}

#[tokio::test]
async fn every_maker_on_vertex_gets_the_request_that_it_knows() {
    let rig = rig().await;
    let place = "/v1/projects/p-1/locations/europe-west1";
    for model in ["gemini", "claude", "llama"] {
        let stream = rig.stream(model, "Say hello").await;
        assert!(!stream.content().is_empty(), "{model}: {}", stream.text());
    }
    let embedded = rig.post("/v1/embeddings", MASTER, json!({"model": "embeds", "input": ["a", "b"]})).await;
    assert_eq!(embedded.json()["data"].as_array().map(Vec::len), Some(2), "{}", embedded.text());
    let asked = seen(&rig, "/projects/");
    let paths: Vec<_> = asked.iter().map(|seen| seen.path.trim_start_matches(place)).collect();
    assert_eq!(
        paths,
        [
            "/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
            "/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict",
            "/endpoints/openapi/chat/completions",
            "/publishers/google/models/text-embedding-005:predict",
        ]
    );
    let claude = asked[1].json();
    assert_eq!(claude["anthropic_version"], "vertex-2023-10-16");
    assert_eq!((claude.get("model"), &claude["stream"]), (None, &json!(true)));
    assert_eq!(asked[1].header("anthropic-version"), "");
    assert_eq!(asked[2].json()["model"], "meta/llama-4-scout-maas");
    assert_eq!(asked[3].json(), json!({"instances": [{"content": "a"}, {"content": "b"}]}));
}

#[tokio::test]
async fn p24_anthropics_clients_keep_what_they_say_to_claude_on_vertex() {
    let rig = rig().await;
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let body = json!({"model": "claude", "max_tokens": 9, "unknown_member": {"x": 1}, "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Say hello", "cache_control": mark}]}]});
    let headers = [
        ("x-api-key", MASTER),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "oauth-2025-04-20,context-1m-2025-08-07"),
    ];
    let answer = rig.post_with("/v1/messages", &headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let counted = rig.post_with("/v1/messages/count_tokens", &headers, &body).await;
    assert_eq!(counted.status, 200, "{}", counted.text());
    let asked = seen(&rig, "/projects/");
    let mut expected = body.clone();
    expected["anthropic_version"] = "vertex-2023-10-16".into();
    expected.as_object_mut().unwrap().remove("model");
    assert_eq!(asked[0].json(), expected);
    assert_eq!(asked[0].header("anthropic-beta"), "context-1m-2025-08-07");
    assert_eq!(asked[0].header("anthropic-version"), "");
    assert!(asked[1].path.ends_with("/count-tokens:rawPredict"), "{}", asked[1].path);
    assert_eq!(asked[1].json()["model"], "claude-sonnet-4-5@20250929");
}

#[tokio::test]
async fn a_refused_token_is_told_with_its_cure() {
    let rig = rig().await;
    let answer = rig.chat("refused", "hi").await;
    assert_eq!(answer.status, 401, "{}", answer.text());
    for part in ["invalid_grant: Token has been revoked.", "Check vertex_credentials", "AuthenticationError"]
    {
        assert!(answer.text().contains(part), "{part}: {}", answer.text());
    }
    assert!(seen(&rig, "/projects/").is_empty(), "nothing is sent without a token");
}

#[tokio::test]
async fn an_application_of_entra_asks_once_for_azure_and_foundry() {
    let rig = rig().await;
    for model in ["azure", "foundry", "azure"] {
        let answer = rig.chat(model, "Say hello").await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
    }
    let log = rig.mock.take_log();
    let (tokens, chats): (Vec<_>, Vec<_>) = log.into_iter().partition(|seen| seen.path.ends_with("/token"));
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].path, "/entra/t-1/oauth2/v2.0/token");
    let form = String::from_utf8_lossy(&tokens[0].body).into_owned();
    assert!(form.contains("grant_type=client%5Fcredentials&client_id=c%2D1"), "{form}");
    for (seen, path) in chats
        .iter()
        .zip(["/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", "/anthropic/v1/messages"])
    {
        assert_eq!(seen.path, path);
        assert_eq!(seen.header("authorization"), "Bearer for-entra-t-1-oauth2-v2.0-token");
        assert_eq!((seen.header("api-key"), seen.header("x-api-key")), ("", ""));
    }
}

#[tokio::test]
async fn marks_for_the_cache_are_set_where_the_configuration_says() {
    let rig = rig().await;
    let ask = |model: &str| {
        let mut body = chat(model, "Say hello");
        body["messages"].as_array_mut().unwrap().insert(0, json!({"role": "system", "content": "rules"}));
        rig.post("/v1/chat/completions", MASTER, body)
    };
    for model in ["marked", "router-marked"] {
        let answer = ask(model).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
    }
    let log = rig.mock.take_log();
    let mark = json!({"type": "ephemeral"});
    let anthropic = log[0].json();
    assert_eq!(anthropic["system"][0]["cache_control"], mark, "{anthropic}");
    assert_eq!(anthropic["messages"][0]["content"][0]["cache_control"], mark, "{anthropic}");
    let openai = log[1].json();
    assert!(!openai["messages"][0].to_string().contains("cache_control"), "{openai}");
    assert!(openai["messages"][1].to_string().contains("cache_control"), "{openai}");
    let mut own = chat("marked", "Say hello");
    own["cache_control_injection_points"] = json!([]);
    rig.post("/v1/chat/completions", MASTER, own).await;
    let unmarked = rig.mock.take_log()[0].json();
    assert!(!unmarked.to_string().contains("cache_control"), "the client's own list counts: {unmarked}");
}

#[tokio::test]
async fn p24_thoughts_are_merged_into_the_text_streamed_and_plain() {
    let rig = rig().await;
    let plain = rig.chat("merged", "hi").await;
    let message = plain.json()["choices"][0]["message"].clone();
    assert_eq!(message["content"], "<think>hm, well</think>yes", "{}", plain.text());
    assert_eq!(message.get("reasoning_content"), None);
    let stream = rig.stream("merged", "hi").await;
    assert_eq!(stream.content(), "<think>hm, well</think>yes");
    assert!(!stream.text().contains("reasoning_content"), "{}", stream.text());
    let row = rig.row(stream.header("x-litellm-call-id")).await;
    assert_eq!(row["prompt_tokens"], 3);
}

#[tokio::test]
async fn a_model_that_takes_one_text_at_a_time_is_asked_for_each() {
    let rig = rig().await;
    let ask = |input: Value| rig.post("/v1/embeddings", MASTER, json!({"model": "titan", "input": input}));
    let (one, three) = (ask(json!("a")).await, ask(json!(["a", "b b", "c"])).await);
    assert_eq!((one.status, three.status), (200, 200), "{} {}", one.text(), three.text());
    let asked = rig.mock.take_log();
    let texts: Vec<_> = asked.iter().map(|seen| seen.json()["inputText"].clone()).collect();
    assert_eq!(texts, [json!("a"), json!("a"), json!("b b"), json!("c")]);
    let three = three.json();
    let indices: Vec<_> =
        three["data"].as_array().unwrap().iter().map(|item| item["index"].clone()).collect();
    assert_eq!(indices, [0, 1, 2]);
    let tokens = |answer: &Value| answer["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(tokens(&three) >= 3 * tokens(&one.json()), "every text is paid: {three}");
    let failed = ask(json!(["a", "__err=429"])).await;
    assert_eq!(failed.status, 429, "{}", failed.text());
}

/// Without a deployment in the config: project and credentials are the environment's.
#[tokio::test]
async fn vertex_is_passed_through_with_a_token_of_ours() {
    let config = r#"
model_list: []
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
environment_variables:
  VERTEXAI_PROJECT: p-1
  VERTEXAI_LOCATION: europe-west1
  VERTEXAI_API_BASE: "MOCK"
  VERTEXAI_CREDENTIALS: '{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "one", "token_uri": "MOCK/google/token"}'
"#;
    let rig = Rig::config(config).over(Cloud(Provider::new())).await;
    let model = "/v1/projects/p-1/locations/europe-west1/publishers/google/models/gemini-2.5-flash";
    let path = format!("{model}:generateContent");
    let asked =
        json!({"contents": [{"role": "user", "parts": [{"text": "Say hello"}]}], "unknown": {"x": 1}});
    let answer = rig.post(&format!("/vertex_ai{path}"), MASTER, &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = seen(&rig, "/projects/");
    assert_eq!((sent[0].path.as_str(), sent[0].json()), (path.as_str(), asked));
    assert_eq!(sent[0].header("authorization"), "Bearer for-google-token");
    let row = &rig.rows(1).await[0];
    let used = answer.json()["usageMetadata"]["totalTokenCount"].clone();
    assert_eq!((&row["total_tokens"], &row["model"]), (&used, &json!("vertex_ai/gemini-2.5-flash")), "{row}");
    assert!(row["spend"].as_f64() > Some(0.0), "{row}");
}
