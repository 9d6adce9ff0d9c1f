//! Who may call what.

use crate::rig::{MASTER, Rig, record};
use axum::http::Method;
use serde_json::json;
use weir_admin::{Access, routes};
use weir_core::access::{Grant, RouteClass};
use weir_core::domain::ids::KeyHash;
use weir_core::time::{self, Micros};

const PLAIN: &str = "sk-a-plain-key-of-nobody";
const BLOCKED: &str = "sk-a-blocked-key-of-nobody";
const EXPIRED: &str = "sk-an-expired-key-of-nobody";

type Row = (&'static str, &'static str, &'static str, Option<u16>, Option<u16>);

/// Callers, how they present themselves, and the status that refuses them on a route of each class.
static CALLERS: &[Row] = &[
    // caller, header, value, on Info, on Admin
    ("nobody", "x-none", "x", Some(401), Some(401)),
    ("no bearer", "authorization", MASTER, Some(401), Some(401)),
    ("not sk-", "authorization", "Bearer something-else", Some(401), Some(401)),
    ("unknown", "authorization", "Bearer sk-nobody-has-this-key", Some(401), Some(401)),
    ("blocked", "x-api-key", BLOCKED, Some(401), Some(401)),
    ("expired", "api-key", EXPIRED, Some(400), Some(400)),
    ("plain", "authorization", "Bearer sk-a-plain-key-of-nobody", None, Some(401)),
    ("a forged host", "x-forwarded-host", "localhost", Some(401), Some(401)),
    ("master", "authorization", "Bearer sk-1234", None, None),
    ("master, by x-litellm-api-key", "x-litellm-api-key", MASTER, None, None),
];

fn rig() -> Rig {
    let rig = Rig::new();
    rig.memory.put(&record(PLAIN));
    rig.memory.put(&weir_core::domain::key::KeyRecord { blocked: true, ..record(BLOCKED) });
    let past = Some(Micros(time::now().0 - 1));
    rig.memory.put(&weir_core::domain::key::KeyRecord { expires_at: past, ..record(EXPIRED) });
    rig
}

fn refusal(route: &Access, on_info: Option<u16>, on_admin: Option<u16>) -> Option<u16> {
    match route.class {
        RouteClass::Public => None,
        _ if route.grant == Grant::ANY => on_info,
        RouteClass::Llm | RouteClass::Info => on_info,
        RouteClass::Management | RouteClass::Spend | RouteClass::Operation => on_admin,
    }
}

#[tokio::test]
async fn p37_every_route_is_refused_to_every_caller_without_a_right_to_it() {
    let rig = rig();
    for route in routes() {
        for (caller, header, value, on_info, on_admin) in CALLERS {
            let before = rig.memory.calls();
            let answer = rig.send(route.method.as_str(), route.path, &[(header, value)], "{}").await;
            let case =
                format!("{caller}: {} {}: {} {}", route.method, route.path, answer.status, answer.text);
            match refusal(route, *on_info, *on_admin) {
                Some(status) => {
                    assert_eq!(answer.status, status, "{case}");
                    assert_eq!(rig.memory.calls(), before, "the handler ran: {case}");
                }
                // A handler may narrow what a route allows, but not for the master.
                None if value.ends_with(MASTER) => {
                    assert!(![401, 403, 405, 500].contains(&answer.status), "{case}")
                }
                None => assert!(![405, 500].contains(&answer.status), "{case}"),
            }
        }
    }
}

#[tokio::test]
async fn p37_a_stored_hash_is_no_key() {
    let rig = rig();
    for key in [PLAIN, MASTER] {
        let answer = rig.call("GET", "/key/info", &KeyHash::of(key).hex(), "").await;
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
}

#[tokio::test]
async fn what_is_not_in_the_table_is_not_there() {
    let rig = Rig::new();
    for path in ["/key", "/key/generate/", "//key/generate", "/key/%67enerate", "/nope", "/key/../key/info"] {
        for key in ["", MASTER] {
            let answer = rig.call("GET", path, key, "").await;
            assert_eq!((answer.status, answer.json()), (404, json!({"detail": "Not Found"})), "{path}");
        }
    }
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let rig = Rig::new();
    for route in routes() {
        for method in [Method::GET, Method::POST, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS]
        {
            if routes().any(|r| r.path == route.path && r.method == method) {
                continue;
            }
            let answer = rig.call(method.as_str(), route.path, MASTER, "").await;
            assert_eq!(answer.status, 405, "{method} {}", route.path);
            if method != Method::HEAD {
                assert_eq!(answer.json(), json!({"detail": "Method Not Allowed"}));
            }
            assert!(answer.header("allow").split(", ").any(|m| m == route.method.as_str()), "{}", route.path);
        }
    }
}

#[tokio::test]
async fn without_a_master_key_everybody_is_the_master() {
    let rig = Rig::with_master(None);
    assert_eq!(rig.call("GET", "/global/spend", "", "").await.status, 200);
}

#[tokio::test]
async fn a_ledger_that_is_away_is_told_and_no_more() {
    let rig = Rig::new();
    rig.memory.go_away();
    for (path, key) in [("/key/info", PLAIN), ("/key/info?key=sk-x", MASTER), ("/global/spend", MASTER)] {
        let answer = rig.call("GET", path, key, "").await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.text);
        assert_eq!(answer.header("retry-after"), "1", "{path}");
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    }
}

#[tokio::test]
async fn every_change_is_written_down_without_its_secrets() {
    let rig = Rig::new();
    rig.post("/user/new", &json!({ "user_id": "alice", "password": "hunter2-not-real" })).await;
    rig.post("/team/new", &json!({ "team_id": "red", "metadata": { "slack_token": "xoxb-not-real" } })).await;
    rig.post("/team/block", &json!({ "team_id": "red" })).await;
    let audited = rig.memory.audited();
    let of =
        |action: &str, id: &str| audited.iter().find(|e| e.action == action && e.object_id == id).unwrap();
    assert_eq!(of("created", "alice").changed_by, "default_user_id");
    let blocked = of("blocked", "red");
    assert!(blocked.before.contains("\"blocked\":false") && blocked.after.contains("\"blocked\":true"));
    let told = rig.get("/audit?page_size=100").await.text;
    for secret in ["hunter2", "argon2id", "xoxb"] {
        assert!(!told.contains(secret), "{secret}");
    }
}

/// Whoever may not make admins makes none, be it by a detour.
#[tokio::test]
async fn p37_nobody_gets_more_than_was_given() {
    let rig = Rig::new();
    for (id, role) in
        [("ann", "internal_user"), ("vic", "proxy_admin_viewer"), ("ian", "internal_user_viewer")]
    {
        rig.post("/user/new", &json!({ "user_id": id, "user_role": role, "auto_create_key": false })).await;
        rig.key(&json!({ "key": format!("sk-key-of-{id}-0000"), "user_id": id })).await;
    }
    rig.key(&json!({ "key": "sk-key-of-other-0000", "user_id": "other", "max_budget": 1 })).await;
    for id in ["ann", "vic", "ian"] {
        let key = format!("sk-key-of-{id}-0000");
        for (path, body) in [
            ("/user/update", json!({ "user_id": id, "user_role": "proxy_admin" })),
            ("/user/new", json!({ "user_id": "eve", "user_role": "proxy_admin" })),
            ("/key/generate", json!({ "user_id": "default_user_id" })),
            ("/key/update", json!({ "key": "sk-key-of-other-0000", "max_budget": 100 })),
            ("/key/update", json!({ "key": key, "user_id": "default_user_id" })),
            ("/key/delete", json!({ "keys": ["sk-key-of-other-0000"] })),
            ("/key/regenerate", json!({ "key": "sk-key-of-other-0000" })),
            ("/team/new", json!({ "team_id": "mine" })),
            ("/global/spend/reset", json!({})),
        ] {
            let answer = rig.call("POST", path, &key, &body.to_string()).await;
            assert!([401, 403].contains(&answer.status), "{id} {path}: {} {}", answer.status, answer.text);
        }
    }
    let untouched = rig.memory.stored("sk-key-of-other-0000").unwrap();
    assert_eq!(untouched.limits.max_budget, Some(weir_core::domain::money::NanoUsd(1_000_000_000)));
}

/// Two organisations with an admin each, a team with a leader and a member, and a user who is nowhere.
async fn staffed() -> Rig {
    let rig = Rig::new();
    for id in ["ann", "lea", "mel", "oto", "pia", "ron"] {
        rig.post(
            "/user/new",
            &json!({ "user_id": id, "user_role": "internal_user", "auto_create_key": false }),
        )
        .await;
        rig.key(&json!({ "key": format!("sk-key-of-{id}-0000"), "user_id": id })).await;
    }
    rig.post(
        "/user/new",
        &json!({ "user_id": "boss", "user_role": "proxy_admin", "auto_create_key": false }),
    )
    .await;
    for (organization, admin) in [("o1", "oto"), ("o2", "pia")] {
        rig.post(
            "/organization/new",
            &json!({ "organization_id": organization, "organization_alias": organization }),
        )
        .await;
        let member = json!({ "role": "org_admin", "user_id": admin });
        rig.post("/organization/member_add", &json!({ "organization_id": organization, "member": member }))
            .await;
    }
    let ron = json!({ "role": "internal_user", "user_id": "ron" });
    rig.post("/organization/member_add", &json!({ "organization_id": "o1", "member": ron })).await;
    let members = json!([{ "role": "admin", "user_id": "lea" }, { "role": "user", "user_id": "mel" },
        { "role": "user", "user_id": "boss" }]);
    rig.post(
        "/team/new",
        &json!({ "team_id": "red", "organization_id": "o2", "members_with_roles": members }),
    )
    .await;
    rig.key(&json!({ "key": "sk-key-of-red-mel-0", "user_id": "mel", "team_id": "red" })).await;
    rig
}

#[tokio::test]
async fn p37_no_detour_gives_more_than_was_given() {
    let rig = staffed().await;
    rig.post("/key/block", &json!({ "key": "sk-key-of-ron-0000" })).await;
    rig.key(&json!({ "key": "sk-2nd-key-of-ron-0", "user_id": "ron" })).await;
    for (caller, path, body) in [
        // Somebody's admin by a key of the admin's.
        ("key-of-ann-0000", "/key/regenerate", json!({ "key": "sk-key-of-ann-0000", "user_id": "boss" })),
        (
            "key-of-ann-0000",
            "/key/regenerate",
            json!({ "key": "sk-key-of-ann-0000", "user_id": "default_user_id" }),
        ),
        ("key-of-lea-0000", "/key/generate", json!({ "user_id": "boss", "team_id": "red" })),
        ("key-of-lea-0000", "/key/generate", json!({ "user_id": "ann", "team_id": "red" })),
        ("key-of-oto-0000", "/key/generate", json!({ "user_id": "boss", "organization_id": "o1" })),
        // Another one's team, and out of one's own limits.
        ("key-of-oto-0000", "/key/generate", json!({ "team_id": "red", "organization_id": "o1" })),
        ("key-of-ann-0000", "/key/generate", json!({ "organization_id": "o1" })),
        ("key-of-ann-0000", "/key/update", json!({ "key": "sk-key-of-ann-0000", "user_id": null })),
        ("key-of-mel-0000", "/key/update", json!({ "key": "sk-key-of-red-mel-0", "team_id": null })),
        ("key-of-mel-0000", "/key/service-account/generate", json!({ "team_id": "red" })),
        // More than a key may.
        ("key-of-ann-0000", "/key/generate", json!({ "permissions": { "get_spend_routes": true } })),
        (
            "key-of-ann-0000",
            "/key/update",
            json!({ "key": "sk-key-of-ann-0000", "permissions": { "get_spend_routes": true } }),
        ),
        ("2nd-key-of-ron-0", "/key/unblock", json!({ "key": "sk-key-of-ron-0000" })),
        ("2nd-key-of-ron-0", "/key/update", json!({ "key": "sk-key-of-ron-0000", "blocked": false })),
        // Users of other organisations, and anybody's password.
        ("key-of-oto-0000", "/user/update", json!({ "user_id": "ann", "max_budget": 1 })),
        ("key-of-oto-0000", "/user/update", json!({ "user_id": "pia", "user_alias": "x" })),
        ("key-of-oto-0000", "/user/update", json!({ "user_id": "ron", "password": "hunter2-not-real" })),
        ("key-of-oto-0000", "/user/update", json!({ "user_id": "oto", "max_budget": 1000 })),
        ("key-of-oto-0000", "/user/delete", json!({ "user_ids": ["ann"] })),
        ("key-of-oto-0000", "/user/new", json!({ "user_id": "spy", "teams": ["red"] })),
    ] {
        let answer = rig.call("POST", path, &format!("sk-{caller}"), &body.to_string()).await;
        assert_eq!(answer.status, 403, "{caller} {path} {body}: {}", answer.text);
    }
    assert_eq!(rig.get("/user/info?user_id=spy").await.status, 404, "nothing is made by half");
}

#[tokio::test]
async fn who_leads_may_do_so() {
    let rig = staffed().await;
    for (caller, path, body) in [
        ("ann", "/key/update", json!({ "key": "sk-key-of-ann-0000", "key_alias": "mine" })),
        ("ann", "/key/regenerate", json!({ "key": "sk-key-of-ann-0000", "new_key": "sk-new-key-of-ann-00" })),
        ("lea", "/key/generate", json!({ "user_id": "mel", "team_id": "red" })),
        ("lea", "/key/service-account/generate", json!({ "team_id": "red" })),
        ("pia", "/key/generate", json!({ "team_id": "red" })),
        ("lea", "/key/block", json!({ "key": "sk-key-of-red-mel-0" })),
        ("lea", "/key/unblock", json!({ "key": "sk-key-of-red-mel-0" })),
        ("oto", "/key/generate", json!({ "user_id": "ron", "organization_id": "o1" })),
        ("oto", "/user/update", json!({ "user_id": "ron", "max_budget": 1 })),
        ("oto", "/user/update", json!({ "user_id": "oto", "password": "hunter2-not-real" })),
        ("oto", "/user/delete", json!({ "user_ids": ["ron"] })),
    ] {
        let answer = rig.call("POST", path, &format!("sk-key-of-{caller}-0000"), &body.to_string()).await;
        assert_eq!(answer.status, 200, "{caller} {path} {body}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_key_that_one_makes_is_ones_own() {
    let rig = staffed().await;
    let answer =
        rig.call("POST", "/key/generate", "sk-key-of-ann-0000", r#"{"key":"sk-made-by-ann-0000"}"#).await;
    assert_eq!((answer.status, &answer.json()["user_id"]), (200, &json!("ann")), "{}", answer.text);
    assert_eq!(rig.memory.stored("sk-made-by-ann-0000").unwrap().user_id.as_deref(), Some("ann"));
}
