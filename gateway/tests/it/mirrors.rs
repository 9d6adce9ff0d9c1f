//! Copies of requests for silent models: the operator pays for them, and clients notice nothing.

use crate::rig::{MASTER, Rig, chat};
use serde_json::{Value, json};
use std::time::Duration;
use weir_bench::mock::{Reply, Seen};

const CONFIG: &str = r#"
model_list:
  - model_name: loud
    litellm_params: {model: openai/loud, api_base: "MOCK/v1", api_key: sk-fake, silent_model: quiet, input_cost_per_token: 0.000001, output_cost_per_token: 0.000001}
  - model_name: quiet
    litellm_params: {model: openai/quiet, api_base: "MOCK/v1", api_key: sk-fake, input_cost_per_token: 0.001, output_cost_per_token: 0.001}
litellm_settings: {num_retries: 0, callbacks: [prometheus]}
router_settings: {disable_cooldowns: true}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
weir_settings: {drain_delay: 0, max_mirrors: 2}
"#;

/// What the quiet one was asked, once it was asked so often.
async fn heard(rig: &Rig, times: usize) -> Vec<Value> {
    let mut heard = Vec::new();
    for _ in 0..200 {
        heard = rig.mock.log().iter().map(Seen::json).filter(|asked| asked["model"] == "quiet").collect();
        if heard.len() >= times {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(heard.len(), times, "{heard:?}");
    heard
}

#[tokio::test]
async fn a_copy_is_booked_to_the_operator_and_to_nobody_else() {
    let rig = Rig::config(CONFIG).start().await;
    let key = rig.key(json!({"user_id": "alice", "max_budget": 0.01})).await;
    let mut asked = chat("loud", "hi");
    asked["user"] = json!("customer");
    asked["metadata"] = json!({"tags": ["theirs"], "who": "alice"});
    assert_eq!(rig.post("/v1/chat/completions", &key, &asked).await.status, 200);
    let copy = heard(&rig, 1).await.remove(0);
    assert_eq!(copy["messages"], asked["messages"]);
    assert!(copy["user"].is_null() && copy["metadata"].is_null(), "{copy}");
    let rows = rig.rows(2).await;
    let of = |group: &str| rows.iter().find(|row| row["model_group"] == group).cloned().unwrap_or_default();
    let (own, copied) = (of("loud"), of("quiet"));
    assert_eq!((&own["user"], &own["end_user"]), (&json!("alice"), &json!("customer")));
    assert_ne!(copied["api_key"], own["api_key"]);
    assert_ne!(copied["user"], "alice");
    assert_eq!(copied["end_user"].as_str().unwrap_or_default(), "");
    assert_eq!(copied["request_tags"], json!(["mirror"]));
    assert!(copied["spend"].as_f64().is_some_and(|spend| spend >= 0.001), "{copied}");
    let told = rig.get(&format!("/key/info?key={key}"), &key).await.json();
    assert!(told["info"]["spend"].as_f64().is_some_and(|spend| spend < 0.001), "{told}");
    assert_eq!(rig.post("/v1/chat/completions", &key, &asked).await.status, 200, "its budget is whole");
}

#[tokio::test]
async fn a_stream_is_copied_as_a_plain_request() {
    let rig = Rig::config(CONFIG).start().await;
    assert_eq!(rig.stream("loud", "hi").await.status, 200);
    let copy = heard(&rig, 1).await.remove(0);
    assert!(copy["stream"].is_null(), "{copy}");
}

/// The quiet one hangs, or fails.
fn provider(seen: &Seen) -> Reply {
    let asked = seen.json();
    if asked["model"] == "quiet" {
        let hangs = asked["messages"][0]["content"] == "hang";
        let wait = Duration::from_secs(if hangs { 600 } else { 0 });
        return Reply::json(500, &json!({"error": {"message": "no"}})).delayed(wait);
    }
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2});
    let choice =
        json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "so"}});
    let answer =
        json!({"id": "c", "object": "chat.completion", "model": "loud", "choices": [choice], "usage": usage});
    Reply::json(200, &answer)
}

#[tokio::test]
async fn what_becomes_of_a_copy_is_nothing_to_the_client() {
    let rig = Rig::config(CONFIG).over(provider).await;
    let answer = rig.chat("loud", "fail").await;
    assert_eq!((answer.status, &answer.json()["choices"][0]["message"]["content"]), (200, &json!("so")));
    heard(&rig, 1).await;
    let rows = rig.rows(2).await;
    let copied = rows.iter().find(|row| row["model_group"] == "quiet").unwrap();
    assert_eq!((&copied["status"], &copied["spend"].as_f64()), (&json!("failure"), &Some(0.0)), "{copied}");
    for _ in 0..5 {
        assert_eq!(rig.chat("loud", "hang").await.status, 200);
    }
    heard(&rig, 3).await;
    let metrics = rig.get("/metrics", MASTER).await.text();
    let dropped =
        metrics.lines().find(|line| line.starts_with("weir_mirrors_dropped_total{reason=\"busy\"}"));
    assert!(dropped.is_some_and(|line| line.ends_with(" 3")), "{dropped:?}");
}
