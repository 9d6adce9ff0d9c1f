//! The way over an identity provider, and attacks on it.

use super::Browser;
use super::idp::{CLIENT, Idp, Signed, now};
use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};
use std::sync::Arc;
use weir_bench::mock::MockServer;

async fn start(more: &[(&str, &str)]) -> (Rig, Arc<Idp>, MockServer) {
    start_at(CONFIG, "", more).await
}

/// The provider of a path, which may be all tenants' at once.
async fn start_at(config: &str, path: &str, more: &[(&str, &str)]) -> (Rig, Arc<Idp>, MockServer) {
    let (idp, server) = Idp::start().await;
    let mut builder = Rig::config(config)
        .env("GENERIC_CLIENT_ID", CLIENT)
        .env("GENERIC_CLIENT_SECRET", "a secret: with+signs")
        .env("GENERIC_ISSUER", &format!("{}{path}", server.url()));
    for (name, value) in more {
        builder = builder.env(name, value);
    }
    (builder.start().await, idp, server)
}

/// A parameter of an address.
pub(super) fn param(url: &str, name: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    percent_encoding::percent_decode_str(found.unwrap_or_default()).decode_utf8_lossy().into_owned()
}

/// Sends a browser to the provider; the state that it is to come back with.
async fn leave(browser: &mut Browser<'_>, idp: &Idp) -> String {
    leave_by(browser, idp, "/sso/key/generate").await
}

pub(super) async fn leave_by(browser: &mut Browser<'_>, idp: &Idp, door: &str) -> String {
    let answer = browser.get(door).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let to = answer.header("location").to_owned();
    assert_eq!(param(&to, "code_challenge_method"), "S256");
    let mut said = idp.said();
    said.challenge = param(&to, "code_challenge");
    said.nonce = param(&to, "nonce");
    param(&to, "state")
}

/// There and back; whether somebody is signed in now.
pub(super) async fn round(browser: &mut Browser<'_>, idp: &Idp, code: &str) -> bool {
    let state = leave(browser, idp).await;
    let answer = browser.get(&format!("/sso/callback?code={code}&state={state}")).await;
    let inside = answer.status == 303;
    assert_eq!(inside, browser.session().await.is_ok(), "{}", answer.text());
    inside
}

#[tokio::test]
async fn somebody_signs_in_and_is_a_viewer_until_told_otherwise() {
    let (rig, idp, server) = start(&[]).await;
    let mut alice = Browser::new(&rig);
    assert_eq!(alice.get("/ui/options").await.json(), json!({ "sso": true }));
    let provider = rig.get("/ui/options", MASTER).await.json()["provider"].clone();
    assert_eq!((&provider["kind"], &provider["issuer"]), (&json!("generic"), &json!(server.url())));
    assert!(round(&mut alice, &idp, "one").await);
    let session = alice.session().await.unwrap();
    assert_eq!((&session["user_id"], &session["role"]), (&json!("alice"), &json!("internal_user_viewer")));
    let info = rig.get("/user/info?user_id=alice", MASTER).await.json();
    assert_eq!(info["user_info"]["sso_user_id"], "alice");
    assert_eq!(info["user_info"]["user_email"], "alice@work.example");
    // An admin's word lasts, where the provider says nothing.
    let raised = json!({ "user_id": "alice", "user_role": "proxy_admin" });
    assert_eq!(rig.post("/user/update", MASTER, raised).await.status, 200);
    assert!(round(&mut alice, &idp, "two").await);
    let session = alice.session().await.unwrap();
    assert_eq!(session["role"], "proxy_admin");
    alice.csrf = session["csrf"].as_str().unwrap().to_owned();
    let out = alice.send("DELETE", "/ui/session", &[], Value::Null).await.json();
    let to = out["logout_url"].as_str().unwrap();
    assert!(to.starts_with(&format!("{}/logout?", server.url())), "{to}");
    assert_eq!(param(to, "post_logout_redirect_uri"), format!("{}/ui/", rig.url));
    assert!(!param(to, "id_token_hint").is_empty());
    assert!(alice.session().await.is_err());
}

#[tokio::test]
async fn claims_give_roles_and_teams_to_any_number_of_people() {
    let (rig, idp, _server) =
        start(&[("GENERIC_USER_ROLE_ATTRIBUTE", "realm_access.roles"), ("PROXY_ADMIN_ID", "user-0")]).await;
    assert_eq!(rig.post("/team/new", MASTER, json!({ "team_id": "red" })).await.status, 200);
    for number in 0..8 {
        idp.said().userinfo = json!({ "preferred_username": format!("user-{number}"), "groups": ["/red", "unknown"],
            "email": format!("user-{number}@work.example"),
            "realm_access": { "roles": ["uma_authorization", "internal_user"] } });
        let mut browser = Browser::new(&rig);
        assert!(round(&mut browser, &idp, &format!("code-{number}")).await, "{number}");
        let role = if number == 0 { "proxy_admin" } else { "internal_user" };
        assert_eq!(browser.session().await.unwrap()["role"], role);
    }
    let team = rig.get("/team/info?team_id=red", MASTER).await.text();
    assert!((0..8).all(|number| team.contains(&format!("user-{number}"))), "{team}");
}

