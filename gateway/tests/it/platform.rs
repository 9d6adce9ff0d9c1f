//! What platform teams say of everybody's requests: routes, retries, prices, and who makes keys.

use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};

/// The ordinary config with more general settings.
async fn with_general(settings: &str) -> Rig {
    let general = format!("general_settings: {{{settings}, ");
    Rig::config(CONFIG).replace("general_settings: {", &general).start().await
}

async fn with_litellm(settings: &str) -> Rig {
    let litellm = format!("litellm_settings: {{{settings}, ");
    Rig::config(CONFIG).replace("litellm_settings: {", &litellm).start().await
}

async fn status(rig: &Rig, path: &str, key: &str) -> u16 {
    rig.post(path, key, chat("gpt-4o", "hi")).await.status
}

#[tokio::test]
async fn p37_a_public_route_is_open_and_no_other() {
    let rig = with_general("public_routes: [/v1/chat/completions, /key/list]").await;
    let answer = rig.post_with("/v1/chat/completions", &[], chat("gpt-4o", "hi")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    assert!(row["spend"].as_f64().unwrap() > 0.0, "it is booked: {row}");
    assert_eq!(row["metadata"]["user_api_key_alias"], "public_routes");
    for (path, expected) in [("/v1/embeddings", 401), ("/v1/messages", 401)] {
        assert_eq!(rig.post_with(path, &[], chat("gpt-4o", "hi")).await.status, expected, "{path}");
    }
    assert_eq!(rig.get("/key/list", "sk-nobody").await.status, 401, "p37: keys are never told to everybody");
    assert!(rig.log().contains("\"/key/list\" still needs a key"), "{}", rig.log());
    let bound = rig.key(json!({"models": ["demo"]})).await;
    assert_eq!(
        status(&rig, "/v1/chat/completions", &bound).await,
        401,
        "who says who they are is held to it"
    );
}

#[tokio::test]
async fn p37_routes_that_are_not_allowed_are_closed_but_for_the_master_key() {
    let rig = with_general("allowed_routes: [/v1/chat/completions, /health/readiness]").await;
    let key = rig.key(json!({})).await;
    assert_eq!(status(&rig, "/v1/chat/completions", &key).await, 200);
    let closed = rig.post("/v1/embeddings", &key, json!({"model": "emb-small", "input": "x"})).await;
    assert_eq!(closed.status, 403, "{}", closed.text());
    assert!(
        closed.text().contains("Access forbidden: Route /v1/embeddings not allowed"),
        "{}",
        closed.text()
    );
    assert_eq!(rig.get("/v1/models", &key).await.status, 403);
    assert_eq!(rig.get(&format!("/key/info?key={key}"), &key).await.status, 403);
    assert_eq!(rig.get(&format!("/key/info?key={key}"), MASTER).await.status, 200);
    assert_eq!(rig.get("/v1/models", MASTER).await.status, 200);
}

#[tokio::test]
async fn p37_admin_only_routes_are_for_admins() {
    let rig = with_general("admin_only_routes: [/v1/embeddings, /key/info]").await;
    let key = rig.key(json!({})).await;
    let closed = rig.get(&format!("/key/info?key={key}"), &key).await;
    assert_eq!(closed.status, 403, "{}", closed.text());
    assert!(closed.text().contains("Route=/key/info is an admin only route"), "{}", closed.text());
    assert_eq!(
        rig.post("/v1/embeddings", &key, json!({"model": "emb-small", "input": "x"})).await.status,
        403
    );
    assert_eq!(rig.get(&format!("/key/info?key={key}"), MASTER).await.status, 200);
    assert_eq!(status(&rig, "/v1/chat/completions", &key).await, 200);
}

#[tokio::test]
async fn a_clients_organization_goes_to_openai_where_the_operator_lets_it() {
    let bearer = format!("Bearer {MASTER}");
    let headers = [("authorization", bearer.as_str()), ("openai-organization", "org-client")];
    for (settings, told) in
        [("forward_openai_org_id: true", "org-client"), ("forward_openai_org_id: false", "")]
    {
        let rig = with_general(settings).await;
        for (model, told) in [("gpt-4o", told), ("azure-gpt4", "")] {
            let answer = rig.post_with("/v1/chat/completions", &headers, chat(model, "hi")).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let seen = rig.mock.take_log();
            assert_eq!(seen[0].header("openai-organization"), told, "{settings}: {model}");
        }
    }
}

#[tokio::test]
async fn a_deployment_says_how_often_it_is_tried_again() {
    let model = |name: &str, more: &str| {
        format!(
            "  - {{model_name: {name}, litellm_params: {{model: openai/{name}, api_base: \"MOCK/v1\", api_key: sk-fake{more}}}}}\n"
        )
    };
    let models =
        [model("plain", ""), model("own", ", num_retries: 1"), model("sdk", ", max_retries: 1")].concat();
    let models = models + &model("both", ", num_retries: 0, max_retries: 5");
    let rig = Rig::config(CONFIG).replace("model_list:\n", &format!("model_list:\n{models}")).start().await;
    for (name, asked) in [("plain", 1), ("own", 2), ("sdk", 2), ("both", 1)] {
        assert_eq!(rig.chat(name, "hi __err=500").await.status, 500, "{name}");
        assert_eq!(rig.mock.take_log().len(), asked, "{name}");
    }
    let mut many = chat("both", "hi __err=500");
    many["num_retries"] = json!(3);
    assert_eq!(rig.post("/v1/chat/completions", MASTER, many).await.status, 500);
    assert_eq!(rig.mock.take_log().len(), 1, "the deployment's counts before the request's");
}

#[tokio::test]
async fn p46_discounts_and_margins_are_charged_told_and_explained() {
    let rig = with_litellm(
        "cost_discount_config: {openai: 0.2}, \
         cost_margin_config: {global: 9, openai: {percentage: 0.1, fixed_amount: 0.001}}",
    )
    .await;
    let answer = rig.chat("priced", "hi").await;
    for (name, told) in [
        ("x-litellm-response-cost", "0.001022"),
        ("x-litellm-response-cost-original", "0.000025"),
        ("x-litellm-response-cost-discount-amount", "0.000005"),
        ("x-litellm-response-cost-margin-amount", "0.001002"),
        ("x-litellm-response-cost-margin-percent", "0.1"),
    ] {
        assert_eq!(answer.header(name), told, "{name}");
    }
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    let near = |told: &Value, dollars: f64| (told.as_f64().unwrap() - dollars).abs() < 1e-12;
    let breakdown = &row["metadata"]["cost_breakdown"];
    assert!(near(&row["spend"], 0.001022) && near(&breakdown["total_cost"], 0.001022), "{row}");
    assert!(near(&breakdown["original_cost"], 0.000025), "{breakdown}");
    assert!(near(&breakdown["discount_amount"], 0.000005), "{breakdown}");
    assert!(near(&breakdown["margin_total_amount"], 0.001002), "{breakdown}");
    let charges = row["metadata"]["weir"]["charges"].as_array().unwrap();
    let sum: f64 = charges.iter().map(|charge| charge["cost"].as_f64().unwrap()).sum();
    assert!((sum - 0.001022).abs() < 1e-12, "{charges:?}");
    let answered = json!({"model": "priced", "usage": {"prompt_tokens": 11, "completion_tokens": 7}});
    let asked = json!({"model": "priced", "completion_response": answered});
    let reckoned = rig.post("/spend/calculate", MASTER, asked).await.json();
    assert!(near(&reckoned["cost"], 0.001022), "{reckoned}");
    let key = rig.key(json!({"max_budget": 0.001})).await;
    let refused = rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await;
    assert_eq!(refused.status, 400, "budgets hold what is charged: {}", refused.text());
}

#[tokio::test]
async fn operators_say_who_makes_keys() {
    let rig = with_litellm(
        "key_generation_settings: {personal_key_generation: {allowed_user_roles: [proxy_admin]}, \
         team_key_generation: {allowed_team_member_roles: [admin], required_params: [tags]}}",
    )
    .await;
    let made = rig.post("/user/new", MASTER, json!({"user_id": "ann", "user_role": "internal_user"})).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let ann = made.json()["key"].as_str().unwrap().to_owned();
    for (team, role) in [("red", "admin"), ("blue", "user")] {
        let body = json!({
            "team_id": team,
            "members_with_roles": [{"role": role, "user_id": "ann"}],
            "team_member_permissions": ["/key/generate"],
        });
        let made = rig.post("/team/new", MASTER, body).await;
        assert_eq!(made.status, 200, "{}", made.text());
    }
    let tagged = |team: &str| json!({"team_id": team, "tags": ["a"]});
    for (who, body, expected, says) in [
        (MASTER, json!({}), 200, ""),
        (ann.as_str(), json!({}), 400, "Personal key creation has been restricted by admin"),
        (MASTER, json!({"team_id": "red"}), 400, "required param tags not in data"),
        (MASTER, tagged("blue"), 200, ""),
        (ann.as_str(), tagged("red"), 200, ""),
        (ann.as_str(), tagged("blue"), 400, "Team member role user not in allowed_team_member_roles"),
    ] {
        let answer = rig.post("/key/generate", who, &body).await;
        assert_eq!(answer.status, expected, "{body}: {}", answer.text());
        assert!(answer.text().contains(says), "{body}: {}", answer.text());
    }
}
