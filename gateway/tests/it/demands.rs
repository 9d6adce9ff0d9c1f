//! What the operator demands of requests, and what is done for those that leave something out.

use crate::client::Answer;
use crate::rig::{Builder, CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};

/// The ordinary config with more of `general_settings`.
pub fn with(general: &str) -> Builder {
    Rig::config(CONFIG).replace("general_settings: {", &format!("general_settings: {{{general}, "))
}

async fn ask(rig: &Rig, key: &str, more: Value) -> Answer {
    let mut body = chat("gpt-4o", "hi");
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    rig.post("/v1/chat/completions", key, body).await
}

fn message(answer: &Answer) -> String {
    answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_keys_request_has_to_say_what_is_enforced() {
    let rig = with(
        "enforced_params: [user, metadata.generation_name], \
         service_account_settings: {enforced_params: [metadata.job]}",
    );
    let rig = rig.start().await;
    let key = rig.key(json!({})).await;
    for (said, missing) in [
        (json!({}), "param=user"),
        (json!({"user": "u"}), "param=metadata"),
        (json!({"user": "u", "metadata": {"job": 1}}), "param=[metadata][generation_name]"),
    ] {
        let refused = ask(&rig, &key, said.clone()).await;
        assert_eq!(refused.status, 400, "{said}: {}", refused.text());
        let words = format!("BadRequest please pass {missing} in request body. This is a required param");
        assert_eq!(message(&refused), words, "{said}");
    }
    let full = json!({"user": "u", "metadata": {"generation_name": "g"}});
    assert_eq!(ask(&rig, &key, full.clone()).await.status, 200);
    assert_eq!(ask(&rig, MASTER, json!({})).await.status, 200, "the operator's own");
    assert_eq!(rig.post("/team/new", MASTER, json!({"team_id": "red"})).await.status, 200);
    let account = json!({"team_id": "red", "key_alias": "robot"});
    let account = rig.post("/key/service-account/generate", MASTER, account).await.json();
    let refused = ask(&rig, account["key"].as_str().unwrap(), full).await;
    assert!(message(&refused).contains("param=[metadata][job]"), "{}", refused.text());
    let more = json!({"user": "u", "metadata": {"generation_name": "g", "job": "j"}});
    assert_eq!(ask(&rig, account["key"].as_str().unwrap(), more).await.status, 200);
}

#[tokio::test]
async fn a_single_key_may_be_held_to_more() {
    let rig = Rig::start().await;
    let (held, free) = (rig.key(json!({"enforced_params": ["user"]})).await, rig.key(json!({})).await);
    assert_eq!(ask(&rig, &free, json!({})).await.status, 200);
    let refused = ask(&rig, &held, json!({})).await;
    assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some("user")));
    assert_eq!(ask(&rig, &held, json!({"user": "u"})).await.status, 200);
}

#[tokio::test]
async fn a_key_may_be_left_only_some_cache_controls() {
    let rig = Rig::start().await;
    let held = rig.key(json!({"allowed_cache_controls": ["no-store"]})).await;
    let free = rig.key(json!({"allowed_cache_controls": []})).await;
    let all = json!({"cache": {"no-cache": true, "no-store": true}});
    let refused = ask(&rig, &held, all.clone()).await;
    let words = "Not allowed to set no-cache as a cache control. Contact admin to change permissions.";
    assert_eq!((refused.status, message(&refused).as_str()), (403, words), "{}", refused.text());
    assert_eq!(ask(&rig, &held, json!({"cache": {"no-store": true}})).await.status, 200);
    assert_eq!(ask(&rig, &held, json!({})).await.status, 200);
    assert_eq!(ask(&rig, &free, all.clone()).await.status, 200, "an empty list leaves everything");
    assert_eq!(ask(&rig, MASTER, all).await.status, 200);
}

