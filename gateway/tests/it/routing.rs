//! Another deployment, another group, and what the client is told of it.

use crate::rig::{MASTER, Rig, chat};
use serde_json::json;

const CONFIG: &str = r#"
model_list:
  - {model_name: half, litellm_params: {model: openai/a, api_base: "http://127.0.0.1:9", api_key: sk-fake}}
  - {model_name: half, litellm_params: {model: openai/b, api_base: "MOCK/v1", api_key: sk-fake}}
  - {model_name: weighed, litellm_params: {model: openai/heavy, api_base: "MOCK/v1", api_key: sk-fake, weight: 9}}
  - {model_name: weighed, litellm_params: {model: openai/light, api_base: "MOCK/v1", api_key: sk-fake, weight: 1}}
  - {model_name: primary, litellm_params: {model: openai/primary, api_base: "http://127.0.0.1:9", api_key: sk-fake}}
  - {model_name: failing, litellm_params: {model: openai/failing, api_base: "MOCK/v1", api_key: sk-fake}}
  - {model_name: backup, litellm_params: {model: openai/backup, api_base: "MOCK/v1", api_key: sk-fake}}
litellm_settings: {num_retries: 0}
router_settings:
  num_retries: 1
  disable_cooldowns: true
  fallbacks: [{primary: [failing, backup]}]
  context_window_fallbacks: [{weighed: [backup]}]
  model_group_alias: {nick: backup}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"#;

#[tokio::test]
async fn a_dead_deployment_is_not_noticed() {
    let rig = Rig::config(CONFIG).start().await;
    for _ in 0..20 {
        let answer = rig.chat("half", "hi").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let seen = rig.mock.take_log();
    assert!(seen.iter().all(|s| s.json()["model"] == "b") && seen.len() == 20);
}

#[tokio::test]
async fn weights_are_shares() {
    let rig = Rig::config(CONFIG).start().await;
    for _ in 0..200 {
        rig.chat("weighed", "hi").await;
    }
    let heavy = rig.mock.take_log().iter().filter(|s| s.json()["model"] == "heavy").count();
    // 180 are expected; eight standard deviations either way.
    assert!((146..200).contains(&heavy), "{heavy} of 200");
}

#[tokio::test]
async fn p28_fallbacks_are_told() {
    let rig = Rig::config(CONFIG).start().await;
    let answer = rig.chat("primary", "hi").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-litellm-attempted-fallbacks"), "1");
    assert_eq!(answer.header("x-litellm-model-group"), "failing");
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    assert_eq!(
        (row["model_group"].as_str(), row["metadata"]["weir"]["attempts"].as_array().map(Vec::len)),
        (Some("failing"), Some(3)),
        "{row}"
    );
}

#[tokio::test]
async fn p28_the_last_error_is_the_one_told() {
    let rig = Rig::config(CONFIG).start().await;
    let answer = rig.chat("primary", "hi __err=503").await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("ServiceUnavailableError"), "{message}");
    let told = "Received Model Group=backup\nAvailable Model Group Fallbacks=None LiteLLM Retried: 1 times, \
                LiteLLM Max Retries: 1";
    assert!(message.ends_with(told), "{message}");
    assert_eq!(answer.header("x-litellm-attempted-fallbacks"), "2");
    let models: Vec<_> =
        rig.mock.take_log().iter().map(|s| s.json()["model"].as_str().unwrap().to_owned()).collect();
    assert_eq!(models, ["failing", "failing", "backup", "backup"]);
}

#[tokio::test]
async fn p28_no_fallback_after_bytes_were_sent() {
    let rig = Rig::config(CONFIG).start().await;
    let mut body = chat("failing", "hi __errmid");
    body["stream"] = true.into();
    body["fallbacks"] = json!(["backup"]);
    let answer = rig.post("/v1/chat/completions", MASTER, body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(rig.mock.take_log().len(), 1);
}

#[tokio::test]
async fn a_context_that_is_too_long_has_fallbacks_of_its_own() {
    let rig = Rig::config(CONFIG).start().await;
    rig.chat("weighed", "hi __ctx").await;
    let models: Vec<_> = rig.mock.take_log().iter().map(|s| s.json()["model"].to_string()).collect();
    assert_eq!(models.last().map(String::as_str), Some("\"backup\""), "{models:?}");
    let failed = rig.chat("weighed", "hi __err=400").await;
    let message = failed.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with("Received Model Group=weighed\nAvailable Model Group Fallbacks=None"),
        "{message}"
    );
    assert_eq!(rig.mock.take_log().len(), 1, "another 400 has none");
}

