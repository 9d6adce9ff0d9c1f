//! Callers whom nobody knows may come only so often; who is known comes through all the same.

use crate::client::Answer;
use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::json;

fn limited() -> crate::rig::Builder {
    Rig::config(CONFIG).replace("weir_settings: {", "weir_settings: {unauthenticated_per_second: 5, ")
}

/// Wrong keys, until one is no longer looked up.
async fn flooded(rig: &Rig, path: &str) -> Answer {
    for n in 0..500 {
        let answer = rig.post(path, &format!("sk-nobodys-{n}"), chat("gpt-4o", "hi")).await;
        if answer.status != 401 {
            return answer;
        }
    }
    panic!("all of them were looked up");
}

#[tokio::test]
async fn p49_a_flood_of_wrong_keys_is_answered_429_and_known_keys_are_served() {
    let rig = limited().start().await;
    let key = rig.key(json!({})).await;
    let asked = chat("gpt-4o", "hi");
    assert_eq!(rig.post("/v1/chat/completions", &key, &asked).await.status, 200);
    for path in ["/v1/chat/completions", "/utils/token_counter", "/key/generate"] {
        let refused = flooded(&rig, path).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "1"), "{path} {}", refused.text());
        assert_eq!(rig.post("/v1/chat/completions", &key, &asked).await.status, 200);
        assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200, "the master key needs no look");
    }
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    assert_eq!(rig.post("/v1/chat/completions", "sk-nobodys", &asked).await.status, 401, "a new second");
}

#[tokio::test]
async fn p49_requests_without_a_key_are_limited_too() {
    let rig = limited().start().await;
    for n in 0.. {
        let answer = rig.post_with("/v1/chat/completions", &[], chat("gpt-4o", "hi")).await;
        if answer.status == 429 {
            break;
        }
        assert!(answer.status == 401 && n < 500, "{} {}", n, answer.text());
    }
    assert_eq!(rig.get("/health/liveliness", MASTER).await.status, 200);
    assert_eq!(rig.mock.seen_count(), 0);
}
