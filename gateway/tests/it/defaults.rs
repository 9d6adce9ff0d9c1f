//! What the operator gives to those of whom nothing is said, and what nobody may have more of.

use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::json;

#[tokio::test]
async fn new_keys_have_the_operators_defaults_and_none_has_more_than_the_bounds() {
    let settings = "litellm_settings: {default_key_generate_params: {max_budget: 1.5, models: [gpt-4o], tpm_limit: 500}, \
                    upperbound_key_generate_params: {max_budget: 10, duration: 30d, rpm_limit: 100}, ";
    let rig = Rig::config(CONFIG).replace("litellm_settings: {", settings).start().await;
    let told =
        async |key: &str| rig.get(&format!("/key/info?key={key}"), MASTER).await.json()["info"].clone();
    let plain = rig.key(json!({})).await;
    let info = told(&plain).await;
    assert_eq!(
        (info["max_budget"].as_f64(), &info["models"], &info["tpm_limit"], &info["rpm_limit"]),
        (Some(1.5), &json!(["gpt-4o"]), &json!(500), &json!(100)),
        "{info}"
    );
    assert!(info["expires"].is_string(), "as long as is allowed: {info}");
    let own = told(&rig.key(json!({"max_budget": 10, "rpm_limit": 7, "duration": "1h"})).await).await;
    assert_eq!((own["max_budget"].as_f64(), &own["rpm_limit"]), (Some(10.0), &json!(7)), "{own}");
    for more in [
        json!({"max_budget": 10.5}),
        json!({"rpm_limit": 101}),
        json!({"duration": "31d"}),
        json!({"duration": "-1"}),
    ] {
        let made = rig.post("/key/generate", MASTER, &more).await;
        let mut change = more.clone();
        change["key"] = json!(plain);
        let changed = rig.post("/key/update", MASTER, &change).await;
        for answer in [made, changed] {
            assert_eq!(answer.status, 400, "{more}: {}", answer.text());
            assert!(answer.text().contains("is over max limit set in config"), "{}", answer.text());
        }
    }
    let unbound = json!({"key": plain, "max_budget": null});
    assert_eq!(rig.post("/key/update", MASTER, unbound).await.status, 200);
    assert_eq!(told(&plain).await["max_budget"].as_f64(), Some(10.0), "null is not for ever");
}

#[tokio::test]
async fn new_internal_users_have_the_operators_budget() {
    let settings = "litellm_settings: {max_internal_user_budget: 3, internal_user_budget_duration: 30d, \
                    default_internal_user_params: {models: [gpt-4o]}, ";
    let rig = Rig::config(CONFIG).replace("litellm_settings: {", settings).start().await;
    for (id, role, own, told) in [
        ("ann", json!("internal_user"), json!({}), json!([3, "30d", ["gpt-4o"]])),
        ("ben", json!("internal_user"), json!({"max_budget": 5}), json!([5, "30d", ["gpt-4o"]])),
        ("eve", json!("proxy_admin"), json!({}), json!([null, null, []])),
        ("kim", json!(null), json!({}), json!([null, null, []])),
    ] {
        let mut body = json!({"user_id": id, "user_role": role, "auto_create_key": false});
        body.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        let made = rig.post("/user/new", MASTER, body).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let info = rig.get(&format!("/user/info?user_id={id}"), MASTER).await.json()["user_info"].clone();
        assert_eq!(
            json!([info["max_budget"], info["budget_duration"], info["models"]]),
            told,
            "{id}: {info}"
        );
        assert_eq!(info["budget_reset_at"].is_string(), told[1].is_string(), "{id}: {info}");
    }
}

#[tokio::test]
async fn p16_a_customer_without_a_budget_has_the_one_that_the_operator_names() {
    let rig = Rig::config(CONFIG)
        .replace("litellm_settings: {", "litellm_settings: {max_end_user_budget_id: everybody, ")
        .start()
        .await;
    let shared = json!({"budget_id": "everybody", "max_budget": 0.0003, "rpm_limit": 100});
    assert_eq!(rig.post("/budget/new", MASTER, shared).await.status, 200);
    assert_eq!(rig.post("/customer/new", MASTER, json!({"user_id": "known"})).await.status, 200);
    let rich = json!({"user_id": "rich", "max_budget": 5});
    assert_eq!(rig.post("/customer/new", MASTER, rich).await.status, 200);
    let key = rig.key(json!({})).await;
    for (customer, is_held) in [("stranger", true), ("known", true), ("rich", false)] {
        let mut body = chat("priced", "hi");
        (body["max_tokens"], body["user"]) = (json!(10), json!(customer));
        let mut last = rig.post("/v1/chat/completions", &key, &body).await;
        assert_eq!(last.status, 200, "{customer} has a budget of its own: {}", last.text());
        for _ in 0..20 {
            last = rig.post("/v1/chat/completions", &key, &body).await;
        }
        assert_eq!(last.status == 400, is_held, "{customer}: {}", last.text());
    }
}

#[tokio::test]
async fn p16_a_customer_without_a_budget_has_the_operators() {
    let rig = Rig::config(CONFIG)
        .replace("litellm_settings: {", "litellm_settings: {max_end_user_budget: 0.0003, ")
        .start()
        .await;
    let rich = json!({"user_id": "rich", "max_budget": 5});
    assert_eq!(rig.post("/customer/new", MASTER, rich).await.status, 200);
    let key = rig.key(json!({})).await;
    let ask = async |customer: &str| {
        let mut body = chat("priced", "hi");
        body["max_tokens"] = json!(10);
        body["user"] = json!(customer);
        rig.post("/v1/chat/completions", &key, body).await
    };
    for customer in ["stranger", "another"] {
        let mut served = 0;
        let refused = loop {
            let answer = ask(customer).await;
            if answer.status != 200 {
                break answer;
            }
            served += 1;
            assert!(served < 20, "nothing is refused");
        };
        let error = refused.json()["error"].clone();
        assert_eq!((refused.status, &error["budget"]["scope"]), (400, &json!("customer")), "{error}");
        assert!(served > 0, "each has a budget of its own: {error}");
    }
    for _ in 0..20 {
        assert_eq!(ask("rich").await.status, 200, "a budget of one's own counts");
    }
}
