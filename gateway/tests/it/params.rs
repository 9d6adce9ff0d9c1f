//! What one deployment says of itself: prices in steps, headers, files, time that passes in vain, whom else its key serves.

use crate::client;
use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};
use weir_bench::mock::{Reply, Seen};

/// One model with these parameters beside the usual ones, and more of the configuration below it.
fn config(params: &str, more: &str) -> String {
    format!(
        "model_list:\n  - model_name: m\n    litellm_params: {{model: openai/m, api_base: \"MOCK/v1\", api_key: sk-own, {params}}}\n  \
         - {{model_name: spare, litellm_params: {{model: openai/spare, mock_response: spare}}}}\n\
         litellm_settings: {{num_retries: 0}}\n\
         general_settings: {{master_key: os.environ/LITELLM_MASTER_KEY}}\n{more}"
    )
}

fn answer(input: u64, output: u64) -> Reply {
    Reply::json(
        200,
        &json!({
            "id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
            "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
        }),
    )
}

#[tokio::test]
async fn a_prompt_is_charged_at_the_step_that_its_size_is_in() {
    let params = "tiered_pricing: [{range: [0, 32000], input_cost_per_token: 0.000001, output_cost_per_token: 0.000002}, \
                  {range: [32000, 128000], input_cost_per_token: 0.000003, output_cost_per_token: 0.000004}]";
    let usage = |seen: &Seen| {
        let long = seen.json()["messages"][0]["content"] == "long";
        if long { answer(32_001, 10) } else { answer(32_000, 10) }
    };
    let rig = Rig::config(&config(params, "")).over(usage).await;
    for (text, nano) in [("short", 32_000_000 + 20_000), ("long", 96_003_000 + 40_000)] {
        let told = rig.chat("m", text).await;
        assert_eq!(told.status, 200, "{}", told.text());
        let row = rig.row(told.header("x-litellm-call-id")).await;
        let spend = (row["spend"].as_f64().unwrap() * 1e9).round() as i64;
        assert_eq!(spend, nano, "{text}: {row}");
    }
}

#[tokio::test]
async fn headers_and_parameters_of_a_deployment_reach_its_provider() {
    let params = "headers: {x-team: blue, x-both: one}, extra_headers: {x-both: two}, input_type: query";
    let list = json!({"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
                      "usage": {"prompt_tokens": 1, "total_tokens": 1}});
    let rig = Rig::config(&config(params, "")).over(move |_: &Seen| Reply::json(200, &list)).await;
    let told = rig.post("/v1/embeddings", MASTER, json!({"model": "m", "input": "hi"})).await;
    assert_eq!(told.status, 200, "{}", told.text());
    let seen = rig.mock.take_log().remove(0);
    assert_eq!((seen.header("x-team"), seen.header("x-both")), ("blue", "two"));
    assert_eq!(seen.json()["input_type"], "query");
    rig.post("/v1/embeddings", MASTER, json!({"model": "m", "input": "hi", "input_type": "passage"})).await;
    assert_eq!(rig.mock.take_log().remove(0).json()["input_type"], "passage", "the request's own counts");
}

#[tokio::test]
async fn a_mocked_time_out_is_one_and_a_fallback_answers() {
    let rig = Rig::config(&config("mock_timeout: true, timeout: 0.2", "")).start().await;
    let late = rig.chat("m", "hi").await;
    assert_eq!(late.status, 408, "{}", late.text());
    assert!(late.text().contains("litellm.Timeout"), "{}", late.text());
    assert_eq!(rig.mock.seen_count(), 0, "nobody was asked");
    let more = "router_settings: {fallbacks: [{m: [spare]}]}\n";
    let rig = Rig::config(&config("mock_timeout: true, timeout: 0.2", more)).start().await;
    let told = rig.chat("m", "hi").await;
    assert_eq!(told.json()["choices"][0]["message"]["content"], "spare", "{}", told.text());
}

fn form(file: &str) -> String {
    format!(
        "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\
         Content-Type: audio/mpeg\r\n\r\n{file}\r\n--b0\r\n\
         Content-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b0--\r\n"
    )
}

#[tokio::test]
async fn a_file_that_is_larger_than_its_deployment_takes_is_refused() {
    let rig = Rig::config(&config("max_file_size_mb: 0.001", ""))
        .over(|_: &Seen| Reply::json(200, &json!({"text": "heard"})))
        .await;
    let auth = format!("Bearer {MASTER}");
    let headers = [("authorization", auth.as_str()), ("content-type", "multipart/form-data; boundary=b0")];
    let url = format!("{}/v1/audio/transcriptions", rig.url);
    let small = client::send("POST", &url, &headers, form(&"x".repeat(1_048))).await;
    assert_eq!(small.status, 200, "{}", small.text());
    let large = client::send("POST", &url, &headers, form(&"x".repeat(1_049))).await;
    assert_eq!(large.status, 400, "{}", large.text());
    assert!(large.text().contains("File size is too large"), "{}", large.text());
    assert_eq!(rig.mock.seen_count(), 1);
}

#[tokio::test]
async fn a_deployments_key_serves_its_providers_own_api_where_it_says_so() {
    let echo =
        |seen: &Seen| Reply::json(200, &json!({"path": seen.path, "key": seen.header("authorization")}));
    let rig = Rig::config(&config("use_in_pass_through: true", "")).over(echo).await;
    let told = rig.get("/openai/v1/files", MASTER).await;
    assert_eq!(told.status, 200, "{}", told.text());
    assert_eq!(told.json(), json!({"path": "/v1/files", "key": "Bearer sk-own"}));
    let rig = Rig::config(&config("", "")).over(echo).await;
    assert_ne!(rig.get("/openai/v1/files", MASTER).await.status, 200, "nobody lends a key");
}

#[tokio::test]
async fn p35_the_header_of_keys_goes_to_no_provider() {
    let general =
        "general_settings: {forward_client_headers_to_llm_api: true, litellm_key_header_name: X-Team-Key, ";
    let config = config("", "").replace("general_settings: {", general);
    let rig = Rig::config(&config).over(|_: &Seen| answer(1, 1)).await;
    let auth = format!("Bearer {MASTER}");
    let body: Value = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let headers = [("x-team-key", auth.as_str()), ("x-copy", MASTER), ("x-colour", "blue")];
    assert_eq!(rig.post_with("/v1/chat/completions", &headers, body).await.status, 200);
    let seen = rig.mock.take_log().remove(0);
    assert_eq!(seen.header("x-colour"), "blue", "others go on");
    assert_eq!((seen.header("x-team-key"), seen.header("x-copy")), ("", ""));
}

#[tokio::test]
async fn headers_of_clients_go_to_the_groups_that_are_named() {
    for (named, sent) in [("m", "blue"), ("spare", "")] {
        let more = "router_settings: {optional_pre_call_checks: [forward_client_headers_by_model_group]}\n";
        let groups =
            format!("model_group_settings: {{forward_client_headers_to_llm_api: [{named}]}}, num_retries: 0");
        let config = config("", more).replace("num_retries: 0", &groups);
        let rig = Rig::config(&config).over(|_: &Seen| answer(1, 1)).await;
        let auth = format!("Bearer {MASTER}");
        let body: Value = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
        let headers = [("authorization", auth.as_str()), ("x-colour", "blue")];
        assert_eq!(rig.post_with("/v1/chat/completions", &headers, body).await.status, 200);
        assert_eq!(rig.mock.take_log()[0].header("x-colour"), sent, "{named}");
    }
}
