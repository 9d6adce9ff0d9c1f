//! Plain answers, whatever the operation and the name of the path.

use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::json;

#[tokio::test]
async fn a_chat_goes_through_with_only_the_model_changed() {
    let rig = Rig::start().await;
    let body = r#"{ "messages" : [{"role":"user","content":"hi \u00e9"}],  "model":"priced", "my_extra":{"a":[1,2.50]} }"#;
    let answer = rig.post("/v1/chat/completions", MASTER, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = rig.mock.take_log();
    assert_eq!(seen.len(), 1);
    assert_eq!(String::from_utf8_lossy(&seen[0].body), body.replace("\"priced\"", "\"my-custom-model\""));
    assert_eq!(seen[0].header("authorization"), "Bearer sk-upstream-fake");
}

#[tokio::test]
async fn headers_tell_who_answered_and_what_it_cost() {
    let rig = Rig::start().await;
    let answer = rig
        .post_with(
            "/v1/chat/completions",
            &[("authorization", &format!("Bearer {MASTER}")), ("x-litellm-call-id", "my-call-1")],
            chat("priced", "hi"),
        )
        .await;
    assert_eq!(answer.header("x-litellm-call-id"), "my-call-1");
    // 11 tokens in, 7 out, at 1 and 2 micro-dollars.
    assert_eq!(answer.header("x-litellm-response-cost"), "0.000025");
    assert_eq!(answer.header("x-litellm-model-group"), "priced");
    assert_eq!(answer.header("x-litellm-version"), "1.81.0");
    assert_eq!(answer.header("llm_provider-x-request-id"), "req_mock_1");
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), "9999");
    assert_eq!(answer.header("x-litellm-attempted-retries"), "0");
    assert!(!answer.header("x-litellm-model-id").is_empty());
}

#[tokio::test]
async fn every_alias_reaches_the_provider() {
    let rig = Rig::start().await;
    for path in [
        "/v1/chat/completions",
        "/chat/completions",
        "/v1/v1/chat/completions",
        "/engines/gpt-4o/chat/completions",
        "/openai/deployments/gpt-4o/chat/completions?api-version=2024-02-01",
    ] {
        let answer = rig.post(path, MASTER, chat("gpt-4o", "hi")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    for (path, body) in [
        ("/v1/completions", json!({"model": "instruct", "prompt": "Say"})),
        ("/completions", json!({"model": "instruct", "prompt": ["a", "b"]})),
        ("/v1/embeddings", json!({"model": "emb-small", "input": "hello"})),
        ("/embeddings", json!({"model": "emb-small", "input": [[1, 2, 3]]})),
        ("/engines/emb-small/embeddings", json!({"input": "hello"})),
    ] {
        let answer = rig.post(path, MASTER, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn azure_gets_its_own_path_and_header() {
    let rig = Rig::start().await;
    let answer = rig.chat("azure-gpt4", "hi").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = &rig.mock.take_log()[0];
    assert_eq!(
        seen.path,
        "/openai/deployments/gpt-4-deployment/chat/completions?api-version=2024-02-15-preview"
    );
    assert_eq!(seen.header("api-key"), "az-fake");
    assert_eq!(seen.header("authorization"), "");
}

#[tokio::test]
async fn a_wildcard_passes_the_rest_of_the_name_on() {
    let rig = Rig::start().await;
    assert_eq!(rig.chat("openai/gpt-4.1-nano", "hi").await.status, 200);
    assert_eq!(rig.mock.take_log()[0].json()["model"], "gpt-4.1-nano");
    let models = rig.get("/v1/models", MASTER).await.json();
    let ids: Vec<_> = models["data"].as_array().unwrap().iter().filter_map(|m| m["id"].as_str()).collect();
    assert!(ids.contains(&"openai/gpt-4o") && ids.contains(&"gpt-4o"), "{ids:?}");
    assert_eq!(rig.get("/v1/models/openai/gpt-4o", MASTER).await.status, 200);
    assert_eq!(rig.get("/v1/models/nope", MASTER).await.status, 404);
}

#[tokio::test]
async fn when_models_were_made_is_the_operators_to_say() {
    for (said, created) in [("1700000000", 1_700_000_000), ("", 1_677_610_602)] {
        let rig = Rig::config(CONFIG).env("DEFAULT_MODEL_CREATED_AT_TIME", said).start().await;
        let models = rig.get("/v1/models", MASTER).await.json();
        assert_eq!(models["data"][0]["created"], created);
        assert_eq!(rig.get("/v1/models/gpt-4o", MASTER).await.json()["created"], created);
    }
}

#[tokio::test]
async fn what_speaks_to_the_gateway_stays_here() {
    let rig = Rig::start().await;
    let mut body = chat("gpt-4o", "hi");
    body["metadata"] = json!({"tags": ["a"], "trace": "t1"});
    body["num_retries"] = 0.into();
    body["fallbacks"] = json!(["demo"]);
    assert_eq!(rig.post("/v1/chat/completions", MASTER, body).await.status, 200);
    assert_eq!(rig.mock.take_log()[0].json(), chat("gpt-4o", "hi"));
}

#[tokio::test]
async fn the_demo_model_answers_without_a_provider() {
    let rig = Rig::start().await;
    let plain = rig.chat("demo", "hi").await.json();
    assert_eq!(plain["choices"][0]["message"]["content"], "This is a mocked answer.");
    let stream = rig.stream("demo", "hi").await;
    assert_eq!(stream.content(), "This is a mocked answer.");
    assert_eq!(stream.events().last().unwrap(), "[DONE]");
    assert_eq!(rig.mock.seen_count(), 0);
}

#[tokio::test]
async fn big_bodies_arrive_whole() {
    let rig = Rig::start().await;
    for size in [1_000, 65_535, 65_537, 1_000_000, 8_000_000] {
        let text = "x".repeat(size);
        assert_eq!(rig.chat("gpt-4o", &text).await.status, 200, "{size}");
        let seen = rig.mock.take_log();
        assert_eq!(seen[0].json()["messages"][0]["content"].as_str().map(str::len), Some(size));
    }
}
