//! What was said is kept where the operator wants that, and nowhere else.

use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const KEPT: (&str, &str) = ("general_settings: {", "general_settings: {store_prompts_in_spend_logs: true, ");

/// What is told of a call, as soon as it is kept.
pub async fn said(rig: &Rig, call_id: &str) -> Value {
    let started = Instant::now();
    loop {
        let told = rig.get(&format!("/spend/logs/ui/{call_id}"), MASTER).await.json();
        if !told.is_null() {
            return told;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "nothing is kept\n{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_was_said_is_kept_with_long_texts_cut() {
    let rig = Rig::config(CONFIG).replace(KEPT.0, KEPT.1).start().await;
    let long = "long \u{0} words ".repeat(1_000);
    let answer = rig.chat("gpt-4o", &long).await;
    assert_eq!(answer.status, 200);
    let told = said(&rig, answer.header("x-litellm-call-id")).await;
    let asked = told["messages"][0]["content"].as_str().unwrap();
    assert!(asked.len() < 2_500 && asked.contains("bytes more"), "{asked}");
    assert_eq!(told["proxy_server_request"]["model"], json!("gpt-4o"));
    let content = &answer.json()["choices"][0]["message"]["content"];
    assert_eq!(&told["response"]["choices"][0]["message"]["content"], content);
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    assert_eq!((&row["messages"], &row["response"]), (&told["messages"], &told["response"]));
}

#[tokio::test]
async fn a_stream_is_kept_as_the_answer_that_it_stands_for() {
    let rig = Rig::config(CONFIG).replace(KEPT.0, KEPT.1).start().await;
    let plain = rig.chat("gpt-4o", "hi").await.json();
    let stream = rig.stream("gpt-4o", "hi").await;
    let told = said(&rig, stream.header("x-litellm-call-id")).await;
    let content = |answer: &Value| answer["choices"][0]["message"]["content"].clone();
    assert!(content(&told["response"]).is_string(), "{told}");
    assert_eq!(content(&told["response"]), content(&plain), "{told}");
    let body = json!({"model": "gpt-4o", "max_tokens": 50, "stream": true,
        "messages": [{"role": "user", "content": "hi"}]});
    let messages = rig.post("/v1/messages", MASTER, body).await;
    let told = said(&rig, messages.header("x-litellm-call-id")).await;
    assert_eq!(told["response"]["type"], json!("message"), "{told}");
    assert_eq!(told["response"]["content"][0]["text"], content(&plain));
}

#[tokio::test]
async fn p35_nothing_that_was_said_is_kept_unless_asked_for() {
    for more in ["", "litellm_settings: {turn_off_message_logging: true, "] {
        let rig = match more {
            "" => Rig::config(CONFIG),
            more => Rig::config(CONFIG).replace(KEPT.0, KEPT.1).replace("litellm_settings: {", more),
        };
        let rig = rig.start().await;
        let answer = rig.post("/v1/chat/completions", MASTER, chat("gpt-4o", "a secret word")).await;
        let row = rig.row(answer.header("x-litellm-call-id")).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let told = rig.get(&format!("/spend/logs/ui/{}", answer.header("x-litellm-call-id")), MASTER).await;
        assert!(told.json().is_null(), "{}", told.text());
        assert!(!row.to_string().contains("a secret word"), "{row}");
    }
}
