//! Tokens of an identity provider in place of keys.

use super::idp::{Idp, now};
use crate::client::Answer;
use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};
use std::sync::Arc;
use weir_bench::mock::MockServer;

const SETTINGS: &str = "general_settings: {enable_jwt_auth: true, litellm_jwtauth: {user_id_jwt_field: sub, \
                        user_id_upsert: true, team_ids_jwt_field: groups}, ";

async fn start(settings: &str, more: &[(&str, &str)]) -> (Rig, Arc<Idp>, MockServer) {
    let (idp, server) = Idp::start().await;
    let mut builder = Rig::config(&CONFIG.replace("general_settings: {", settings))
        .env("JWT_PUBLIC_KEY_URL", &format!("{}/jwks", server.url()))
        .env("JWT_AUDIENCE", "weir-api")
        .env("JWT_ISSUER", "https://idp.example")
        .env("OAUTH_TOKEN_INFO_ENDPOINT", &format!("{}/introspect", server.url()));
    for (name, value) in more {
        builder = builder.env(name, value);
    }
    (builder.start().await, idp, server)
}

/// Claims that are good, with others over them; null takes one away.
fn claims(over: Value) -> Value {
    let mut claims = json!({ "iss": "https://idp.example", "aud": "weir-api", "sub": "ann", "exp": now() + 300, "iat": now() });
    let all = claims.as_object_mut().unwrap();
    all.extend(over.as_object().cloned().unwrap_or_default());
    all.retain(|_, value| !value.is_null());
    claims
}

async fn ask(rig: &Rig, token: &str) -> Answer {
    rig.post("/v1/chat/completions", token, chat("gpt-4o", "hello")).await
}

#[tokio::test]
async fn a_signed_token_is_its_user_and_keys_work_beside_it() {
    let (rig, idp, _server) = start(SETTINGS, &[]).await;
    assert_eq!(rig.post("/team/new", MASTER, json!({ "team_id": "red" })).await.status, 200);
    let key = rig.key(json!({})).await;
    let token = idp.token(&claims(json!({ "groups": ["unknown", "red"] })));
    let answer = ask(&rig, &token).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let row = rig.rows(1).await.remove(0);
    assert_eq!((&row["user"], &row["team_id"]), (&json!("ann"), &json!("red")));
    assert_eq!(ask(&rig, &key).await.status, 200);
    assert_eq!(ask(&rig, MASTER).await.status, 200);
    // The management API knows her, too: as the viewer that she is.
    assert_eq!(rig.get("/user/info", &token).await.json()["user_id"], "ann");
    assert!([401, 403].contains(&rig.post("/user/new", &token, json!({})).await.status));
    let admin = idp.token(&claims(json!({ "sub": "root", "scope": "openid litellm_proxy_admin" })));
    assert_eq!(rig.post("/team/new", &admin, json!({ "team_id": "blue" })).await.status, 200);
}

#[tokio::test]
async fn p37_tokens_that_are_no_good_are_refused() {
    let (rig, idp, _server) = start(SETTINGS, &[]).await;
    let good = claims(json!({}));
    for (case, token) in [
        ("expired", idp.token(&claims(json!({ "exp": now() - 120 })))),
        ("without an end", idp.token(&claims(json!({ "exp": null })))),
        ("not yet", idp.token(&claims(json!({ "nbf": now() + 300 })))),
        ("another audience", idp.token(&claims(json!({ "aud": "other" })))),
        ("no audience", idp.token(&claims(json!({ "aud": null })))),
        ("another issuer", idp.token(&claims(json!({ "iss": "https://evil.example" })))),
        ("the master's user", idp.token(&claims(json!({ "sub": "default_user_id" })))),
        ("a foreign key", Idp::foreign_token(&good)),
        ("unsigned", Idp::unsigned_token(&good)),
        ("nonsense", String::from("a.b.c")),
    ] {
        let answer = ask(&rig, &token).await;
        assert_eq!(answer.status, 401, "{case}: {}", answer.text());
        assert!(!answer.text().contains(&token), "{case}");
    }
    assert_eq!(ask(&rig, &idp.token(&good)).await.status, 200);
}

#[tokio::test]
async fn p37_who_is_blocked_is_out_whatever_the_token_says() {
    let (rig, idp, _server) = start(SETTINGS, &[]).await;
    let made = json!({ "user_id": "ann", "auto_create_key": false });
    assert_eq!(rig.post("/user/new", MASTER, made).await.status, 200);
    let blocked = rig.post("/user/update", MASTER, json!({ "user_id": "ann", "blocked": true })).await;
    assert_eq!(blocked.status, 200, "{}", blocked.text());
    assert_eq!(ask(&rig, &idp.token(&claims(json!({})))).await.status, 401);
}