/// `team_member_key_duration` of a team.
#[tokio::test]
async fn keys_of_a_teams_members_last_as_long_as_the_team_says() {
    let rig = Rig::start().await;
    let user = json!({"user_id": "ann", "user_role": "internal_user", "auto_create_key": false});
    assert_eq!(rig.post("/user/new", MASTER, user).await.status, 200);
    let team = json!({"team_id": "red", "team_member_key_duration": "1d",
        "members_with_roles": [{"role": "admin", "user_id": "ann"}]});
    assert_eq!(rig.post("/team/new", MASTER, team).await.status, 200);
    let ann = rig.key(json!({"user_id": "ann"})).await;
    let expires = async |path: &str, key: &str, body: Value| {
        let told = rig.post(path, key, body).await;
        assert_eq!(told.status, 200, "{}", told.text());
        told.json()["expires"].as_str().unwrap_or_default().to_owned()
    };
    let hours = expires("/key/generate", MASTER, json!({"duration": "2h"})).await;
    let days = expires("/key/generate", MASTER, json!({"duration": "2d"})).await;
    let made = rig.post("/key/generate", &ann, json!({"team_id": "red"})).await.json();
    let key = &made["key"];
    let bound = |at: &str| *hours < *at && *at < *days;
    assert!(bound(made["expires"].as_str().unwrap()), "{made}");
    let longer = json!({"team_id": "red", "user_id": "ann", "duration": "30d"});
    assert!(bound(&expires("/key/generate", MASTER, longer).await));
    let first = json!({"user_id": "bob", "team_id": "red", "duration": "30d"});
    assert!(bound(&expires("/user/new", MASTER, first).await), "also the first key of a member");
    let shorter = expires("/key/generate", &ann, json!({"team_id": "red", "duration": "1h"})).await;
    assert!(shorter < hours, "{shorter}");
    assert!(bound(&expires("/key/update", &ann, json!({"key": key, "duration": "-1"})).await));
    assert_eq!(
        expires("/key/update", MASTER, json!({"key": key, "duration": "-1"})).await,
        "",
        "an admin may"
    );
    assert_eq!(
        expires("/key/update", &ann, json!({"key": key, "tpm_limit": 9})).await,
        "",
        "it was not asked"
    );
    assert_eq!(expires("/key/generate", MASTER, json!({"team_id": "red"})).await, "", "a service's");
}

#[tokio::test]
async fn a_request_that_names_no_model_is_for_the_operators() {
    let rig = with("completion_model: gpt-4o, moderation_model: emb-small").start().await;
    let key = rig.key(json!({"models": ["gpt-4o"]})).await;
    let nameless = json!({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9});
    for path in ["/v1/chat/completions", "/v1/messages"] {
        let answer = rig.post(path, &key, &nameless).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let sent = rig.mock.log().pop().unwrap().json();
        assert_eq!(sent["model"], "gpt-4o", "{path}: {sent}");
    }
    assert!(rig.rows(2).await.iter().all(|row| row["model_group"] == "gpt-4o"));
    let other = rig.post("/v1/moderations", &key, json!({"input": "x"})).await;
    assert_eq!(other.status, 401, "a default gives no right: {}", other.text());
    let embedding = rig.post("/v1/embeddings", &key, json!({"input": "x"})).await;
    assert_eq!(embedding.status, 400, "nothing is said of these: {}", embedding.text());
    assert!(message(&embedding).contains("You passed in model=None"), "{}", embedding.text());
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_booked_and_not_passed_on() {
    let long = "long ".repeat(300_000);
    let rig = with("max_response_size_mb: 1").replace("This is a mocked answer.", &long);
    let rig = rig.start().await;
    let refused = rig.chat("demo", "hi").await;
    assert_eq!(refused.status, 400, "{}", refused.status);
    let words = message(&refused);
    assert!(words.starts_with("Response size is too large. Response size is 1."), "{words}");
    assert!(words.ends_with("Max size is 1 MB"), "{words}");
    let row = rig.row(refused.header("x-litellm-call-id")).await;
    assert_eq!((&row["status"], &row["total_tokens"]), (&json!("failure"), &json!(30)), "{row}");
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200);
}

#[tokio::test]
async fn p36_clients_bring_a_key_for_any_model_where_the_operator_leaves_it_to_them() {
    let own = json!({"api_key": "sk-of-the-client"});
    let rig = with("allow_client_side_credentials: true").start().await;
    let key = rig.key(json!({})).await;
    assert_eq!(ask(&rig, &key, own.clone()).await.status, 200);
    let seen = rig.mock.log().pop().unwrap();
    assert_eq!(seen.header("authorization"), "Bearer sk-of-the-client");
    let alone = ask(&rig, &key, json!({"api_base": rig.mock.url()})).await;
    assert_eq!(alone.status, 401, "the operator's key goes nowhere else: {}", alone.text());
    let inside = json!({"api_key": "sk-of-the-client", "api_base": rig.mock.url()});
    assert_ne!(ask(&rig, &key, inside).await.status, 200, "no address inside is listed");
    let closed = Rig::start().await;
    let key = closed.key(json!({})).await;
    assert_eq!(ask(&closed, &key, own).await.status, 401);
}

#[tokio::test]
async fn only_admins_make_keys_without_a_team_where_that_is_closed() {
    let rig = with("default_team_disabled: true").start().await;
    let user = json!({"user_id": "ann", "user_role": "internal_user", "auto_create_key": false});
    assert_eq!(rig.post("/user/new", MASTER, user).await.status, 200);
    let team = json!({"team_id": "red", "members_with_roles": [{"role": "admin", "user_id": "ann"}]});
    assert_eq!(rig.post("/team/new", MASTER, team).await.status, 200);
    let ann = rig.key(json!({"user_id": "ann"})).await;
    let refused = rig.post("/key/generate", &ann, json!({})).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("default_team_disabled"), "{}", refused.text());
    let made = rig.post("/key/generate", &ann, json!({"team_id": "red"})).await;
    assert_eq!(made.status, 200, "{}", made.text());
}
