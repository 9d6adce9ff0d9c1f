//! One suite over all providers that speak OpenAI's dialect: every row of the table, every operation it claims, plain
//! and streamed. Those with a dialect of their own are in `crossed.rs`.

use crate::rig::{MASTER, Rig, chat};
use serde_json::{Value, json};
use weir_core::domain::operation::Operation;
use weir_plugins::providers::{self, Row};

fn rows() -> impl Iterator<Item = &'static Row> {
    providers::COMPATIBLE.iter().chain(providers::row("azure"))
}

/// One model per provider, named after it.
fn config() -> String {
    let models: String = rows()
        .map(|row| {
            format!(
                "  - {{model_name: {0}, litellm_params: {{model: {0}/some-model, api_base: \"MOCK/base\", api_key: key-of-{0}}}}}\n",
                row.prefix
            )
        })
        .collect();
    format!(
        "model_list:\n{models}litellm_settings: {{num_retries: 0}}\ngeneral_settings: {{master_key: os.environ/LITELLM_MASTER_KEY}}\n"
    )
}

/// A provider that answers on any path, since every provider has its own.
fn anything(seen: &weir_bench::mock::Seen) -> weir_bench::mock::Reply {
    let body = seen.json();
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5});
    if body["stream"] == true {
        let asked = body["stream_options"]["include_usage"] == true;
        let last =
            if asked { json!([]) } else { json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]) };
        let text = format!(
            "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
            json!({"id": "c1", "choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}),
            json!({"id": "c1", "choices": last, "usage": usage}),
        );
        let steps = vec![weir_bench::mock::Step { wait: std::time::Duration::ZERO, send: text.into() }];
        let headers = vec![("content-type".into(), "text/event-stream".into())];
        return weir_bench::mock::Reply::Stream {
            status: 200,
            headers,
            steps,
            end: weir_bench::mock::End::Clean,
            delay: std::time::Duration::ZERO,
        };
    }
    let reply = json!({"id": "c1", "object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}], "usage": usage});
    weir_bench::mock::Reply::Full {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: reply.to_string().into(),
        delay: std::time::Duration::ZERO,
    }
}

#[tokio::test]
async fn every_provider_does_what_its_row_says() {
    let rig = Rig::config(&config()).over(anything).await;
    for row in rows() {
        plain(&rig, row).await;
        p10_streamed(&rig, row).await;
        others(&rig, row).await;
    }
}

async fn plain(rig: &Rig, row: &Row) {
    let answer = rig.chat(row.prefix, "hi").await;
    if !row.operations.contains(&Operation::Chat) {
        assert_eq!(answer.status, 501, "{}", row.prefix);
        return;
    }
    assert_eq!(answer.status, 200, "{}: {}", row.prefix, answer.text());
    let seen = &rig.mock.take_log()[0];
    assert!(
        seen.path.starts_with("/base/") && seen.path.contains("/chat/completions"),
        "{}: {}",
        row.prefix,
        seen.path
    );
    let key = format!("key-of-{}", row.prefix);
    let sent = if row.prefix == "azure" {
        seen.header("api-key").to_owned()
    } else {
        seen.header("authorization").replace("Bearer ", "")
    };
    assert_eq!(sent, key, "{}", row.prefix);
    assert_eq!(seen.json()["model"], "some-model");
    assert_eq!(seen.json()["messages"], chat("", "hi")["messages"]);
}

/// The same usage is booked, streamed or not, asked or not.
async fn p10_streamed(rig: &Rig, row: &Row) {
    let answer = rig.stream(row.prefix, "hi").await;
    assert_eq!((answer.status, answer.content().as_str()), (200, "hi"), "{}: {}", row.prefix, answer.text());
    let seen = rig.mock.take_log()[0].json();
    let unasked = row.has(providers::Quirk::UsageUnasked);
    let expected = if unasked { Value::Null } else { json!({"include_usage": true}) };
    assert_eq!(seen["stream_options"], expected, "{}", row.prefix);
    let booked = rig.row(answer.header("x-litellm-call-id")).await;
    assert_eq!(
        (booked["prompt_tokens"].as_u64(), booked["completion_tokens"].as_u64()),
        (Some(3), Some(2)),
        "{}",
        row.prefix
    );
}

async fn others(rig: &Rig, row: &Row) {
    for (operation, path, body) in [
        (Operation::Embeddings, "/v1/embeddings", json!({"model": row.prefix, "input": "x"})),
        (Operation::Completions, "/v1/completions", json!({"model": row.prefix, "prompt": "x"})),
    ] {
        let answer = rig.post(path, MASTER, body).await;
        // A prompt can be told as a chat.
        let served = operation == Operation::Completions || row.operations.contains(&operation);
        let expected = if served { 200 } else { 501 };
        assert_eq!(answer.status, expected, "{} {path}: {}", row.prefix, answer.text());
    }
    rig.mock.take_log();
}

#[tokio::test]
async fn quirks_are_kept() {
    let rig = Rig::config(&config()).over(anything).await;
    let limited = |model: &str, name: &str| {
        let mut body = chat(model, "hi");
        body[name] = 33.into();
        body
    };
    rig.post("/v1/chat/completions", MASTER, limited("mistral", "max_completion_tokens")).await;
    assert_eq!(rig.mock.take_log()[0].json()["max_tokens"], 33, "mistral knows max_tokens only");
    let mut refused = chat("groq", "hi");
    refused["logit_bias"] = json!({"1": 1});
    let answer = rig.post("/v1/chat/completions", MASTER, &refused).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(
        answer.text().contains("logit_bias") && answer.text().contains("drop_params"),
        "{}",
        answer.text()
    );
    refused["drop_params"] = true.into();
    assert_eq!(rig.post("/v1/chat/completions", MASTER, &refused).await.status, 200);
    assert_eq!(rig.mock.take_log()[0].json().get("logit_bias"), None);
}

#[tokio::test]
async fn a_missing_key_is_named() {
    let config = "model_list:\n  - {model_name: gpt-4o, litellm_params: {model: openai/gpt-4o, api_base: \"MOCK/v1\"}}\n  - {model_name: local, litellm_params: {model: hosted_vllm/m, api_base: \"MOCK/v1\"}}\ngeneral_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n";
    let rig = Rig::config(config).over(anything).await;
    let answer = rig.chat("gpt-4o", "hi").await;
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert!(answer.text().contains("OPENAI_API_KEY"), "{}", answer.text());
    assert_eq!(rig.chat("local", "hi").await.status, 200, "a server of one's own may have no key");
}