pub(super) async fn teams_of(rig: &Rig, user: &str) -> Vec<String> {
    let info = rig.get(&format!("/user/info?user_id={user}"), MASTER).await.json();
    let mut teams: Vec<String> = serde_json::from_value(info["user_info"]["teams"].clone()).unwrap();
    teams.sort_unstable();
    teams
}

#[tokio::test]
async fn who_is_in_no_group_any_more_leaves_its_team() {
    let (rig, idp, _server) = start(&[]).await;
    for team in ["red", "blue", "green"] {
        assert_eq!(rig.post("/team/new", MASTER, json!({ "team_id": team })).await.status, 200);
    }
    let mut alice = Browser::new(&rig);
    idp.said().userinfo = json!({ "groups": ["/red", "blue", "unknown"] });
    assert!(round(&mut alice, &idp, "one").await);
    assert_eq!(teams_of(&rig, "alice").await, ["blue", "red"]);
    let key = async |team: &str| rig.key(json!({ "user_id": "alice", "team_id": team })).await;
    let (red, blue) = (key("red").await, key("blue").await);
    let calls = async |key: &str| rig.post("/v1/chat/completions", key, chat("demo", "hi")).await.status;
    assert_eq!((calls(&red).await, calls(&blue).await), (200, 200));
    let by_hand = json!({ "team_id": "green", "member": { "role": "user", "user_id": "alice" } });
    assert_eq!(rig.post("/team/member_add", MASTER, by_hand).await.status, 200);
    idp.said().userinfo = json!({ "groups": ["red"] });
    assert!(round(&mut alice, &idp, "two").await);
    assert_eq!(teams_of(&rig, "alice").await, ["green", "red"], "whom an admin put there stays there");
    assert_eq!((calls(&red).await, calls(&blue).await), (200, 401), "p19: keys end with the membership");
    idp.said().userinfo = json!({});
    assert!(round(&mut alice, &idp, "three").await);
    assert_eq!(teams_of(&rig, "alice").await, ["green", "red"], "nothing was said of groups");
    idp.said().userinfo = json!({ "groups": [] });
    assert!(round(&mut alice, &idp, "four").await);
    assert_eq!(teams_of(&rig, "alice").await, ["green"]);
}

#[tokio::test]
async fn who_was_provisioned_signs_in_as_that_user() {
    let (rig, idp, _server) = start(&[]).await;
    let body = json!({ "userName": "ida@work.example", "externalId": "object-1", "active": true });
    assert_eq!(rig.post("/scim/v2/Users", MASTER, body).await.status, 201);
    idp.said().userinfo = json!({ "preferred_username": "object-1", "email": "ida@work.example" });
    let mut ida = Browser::new(&rig);
    assert!(round(&mut ida, &idp, "one").await);
    assert_eq!(ida.session().await.unwrap()["user_id"], "ida@work.example");
}

#[tokio::test]
async fn p37_of_many_tenants_only_named_ones_give_roles_and_groups() {
    let named = CONFIG.replace("{drain_delay: 0.2}", "{drain_delay: 0.2, microsoft_tenants: [t-1]}");
    for (config, role, teams) in
        [(CONFIG, "internal_user_viewer", vec![]), (named.as_str(), "proxy_admin", vec!["red"])]
    {
        let (rig, idp, server) = start_at(config, "/common", &[]).await;
        assert_eq!(rig.post("/team/new", MASTER, json!({ "team_id": "red" })).await.status, 200);
        idp.said().userinfo = json!({ "preferred_username": "mal@one.example", "email": "boss@work.example",
            "email_verified": true, "role": "proxy_admin", "groups": ["red"] });
        let of = |tenant: &str| json!({ "iss": format!("{}/{tenant}", server.url()), "tid": tenant });
        idp.said().claims = of("t-1");
        let mut mal = Browser::new(&rig);
        assert!(round(&mut mal, &idp, "one").await);
        assert_eq!(mal.session().await.unwrap()["role"], role);
        assert_eq!(teams_of(&rig, "mal@one.example").await, teams);
        for (case, claims) in [
            ("another-tenants-issuer", json!({ "iss": format!("{}/t-1", server.url()), "tid": "t-2" })),
            ("no-tenant", json!({ "iss": format!("{}/t-1", server.url()) })),
            ("the-template", json!({ "iss": format!("{}/{{tenantid}}", server.url()), "tid": "t-1" })),
            ("a-path", of("t-1/x")),
        ] {
            idp.said().claims = claims;
            assert!(!round(&mut Browser::new(&rig), &idp, case).await, "{case}");
        }
        idp.said().claims = of("t-2");
        assert_eq!(
            round(&mut Browser::new(&rig), &idp, "two").await,
            config == CONFIG,
            "a tenant that is not named"
        );
    }
}

