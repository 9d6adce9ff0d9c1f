//! Identity providers as LiteLLM's variables describe them, without an issuer: `GENERIC_*_ENDPOINT`, `MICROSOFT_*`.

use super::Browser;
use super::idp::{CLIENT, Idp, now};
use super::sso::{leave_by, round, teams_of};
use crate::rig::{CONFIG, MASTER, Rig};
use serde_json::{Value, json};
use std::sync::Arc;
use weir_bench::mock::MockServer;

/// `URL` in a value stands for the provider's address.
async fn start(config: &str, variables: &[(&str, &str)]) -> (Rig, Arc<Idp>, MockServer) {
    let (idp, server) = Idp::start().await;
    let mut builder = Rig::config(config);
    for (name, value) in variables {
        builder = builder.env(name, &value.replace("URL", &server.url()));
    }
    (builder.start().await, idp, server)
}

const ENDPOINTS: &[(&str, &str)] = &[
    ("GENERIC_CLIENT_ID", CLIENT),
    ("GENERIC_CLIENT_SECRET", "a secret"),
    ("GENERIC_AUTHORIZATION_ENDPOINT", "URL/authorize"),
    ("GENERIC_TOKEN_ENDPOINT", "URL/token"),
    ("GENERIC_USERINFO_ENDPOINT", "URL/userinfo"),
    ("GENERIC_CLIENT_USE_PKCE", "false"),
    ("GENERIC_CLIENT_STATE", "always the same"),
    ("GENERIC_SSO_HEADERS", "X-Realm=blue, Content-Type=text/plain, Authorization=Bearer of the operator"),
    ("GENERIC_USER_PROVIDER_ATTRIBUTE", "idp.name"),
    ("AUTO_REDIRECT_UI_LOGIN_TO_SSO", "true"),
];

#[tokio::test]
async fn p37_without_published_keys_a_token_must_still_be_for_this_very_sign_in() {
    let (rig, idp, _server) = start(CONFIG, ENDPOINTS).await;
    for (case, claims) in [
        ("nonce", json!({ "nonce": "of another sign-in" })),
        ("no-nonce", json!({ "nonce": null })),
        ("audience", json!({ "aud": "another-client" })),
        ("audiences", json!({ "aud": ["another-client", "a third"] })),
        ("no-audience", json!({ "aud": null })),
        ("expired", json!({ "exp": now() - 1 })),
        ("no-end", json!({ "exp": null })),
        ("somebody-elses-details", json!({ "sub": "subject-2" })),
    ] {
        idp.said().claims = claims;
        assert!(!round(&mut Browser::new(&rig), &idp, case).await, "{case}");
    }
    assert!(rig.get("/user/list", MASTER).await.json()["users"].as_array().unwrap().is_empty());
    idp.said().claims = json!({});
    assert!(round(&mut Browser::new(&rig), &idp, "good").await);
}

#[tokio::test]
async fn a_state_is_random_and_the_operators_headers_stand_beside_ours() {
    let (rig, idp, server) = start(CONFIG, ENDPOINTS).await;
    idp.said().userinfo = json!({ "idp": { "name": "corp" } });
    let mut alice = Browser::new(&rig);
    assert_eq!(alice.get("/ui/options").await.json(), json!({ "sso": true, "auto": true }));
    let states = [
        leave_by(&mut alice, &idp, "/sso/key/generate").await,
        leave_by(&mut alice, &idp, "/sso/key/generate").await,
    ];
    assert!(states[0] != states[1] && !states.contains(&String::from("always the same")));
    assert!(round(&mut alice, &idp, "one").await);
    let log = server.log();
    let sent = |route: &str| log.iter().find(|seen| seen.route() == route).unwrap();
    let (token, details) = (sent("/token"), sent("/userinfo"));
    assert_eq!((token.header("x-realm"), details.header("x-realm")), ("blue", "blue"));
    assert_eq!(token.header("content-type"), "application/x-www-form-urlencoded");
    assert!(token.header("authorization").starts_with("Basic "), "{}", token.header("authorization"));
    assert_eq!(details.header("authorization"), "Bearer opaque");
    let info = rig.get("/user/info?user_id=alice", MASTER).await.json();
    assert_eq!(info["user_info"]["metadata"]["auth_provider"], "corp");
}

