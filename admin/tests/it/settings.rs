//! What the settings pages read: values with their places, who is told of what, how that is doing, and who signs people in.

use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};

const CONFIG: &str = "model_list: []
litellm_settings: {request_timeout: 90, callbacks: [prometheus]}
general_settings:
  alerting: [slack]
  alert_types: [budget_alerts, outage_alerts]
  alert_to_webhook_url: {outage_alerts: \"https://other.test/not-a-real-secret\"}
";

static VARS: &[(&str, &str)] = &[
    ("SLACK_WEBHOOK_URL", "https://hooks.test/services/not-a-real-secret"),
    ("GENERIC_CLIENT_ID", "weir"),
    ("GENERIC_ISSUER", "https://idp.test/realm"),
];

fn rig() -> Rig {
    Rig::configured(CONFIG, VARS)
}

/// One setting of a section.
async fn field(rig: &Rig, section: &str, name: &str) -> Value {
    let answer = rig.get(&format!("/config/list?config_type={section}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let all = answer.json();
    let found = all.as_array().into_iter().flatten().find(|field| field["field_name"] == json!(name));
    assert!(found.is_some(), "no {name} in {}", answer.text);
    found.cloned().unwrap_or_default()
}

#[tokio::test]
async fn p47_a_setting_is_told_with_its_value_its_default_and_its_place() {
    let rig = rig();
    let file = json!({ "from": "file", "file": "config.yaml", "line": 2 });
    let environment = json!({ "from": "environment", "variable": "LITELLM_MASTER_KEY" });
    for (section, name, value, default, stored, source) in [
        ("litellm_settings", "request_timeout", json!(90), json!(6000), json!(false), &file),
        ("router_settings", "num_retries", json!(2), json!(2), json!(null), &json!({ "from": "default" })),
        ("general_settings", "master_key", json!("***"), json!(null), json!(false), &environment),
    ] {
        let field = field(&rig, section, name).await;
        assert_eq!(
            (&field["field_value"], &field["field_default_value"], &field["stored_in_db"], &field["source"]),
            (&value, &default, &stored, source),
            "{name}"
        );
        assert_eq!(field["drift"], json!(null), "{name}");
    }
    assert_eq!(field(&rig, "general_settings", "custom_auth").await["used"], json!(false));
    assert_eq!(field(&rig, "general_settings", "master_key").await["editable"], json!(false));
    let all = rig.get("/config/list").await.text;
    assert!(!all.contains("not-a-real-secret") && !all.contains(MASTER), "{all}");
}

/// The configuration of this rig is never read again, as that of a gateway that cannot use what is stored.
#[tokio::test]
async fn p47_what_is_stored_and_not_in_force_is_drift() {
    let rig = rig();
    let body =
        json!({ "config_type": "litellm_settings", "field_name": "request_timeout", "field_value": 7 });
    assert_eq!(rig.post("/config/field/update", &body).await.status, 200);
    let field = field(&rig, "litellm_settings", "request_timeout").await;
    assert_eq!((&field["field_value"], &field["stored_in_db"]), (&json!(90), &json!(true)));
    assert_eq!(field["drift"], json!({ "field_value": 7, "source": { "from": "ledger" } }));
}

#[tokio::test]
async fn a_mask_is_not_taken_for_the_secret_that_it_stands_for() {
    let rig = rig();
    for mask in ["***", "*****"] {
        let value = json!({ "type": "redis", "password": mask });
        let body =
            json!({ "config_type": "litellm_settings", "field_name": "cache_params", "field_value": value });
        let answer = rig.post("/config/field/update", &body).await;
        assert!(answer.status == 400 && answer.text.contains("cache_params"), "{}", answer.text);
        let whole = json!({ "litellm_settings": { "cache_params": value } });
        assert_eq!(rig.post("/config/update", &whole).await.status, 400);
    }
}

#[tokio::test]
async fn p35_who_is_told_of_which_alerts_is_shown_without_the_addresses() {
    let answer = rig().get("/get/config/callbacks").await;
    assert!(!answer.text.contains("not-a-real-secret"), "{}", answer.text);
    let told = answer.json();
    assert_eq!(
        told["alerts"],
        json!([{
            "name": "slack",
            "variables": { "SLACK_WEBHOOK_URL": "https://hooks.test/*****" },
            "active_alerts": ["budget_alerts", "outage_alerts"],
            "alerts_to_webhook": { "outage_alerts": ["https://other.test/*****"] },
        }])
    );
    assert_eq!(told["callbacks"][0]["name"], json!("prometheus"));
}

#[tokio::test]
async fn a_test_of_a_service_tells_what_came_of_it() {
    let rig = rig();
    let test = async |service: &str| {
        let answer = rig.get(&format!("/health/services?service={service}")).await;
        (answer.status, answer.json())
    };
    let (status, told) = test("generic_api").await;
    assert_eq!((status, &told["status"]), (200, &json!("success")), "{told}");
    assert_eq!(told["message"], json!("Mock LLM request made - check generic_api."));
    let (status, told) = test("langfuse").await;
    assert_eq!(status, 502, "{told}");
    assert!(told["error"]["message"].as_str().is_some_and(|text| text.contains("it answered 401")), "{told}");
    assert_eq!(test("prometheus").await.0, 200, "it is configured, and sent nothing");
    assert_eq!(test("").await.0, 422);
}

/// As LiteLLM answered: `endpoints_info_health_db`.
#[tokio::test]
async fn a_service_that_is_not_configured_is_refused_in_litellms_words() {
    let rig = rig();
    let answer = rig.get("/health/services?service=slack_budget_alerts").await;
    let message =
        "{'error': '\"slack_budget_alerts\" not in proxy config: general_settings. Unable to test this.'}";
    let error = json!({ "message": message, "type": "auth_error", "param": "None", "code": "422" });
    assert_eq!((answer.status, answer.json()), (422, json!({ "error": error })));
    let answer = rig.get("/health/services?service=postgres").await;
    assert!(answer.status == 400 && answer.text.contains("Service must be in list"), "{}", answer.text);
}

#[tokio::test]
async fn callbacks_are_told_with_what_is_wrong_with_them() {
    let told = rig().get("/health/callbacks").await.json();
    assert_eq!(told["failing_count"], json!(2));
    let states: Vec<(&Value, &Value)> = told["callbacks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (&one["name"], &one["status"]))
        .collect();
    let expected =
        json!([["generic_api", "healthy"], ["langfuse", "failing"], ["otel", "unusable"], ["s3", "unused"],]);
    assert_eq!(json!(states), expected);
    let failing = &told["callbacks"][1];
    assert_eq!(
        (&failing["failing_since"], &failing["last_error"], &failing["dropped"], &failing["queue_bytes"]),
        (&json!("2023-11-14T22:13:20.000000Z"), &json!("it answered 503"), &json!(3), &json!(4096))
    );
    assert_eq!(told["callbacks"][2]["last_error"], json!("no address; set one"));
}

#[tokio::test]
async fn a_process_tells_how_it_is_doing() {
    let rig = rig();
    let told = rig.get("/health/replica").await;
    let expected = json!({
        "replica": "one", "ledger": "degraded", "ledger_failures": 2, "journal_waiting_entries": 7,
        "journal_lag_seconds": 90.5, "journal_bytes": 4096, "journal_max_bytes": 1_073_741_824, "shed_requests": 5,
        "unpriced_requests": 11, "callbacks_dropped": 3, "alerts_dropped": 1,
    });
    assert_eq!((told.status, told.json()), (200, expected), "{}", told.text);
    let key = rig.key(&json!({})).await;
    assert_eq!(
        rig.call("GET", "/health/replica", &key, "").await.status,
        401,
        "nobody's business but admins'"
    );
}

#[tokio::test]
async fn who_signs_people_in_is_told_to_admins_alone() {
    let rig = rig();
    let nobody = rig.call("GET", "/ui/options", "", "").await;
    assert_eq!(nobody.json(), json!({ "sso": true }));
    let key = rig.key(&json!({})).await;
    assert_eq!(rig.call("GET", "/ui/options", &key, "").await.json(), json!({ "sso": true }));
    let provider = rig.get("/ui/options").await.json()["provider"].clone();
    assert_eq!(
        (&provider["kind"], &provider["issuer"], &provider["client_id"]),
        (&json!("generic"), &json!("https://idp.test/realm"), &json!("weir"))
    );
}

#[tokio::test]
async fn fallbacks_of_single_models_are_kept_changed_and_deleted() {
    let one =
        |name: &str| format!("{{model_name: {name}, litellm_params: {{model: openai/{name}, api_key: k}}}}");
    let config = format!(
        "model_list: [{}, {}, {}]\nrouter_settings: {{fallbacks: [{{a: [b]}}]}}\n",
        one("a"),
        one("b"),
        one("openai/*")
    );
    let rig = Rig::configured(&config, &[]);
    let told = |model: &str, models: Value| json!({ "model": model, "fallback_models": models, "fallback_type": "general" });
    assert_eq!(rig.get("/fallback/a").await.json(), told("a", json!(["b"])), "as the file has it");
    let asked = json!({ "model": "b", "fallback_models": ["openai/gpt-4o", "a"] });
    let made = rig.post("/fallback", &asked).await;
    assert_eq!(
        (made.status, &made.json()["message"]),
        (200, &json!("Fallback configuration created successfully"))
    );
    assert_eq!(rig.get("/fallback/b").await.json(), told("b", json!(["openai/gpt-4o", "a"])));
    assert_eq!(rig.get("/fallback/a").await.json(), told("a", json!(["b"])), "the others stay");
    let changed = rig.post("/fallback", &json!({ "model": "b", "fallback_models": ["a"] })).await;
    assert_eq!(changed.json()["message"], json!("Fallback configuration updated successfully"));
    assert_eq!(rig.get("/fallback/b?fallback_type=context_window").await.status, 404);
    assert_eq!(rig.call("DELETE", "/fallback/b", MASTER, "").await.status, 200);
    assert_eq!(rig.get("/fallback/b").await.status, 404);
    assert_eq!(rig.call("DELETE", "/fallback/b", MASTER, "").await.status, 404);
    for (body, status) in [
        (json!({ "model": "nobody", "fallback_models": ["a"] }), 404),
        (json!({ "model": "a", "fallback_models": ["nobody"] }), 400),
        (json!({ "model": "a", "fallback_models": ["a"] }), 400),
        (json!({ "model": "a", "fallback_models": ["b", "b"] }), 400),
        (json!({ "model": "a", "fallback_models": [] }), 400),
        (json!({ "model": "a", "fallback_models": ["b"], "fallback_type": "other" }), 422),
        (json!({ "model": "a" }), 422),
    ] {
        assert_eq!(rig.post("/fallback", &body).await.status, status, "{body}");
    }
    let key = rig.key(&json!({})).await;
    assert_eq!(rig.call("GET", "/fallback/a", &key, "").await.status, 401);
}

#[tokio::test]
async fn search_engines_are_told_to_stay_away_where_the_operator_says_so() {
    let asked = async |config: &str| Rig::configured(config, &[]).call("GET", "/robots.txt", "", "").await;
    let told = asked("general_settings: {block_robots: true}").await;
    assert_eq!((told.status, told.text.as_str()), (200, "User-agent: *\nDisallow: /"));
    assert_eq!(asked("model_list: []").await.status, 404);
    let test = Rig::new().call("GET", "/test", "", "").await;
    assert_eq!((test.status, test.json()), (200, json!({ "route": "/test" })));
}