#[tokio::test]
async fn p37_tokens_that_are_no_good_sign_nobody_in() {
    let (rig, idp, server) = start(&[]).await;
    let cases = [
        ("nonce", json!({ "nonce": "of another sign-in" }), Signed::Own),
        ("no nonce", json!({ "nonce": null }), Signed::Own),
        ("issuer", json!({ "iss": "https://evil.example" }), Signed::Own),
        ("audience", json!({ "aud": "another-client" }), Signed::Own),
        ("expired", json!({ "exp": now() - 1 }), Signed::Own),
        ("foreign key", json!({}), Signed::Foreign),
        ("unsigned", json!({}), Signed::None),
        ("somebody else's details", json!({ "sub": "subject-2" }), Signed::Own),
    ];
    for (case, claims, signed_with) in cases {
        {
            let mut said = idp.said();
            said.claims = claims;
            said.signed_with = signed_with;
        }
        let mut browser = Browser::new(&rig);
        assert!(!round(&mut browser, &idp, case.replace(' ', "-").as_str()).await, "{case}");
    }
    assert!(rig.get("/user/list", MASTER).await.json()["users"].as_array().unwrap().is_empty());
    assert!(server.seen_count() > 8);
}

#[tokio::test]
async fn p37_a_sign_in_counts_once_and_in_the_browser_that_began_it() {
    let (rig, idp, _server) = start(&[]).await;
    let mut victim = Browser::new(&rig);
    let state = leave(&mut victim, &idp).await;
    let there = format!("/sso/callback?code=one&state={state}");
    // Another browser, with an address that somebody sent to it.
    assert_eq!(Browser::new(&rig).get(&there).await.status, 400);
    let mut other = Browser::new(&rig);
    leave(&mut other, &idp).await;
    assert_eq!(other.get(&there).await.status, 400, "a state of another browser");
    let state = leave(&mut victim, &idp).await;
    assert_eq!(victim.get(&format!("/sso/callback?code=one&state={state}x")).await.status, 400);
    let state = leave(&mut victim, &idp).await;
    let there = format!("/sso/callback?code=two&state={state}");
    let mut thief = Browser { rig: &rig, cookies: victim.cookies.clone(), csrf: String::new() };
    assert_eq!(victim.get(&there).await.status, 303);
    assert_eq!(thief.get(&there).await.status, 400, "the same sign-in again");
    assert!(thief.session().await.is_err());
}

#[tokio::test]
async fn p37_nobody_is_led_elsewhere() {
    let (rig, idp, server) = start(&[]).await;
    let mut browser = Browser::new(&rig);
    for more in ["redirect_uri=https://evil.example", "return_to=//evil.example", "next=https://evil.example"]
    {
        let answer = browser.get(&format!("/sso/key/generate?{more}")).await;
        let to = answer.header("location").to_owned();
        assert!(to.starts_with(&format!("{}/authorize?", server.url())) && !to.contains("evil"), "{to}");
        assert_eq!(param(&to, "redirect_uri"), format!("{}/sso/callback", rig.url));
    }
    let state = leave(&mut browser, &idp).await;
    let there = format!("/sso/callback?code=one&state={state}&redirect_uri=https://evil.example");
    assert_eq!(browser.get(&there).await.header("location"), "/ui/?login=success");
}

#[tokio::test]
async fn p37_who_may_not_come_in_does_not() {
    let (rig, idp, _server) = start(&[("ALLOWED_EMAIL_DOMAINS", "work.example")]).await;
    for details in [
        json!({ "email": "alice@evil.example" }),
        json!({ "preferred_username": "default_user_id" }),
        json!({ "preferred_username": "" }),
    ] {
        idp.said().userinfo = details.clone();
        let code = format!("code-{}", details.to_string().len());
        assert!(!round(&mut Browser::new(&rig), &idp, &code).await, "{details}");
    }
    // A name that belongs to somebody else's identity, and an address that nobody vouches for.
    let made = json!({ "user_id": "bob", "user_email": "bob@work.example", "user_role": "proxy_admin",
        "auto_create_key": false });
    assert_eq!(rig.post("/user/new", MASTER, made).await.status, 200);
    idp.said().userinfo = json!({ "preferred_username": "mallory", "email": "bob@work.example" });
    let mut mallory = Browser::new(&rig);
    assert!(round(&mut mallory, &idp, "mallory").await);
    assert_eq!(mallory.session().await.unwrap()["role"], "internal_user_viewer");
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_and_passwords_still_work() {
    let (rig, _idp, server) = start(&[]).await;
    drop(server);
    let mut browser = Browser::new(&rig);
    assert_eq!(browser.get("/sso/key/generate").await.status, 503);
    assert_eq!(browser.sign_in("admin", MASTER).await.status, 200);
}
