//! Customers whom nobody has made: requests name them, and from then on they are known.

use crate::rig::{MASTER, Rig};
use serde_json::json;

fn info(id: &str) -> String {
    format!("/customer/info?end_user_id={id}")
}

#[tokio::test]
async fn a_customer_whom_a_request_names_is_told_and_can_be_limited() {
    let rig = Rig::start().await;
    let key = rig.key(json!({})).await;
    let by = |customer: &str, model: &str| json!({"model": model, "user": customer, "messages": [{"role": "user", "content": "hi"}]});
    for (customer, model) in [("shop", "priced"), ("poor", "unpriced")] {
        let answer = rig.post("/v1/chat/completions", &key, by(customer, model)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    rig.rows(2).await;
    let told = rig.get(&info("shop"), MASTER).await;
    assert_eq!(told.status, 200, "{}", told.text());
    let told = told.json();
    assert!(told["spend"].as_f64() > Some(0.0) && told["blocked"] == false, "{told}");
    let free = rig.get(&info("poor"), MASTER).await;
    assert_eq!((free.status, free.json()["spend"].as_f64()), (200, Some(0.0)), "{}", free.text());
    assert_eq!(rig.get(&info("nobody"), MASTER).await.status, 404);
    let unknown = json!({"user_id": "nobody", "max_budget": 1});
    assert_eq!(rig.post("/customer/update", MASTER, unknown).await.status, 404);

    let limit = json!({"user_id": "shop", "max_budget": 0.0000001});
    let limited = rig.post("/customer/update", MASTER, limit).await;
    assert_eq!(limited.status, 200, "{}", limited.text());
    assert_eq!(limited.json()["spend"], told["spend"], "what was spent before counts");
    let refused = rig.post("/v1/chat/completions", &key, by("shop", "priced")).await;
    assert_eq!((refused.status, refused.json()["error"]["type"].as_str()), (400, Some("budget_exceeded")));
}
