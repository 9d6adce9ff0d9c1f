//! Settings of LiteLLM's library, as callers and providers notice them.

use crate::client::Answer;
use crate::rig::{Builder, CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};

/// The ordinary config with more of `litellm_settings`.
fn with(settings: &str) -> Builder {
    Rig::config(CONFIG).replace("litellm_settings: {", &format!("litellm_settings: {{{settings}, "))
}

async fn ask(rig: &Rig, key: &str, model: &str, more: &Value) -> Answer {
    let mut body = chat(model, "hi");
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rig.post("/v1/chat/completions", key, body).await
}

/// Asks until somebody refuses; how often it was served, and the refusal.
async fn until_refused(rig: &Rig, key: &str, more: &Value) -> (usize, Answer) {
    for served in 0..20 {
        let answer = ask(rig, key, "priced", more).await;
        if answer.status != 200 {
            return (served, answer);
        }
    }
    panic!("nothing is refused");
}

#[tokio::test]
async fn a_customer_of_the_blocked_list_is_served_by_nobody() {
    let rig = with("blocked_user_list: [mallory]").start().await;
    let key = rig.key(json!({})).await;
    for (customer, status) in [("mallory", 400), ("alice", 200)] {
        for key in [key.as_str(), MASTER] {
            let answer = ask(&rig, key, "gpt-4o", &json!({"user": customer})).await;
            assert_eq!(answer.status, status, "{customer}: {}", answer.text());
            let words = "User blocked from making LLM API Calls. User=mallory";
            assert_eq!(answer.text().contains(words), status == 400, "{}", answer.text());
        }
    }
    assert_eq!(ask(&rig, &key, "gpt-4o", &json!({})).await.status, 200, "nobody is named");
    assert_eq!(rig.mock.seen_count(), 3, "who is refused is not sent");
    let said = with("blocked_user_list: /nowhere/users.txt").refused().await;
    assert!(said.contains("blocked_user_list: cannot be read"), "{said}");
}

#[tokio::test]
async fn customers_are_not_booked_where_the_operator_says_so() {
    let rig = with("disable_end_user_cost_tracking: true, max_end_user_budget: 0.00001").start().await;
    let key = rig.key(json!({})).await;
    for _ in 0..2 {
        let answer = ask(&rig, &key, "priced", &json!({"user": "shop"})).await;
        assert_eq!(answer.status, 200, "no budget is reached that nothing counts against: {}", answer.text());
        let row = rig.row(answer.header("x-litellm-call-id")).await;
        assert_eq!(row["end_user"], "", "{row}");
    }
    assert_eq!(rig.get("/customer/info?end_user_id=shop", MASTER).await.status, 404);
}

#[tokio::test]
async fn p16_a_tag_of_the_configuration_has_a_budget_for_all_callers_together() {
    // An answer of the mock costs 0.000025 dollars.
    let rig = with("tag_budget_config: {product: {max_budget: 0.0003, budget_duration: 1d}}").start().await;
    let (one, other) = (rig.key(json!({})).await, rig.key(json!({})).await);
    // What an answer may cost at most must fit in.
    let tagged = json!({"max_tokens": 10, "metadata": {"tags": ["product", "other"]}});
    let (served, refused) = until_refused(&rig, &one, &tagged).await;
    assert!(served >= 1, "{}", refused.text());
    assert_eq!(refused.status, 429, "{}", refused.text());
    let error = refused.json()["error"].clone();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("crossed budget: Exceeded budget for tag product"), "{message}");
    let budget = &error["budget"];
    assert_eq!((&budget["scope"], &budget["id"]), (&json!("tag_period"), &json!("product")));
    for key in [other.as_str(), MASTER] {
        assert_eq!(ask(&rig, key, "priced", &tagged).await.status, 429, "it is everybody's");
    }
    let elsewhere = json!({"metadata": {"tags": ["other"]}});
    assert_eq!(ask(&rig, &one, "priced", &elsewhere).await.status, 200);
    assert_eq!(ask(&rig, &one, "priced", &json!({})).await.status, 200);
}

#[tokio::test]
async fn p18_what_is_reserved_for_a_priority_counts_once_the_group_is_nearly_full() {
    let rig = with("priority_reservation: {prod: 0.8, dev: 0.2}")
        .replace("callbacks: [prometheus]", "callbacks: [prometheus, dynamic_rate_limiter_v3]")
        .replace("{model: openai/gpt-4o, ", "{model: openai/gpt-4o, rpm: 10, ")
        .start()
        .await;
    let dev = rig.key(json!({"metadata": {"priority": "dev"}})).await;
    let prod = rig.key(json!({"metadata": {"priority": "prod"}})).await;
    // Half of ten is LiteLLM's threshold: until then nobody's part lies idle.
    for n in 0..5 {
        assert_eq!(ask(&rig, &dev, "gpt-4o", &json!({})).await.status, 200, "{n}");
    }
    let refused = ask(&rig, &dev, "gpt-4o", &json!({})).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(
        refused.text().contains("Priority-based rate limit exceeded. Priority: dev"),
        "{}",
        refused.text()
    );
    assert!(!refused.header("retry-after").is_empty());
    for n in 0..5 {
        assert_eq!(ask(&rig, &prod, "gpt-4o", &json!({})).await.status, 200, "{n}");
    }
    let full = ask(&rig, &prod, "gpt-4o", &json!({})).await;
    assert_eq!(full.status, 429, "{}", full.text());
    assert!(full.text().contains("Model capacity reached for gpt-4o"), "{}", full.text());
    assert_eq!(ask(&rig, &dev, "priced", &json!({})).await.status, 200, "a group that nothing limits");
    assert!(!rig.log().contains("that is not supported yet"), "{}", rig.log());
}

