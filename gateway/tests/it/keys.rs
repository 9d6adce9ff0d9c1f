//! Virtual keys: made, used, limited to models, expired, deleted.

use crate::client;
use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_key_is_accepted_from_every_header_clients_use() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"key_alias": "alice", "metadata": {"a": 1}, "max_budget": 10.5})).await;
    let bearer = format!("Bearer {key}");
    for (name, value) in [
        ("authorization", bearer.as_str()),
        ("x-api-key", &key),
        ("api-key", &key),
        ("x-goog-api-key", &key),
        ("x-litellm-api-key", &bearer),
    ] {
        let answer = rig.post_with("/v1/chat/completions", &[(name, value)], chat("gpt-4o", "hi")).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
    let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
    assert_eq!(info["info"]["key_alias"], "alice");
    assert_eq!(info["info"]["max_budget"], json!(10.5));
}

#[tokio::test]
async fn strangers_are_told_what_is_wrong() {
    let rig = Rig::start().await;
    let url = format!("{}/v1/chat/completions", rig.url);
    for (header, value, status, says, kind) in [
        ("x-none", "x", 401, "No api key passed in", "auth_error"),
        ("authorization", "sk-1234", 401, "Malformed API Key", "auth_error"),
        ("authorization", "Bearer wrongkey", 401, "expected to start with 'sk-'", "auth_error"),
        (
            "authorization",
            "Bearer sk-wrong-key-000",
            401,
            "Invalid proxy server token",
            "token_not_found_in_db",
        ),
    ] {
        let answer = client::send("POST", &url, &[(header, value)], chat("gpt-4o", "hi").to_string()).await;
        assert_eq!(answer.status, status, "{value}: {}", answer.text());
        let error = answer.json()["error"].clone();
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
        assert_eq!(error["type"], kind, "{error}");
    }
    assert_eq!(rig.mock.seen_count(), 0);
    assert_eq!(rig.get("/v1/models", "sk-bad").await.status, 401);
}

#[tokio::test]
async fn a_key_may_use_only_its_models() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"models": ["gpt-4o", "openai/*"]})).await;
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("gpt-4o", "hi")).await.status, 200);
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("openai/gpt-4.1", "hi")).await.status, 200);
    let answer = rig.post("/v1/chat/completions", &key, chat("demo", "hi")).await;
    assert_eq!(
        (answer.status, answer.json()["error"]["type"].as_str()),
        (401, Some("key_model_access_denied"))
    );
    let models = rig.get("/v1/models", &key).await.text();
    assert!(models.contains("\"gpt-4o\"") && !models.contains("\"demo\""), "{models}");
}

/// As with LiteLLM: `openai/*` means what the operator calls by OpenAI's own name, and not what only he calls so.
#[tokio::test]
async fn a_key_for_all_models_of_a_provider_may_use_those_that_have_its_names() {
    let both = r#"model_list:
  - model_name: gpt-4o-mini
    litellm_params: {model: openai/gpt-4o-mini, api_base: "MOCK/v1", api_key: sk-upstream-fake}
  - model_name: gpt-4o-mini
    litellm_params: {model: azure/gpt-4o-mini, api_base: "MOCK/", api_key: az-fake, api_version: "2024-10-21"}
"#;
    let rig = Rig::config(&CONFIG.replace("model_list:\n", both)).start().await;
    let key = rig.key(json!({"models": ["openai/*"]})).await;
    for (model, status) in
        [("gpt-4o", 200), ("openai/gpt-4.1", 200), ("priced", 401), ("azure-gpt4", 401), ("gpt-4o-mini", 401)]
    {
        let answer = rig.post("/v1/chat/completions", &key, chat(model, "hi")).await;
        assert_eq!(answer.status, status, "{model}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_fallback_named_by_the_client_must_be_allowed_too() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"models": ["refused"]})).await;
    let mut body = chat("refused", "hi");
    body["fallbacks"] = json!(["gpt-4o"]);
    let refused = rig.post("/v1/chat/completions", &key, &body).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["type"].as_str()),
        (401, Some("key_model_access_denied")),
        "{}",
        refused.text()
    );
    assert_eq!(rig.post("/v1/chat/completions", MASTER, &body).await.status, 200);
}

#[tokio::test]
async fn an_expired_key_and_a_deleted_one() {
    let rig = Rig::start().await;
    let brief = rig.key(json!({"duration": "1s"})).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let answer = rig.post("/v1/chat/completions", &brief, chat("gpt-4o", "hi")).await;
    assert_eq!((answer.status, answer.json()["error"]["type"].as_str()), (400, Some("expired_key")));
    let key = rig.key(json!({})).await;
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("gpt-4o", "hi")).await.status, 200);
    let deleted = rig.post("/key/delete", MASTER, json!({"keys": [key]})).await;
    assert_eq!(deleted.json(), json!({"deleted_keys": [key]}));
    assert_eq!(
        rig.post("/v1/chat/completions", &key, chat("gpt-4o", "hi")).await.status,
        401,
        "p19: at once"
    );
}

