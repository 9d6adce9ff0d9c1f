//! Budgets that are lowered while requests are under way.

use crate::budgets::{ask, dear, exhaust, obedient, settled};
use crate::rig::MASTER;
use serde_json::json;
use std::time::Duration;
use weir_bench::mock::{Reply, Seen};

/// A provider that says little where it may say much, and takes its time about that.
fn brief(seen: &Seen) -> Reply {
    let mut asked = seen.json();
    if asked["max_tokens"].as_u64() < Some(1_000) {
        return obedient(seen);
    }
    asked["max_tokens"] = json!(1);
    obedient(&Seen { body: asked.to_string().into(), ..seen.clone() }).delayed(Duration::from_secs(1))
}

#[tokio::test]
async fn p15_what_comes_back_of_a_large_hold_is_not_spent_where_the_budget_was_lowered() {
    let rig = dear().over(brief).await;
    let key = rig.key(json!({"max_budget": 5})).await;
    // It may cost four dollars, and costs a thousandth of one.
    let large = rig.post("/v1/chat/completions", &key, ask(4_000));
    let next = async {
        while rig.mock.seen_count() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let lowered = json!({"key": key, "max_budget": 0.1});
        assert_eq!(rig.post("/key/update", MASTER, lowered).await.status, 200);
        rig.post("/v1/chat/completions", &key, ask(1)).await
    };
    let (large, next) = tokio::join!(large, next);
    assert_eq!((large.status, next.status), (200, 200), "{} {}", large.text(), next.text());
    let (_, refusals) = exhaust(std::slice::from_ref(&rig), &key, 1).await;
    assert_eq!(refusals.len(), 1, "it ends: {refusals:?}");
    let spent = settled(&rig, &key).await;
    assert!((0.08..=0.1).contains(&spent), "{spent} of a tenth of a dollar");
}
