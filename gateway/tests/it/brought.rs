//! `configurable_clientside_auth_params`: what clients may bring along, and where it goes.

use crate::client::Answer;
use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};

const CONFIG: &str = r#"
model_list:
  - model_name: theirs
    litellm_params:
      model: openai/gpt-4o
      api_base: "MOCK/v1"
      api_key: sk-of-the-operator-fake
      extra_headers: {x-of-the-operator: secret-fake}
      configurable_clientside_auth_params: [api_key, {api_base: "MOCK/.*"}]
  - model_name: anywhere
    litellm_params: {model: openai/gpt-4o, api_base: "MOCK/v1", api_key: sk-of-the-operator-fake, configurable_clientside_auth_params: [api_key, api_base]}
  - model_name: half
    litellm_params: {model: openai/gpt-4o, api_base: "MOCK/v1", api_key: sk-of-the-operator-fake, configurable_clientside_auth_params: [api_key]}
  - model_name: half
    litellm_params: {model: openai/gpt-4o, api_base: "MOCK/v1", api_key: sk-of-the-operator-two}
  - model_name: paid
    litellm_params: {model: openai/paid, api_base: "MOCK/v1", api_key: sk-of-the-operator-fake}
litellm_settings: {callbacks: [prometheus]}
router_settings: {num_retries: 0, fallbacks: [{theirs: [paid]}]}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY, store_prompts_in_spend_logs: true}
"#;

const OWN: &str = "sk-of-the-client-fake";

async fn ask(rig: &Rig, model: &str, more: Value) -> Answer {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rig.mock.take_log();
    rig.post("/v1/chat/completions", MASTER, body).await
}

#[tokio::test]
async fn p35_p36_a_clients_key_is_used_for_its_request_and_seen_nowhere_else() {
    let rig = Rig::config(CONFIG).start().await;
    let answer = ask(&rig, "theirs", json!({"api_key": OWN})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = rig.mock.take_log();
    assert_eq!(seen[0].header("authorization"), format!("Bearer {OWN}"));
    assert_eq!(seen[0].header("x-of-the-operator"), "secret-fake", "the operator's own address");
    assert!(seen[0].json()["api_key"].is_null(), "{}", seen[0].json());
    let row = rig.row(answer.header("x-litellm-call-id")).await.to_string();
    assert!(!row.contains(OWN) && !rig.log().contains(OWN), "{row}");
    assert_eq!(ask(&rig, "theirs", json!({})).await.status, 200);
    let seen = rig.mock.take_log();
    assert_eq!(seen[0].header("authorization"), "Bearer sk-of-the-operator-fake", "nobody else's request");
}

#[tokio::test]
async fn p36_a_clients_address_gets_nothing_of_the_operators_and_leads_nowhere_inside() {
    let rig = Rig::config(CONFIG).start().await;
    let base = format!("{}/v1", rig.mock.url());
    let listed = ask(&rig, "theirs", json!({"api_key": OWN, "api_base": base})).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    let seen = rig.mock.take_log();
    assert_eq!(seen[0].header("authorization"), format!("Bearer {OWN}"));
    assert_eq!(seen[0].header("x-of-the-operator"), "");
    for (model, brought, why) in [
        ("anywhere", json!({"api_key": OWN, "api_base": base}), "public address"),
        ("anywhere", json!({"api_key": OWN, "api_base": "http://169.254.169.254/v1"}), "public address"),
        ("anywhere", json!({"api_base": base}), "not allowed"),
        ("theirs", json!({"api_key": OWN, "api_base": "https://elsewhere.test"}), "not allowed"),
        ("theirs", json!({"api_key": OWN, "api_version": "1"}), "not allowed"),
        ("theirs", json!({"metadata": {"api_key": OWN}}), "not allowed"),
        ("half", json!({"api_key": OWN}), "not allowed"),
    ] {
        let refused = ask(&rig, model, brought.clone()).await;
        assert_eq!(refused.status, 401, "{model} {brought}: {}", refused.text());
        assert!(refused.text().contains(why), "{model} {brought}: {}", refused.text());
        assert!(rig.mock.take_log().is_empty(), "{model} {brought}");
    }
}

#[tokio::test]
async fn p36_a_clients_failure_is_not_made_good_with_the_operators_key() {
    let rig = Rig::config(CONFIG).start().await;
    let failing = json!({"api_key": OWN, "messages": [{"role": "user", "content": "__err=500"}]});
    let failed = ask(&rig, "theirs", failing).await;
    assert_eq!(failed.status, 500, "{}", failed.text());
    let seen = rig.mock.take_log();
    let own = format!("Bearer {OWN}");
    assert!(!seen.is_empty() && seen.iter().all(|seen| seen.header("authorization") == own), "{seen:?}");
}

#[tokio::test]
async fn p39_no_label_is_a_clients_to_choose() {
    let rig = Rig::config(CONFIG).start().await;
    let base = format!("{}/v1", rig.mock.url());
    let answer = ask(&rig, "theirs", json!({"api_key": OWN, "api_base": base})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let metrics = rig.get("/metrics", MASTER).await.text();
    assert!(metrics.contains("api_base=\"client-side\""), "{metrics}");
}