#[tokio::test]
async fn opaque_tokens_are_asked_about_once() {
    let (rig, _idp, server) =
        start("general_settings: {enable_oauth2_auth: true, ", &[("JWT_AUDIENCE", "")]).await;
    for _ in 0..3 {
        let answer = ask(&rig, "good-zoe").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let asked = server.log().iter().filter(|seen| seen.route() == "/introspect").count();
    assert_eq!(asked, 1);
    assert_eq!(rig.rows(1).await[0]["user"], "zoe");
    assert_eq!(ask(&rig, "bad-zoe").await.status, 401);
    assert_eq!(ask(&rig, MASTER).await.status, 200);
}

#[tokio::test]
async fn without_the_setting_a_token_is_no_key() {
    let (rig, idp, server) = start("general_settings: {", &[]).await;
    assert_eq!(ask(&rig, &idp.token(&claims(json!({})))).await.status, 401);
    assert_eq!(server.seen_count(), 0, "nobody is asked");
}

const ROLES: &str = "general_settings: {enable_jwt_auth: true, litellm_jwtauth: {team_id_jwt_field: client_id, \
                     roles_jwt_field: roles, object_id_jwt_field: oid, enforce_rbac: true, \
                     role_mappings: [{role: llm.consumer, internal_role: team}]}, \
                     role_permissions: [{role: team, models: [priced], routes: [/v1/chat/completions]}], ";

#[tokio::test]
async fn p37_where_roles_are_enforced_they_say_what_a_token_may() {
    let (rig, idp, _server) = start(ROLES, &[]).await;
    assert_eq!(rig.post("/team/new", MASTER, json!({ "team_id": "red" })).await.status, 200);
    let of_team = idp.token(&claims(json!({ "client_id": "red" })));
    let mapped = idp.token(&claims(json!({ "oid": "red", "roles": ["llm.consumer"] })));
    for token in [&of_team, &mapped] {
        let answer = rig.post("/v1/chat/completions", token, chat("priced", "hello")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!([401, 403].contains(&ask(&rig, token).await.status), "another model");
        let embedding = json!({ "model": "emb-small", "input": "hello" });
        assert!(
            [401, 403].contains(&rig.post("/v1/embeddings", token, embedding).await.status),
            "another route"
        );
    }
    assert!(rig.rows(2).await.iter().all(|row| row["team_id"] == "red"));
    let nobody = idp.token(&claims(json!({ "oid": "red", "roles": ["something else"] })));
    assert_eq!(ask(&rig, &nobody).await.status, 401);
    let admin = idp.token(&claims(json!({ "scope": "litellm_proxy_admin" })));
    assert_eq!(ask(&rig, &admin).await.status, 200, "nothing is said of admins");
}

const SCOPES: &str = "general_settings: {enable_jwt_auth: true, litellm_jwtauth: {user_id_jwt_field: sub, \
                      user_id_upsert: true, enforce_scope_based_access: true, end_user_id_jwt_field: customer, \
                      scope_mappings: [{scope: cheap, models: [priced]}]}, ";

#[tokio::test]
async fn p37_scopes_open_their_models_and_no_others() {
    let (rig, idp, _server) = start(SCOPES, &[]).await;
    let token = idp.token(&claims(json!({ "scope": "openid cheap", "customer": "c-1" })));
    let mut body = chat("priced", "hello");
    body["user"] = "somebody else".into();
    assert_eq!(rig.post("/v1/chat/completions", &token, body).await.status, 200);
    assert_eq!(rig.rows(1).await[0]["end_user"], "c-1", "the token says for whom it is");
    assert!([401, 403].contains(&ask(&rig, &token).await.status));
    let without = idp.token(&claims(json!({})));
    let answer = rig.post("/v1/chat/completions", &without, chat("priced", "hello")).await;
    assert!([401, 403].contains(&answer.status), "{}", answer.text());
}

const SYNCED: &str = "general_settings: {enable_jwt_auth: true, litellm_jwtauth: {user_id_jwt_field: sub, \
                      user_id_upsert: true, team_ids_jwt_field: groups, roles_jwt_field: roles, \
                      sync_user_role_and_teams: true, \
                      jwt_litellm_role_map: [{jwt_role: \"STAFF_*\", litellm_role: internal_user}]}, ";

#[tokio::test]
async fn users_have_the_role_and_the_teams_that_their_tokens_say() {
    let (rig, idp, _server) = start(SYNCED, &[]).await;
    for team in ["red", "blue"] {
        assert_eq!(rig.post("/team/new", MASTER, json!({ "team_id": team })).await.status, 200);
    }
    let mut keys = Vec::new();
    for (said, role, teams) in [
        (json!({ "groups": ["red", "blue", "unknown"] }), "internal_user_viewer", vec!["blue", "red"]),
        (json!({ "groups": ["blue"], "roles": ["STAFF_1"] }), "internal_user", vec!["blue"]),
        (json!({ "scope": "litellm_proxy_admin" }), "internal_user", vec!["blue"]),
        (json!({ "groups": [] }), "internal_user", vec![]),
    ] {
        let answer = ask(&rig, &idp.token(&claims(said.clone()))).await;
        assert_eq!(answer.status, 200, "{said}: {}", answer.text());
        let info = rig.get("/user/info?user_id=ann", MASTER).await.json()["user_info"].clone();
        let mut kept: Vec<&str> =
            info["teams"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        kept.sort_unstable();
        assert_eq!((info["user_role"].as_str(), kept), (Some(role), teams), "{said}");
        if info["teams"].as_array().is_some_and(|teams| teams.len() == 2) {
            keys.push(rig.key(json!({ "user_id": "ann", "team_id": "red" })).await);
            keys.push(rig.key(json!({ "user_id": "ann" })).await);
        }
    }
    for (key, status) in keys.iter().zip([401, 200]) {
        let answer = rig.post("/v1/chat/completions", key, chat("priced", "hello")).await;
        assert_eq!(answer.status, status, "p19: keys of a team end with the membership");
    }
    let audited = rig.get("/audit?page_size=100", MASTER).await.text();
    assert!(audited.contains("\"changed_by\":\"ann\""), "{audited}");
}

const TEAMS: &str = "general_settings: {enable_jwt_auth: true, litellm_jwtauth: {user_id_jwt_field: sub, \
                     user_id_upsert: true, team_ids_jwt_field: groups, enforce_team_based_model_access: true}, ";

#[tokio::test]
async fn p37_of_the_teams_of_a_token_one_counts_that_has_the_model() {
    let (rig, idp, _server) = start(TEAMS, &[]).await;
    for (team, model) in [("red", "priced"), ("blue", "gpt-4o")] {
        let team = json!({ "team_id": team, "models": [model] });
        assert_eq!(rig.post("/team/new", MASTER, team).await.status, 200);
    }
    let both = idp.token(&claims(json!({ "groups": ["red", "blue"] })));
    for (model, team) in [("priced", "red"), ("gpt-4o", "blue")] {
        let answer = rig.post("/v1/chat/completions", &both, chat(model, "hello")).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        assert_eq!(rig.row(answer.header("x-litellm-call-id")).await["team_id"], team, "{model}");
    }
    let listed = rig.get("/v1/models", &both).await.text();
    assert!(listed.contains("\"priced\"") && listed.contains("\"gpt-4o\""), "{listed}");
    let neither = rig.post("/v1/chat/completions", &both, chat("unpriced", "hello")).await;
    assert_eq!(neither.status, 401, "{}", neither.text());
    for groups in [json!([]), json!(["unknown"])] {
        let answer = ask(&rig, &idp.token(&claims(json!({ "groups": groups })))).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
        assert!(answer.text().contains("Token must belong to a team"), "{}", answer.text());
    }
    let admin = idp.token(&claims(json!({ "scope": "litellm_proxy_admin" })));
    assert_eq!(ask(&rig, &admin).await.status, 200, "nothing is asked of admins");
}

#[tokio::test]
async fn p37_what_a_token_does_not_say_its_provider_is_asked_once() {
    let (idp, server) = Idp::start().await;
    let settings = format!(
        "general_settings: {{enable_jwt_auth: true, litellm_jwtauth: {{user_id_jwt_field: sub, user_id_upsert: true, \
         team_ids_jwt_field: groups, oidc_userinfo_enabled: true, oidc_userinfo_endpoint: \"{}/userinfo\"}}, ",
        server.url()
    );
    idp.said().userinfo = json!({ "sub": "ann", "groups": ["red"] });
    let rig = Rig::config(&CONFIG.replace("general_settings: {", &settings))
        .env("JWT_PUBLIC_KEY_URL", &format!("{}/jwks", server.url()));
    let rig = rig.start().await;
    assert_eq!(rig.post("/team/new", MASTER, json!({ "team_id": "red" })).await.status, 200);
    let token = idp.token(&claims(json!({})));
    for _ in 0..2 {
        let answer = ask(&rig, &token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let asked = server.log().iter().filter(|seen| seen.route() == "/userinfo").count();
    assert_eq!(asked, 1);
    let row = rig.rows(1).await.remove(0);
    assert_eq!((&row["user"], &row["team_id"]), (&json!("ann"), &json!("red")));
    let somebody = idp.token(&claims(json!({ "sub": "bob" })));
    assert_eq!(ask(&rig, &somebody).await.status, 401, "the provider speaks of another person");
    assert_eq!(ask(&rig, &Idp::foreign_token(&claims(json!({})))).await.status, 401);
    assert_eq!(ask(&rig, "an-opaque-token").await.status, 200, "only the provider can read it");
}