#[tokio::test]
async fn retries_asked_for_are_made_and_told() {
    let rig = Rig::config(CONFIG).start().await;
    let mut body = chat("backup", "hi __flaky=retried:2");
    body["num_retries"] = 3.into();
    let answer = rig.post("/v1/chat/completions", MASTER, body).await;
    assert_eq!(
        (answer.status, answer.header("x-litellm-attempted-retries"), answer.header("x-litellm-max-retries")),
        (200, "2", "3"),
        "{}",
        answer.text()
    );
    let seen = rig.mock.take_log();
    let ids: std::collections::HashSet<_> =
        seen.iter().map(|s| s.header("x-client-request-id").to_owned()).collect();
    assert_eq!((seen.len(), ids.len()), (3, 3), "each attempt has its own id");
}

#[tokio::test]
async fn an_alias_is_another_name() {
    let rig = Rig::config(CONFIG).start().await;
    let answer = rig.chat("nick", "hi").await;
    assert_eq!((answer.status, answer.header("x-litellm-model-group")), (200, "nick"));
    assert_eq!(rig.mock.take_log()[0].json()["model"], "backup");
    assert!(rig.get("/v1/models", MASTER).await.text().contains("\"nick\""));
}

async fn models_asked(rig: &Rig, key: &str, model: &str) -> Vec<String> {
    let answer = rig.post("/v1/chat/completions", key, chat(model, "hi __err=503")).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    rig.mock.take_log().iter().map(|s| s.json()["model"].as_str().unwrap().to_owned()).collect()
}

/// `router_settings` of keys and teams, which LiteLLM has too.
#[tokio::test]
async fn a_key_or_its_team_says_how_its_requests_are_routed() {
    let rig = Rig::config(CONFIG).start().await;
    let settings = json!({"num_retries": 0, "fallbacks": [{"failing": ["backup"]}], "timeout": null});
    let team = json!({"team_id": "red", "router_settings": settings});
    assert_eq!(rig.post("/team/new", MASTER, team).await.status, 200);
    let team = rig.key(json!({"team_id": "red"})).await;
    let own = rig.key(json!({"team_id": "red", "router_settings": {"num_retries": 2}})).await;
    let held = rig.key(json!({"team_id": "red", "models": ["failing"]})).await;
    assert_eq!(models_asked(&rig, MASTER, "failing").await, ["failing", "failing"], "the operator's");
    assert_eq!(models_asked(&rig, &team, "failing").await, ["failing", "backup"]);
    assert_eq!(models_asked(&rig, &own, "failing").await, ["failing"; 3], "a key's count alone");
    assert_eq!(
        models_asked(&rig, &held, "failing").await,
        ["failing"],
        "what a key may not use is no fallback"
    );
    let told = rig.get(&format!("/key/info?key={own}"), MASTER).await.json();
    assert_eq!(told["info"]["router_settings"], json!({"num_retries": 2}));

    let all = json!([{"*": ["backup"]}]);
    let changed = json!({"key": own, "router_settings": {"num_retries": 0, "fallbacks": all}});
    assert_eq!(rig.post("/key/update", MASTER, changed).await.status, 200);
    let answer = rig.post("/v1/chat/completions", &own, chat("primary", "hi")).await;
    assert_eq!((answer.status, answer.header("x-litellm-model-group")), (200, "backup"), "p19: at once");
    let long = json!({"key": own, "router_settings": {"num_retries": 0, "context_window_fallbacks": all}});
    assert_eq!(rig.post("/key/update", MASTER, long).await.status, 200);
    rig.mock.take_log();
    rig.post("/v1/chat/completions", &own, chat("failing", "hi __ctx")).await;
    let asked: Vec<_> = rig.mock.take_log().iter().map(|s| s.json()["model"].clone()).collect();
    assert_eq!(asked, [json!("failing"), json!("backup")]);
    assert_eq!(models_asked(&rig, &own, "failing").await, ["failing"], "for nothing else");
}
