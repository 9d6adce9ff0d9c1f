//! `/health/test_connection`: a deployment is asked before anybody keeps it.

use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};

async fn tried(rig: &Rig, body: Value) -> Value {
    let answer = rig.post("/health/test_connection", MASTER, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn params(rig: &Rig, model: &str) -> Value {
    json!({ "model": model, "api_base": format!("{}/v1", rig.mock.url()), "api_key": "sk-trial-fake" })
}

#[tokio::test]
async fn a_deployment_is_asked_for_little_before_it_is_kept_and_nothing_is_booked() {
    let rig = Rig::start().await;
    let told = tried(&rig, json!({ "litellm_params": params(&rig, "openai/brand-new") })).await;
    assert_eq!((&told["status"], &told["result"]["model"]), (&json!("success"), &json!("openai/brand-new")));
    assert!(told["result"]["response_time_ms"].is_u64() && !told.to_string().contains("sk-trial"), "{told}");
    let asked = rig.mock.take_log();
    let [chat] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(
        (chat.route(), chat.header("authorization")),
        ("/v1/chat/completions", "Bearer sk-trial-fake")
    );
    assert_eq!((&chat.json()["model"], &chat.json()["max_tokens"]), (&json!("brand-new"), &json!(16)));

    let all = rig.get("/v2/model/info", MASTER).await.text();
    assert!(!all.contains("brand-new"), "it is not kept: {all}");
    rig.chat("gpt-4o", "hi").await;
    let rows = rig.rows(1).await;
    assert_eq!((rows.len(), &rows[0]["model_group"]), (1, &json!("gpt-4o")), "{rows:?}");
}

#[tokio::test]
async fn what_is_asked_follows_the_mode_and_without_one_the_model() {
    let rig = Rig::start().await;
    for (model, mode, route) in [
        ("openai/own-vectors", json!("embedding"), "/v1/embeddings"),
        ("openai/text-embedding-3-small", Value::Null, "/v1/embeddings"),
        ("openai/own-chat", Value::Null, "/v1/chat/completions"),
    ] {
        let told = tried(&rig, json!({ "litellm_params": params(&rig, model), "mode": mode })).await;
        assert_eq!(told["status"], "success", "{told}");
        let asked = rig.mock.take_log();
        assert_eq!(asked.iter().map(|seen| seen.route()).collect::<Vec<_>>(), [route], "{model}");
    }
    let body = json!({ "litellm_params": params(&rig, "openai/x"), "mode": "telepathy" });
    assert_eq!(rig.post("/health/test_connection", MASTER, body).await.status, 422);
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_words_of_whoever_refused() {
    let rig = Rig::start().await;
    let nowhere =
        json!({ "model": "openai/x", "api_base": "http://127.0.0.1:9", "api_key": "sk-trial-fake" });
    for (params, word) in [
        (nowhere, "Connection"),
        (json!({ "model": "nobody/x" }), "nobody"),
        (json!({ "model": "openai/x", "timeout": "soon" }), "timeout"),
        (json!({ "model": "openai/x" }), "OPENAI_API_KEY"),
    ] {
        let told = tried(&rig, json!({ "litellm_params": params })).await;
        let error = told["result"]["error"].as_str().unwrap_or_default();
        assert!(told["status"] == "error" && error.contains(word), "{word}: {told}");
    }
    assert!(rig.mock.take_log().is_empty());
}

/// Keys of providers are told to nobody, so a changed deployment is tested with the one that it has.
#[tokio::test]
async fn a_change_of_a_deployment_is_tested_before_it_is_made() {
    let rig = Rig::start().await;
    let found = rig.get("/v2/model/info?model=gpt-4o", MASTER).await.json();
    let id = &found["data"][0]["model_info"]["id"];
    let change = json!({ "litellm_params": { "model": "openai/gpt-4o-mini" }, "model_info": { "id": id } });
    assert_eq!(tried(&rig, change).await["status"], "success");
    // As LiteLLM has it: a group that is configured.
    assert_eq!(tried(&rig, json!({ "litellm_params": { "model": "gpt-4o" } })).await["status"], "success");
    let asked = rig.mock.take_log();
    let models: Vec<Value> = asked.iter().map(|seen| seen.json()["model"].clone()).collect();
    assert_eq!(models, [json!("gpt-4o-mini"), json!("gpt-4o")]);
    assert!(asked.iter().all(|seen| seen.header("authorization") == "Bearer sk-upstream-fake"));
    let kept = rig.get("/v2/model/info?model=gpt-4o", MASTER).await.json();
    assert_eq!(kept["data"][0]["litellm_params"]["model"], "openai/gpt-4o", "nothing is changed");
}

#[tokio::test]
async fn a_stored_credential_is_used() {
    let rig = Rig::start().await;
    let credential =
        json!({ "credential_name": "shared", "credential_values": { "api_key": "sk-shared-fake" } });
    assert_eq!(rig.post("/credentials", MASTER, credential).await.status, 200);
    let mut params = params(&rig, "openai/x");
    params["api_key"] = Value::Null;
    params["litellm_credential_name"] = json!("shared");
    assert_eq!(tried(&rig, json!({ "litellm_params": params })).await["status"], "success");
    assert_eq!(rig.mock.take_log()[0].header("authorization"), "Bearer sk-shared-fake");
}

#[tokio::test]
async fn p36_only_admins_choose_an_address_to_call() {
    let rig = Rig::start().await;
    let key = rig.key(json!({})).await;
    let body = json!({ "litellm_params": params(&rig, "openai/x") });
    assert_eq!(rig.post("/health/test_connection", &key, body).await.status, 401);
    assert!(rig.mock.take_log().is_empty());
}
