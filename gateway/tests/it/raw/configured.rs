//! `general_settings.pass_through_endpoints`.

use super::{CONFIG, booked, chat, echo, is_whole};
use crate::rig::{MASTER, Rig};
use serde_json::json;

fn endpoints() -> String {
    let endpoints = r#"  pass_through_endpoints:
    - {path: /open, target: "MOCK/anywhere?fixed=1", headers: {x-secret: "Bearer os.environ/OPENAI_API_KEY"}}
    - {path: /kept, target: "MOCK/base?fixed=1", auth: true, include_subpath: true, merge_query_params: true, cost_per_request: 0.25, headers: {authorization: os.environ/OPENAI_API_KEY}}
    - {path: /kept/special, target: "MOCK/special", auth: true}
    - {path: /theirs, target: "MOCK/theirs", auth: true, forward_headers: true}
    - {path: /langfuse, target: "MOCK/api", headers: {LANGFUSE_PUBLIC_KEY: pk, LANGFUSE_SECRET_KEY: sk}}
"#;
    let settings = "general_settings:\n  master_key: os.environ/LITELLM_MASTER_KEY\n";
    let one_line = "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n";
    CONFIG.replace(one_line, &format!("{settings}{endpoints}"))
}

#[tokio::test]
async fn configured_endpoints_lead_where_the_config_says() {
    let rig = Rig::config(&endpoints()).over(echo).await;
    let open = rig.post_with("/open", &[], "{}").await;
    assert_eq!(open.status, 200, "{}", open.text());
    let seen = rig.mock.take_log().remove(0);
    assert_eq!((seen.path.as_str(), seen.header("x-secret")), ("/anywhere?fixed=1", "Bearer key-of-openai"));
    assert_eq!(
        rig.post_with("/open/below", &[], "{}").await.status,
        404,
        "no subpath without include_subpath"
    );
    rig.post_with("/langfuse", &[], "{}").await;
    assert_eq!(rig.mock.take_log()[0].header("authorization"), "Basic cGs6c2s=");

    assert_eq!(rig.post_with("/kept/a/b", &[], "{}").await.status, 401);
    for (path, sent) in [
        ("/kept/a%20b?q=1&fixed=2", "/base/a%20b?fixed=1&q=1"),
        ("/kept", "/base?fixed=1"),
        ("/kept/special", "/special"),
    ] {
        let answer = rig.get(path, MASTER).await;
        assert_eq!(answer.json()["path"], sent, "{path}");
    }
    let log = rig.mock.take_log();
    assert_eq!(log[0].header("authorization"), "key-of-openai");
    assert!(log.iter().all(|seen| is_whole(seen, MASTER)));
    assert_eq!(rig.get("/kept/..%2fx", MASTER).await.status, 400);
    assert_eq!(rig.get("/keptx", MASTER).await.status, 404);
}

#[tokio::test]
async fn a_configured_endpoint_costs_what_the_config_says_and_gets_the_headers_it_says() {
    let rig = Rig::config(&endpoints()).over(echo).await;
    let key = rig.key(json!({"models": ["gpt-4o"]})).await;
    let paid = rig.post("/kept/x", &key, json!({"any": "thing"})).await;
    assert_eq!(paid.status, 200, "{}", paid.text());
    assert_eq!(booked(&rig, &paid).await["spend"], 0.25);
    let headers = [("x-api-key", key.as_str()), ("authorization", "Bearer of-somebody"), ("x-own", "1")];
    rig.mock.take_log();
    let kept = rig.post_with("/theirs", &[("x-litellm-api-key", &key), ("x-own", "1")], "{}").await;
    assert_eq!(kept.status, 200, "{}", kept.text());
    let refused = rig.post_with("/theirs", &headers, "{}").await;
    assert_eq!(refused.status, 401, "another key in `authorization` is no key: {}", refused.text());
    let log = rig.mock.take_log();
    assert_eq!((log.len(), log[0].header("x-own")), (1, "1"));
    assert!(is_whole(&log[0], &key));
    let denied = rig.post("/kept/x", &key, chat("gpt-5")).await;
    assert_eq!(denied.status, 401, "{}", denied.text());
}

#[tokio::test]
async fn keys_and_teams_may_be_limited_to_some_of_what_is_passed_through() {
    let rig = Rig::config(&endpoints()).over(echo).await;
    let team = json!({"team_id": "t", "allowed_passthrough_routes": ["/kept"]});
    assert_eq!(rig.post("/team/new", MASTER, team).await.status, 200);
    for (body, opened) in [
        (json!({"allowed_passthrough_routes": ["/kept"]}), [200, 200, 403]),
        (json!({"allowed_passthrough_routes": ["/kept/s*"]}), [403, 200, 403]),
        (json!({"team_id": "t"}), [200, 200, 403]),
        (json!({"team_id": "t", "allowed_passthrough_routes": ["/theirs"]}), [403, 403, 403]),
        (json!({"allowed_passthrough_routes": []}), [200, 200, 200]),
        (json!({"allowed_routes": ["/theirs"], "allowed_passthrough_routes": ["/kept"]}), [403, 403, 200]),
    ] {
        let key = rig.key(body.clone()).await;
        let headers = [("x-litellm-api-key", key.as_str())];
        for (path, status) in ["/kept/a", "/kept/special", "/theirs"].into_iter().zip(opened) {
            let answer = rig.post_with(path, &headers, "{}").await;
            assert_eq!(answer.status, status, "{path} {body}: {}", answer.text());
        }
        assert_eq!(rig.post_with("/open", &headers, "{}").await.status, 200, "it is open to anybody");
    }
}

#[tokio::test]
async fn a_public_endpoint_is_booked_to_nobody_and_to_whoever_says_who_they_are() {
    let rig = Rig::config(&endpoints()).over(echo).await;
    for _ in 0..3 {
        assert_eq!(
            rig.post_with("/open", &[("authorization", "Bearer of-somebody-else")], "{}").await.status,
            200
        );
    }
    let known = rig.post("/open", MASTER, "{}").await;
    booked(&rig, &known).await;
    assert_eq!(rig.rows(1).await.len(), 1);
    assert!(rig.log().contains("anybody may call /open"), "{}", rig.log());
}