#[tokio::test]
async fn p37_a_look_at_what_the_provider_says_signs_nobody_in_and_runs_nothing() {
    let (rig, idp, _server) = start(CONFIG, ENDPOINTS).await;
    idp.said().userinfo = json!({ "name": "<script>alert(1)</script>" });
    let mut alice = Browser::new(&rig);
    let state = leave_by(&mut alice, &idp, "/sso/debug/login").await;
    let page = alice.get(&format!("/sso/debug/callback?code=one&state={state}")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("&lt;script&gt;") && !page.text().contains("<script"), "{}", page.text());
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(alice.session().await, Err(401));
    assert!(rig.get("/user/list", MASTER).await.json()["users"].as_array().unwrap().is_empty());
    // A look is no sign-in, and a sign-in no look.
    for (door, callback) in
        [("/sso/debug/login", "/sso/callback"), ("/sso/key/generate", "/sso/debug/callback")]
    {
        let state = leave_by(&mut alice, &idp, door).await;
        assert_eq!(alice.get(&format!("{callback}?code=two&state={state}")).await.status, 400, "{callback}");
    }
    assert_eq!(alice.session().await, Err(401));
}

#[tokio::test]
async fn teams_are_those_of_the_claim_that_litellm_jwtauth_names() {
    let named = "general_settings: {litellm_jwtauth: {team_ids_jwt_field: org.squads}, ";
    let (rig, idp, _server) = start(&CONFIG.replace("general_settings: {", named), ENDPOINTS).await;
    for team in ["red", "blue"] {
        assert_eq!(rig.post("/team/new", MASTER, json!({ "team_id": team })).await.status, 200);
    }
    idp.said().userinfo = json!({ "org": { "squads": ["red"] }, "groups": ["blue"] });
    assert!(round(&mut Browser::new(&rig), &idp, "one").await);
    assert_eq!(teams_of(&rig, "alice").await, ["red"]);
}

const MICROSOFT: &[(&str, &str)] = &[
    ("MICROSOFT_CLIENT_ID", CLIENT),
    ("MICROSOFT_CLIENT_SECRET", "a secret"),
    ("MICROSOFT_TENANT", "t-1"),
    ("MICROSOFT_AUTHORIZATION_ENDPOINT", "URL/t-1/oauth2/v2.0/authorize"),
    ("MICROSOFT_TOKEN_ENDPOINT", "URL/token"),
    ("MICROSOFT_USERINFO_ENDPOINT", "URL/userinfo"),
    ("MICROSOFT_USER_ID_ATTRIBUTE", "employee"),
    ("MICROSOFT_GRAPH_ENDPOINT", "URL/graph"),
];

/// As a tenant's token says it, with more claims.
fn of_tenant(server: &MockServer, more: &Value) -> Value {
    let mut claims =
        json!({ "iss": format!("{}/t-1/v2.0", server.url()), "tid": "t-1", "oid": "o-1", "employee": "e-7" });
    claims.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    claims
}

#[tokio::test]
async fn groups_that_a_token_of_microsofts_does_not_name_are_asked_of_graph() {
    let (rig, idp, server) = start(CONFIG, MICROSOFT).await;
    for team in ["g-1", "g-2", "r-1"] {
        assert_eq!(rig.post("/team/new", MASTER, json!({ "team_id": team })).await.status, 200);
    }
    idp.said().claims = of_tenant(&server, &json!({}));
    assert!(round(&mut Browser::new(&rig), &idp, "one").await);
    assert_eq!(teams_of(&rig, "e-7").await, ["g-1", "g-2"]);
    idp.said().claims = of_tenant(&server, &json!({ "groups": ["g-2"] }));
    assert!(round(&mut Browser::new(&rig), &idp, "two").await);
    assert_eq!(teams_of(&rig, "e-7").await, ["g-2"], "the token's word comes first");
    let asked = server.log().iter().filter(|seen| seen.route().starts_with("/graph/")).count();
    assert_eq!(asked, 2, "two pages, once");
    assert!(server.log().iter().all(|seen| seen.route() != "/elsewhere"));
}

#[tokio::test]
async fn groups_that_were_given_the_application_become_teams_and_no_others_count() {
    let variables = [MICROSOFT, &[("MICROSOFT_SERVICE_PRINCIPAL_ID", "p1")][..]].concat();
    let (rig, idp, server) = start(CONFIG, &variables).await;
    assert_eq!(rig.post("/team/new", MASTER, json!({ "team_id": "g-2" })).await.status, 200);
    idp.said().claims = of_tenant(&server, &json!({}));
    assert!(round(&mut Browser::new(&rig), &idp, "one").await);
    assert_eq!(teams_of(&rig, "e-7").await, ["g-1"]);
    let alias = rig.get("/team/info?team_id=g-3", MASTER).await.json()["team_info"]["team_alias"].clone();
    assert_eq!(alias, "g-3", "a team also where nobody has come from it yet");
    assert!(round(&mut Browser::new(&rig), &idp, "two").await, "they are there by then");
}
