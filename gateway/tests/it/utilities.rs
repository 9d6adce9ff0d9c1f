//! `/utils/…`: counting tokens, listing parameters, showing what would be sent.

use crate::goldens::cases;
use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};
use weir_bench::mock::Provider;

/// With the names of LiteLLM's recorded calls.
const CONFIG: &str = r#"
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_base: "MOCK/v1", api_key: sk-secret-of-openai}
  - model_name: qwen-local
    litellm_params: {model: "ollama_chat/qwen2.5:7b-instruct", api_base: "MOCK"}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_base: "MOCK", api_key: sk-secret-of-anthropic}
  - model_name: gem
    litellm_params: {model: gemini/gemini-2.5-flash, api_base: "MOCK", api_key: sk-secret-of-gemini}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"#;

async fn rig() -> Rig {
    Rig::config(CONFIG).over(Provider::new()).await
}

#[tokio::test]
async fn what_litellm_answered_is_answered() {
    let Some(cases) = cases("endpoints_llm_nodb.json") else { return };
    let rig = rig().await;
    let recorded = |name: &str| cases.iter().find(|case| case["name"] == name).cloned().unwrap_or_default();
    for name in ["token_counter", "token_counter_prompt"] {
        let case = recorded(name);
        let answer = rig.post("/utils/token_counter", MASTER, &case["request"]["body"]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json(), case["response"]["body"], "{name}");
    }
    let list = rig.get("/utils/supported_openai_params?model=gpt-4o", MASTER).await;
    let names = |body: &Value| -> Vec<String> {
        let mut names: Vec<String> = serde_json::from_value(body["supported_openai_params"].clone()).unwrap();
        names.sort();
        names
    };
    assert_eq!(names(&list.json()), names(&recorded("supported_openai_params")["response"]["body"]));
    let case = recorded("transform_request");
    let shown = rig.post("/utils/transform_request", MASTER, &case["request"]["body"]).await.json();
    let expected = &case["response"]["body"];
    assert_eq!(shown["raw_request_api_base"], expected["raw_request_api_base"], "{shown}");
    assert_eq!(shown["raw_request_body"]["model"], expected["raw_request_body"]["model"], "{shown}");
    assert_eq!(rig.mock.seen_count(), 0);
}

#[tokio::test]
async fn p35_a_request_is_shown_without_its_key_and_nothing_is_sent() {
    let rig = rig().await;
    let messages = json!([{"role": "user", "content": "hi"}]);
    for (model, below) in [
        ("gpt-4o", "/v1/chat/completions"),
        ("claude", "/v1/messages"),
        ("gem", "/v1beta/models/gemini-2.5-flash:generateContent"),
    ] {
        let body = json!({"call_type": "completion", "request_body": {"model": model, "messages": messages}});
        let answer = rig.post("/utils/transform_request", MASTER, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["raw_request_api_base"], format!("{}{below}", rig.mock.url()));
        assert!(!answer.text().contains("sk-secret"), "{}", answer.text());
    }
    let unknown =
        json!({"call_type": "completion", "request_body": {"model": "nobodys", "messages": messages}});
    assert_eq!(rig.post("/utils/transform_request", MASTER, unknown).await.status, 400);
    assert_eq!(rig.mock.seen_count(), 0);
}

#[tokio::test]
async fn the_provider_counts_where_it_is_asked_to() {
    let rig = rig().await;
    let messages = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]);
    for (model, sent) in
        [("claude", "/v1/messages/count_tokens"), ("gem", "/v1beta/models/gemini-2.5-flash:countTokens")]
    {
        let body = json!({"model": model, "messages": messages});
        let answer = rig.post("/utils/token_counter?call_endpoint=true", MASTER, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let (told, seen) = (answer.json(), rig.mock.take_log());
        assert_eq!(seen.iter().map(|s| s.route()).collect::<Vec<_>>(), [sent]);
        assert!(told["original_response"].is_object(), "{told}");
        let original = &told["original_response"];
        let count = original["input_tokens"].as_u64().or(original["totalTokens"].as_u64());
        assert_eq!(told["total_tokens"].as_u64(), count, "{told}");
        rig.post("/utils/token_counter", MASTER, &body).await;
        assert!(rig.mock.take_log().is_empty(), "nobody is asked unasked");
    }
    let local = json!({"model": "gpt-4o", "messages": messages});
    let answer = rig.post("/utils/token_counter?call_endpoint=true", MASTER, local).await.json();
    assert_eq!(answer["tokenizer_type"], "openai_tokenizer", "whoever cannot count is counted for");
}