#[tokio::test]
async fn one_request_is_tried_again_no_more_than_the_operator_says_in_all() {
    for (settings, attempts) in [("num_retries_per_request: 1", 2), ("num_retries_per_request: 0", 1)] {
        let fallbacks = "fallbacks: [{gpt-4o: [priced, emb-small]}], retry_after: 0";
        let rig = with(settings)
            .replace("num_retries: 0", "num_retries: 3")
            .replace("router_settings: {", &format!("router_settings: {{{fallbacks}, "))
            .start()
            .await;
        assert_eq!(rig.chat("gpt-4o", "hi __err=500").await.status, 500);
        assert_eq!(rig.mock.seen_count(), attempts, "{settings}");
    }
}

#[tokio::test]
async fn p20_a_stream_tells_its_cost_where_it_tells_its_tokens() {
    let rig = with("include_cost_in_streaming_usage: true").start().await;
    let streamed = json!({"stream": true, "stream_options": {"include_usage": true}});
    let answer = ask(&rig, MASTER, "priced", &streamed).await;
    let usage: Vec<Value> =
        answer.chunks().into_iter().map(|chunk| chunk["usage"].clone()).filter(Value::is_object).collect();
    assert_eq!((usage.len(), &usage[0]["cost"]), (1, &json!(0.000025)), "{}", answer.text());
    assert_eq!(answer.content(), "Hello from mock.");
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    assert_eq!(row["spend"], usage[0]["cost"], "what is told is what is booked");
    let silent = ask(&rig, MASTER, "priced", &json!({"stream": true})).await;
    assert!(!silent.text().contains("cost"), "{}", silent.text());
    let mut body = chat("priced", "hi");
    (body["stream"], body["max_tokens"]) = (true.into(), 9.into());
    let messages = rig.post("/v1/messages", MASTER, body).await;
    assert!(messages.text().contains("\"cost\":0.000025"), "{}", messages.text());
}

#[tokio::test]
async fn providers_are_told_who_calls_and_what_the_operator_and_the_client_say() {
    let rig = with(
        "headers: {x-team: ours}, add_user_information_to_llm_headers: true, \
         model_group_settings: {forward_client_headers_to_llm_api: [\"gpt-*\"]}",
    )
    .start()
    .await;
    let key = rig.key(json!({"key_alias": "app", "user_id": "ann"})).await;
    let bearer = format!("Bearer {key}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-trace-it", "42"),
        ("x-litellm-user_api_key_alias", "forged"),
    ];
    for (model, traced) in [("gpt-4o", "42"), ("priced", "")] {
        let answer = rig.post_with("/v1/chat/completions", &headers, chat(model, "hi")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = rig.mock.take_log().pop().unwrap();
        assert_eq!(seen.header("x-trace-it"), traced, "{model}");
        assert_eq!(seen.header("x-team"), "ours");
        for (name, value) in [("alias", "app"), ("user_id", "ann"), ("team_id", "")] {
            assert_eq!(seen.header(&format!("x-litellm-user_api_key_{name}")), value, "{name}");
        }
        assert_eq!(seen.header("x-litellm-user_api_key_hash").len(), 64);
        assert!(seen.headers.values().all(|value| !value.as_bytes().ends_with(key.as_bytes())), "P35");
    }
}

#[tokio::test]
async fn a_deployment_that_says_little_is_reached_by_what_the_library_says() {
    let model = "model_list:\n  - {model_name: little, litellm_params: {model: short, api_key: sk-fake}}";
    let rig = with("api_base: \"MOCK/v1\", model_alias_map: {short: openai/long-name}")
        .replace("model_list:", model)
        .start()
        .await;
    let answer = rig.chat("little", "hi").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(rig.mock.take_log()[0].json()["model"], "long-name");
}

#[tokio::test]
async fn a_provider_is_told_what_embeddings_are_for() {
    let model = "model_list:\n  - {model_name: embeds, litellm_params: {model: cohere/embed-v4.0, api_base: MOCK, api_key: k}}";
    let settings = "COHERE_DEFAULT_EMBEDDING_INPUT_TYPE: clustering";
    let rig = with(settings).replace("model_list:", model).start().await;
    for (asked, told) in [(json!({}), "clustering"), (json!({"input_type": "search_query"}), "search_query")]
    {
        let mut body = json!({"model": "embeds", "input": "hi"});
        body.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        rig.post("/v1/embeddings", MASTER, body).await;
        // Whether the mock can answer is beside the point.
        assert_eq!(rig.mock.take_log()[0].json()["input_type"], told);
    }
}