#[tokio::test]
async fn p37_a_virtual_key_is_no_admin() {
    let rig = Rig::start().await;
    let key = rig.key(json!({})).await;
    for (path, body) in [("/key/generate", json!({})), ("/key/delete", json!({"keys": [key]}))] {
        let answer = rig.post(path, &key, body).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    }
    for path in ["/spend/logs", "/global/spend"] {
        assert_eq!(rig.get(path, &key).await.status, 401, "{path}");
        assert_eq!(rig.get(path, "sk-nobody").await.status, 401, "{path}");
    }
    let hash = rig.get(&format!("/key/info?key={key}"), MASTER).await.json()["info"].clone();
    assert!(!hash.to_string().contains(&key), "the key text is not kept");
}

#[tokio::test]
async fn p11_what_a_client_names_cannot_spoil_its_booking() {
    let rig = Rig::start().await;
    let mut body = chat("priced", "hi");
    body["user"] = format!("a\0b{}", "x".repeat(5_000)).into();
    body["metadata"] = json!({"tags": ["t\0"], "big": "y".repeat(30_000)});
    let answer = rig.post("/v1/chat/completions", MASTER, body).await;
    assert_eq!(answer.status, 200);
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    assert_eq!(row["spend"].to_string(), "0.000025");
    assert!(row["end_user"].as_str().unwrap().len() < 300);
}

#[tokio::test]
async fn p11_every_accepted_request_is_one_row() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"key_alias": "counter"})).await;
    for text in ["hi", "hi __err=500", "hi __err=400"] {
        rig.post("/v1/chat/completions", &key, chat("priced", text)).await;
    }
    let mut body = chat("priced", "hi");
    body["stream"] = true.into();
    rig.post("/v1/chat/completions", &key, &body).await;
    rig.post("/v1/chat/completions", &key, chat("unpriced", "hi")).await;
    let rows = rig.rows(5).await;
    assert_eq!(rows.len(), 5, "{rows:?}");
    let spend = |model: &str| {
        rows.iter().filter(|r| r["model_group"] == model).map(|r| r["spend"].to_string()).collect::<Vec<_>>()
    };
    let mut priced = spend("priced");
    priced.sort();
    assert_eq!(priced, ["0", "0", "0.000025", "0.000025"], "{rows:?}");
    assert_eq!(spend("unpriced"), ["0"]);
    assert!(rows.iter().any(|r| r["metadata"]["weir"]["unpriced"] == true), "p13: marked");
    let total = rig.get("/global/spend", MASTER).await.json();
    assert_eq!(total["spend"].to_string(), "0.00005");
    let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
    assert_eq!(info["info"]["spend"].to_string(), "0.00005");
}

/// `litellm-proxy keys import` brings keys with what they have spent elsewhere; a user's spend is set anew as a key's is.
#[tokio::test]
async fn what_was_spent_elsewhere_is_brought_along_and_counts() {
    let rig = Rig::start().await;
    let made = rig.post("/key/generate", MASTER, json!({"spend": 2.5, "max_budget": 2})).await.json();
    assert_eq!(made["spend"].to_string(), "2.5", "{made}");
    let key = made["key"].as_str().unwrap();
    let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
    assert_eq!(info["info"]["spend"].to_string(), "2.5", "{info}");
    let refused = rig.post("/v1/chat/completions", key, chat("priced", "hi")).await;
    assert_eq!((refused.status, refused.json()["error"]["type"].as_str()), (400, Some("budget_exceeded")));

    let user = json!({"user_id": "ann", "user_role": "internal_user", "max_budget": 1, "spend": 5});
    assert_eq!(rig.post("/user/new", MASTER, user).await.status, 200);
    let anns = rig.key(json!({"user_id": "ann"})).await;
    assert_eq!(rig.post("/v1/chat/completions", &anns, chat("priced", "hi")).await.status, 400);
    let own = rig.post("/key/generate", &anns, json!({"spend": 7})).await.json();
    assert_eq!(own["spend"].as_f64(), Some(0.0), "only admins say it: {own}");
    let anew = rig.post("/user/update", MASTER, json!({"user_id": "ann", "spend": 0})).await.json();
    assert_eq!(anew["data"]["spend"].as_f64(), Some(0.0), "{anew}");
    let served = rig.post("/v1/chat/completions", &anns, chat("priced", "hi")).await;
    assert_eq!(served.status, 200, "{}", served.text());

    let customer = json!({"user_id": "shop", "max_budget": 1, "spend": 3});
    let customer = rig.post("/customer/new", MASTER, customer).await.json();
    assert_eq!(customer["spend"].to_string(), "3", "{customer}");
}

