//! Who may call what.

use crate::rig::{MASTER, Rig, record};
use axum::http::Method;
use serde_json::json;
use weir_admin::routes;
use weir_core::access::RouteClass;
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

fn refusal(class: RouteClass, on_info: Option<u16>, on_admin: Option<u16>) -> Option<u16> {
    match class {
        RouteClass::Public => None,
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
            match refusal(route.class, *on_info, *on_admin) {
                Some(status) => {
                    assert_eq!(answer.status, status, "{case}");
                    assert_eq!(rig.memory.calls(), before, "the handler ran: {case}");
                }
                // A handler may narrow what a route allows; that is no refusal of the route.
                None => assert!(
                    ![401, 405, 500].contains(&answer.status)
                        && answer.json()["error"]["type"] != "auth_error",
                    "{case}"
                ),
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
    for path in
        ["/", "/key", "/key/generate/", "//key/generate", "/key/%67enerate", "/nope", "/key/../key/info"]
    {
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
            assert_eq!(answer.header("allow"), route.method.as_str());
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