#[tokio::test]
async fn a_count_is_the_same_on_every_route() {
    let rig = rig().await;
    let messages =
        json!([{"role": "user", "content": "Ünïcode, and some words that a tokenizer cuts into pieces."}]);
    for model in ["gpt-4o", "qwen-local"] {
        let body = json!({"model": model, "messages": messages});
        let counted = rig.post("/utils/token_counter", MASTER, &body).await.json();
        let told = rig.post("/v1/messages/count_tokens", MASTER, &body).await.json();
        assert!(told["input_tokens"].as_u64().is_some_and(|n| n > 0), "{model}: {told}");
        assert_eq!(told["input_tokens"], counted["total_tokens"], "{model}");
    }
    assert_eq!(rig.mock.seen_count(), 0);
}

#[tokio::test]
async fn p37_utilities_ask_for_a_key_and_bad_requests_are_told() {
    let rig = rig().await;
    let key = rig.key(json!({"models": ["gpt-4o"]})).await;
    let count = json!({"model": "gpt-4o", "prompt": "hi"});
    assert_eq!(rig.post("/utils/token_counter", &key, &count).await.status, 200);
    assert_eq!(rig.post("/utils/token_counter", "sk-nobody", &count).await.status, 401);
    let listed = rig.get("/utils/supported_openai_params?model=gpt-4o", &key).await;
    assert_eq!(listed.status, 401);
    assert!(listed.text().contains("Only proxy admin"), "{}", listed.text());
    for (body, status) in [
        (json!({"model": "claude", "prompt": "hi"}), 401),
        (json!({"model": "gpt-4o"}), 400),
        (json!({"prompt": "hi"}), 422),
        (json!([]), 400),
    ] {
        let answer = rig.post("/utils/token_counter", &key, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
    assert_eq!(rig.get("/utils/supported_openai_params", MASTER).await.status, 422);
    assert_eq!(rig.get("/utils/token_counter", MASTER).await.status, 405);
}

/// The first has cost enough, the second is left.
const PAIR: &str = r#"
model_list:
  - model_name: pair
    litellm_params: {model: openai/dear, api_base: "MOCK/v1", api_key: sk-fake, order: 1, max_budget: 0.0, budget_duration: 1d}
    model_info: {id: spent}
  - model_name: pair
    litellm_params: {model: openai/cheap, api_base: "MOCK/v1", api_key: sk-fake, order: 2, input_cost_per_token: 0.000001, output_cost_per_token: 0.000002}
    model_info: {id: left}
  - {model_name: other, litellm_params: {model: openai/cheap, api_base: "MOCK/v1", api_key: sk-fake}}
litellm_settings: {num_retries: 0}
router_settings: {fallbacks: [{pair: [other]}]}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"#;

#[tokio::test]
async fn a_request_is_explained_to_its_key_and_nothing_comes_of_it() {
    let rig = Rig::config(PAIR).start().await;
    let key = rig.key(json!({"models": ["pair", "other"], "max_budget": 1.0, "rpm_limit": 5})).await;
    let asked = json!({"model": "pair", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 10});
    let mut told = Value::Null;
    for _ in 0..7 {
        let answer = rig.post("/utils/explain", &key, &asked).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        told = answer.json();
    }
    assert_eq!((&told["chosen"], &told["fallbacks"]), (&json!("left"), &json!(["other"])), "{told}");
    let [spent, left] = [&told["deployments"][0], &told["deployments"][1]];
    assert_eq!((&spent["id"], &spent["eligible"]), (&json!("spent"), &json!(false)));
    assert!(spent["reason"].as_str().unwrap().contains("budget"), "{spent}");
    assert_eq!((&left["eligible"], &left["reason"]), (&json!(true), &Value::Null));
    assert_eq!(left["input_cost_per_token"], "0.000001");
    let budget = &told["budgets"][0];
    assert_eq!(
        (&budget["scope"], &budget["spent"], &budget["max_budget"]),
        (&json!("key"), &json!("0.0"), &json!("1.0"))
    );
    let limit = &told["limits"][0];
    assert_eq!(
        (&limit["scope"], &limit["limit"], &limit["remaining"]),
        (&json!("api_key"), &json!(5), &json!(5))
    );
    assert_eq!(told["refused_because"], json!([]));
    assert_eq!(rig.mock.seen_count(), 0);
    assert_eq!(rig.post("/v1/chat/completions", &key, &asked).await.status, 200);
    assert_eq!(rig.rows(1).await.len(), 1, "only what was asked is booked");
    let told = rig.post("/utils/explain", &key, &asked).await.json();
    assert_eq!(told["limits"][0]["remaining"], 4);
    assert_ne!(told["budgets"][0]["spent"], "0.0", "{told}");
}

#[tokio::test]
async fn p35_what_a_key_may_not_use_is_not_explained_to_it() {
    let rig = Rig::config(PAIR).start().await;
    let key = rig.key(json!({"models": ["pair"]})).await;
    let asked = |model: &str| json!({"model": model, "messages": []});
    assert_eq!(rig.post("/utils/explain", &key, asked("other")).await.status, 401);
    assert_eq!(rig.post("/utils/explain", "sk-nobodys", asked("pair")).await.status, 401);
    assert_eq!(rig.post("/utils/explain", MASTER, asked("nothing")).await.status, 400);
}