#[tokio::test]
async fn a_key_and_a_tag_are_told_with_their_budget() {
    let rig = Rig::start().await;
    let budget = json!({"budget_id": "shared", "max_budget": 5, "budget_duration": "30d"});
    assert_eq!(rig.post("/budget/new", MASTER, budget).await.status, 200);
    let table = async |body: Value| {
        let made = rig.post("/key/generate", MASTER, body).await.json();
        let path = format!("/key/info?key={}", made["key"].as_str().unwrap());
        let told = rig.get(&path, MASTER).await.json()["info"]["litellm_budget_table"].clone();
        assert_eq!(made["litellm_budget_table"], told, "when it is made, and later");
        told
    };
    let shared = table(json!({"budget_id": "shared"})).await;
    let of = |name: &str| shared[name].to_string();
    assert_eq!((of("max_budget"), of("budget_duration")), ("5".to_owned(), "\"30d\"".to_owned()), "{shared}");
    let own = table(json!({"soft_budget": 1.5})).await;
    assert_eq!((own["soft_budget"].to_string(), &own["max_budget"]), ("1.5".to_owned(), &Value::Null));
    assert_eq!(table(json!({"max_budget": 1})).await, Value::Null);

    let tag = json!({"name": "batch", "max_budget": 2, "budget_duration": "1d"});
    assert_eq!(rig.post("/tag/new", MASTER, tag).await.status, 200);
    let info = rig.post("/tag/info", MASTER, json!({"names": ["batch"]})).await.json();
    assert_eq!(info["batch"]["litellm_budget_table"]["max_budget"].to_string(), "2", "{info}");
    let list = rig.get("/tag/list", MASTER).await.json();
    assert_eq!(list[0]["litellm_budget_table"], info["batch"]["litellm_budget_table"], "{list}");
}

