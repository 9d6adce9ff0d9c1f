//! Agents that have run away: a session's caps, and loops.

use crate::client::{self, Answer};
use crate::rig::{CONFIG, Rig, chat};
use serde_json::json;
use std::time::Duration;

async fn ask(rig: &Rig, key: &str, session: &str, text: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("x-litellm-session-id", session)];
    rig.post_with("/v1/chat/completions", &headers, chat("priced", text)).await
}

fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["error"]["type"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn p50_a_session_ends_after_its_calls_and_another_begins() {
    let rig = Rig::config(CONFIG)
        .replace("weir_settings: {", "weir_settings: {session_max_calls: 3, ")
        .start()
        .await;
    let key = rig.key(json!({})).await;
    for call in 0..3 {
        assert_eq!(ask(&rig, &key, "s1", &format!("call {call}")).await.status, 200);
    }
    let over = ask(&rig, &key, "s1", "once more").await;
    assert_eq!(refusal(&over), (400, "session_limit_exceeded".into()), "{}", over.text());
    assert_eq!(rig.mock.seen_count(), 3, "a refused request is not sent");
    assert_eq!(ask(&rig, &key, "s2", "hi").await.status, 200, "another session");
    let other = rig.key(json!({"metadata": {"session_max_calls": 1}})).await;
    assert_eq!(ask(&rig, &other, "s1", "hi").await.status, 200, "another key's session of this name");
    assert_eq!(ask(&rig, &other, "s1", "ho").await.status, 400, "a key may say less");
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await.status, 200, "no session");
}

#[tokio::test]
async fn p50_a_session_ends_when_its_dollars_are_spent() {
    let rig = Rig::start().await;
    // An answer of the mock costs 0.000025 dollars.
    let key = rig.key(json!({"metadata": {"session_max_budget": 0.0001}})).await;
    let mut served = 0;
    let refused = loop {
        let answer = ask(&rig, &key, "s1", "hi").await;
        if answer.status != 200 {
            break answer;
        }
        served += 1;
        assert!(served < 5, "nothing is refused");
    };
    assert_eq!(refusal(&refused), (400, "budget_exceeded".into()), "{}", refused.text());
    assert_eq!(refused.json()["error"]["budget"]["scope"], "session");
    assert!(served >= 1);
    assert_eq!(ask(&rig, &key, "s2", "hi").await.status, 200, "another session");
}

#[tokio::test]
async fn p50_a_session_ends_when_its_time_is_over() {
    let rig = Rig::config(CONFIG)
        .replace("weir_settings: {", "weir_settings: {session_max_time: 1, ")
        .start()
        .await;
    let (key, patient) =
        (rig.key(json!({})).await, rig.key(json!({"metadata": {"session_max_time": 600}})).await);
    for key in [&key, &patient] {
        assert_eq!(ask(&rig, key, "s1", "hi").await.status, 200);
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let over = ask(&rig, &key, "s1", "still there").await;
    assert_eq!(refusal(&over), (400, "session_limit_exceeded".into()), "{}", over.text());
    assert_eq!(rig.mock.seen_count(), 2, "a refused request is not sent");
    assert_eq!(ask(&rig, &patient, "s1", "still there").await.status, 200, "a key may say more");
    assert_eq!(ask(&rig, &key, "s2", "hi").await.status, 200, "another session");
    // The same name in the body is the same session.
    let mut body = chat("priced", "hi");
    body["metadata"] = json!({"session_id": "s1"});
    let told = rig.post("/v1/chat/completions", &key, body).await;
    assert_eq!(refusal(&told), (400, "session_limit_exceeded".into()), "{}", told.text());
}

#[tokio::test]
async fn p50_the_same_request_over_and_over_is_a_loop() {
    let rig = Rig::config(CONFIG)
        .replace("weir_settings: {", "weir_settings: {loop_max_repeats: 5, ")
        .start()
        .await;
    let (key, other) = (rig.key(json!({})).await, rig.key(json!({})).await);
    for _ in 0..5 {
        assert_eq!(ask(&rig, &key, "s", "again").await.status, 200);
    }
    let looped = ask(&rig, &key, "s", "again").await;
    assert_eq!(refusal(&looped), (400, "loop_detected".into()), "{}", looped.text());
    assert_eq!(ask(&rig, &key, "s", "something else").await.status, 200);
    assert_eq!(ask(&rig, &other, "s", "again").await.status, 200, "whoever else asks it");
    let path = |model: &str| format!("/v1beta/models/{model}:generateContent");
    let said = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
    for _ in 0..4 {
        for model in ["priced", "gpt-4o"] {
            let answer = rig.post(&path(model), &key, &said).await;
            assert_eq!(answer.status, 200, "another model is asked: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn p50_other_files_under_the_same_fields_are_no_loop() {
    let rig = Rig::config(CONFIG)
        .replace("weir_settings: {", "weir_settings: {loop_max_repeats: 2, ")
        .start()
        .await;
    let auth = format!("Bearer {}", rig.key(json!({})).await);
    let headers = [("authorization", auth.as_str()), ("content-type", "multipart/form-data; boundary=b0")];
    for sound in ["one", "two", "three", "four"] {
        let form = format!(
            "--b0\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nopenai/whisper-1\r\n--b0\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\
             Content-Type: audio/mpeg\r\n\r\n{sound}\r\n--b0--\r\n"
        );
        let url = format!("{}/v1/audio/transcriptions", rig.url);
        let answer = client::send("POST", &url, &headers, form).await;
        assert_eq!(answer.status, 200, "{sound}: {}", answer.text());
    }
}
