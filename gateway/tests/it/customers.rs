//! Customers whom nobody has made: requests name them, and from then on they are known.

use crate::rig::{CONFIG, MASTER, Rig};
use serde_json::{Value, json};

fn by(customer: &str, model: &str) -> Value {
    json!({"model": model, "user": customer, "messages": [{"role": "user", "content": "hi"}]})
}

fn info(id: &str) -> String {
    format!("/customer/info?end_user_id={id}")
}

#[tokio::test]
async fn a_customer_whom_a_request_names_is_told_and_can_be_limited() {
    let rig = Rig::start().await;
    let key = rig.key(json!({})).await;
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

#[tokio::test]
async fn a_customer_is_named_by_a_header_the_body_or_anthropics_metadata_and_must_be_where_the_operator_says_so()
 {
    let general = "general_settings: {enforce_user_param: true, reject_clientside_metadata_tags: true, \
        user_header_mappings: [{header_name: X-Customer, litellm_user_role: customer}], ";
    let litellm = "litellm_settings: {extra_spend_tag_headers: [x-cost-center], ";
    let rig =
        Rig::config(CONFIG).replace("general_settings: {", general).replace("litellm_settings: {", litellm);
    let rig = rig.start().await;
    let key = rig.key(json!({"metadata": {"tags": ["of-the-key"]}})).await;
    let bearer = format!("Bearer {key}");
    let by_header =
        [("authorization", bearer.as_str()), ("x-customer", "by-header"), ("x-cost-center", "42")];
    let anonymous =
        json!({"model": "gpt-4o", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    let mut anthropic = anonymous.clone();
    anthropic["metadata"] = json!({"user_id": "by-metadata"});
    for (answer, customer) in [
        (rig.post_with("/v1/chat/completions", &by_header, &anonymous).await, "by-header"),
        (rig.post("/v1/chat/completions", &key, by("by-body", "gpt-4o")).await, "by-body"),
        (rig.post("/v1/messages", &key, &anthropic).await, "by-metadata"),
    ] {
        assert_eq!(answer.status, 200, "{customer}: {}", answer.text());
        let row = rig.row(answer.header("x-litellm-call-id")).await;
        assert_eq!(row["end_user"], customer, "{row}");
        let tags = row["request_tags"].to_string();
        assert!(tags.contains("of-the-key"), "{tags}");
        assert_eq!(tags.contains("x-cost-center: 42"), customer == "by-header", "{tags}");
    }
    for (query, tags) in [
        ("tag_filter=x-cost-center%3A%2042", 1),
        ("tag_filter=none", 0),
        ("tag_filter=none&tag_filters=of-the-key&tag_filters=x-cost-center%3A%2042", 2),
    ] {
        for path in ["/tag/summary", "/tag/dau"] {
            let told = rig.get(&format!("{path}?{query}"), MASTER).await.json();
            assert_eq!(told["results"].as_array().unwrap().len(), tags, "{path}?{query}: {told}");
        }
    }
    for path in ["/v1/chat/completions", "/v1/messages", "/v1/embeddings"] {
        let refused = rig.post(path, &key, &anonymous).await;
        assert_eq!(refused.status, 400, "{path}: {}", refused.text());
        assert!(refused.text().contains("enforce_user_param"), "{path}: {}", refused.text());
    }
    assert_eq!(rig.post("/v1/chat/completions", MASTER, &anonymous).await.status, 200, "the operator's own");
    let mut tagged = by("by-body", "gpt-4o");
    tagged["metadata"] = json!({"tags": ["mine"]});
    let refused = rig.post("/v1/chat/completions", &key, &tagged).await;
    assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some("metadata.tags")));
}
