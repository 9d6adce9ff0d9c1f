//! What is wrong is said clearly, in OpenAI's shape, and nothing of it is forwarded.

use crate::client;
use crate::rig::{MASTER, Rig, chat};

#[tokio::test]
async fn bodies_that_are_no_request_are_refused_and_not_forwarded() {
    let rig = Rig::start().await;
    let deep = format!(r#"{{"model":"gpt-4o","messages":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let cases: &[(&str, &[u8])] = &[
        ("cut off", br#"{"model": "gpt-4o", "messages": ["#),
        ("trailing comma", br#"{"model": "gpt-4o", "messages": [],}"#),
        ("not UTF-8", b"{\"model\":\"gpt-4o\",\"messages\":[\"\xff\xfe\"]}"),
        ("10,000 deep", deep.as_bytes()),
        ("model twice", br#"{"model":"gpt-4o","messages":[],"model":"demo"}"#),
        ("model twice, escaped", br#"{"model":"gpt-4o","messages":[],"mod\u0065l":"demo"}"#),
        ("a list", b"[1,2]"),
        ("a number", b"5"),
        ("absent", b""),
        ("blank", b"  \n"),
        ("no model", br#"{"messages":[]}"#),
        ("model is a number", br#"{"model":5,"messages":[]}"#),
    ];
    for (what, body) in cases {
        let auth = format!("Bearer {MASTER}");
        let headers = [("authorization", auth.as_str()), ("content-type", "application/json")];
        let url = format!("{}/v1/chat/completions", rig.url);
        let answer = client::send("POST", &url, &headers, bytes::Bytes::copy_from_slice(body)).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        let error = &answer.json()["error"];
        assert!(error["message"].as_str().is_some_and(|m| m.len() > 10), "{what}: {error}");
        assert_eq!(error["code"], "400", "{what}");
    }
    assert_eq!(rig.mock.seen_count(), 0);
    assert_eq!(rig.chat("gpt-4o", "still alive").await.status, 200);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let config =
        crate::rig::CONFIG.replace("general_settings: {", "general_settings: {max_request_size_mb: 1, ");
    let rig = Rig::config(&config).start().await;
    let answer = rig.chat("gpt-4o", &"x".repeat(1_100_000)).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.text().contains("max_request_size_mb"), "the cure is named");
    assert_eq!(rig.mock.seen_count(), 0);
}

#[tokio::test]
async fn an_unknown_model_is_named() {
    let rig = Rig::start().await;
    let answer = rig.chat("nope-model", "hi").await;
    assert_eq!(answer.status, 400);
    let error = answer.json()["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("model=nope-model"), "{error}");
    assert!(error["type"].is_null());
}

#[tokio::test]
async fn providers_errors_keep_their_status_and_message() {
    let rig = Rig::start().await;
    for model in ["gpt-4o", "azure-gpt4"] {
        for status in [400, 401, 403, 404, 408, 422, 429, 500, 503, 529] {
            let answer = rig.chat(model, &format!("hi __err={status}")).await;
            assert_eq!(answer.status, status, "{model}: {}", answer.text());
            let error = answer.json()["error"].clone();
            assert!(error["message"].as_str().unwrap().contains("Exception - "), "{error}");
            assert!(
                error["message"].as_str().unwrap().contains(&format!("Received Model Group={model}")),
                "{error}"
            );
            assert_eq!(error["code"], status.to_string());
            assert!(!answer.header("x-litellm-call-id").is_empty());
        }
    }
    assert_eq!(rig.chat("gpt-4o", "hi __err=429").await.header("retry-after"), "7");
}

#[tokio::test]
async fn a_provider_that_is_not_there_and_one_that_is_slow() {
    let rig = Rig::start().await;
    let answer = rig.chat("refused", "hi").await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert!(answer.text().contains("Connection error"), "{}", answer.text());
    let answer = rig.chat("slow", "hi __sleep=4").await;
    assert_eq!(answer.status, 408, "{}", answer.text());
    assert!(answer.text().contains("Timeout"), "{}", answer.text());
    let mut body = chat("gpt-4o", "hi __sleep=4");
    let asked = rig
        .post_with(
            "/v1/chat/completions",
            &[("authorization", &format!("Bearer {MASTER}")), ("x-litellm-timeout", "0.5")],
            &body,
        )
        .await;
    assert_eq!(asked.status, 408, "the client may ask for less: {}", asked.text());
    body["timeout"] = 0.5.into();
    assert_eq!(rig.post("/v1/chat/completions", MASTER, &body).await.status, 408);
    let hasty = rig.key(serde_json::json!({"router_settings": {"timeout": 0.5}})).await;
    let late = rig.post("/v1/chat/completions", &hasty, chat("gpt-4o", "hi __sleep=4")).await;
    assert_eq!(late.status, 408, "a key may have less: {}", late.text());
    assert!(late.text().contains("The 0.5 seconds for all attempts are over"), "{}", late.text());
    let own = rig.post("/v1/chat/completions", &hasty, chat("slow", "hi __sleep=0.6")).await;
    assert_eq!(own.status, 200, "a deployment keeps to its own: {}", own.text());
}

#[tokio::test]
async fn unknown_paths_and_methods() {
    let rig = Rig::start().await;
    let get = rig.get("/v1/chat/completions", MASTER).await;
    assert_eq!((get.status, get.text().as_str()), (405, r#"{"detail":"Method Not Allowed"}"#));
    let nowhere = rig.get("/v1/does-not-exist", MASTER).await;
    assert_eq!((nowhere.status, nowhere.text().as_str()), (404, r#"{"detail":"Not Found"}"#));
    let slash = rig.post("/v1/chat/completions/", MASTER, chat("gpt-4o", "hi")).await;
    assert_eq!((slash.status, slash.header("location")), (307, "/v1/chat/completions"));
}

#[tokio::test]
async fn p36_a_client_cannot_choose_where_its_request_goes() {
    let rig = Rig::start().await;
    for field in ["api_base", "base_url", "api_key", "mock_response", "user_config"] {
        let mut body = chat("gpt-4o", "hi");
        body[field] = "http://169.254.169.254/".into();
        let answer = rig.post("/v1/chat/completions", MASTER, &body).await;
        assert_eq!(answer.status, 401, "{field}: {}", answer.text());
        assert!(answer.text().contains(field));
        let mut nested = chat("gpt-4o", "hi");
        nested["extra_body"] = serde_json::json!({ field: "http://169.254.169.254/" });
        assert_eq!(rig.post("/v1/chat/completions", MASTER, &nested).await.status, 401, "nested {field}");
    }
    for header in ["x-litellm-api-base", "api-base", "x-api-base"] {
        let auth = format!("Bearer {MASTER}");
        let answer = rig
            .post_with(
                "/v1/chat/completions",
                &[("authorization", &auth), (header, "http://evil")],
                chat("gpt-4o", "hi"),
            )
            .await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!(rig.mock.seen_count(), 3, "headers change nothing: all went to the configured provider");
}

#[tokio::test]
async fn cross_origin_clients_may_call() {
    let rig = Rig::start().await;
    let url = format!("{}/v1/chat/completions", rig.url);
    let asked = [
        ("origin", "http://example.com"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let answer = client::send("OPTIONS", &url, &asked, "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "*"));
    assert!(answer.header("access-control-allow-headers").contains("authorization"));
}
