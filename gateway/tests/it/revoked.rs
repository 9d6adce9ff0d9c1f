//! What is taken away is gone: here with the answer, at every other replica within a second (P19).

use crate::rig::{CONFIG, MASTER, Rig, chat, database};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn status(rig: &Rig, key: &str) -> u16 {
    rig.post("/v1/chat/completions", key, chat("gpt-4o", "hi")).await.status
}

/// Members of a key to be made, the change that takes it away, and what of it is the key's text.
fn cases() -> Vec<(&'static str, Value, &'static str, Value)> {
    let named = |key: &str| json!({ "key": key });
    vec![
        ("a blocked key", json!({}), "/key/block", named("KEY")),
        ("a deleted key", json!({}), "/key/delete", json!({"keys": ["KEY"]})),
        ("a key without this model", json!({}), "/key/update", json!({"key": "KEY", "models": ["demo"]})),
        ("a key that has expired", json!({}), "/key/update", json!({"key": "KEY", "duration": "0s"})),
        ("a key without a budget", json!({}), "/key/update", json!({"key": "KEY", "max_budget": 0})),
        ("a blocked team", json!({"team_id": "blocked"}), "/team/block", json!({"team_id": "blocked"})),
        ("a deleted team", json!({"team_id": "gone"}), "/team/delete", json!({"team_ids": ["gone"]})),
        (
            "a team without this model",
            json!({"team_id": "other"}),
            "/team/update",
            json!({"team_id": "other", "models": ["demo"]}),
        ),
        ("a deleted user", json!({"user_id": "gone"}), "/user/delete", json!({"user_ids": ["gone"]})),
    ]
}

async fn cast(rig: &Rig) {
    for id in ["blocked", "gone", "other"] {
        assert_eq!(rig.post("/team/new", MASTER, json!({"team_id": id})).await.status, 200);
    }
    let user = json!({"user_id": "gone", "auto_create_key": false});
    assert_eq!(rig.post("/user/new", MASTER, user).await.status, 200);
}

fn about(change: &Value, key: &str) -> String {
    change.to_string().replace("KEY", key)
}

#[tokio::test]
async fn p19_what_is_taken_away_is_gone_with_the_answer() {
    let rig = Rig::start().await;
    cast(&rig).await;
    for (what, of, path, change) in cases() {
        let key = rig.key(of).await;
        assert_eq!(status(&rig, &key).await, 200, "{what}");
        let done = rig.post(path, MASTER, about(&change, &key)).await;
        assert_eq!(done.status, 200, "{what}: {}", done.text());
        assert_ne!(status(&rig, &key).await, 200, "{what}");
    }
}

#[tokio::test]
async fn p19_what_is_taken_away_is_gone_elsewhere_within_a_second() {
    let Some(url) = database().await else { return };
    let rig = || Rig::config(CONFIG).env("DATABASE_URL", &url);
    let (one, two) = (rig().start().await, rig().start().await);
    cast(&one).await;
    for (what, of, path, change) in cases() {
        let key = one.key(of).await;
        for rig in [&one, &two] {
            assert_eq!(status(rig, &key).await, 200, "{what}");
        }
        assert_eq!(one.post(path, MASTER, about(&change, &key)).await.status, 200, "{what}");
        let changed = Instant::now();
        while status(&two, &key).await == 200 {
            assert!(changed.elapsed() < Duration::from_secs(1), "{what}: {:?}", changed.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Spend is written by others, later, and from what they knew of the key.
#[tokio::test]
async fn p19_spend_that_is_booked_later_brings_nothing_back() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"metadata": {"shift": "late"}, "models": ["gpt-4o"]})).await;
    let slow = rig.post("/v1/chat/completions", &key, chat("gpt-4o", "hi __sleep=0.7"));
    let blocked = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        rig.post("/key/block", MASTER, json!({ "key": key })).await
    };
    let (served, blocked) = tokio::join!(slow, blocked);
    assert_eq!((served.status, blocked.status), (200, 200), "what is under way ends as it began");
    let row = rig.row(served.header("x-litellm-call-id")).await;
    assert!(row["spend"].as_f64() > Some(0.0), "{row}");
    let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json()["info"].clone();
    assert_eq!(
        (&info["blocked"], &info["metadata"]["shift"], &info["models"], &info["spend"]),
        (&json!(true), &json!("late"), &json!(["gpt-4o"]), &row["spend"]),
        "{info}"
    );
    assert_ne!(status(&rig, &key).await, 200);
}