/// What its page tells of days and requests, also of those that come with the old text as long as it is taken.
#[tokio::test]
async fn p10_a_rotated_key_keeps_its_days_and_logs() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"key_alias": "robot"})).await;
    let ask = async |key: &str| {
        let answer = rig.post("/v1/chat/completions", key, chat("priced", "hi")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    ask(&key).await;
    let rotated = rig.post("/key/regenerate", MASTER, json!({"key": key, "grace_period": "1h"})).await.json();
    let fresh = rotated["key"].as_str().unwrap();
    ask(fresh).await;
    ask(&key).await;
    rig.rows(3).await;
    let hash = rotated["token"].as_str().unwrap();
    let logs = rig.get(&format!("/spend/logs/v2?api_key={hash}"), MASTER).await.json();
    assert_eq!(logs["total"], 3, "{logs}");
    let days = format!("/user/daily/activity?api_key={hash}&start_date=2020-01-01&end_date=2100-01-01");
    let days = rig.get(&days, MASTER).await.json();
    assert_eq!(days["metadata"]["total_spend"].to_string(), "0.000075", "{days}");
    let keys = days["results"][0]["breakdown"]["api_keys"].as_object().unwrap();
    assert_eq!(keys.len(), 1, "{days}");
    assert_eq!(keys[hash]["metadata"]["key_alias"], "robot");
    let info = rig.get(&format!("/key/info?key={fresh}"), MASTER).await.json();
    assert_eq!(info["info"]["spend"].to_string(), "0.000075");
    let mut booked = logs["data"].as_array().unwrap().iter().map(|entry| entry["api_key"].as_str().unwrap());
    let former = booked.find(|booked| *booked != hash).unwrap();
    let info = rig.get(&format!("/key/info?key={former}"), MASTER).await.json();
    assert_eq!((&info["key"], &info["info"]["key_alias"]), (&json!(hash), &json!("robot")), "{info}");
    assert_eq!(rig.get("/global/spend", MASTER).await.json()["spend"].to_string(), "0.000075");
    let again = rig.post("/key/regenerate", MASTER, json!({"key": fresh, "spend": "0.5"})).await.json();
    let info = rig.get(&format!("/key/info?key={}", again["key"].as_str().unwrap()), MASTER).await.json();
    assert_eq!(info["info"]["spend"].to_string(), "0.5", "{info}");
}

/// Behind a proxy that is trusted the client's address counts, and of everybody else the peer's.
#[tokio::test]
async fn p37_only_allowed_addresses_reach_anything_but_probes() {
    let config = CONFIG
        .replace("general_settings: {", "general_settings: {allowed_ips: [10.1.0.0/16, \"10.9.9.9\"], ")
        .replace("weir_settings: {", "weir_settings: {trusted_proxies: [127.0.0.1], ");
    let rig = Rig::config(&config).start().await;
    let ask = async |path: &str, from: &str| {
        let auth = format!("Bearer {MASTER}");
        let headers = [("authorization", auth.as_str()), ("x-forwarded-for", from)];
        crate::client::send("GET", &format!("{}{path}", rig.url), &headers, "").await.status
    };
    for path in ["/v1/models", "/key/list", "/metrics"] {
        assert_eq!(ask(path, "10.1.2.3").await, 200, "{path}");
        assert_eq!(ask(path, "10.9.9.9").await, 200, "{path}");
        assert_eq!(ask(path, "10.2.0.1").await, 403, "{path}");
        assert_eq!(ask(path, "10.1.2.3, 8.8.8.8").await, 403, "{path}");
    }
    assert_eq!(ask("/health/readiness", "8.8.8.8").await, 200, "probes come from anywhere");
}

/// Nobody is let in for what the request says of itself.
#[tokio::test]
async fn p37_nobody_vouches_for_himself() {
    let config =
        CONFIG.replace("general_settings: {", "general_settings: {allowed_ips: [10.1.0.0/16, \"::1\"], ");
    let rig = Rig::config(&config).start().await;
    let auth = format!("Bearer {MASTER}");
    for (name, value) in [
        ("x-forwarded-for", "10.1.2.3"),
        ("x-real-ip", "10.1.2.3"),
        ("forwarded", "for=10.1.2.3;host=localhost"),
        ("x-forwarded-host", "localhost"),
        ("host", "localhost"),
        ("host", "10.1.2.3"),
    ] {
        for path in ["/v1/models", "/key/list"] {
            let headers = [("authorization", auth.as_str()), (name, value)];
            let answer = client::send("GET", &format!("{}{path}", rig.url), &headers, "").await;
            assert_eq!(answer.status, 403, "{path} with {name}: {value}: {}", answer.text());
        }
    }
    let open = Rig::start().await;
    let headers = [("host", "localhost"), ("x-forwarded-for", "127.0.0.1")];
    for path in ["/v1/models", "/key/list", "/spend/logs", "/config/list?config_type=general_settings"] {
        let answer = client::send("GET", &format!("{}{path}", open.url), &headers, "").await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn p13_what_has_no_price_is_served_counted_and_warned_of_once_or_blocked() {
    let rig = Rig::start().await;
    for _ in 0..3 {
        assert_eq!(rig.chat("unpriced", "hi").await.status, 200);
    }
    let rows = rig.rows(3).await;
    assert!(rows.iter().all(|row| row["metadata"]["weir"]["unpriced"] == true), "{rows:?}");
    let metrics = rig.get("/metrics", MASTER).await.text();
    let counted = metrics.lines().find(|line| line.starts_with("weir_unpriced_requests_total{")).unwrap();
    assert!(counted.ends_with(" 3"), "{counted}");
    let warned = rig.log().lines().filter(|line| line.contains("no-price-anywhere")).count();
    assert_eq!(warned, 1, "{}", rig.log());

    let strict = Rig::config(CONFIG).replace("weir_settings: {", "weir_settings: {block_unpriced: true, ");
    // A fallback, and a deployment among others, are no ways around it.
    let more = "model_list:\n  \
        - {model_name: mixed, litellm_params: {model: openai/no-price, api_base: \"MOCK/v1\", api_key: sk-upstream-fake}}\n  \
        - {model_name: mixed, litellm_params: {model: openai/gpt-4o, api_base: \"MOCK/v1\", api_key: sk-upstream-fake}}\n";
    let strict = strict.replace("model_list:\n", more);
    let strict =
        strict.replace("router_settings: {", "router_settings: {fallbacks: [{gpt-4o: [unpriced]}], ");
    let strict = strict.start().await;
    let refused = strict.chat("unpriced", "hi").await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("block_unpriced"), "the setting is named: {}", refused.text());
    assert_eq!(strict.mock.seen_count(), 0);
    assert_eq!(strict.chat("priced", "hi").await.status, 200);
    for _ in 0..8 {
        assert_eq!(strict.chat("mixed", "hi").await.status, 200);
    }
    assert_ne!(strict.chat("gpt-4o", "hi __errif=gpt-4o:500").await.status, 200);
    let asked: Vec<_> = strict.mock.log().iter().map(|seen| seen.json()["model"].clone()).collect();
    assert!(asked.iter().all(|model| !model.to_string().contains("no-price")), "{asked:?}");
}
