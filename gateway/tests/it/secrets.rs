//! No secret leaves: not in a log line at any level, not in an answer, not in the database, not in metrics.

use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::json;

const UPSTREAM: &str = "sk-upstream-MARKED-secret";
const HEADER: &str = "header-MARKED-secret";
const HOOK: &str = "hook-MARKED-secret";
const COOKIE: &str = "cookie-MARKED-secret";
const PASSWORD: &str = "password-MARKED-secret";

#[tokio::test]
async fn p35_marked_secrets_are_nowhere() {
    let config = CONFIG
        .replace("sk-upstream-fake", UPSTREAM)
        .replace("az-fake", UPSTREAM)
        .replace("timeout: 1.0", &format!("timeout: 1.0, extra_headers: {{x-secret: {HEADER}}}"))
        .replace("general_settings: {", "general_settings: {alerting: [slack, webhook], ")
        .replace("litellm_settings: {", "litellm_settings: {json_logs: true, ");
    let hook = format!("http://127.0.0.1:9/{HOOK}");
    let rig = Rig::config(&config).env("WEIR_LOG", "trace").env("SLACK_WEBHOOK_URL", &hook);
    let mut rig = rig.env("WEBHOOK_URL", &hook).start().await;
    let key = rig.key(json!({"key_alias": "marked", "soft_budget": 0.000001})).await;
    let mut told = String::new();
    for text in ["hi", "hi __err=401", "hi __err=500", "hi __errmid", "hi __hangmid"] {
        for model in ["gpt-4o", "azure-gpt4", "slow", "refused", "nope"] {
            told.push_str(&rig.post("/v1/chat/completions", &key, chat(model, text)).await.text());
            told.push_str(&rig.stream(model, text).await.text());
        }
    }
    told.push_str(&rig.post("/v1/chat/completions", &format!("{key}x"), chat("gpt-4o", "hi")).await.text());
    told.push_str(&rig.post("/v1/chat/completions", &key, "{\"model\":").await.text());
    told.push_str(&carried(&rig, &key).await);
    for path in [
        "/metrics",
        "/spend/logs?limit=1000",
        "/global/spend",
        "/v1/models",
        "/health/readiness",
        "/health/services?service=slack",
        "/health/callbacks",
        "/get/config/callbacks",
        "/config/list",
        "/config/list?config_type=litellm_settings",
    ] {
        told.push_str(&rig.get(path, MASTER).await.text());
    }
    rig.signal("TERM");
    rig.wait();
    let files = files(rig.data());
    for secret in [UPSTREAM, HEADER, HOOK, COOKIE, PASSWORD, MASTER, key.as_str()] {
        assert!(!told.contains(secret), "in an answer: {secret}");
        assert!(!rig.log().contains(secret), "in the log: {secret}");
        for (path, bytes) in &files {
            let found = memchr::memmem::find(bytes, secret.as_bytes());
            assert!(found.is_none(), "in {path}: {secret}");
        }
    }
}

/// What is answered where browsers and Google's clients carry their secrets.
async fn carried(rig: &Rig, key: &str) -> String {
    let mut told = String::new();
    let generate = format!("/v1beta/models/gpt-4o:generateContent?key={key}");
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
    told.push_str(&rig.post_with(&generate, &[], &body).await.text());
    let cookie = format!("weir_session={COOKIE}; other={COOKIE}");
    told.push_str(
        &rig.post_with("/v1/chat/completions", &[("cookie", &cookie)], chat("gpt-4o", "hi")).await.text(),
    );
    let user = json!({"user_id": "ann", "user_role": "internal_user", "password": PASSWORD, "auto_create_key": false});
    told.push_str(&rig.post("/user/new", MASTER, user).await.text());
    for password in [PASSWORD, "wrong"] {
        let sign_in = json!({"username": "ann", "password": password});
        told.push_str(&rig.post_with("/ui/session", &[], sign_in).await.text());
    }
    told
}

fn files(dir: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap_or_default()));
        }
    }
    found
}
