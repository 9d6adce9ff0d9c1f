//! Who is told of what: whether that arrives, how it has gone so far, and which settings say so.

use crate::rig::{Builder, CONFIG, MASTER, Rig};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use weir_bench::mock::{MockServer, Reply, Seen};

fn taken(_: &Seen) -> Reply {
    Reply::json(200, &json!({}))
}

fn refused(_: &Seen) -> Reply {
    Reply::json(401, &json!({"error": "not here"}))
}

fn with(callbacks: &str) -> Builder {
    Rig::config(CONFIG)
        .replace("callbacks: [prometheus]", &format!("callbacks: [prometheus, {callbacks}]"))
        .env("DEFAULT_FLUSH_INTERVAL_SECONDS", "0.1")
}

async fn test(rig: &Rig, service: &str) -> (u16, String) {
    let answer = rig.get(&format!("/health/services?service={service}"), MASTER).await;
    let told = answer.json();
    let message = told["message"].as_str().or_else(|| told["error"]["message"].as_str());
    (answer.status, message.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_test_of_a_callback_is_really_sent() {
    let server = MockServer::start(taken).await.unwrap();
    let url = server.url();
    let rig = with("generic_api, langfuse, langfuse_otel, otel, datadog, s3, sqs, dynamodb")
        .env("GENERIC_LOGGER_ENDPOINT", &url)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &url)
        .env("LANGFUSE_HOST", &url)
        .env("LANGFUSE_PUBLIC_KEY", "pk-lf-fake")
        .env("LANGFUSE_SECRET_KEY", "sk-lf-fake")
        .env("DD_BASE_URL", &url)
        .env("DD_API_KEY", "dd-fake")
        .env("AWS_ENDPOINT_URL", &url)
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDFAKE")
        .env("AWS_SECRET_ACCESS_KEY", "aws-fake")
        .env("S3_BUCKET_NAME", "bucket")
        .env("SQS_QUEUE_URL", &format!("{url}/1/queue"))
        .env("DYNAMODB_TABLE_NAME", "table")
        .start()
        .await;
    for service in ["generic_api", "langfuse", "langfuse_otel", "otel", "datadog", "s3", "sqs", "dynamodb"] {
        let (status, message) = test(&rig, service).await;
        assert_eq!((status, message), (200, format!("Mock LLM request made - check {service}.")));
        let log = server.take_log();
        assert_eq!(log.len(), 1, "{service}: {log:?}");
        let body = String::from_utf8_lossy(&log[0].body);
        assert!(body.contains("weir-callback-test"), "{service}: {body}");
    }
    // It is nobody's exchange.
    let booked = rig.get("/spend/logs?limit=10", MASTER).await.json();
    assert_eq!(booked, json!([]));
    let key = rig.key(json!({})).await;
    let refused = rig.get("/health/services?service=otel", &key).await;
    assert!([401, 403].contains(&refused.status) && server.take_log().is_empty(), "{}", refused.text());
}

#[tokio::test]
async fn a_service_that_does_not_take_its_test_is_told_in_a_bounded_time() {
    let server = MockServer::start(refused).await.unwrap();
    // Connections are taken by the system, and nobody ever answers.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = with("generic_api, otel, datadog")
        .env("GENERIC_LOGGER_ENDPOINT", &format!("{}/MARKED-path", server.url()))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{}/MARKED-path", dead.local_addr().unwrap()))
        .start()
        .await;
    for (service, status, word) in [
        ("generic_api", 502, "it answered 401"),
        ("otel", 502, "no answer within"),
        ("datadog", 502, "DD_API_KEY"),
        ("langfuse", 422, "not in proxy config"),
        ("slack", 422, "not in proxy config"),
        ("postgres", 400, "Service must be in list"),
    ] {
        let (answered, message) = test(&rig, service).await;
        assert_eq!(answered, status, "{service}: {message}");
        assert!(message.contains(word) && !message.contains("MARKED"), "{service}: {message}");
    }
}

#[tokio::test]
async fn a_test_of_alerts_is_sent_to_everybody_who_is_told() {
    let (good, bad) = (MockServer::start(taken).await.unwrap(), MockServer::start(refused).await.unwrap());
    let own = format!("alert_to_webhook_url: {{budget_alerts: \"{}/own\"}}", good.url());
    let general = format!("general_settings: {{alerting: [slack, webhook], {own}, ");
    let rig = Rig::config(CONFIG)
        .replace("general_settings: {", &general)
        .env("SLACK_WEBHOOK_URL", &format!("{}/all", good.url()))
        .env("WEBHOOK_URL", &format!("{}/MARKED-path", bad.url()))
        .start()
        .await;
    let (status, message) = test(&rig, "slack").await;
    assert_eq!(status, 200, "{message}");
    let log = good.take_log();
    let routes: Vec<&str> = log.iter().map(Seen::route).collect();
    assert_eq!(routes, ["/all", "/own"]);
    assert!(log[0].json()["text"].as_str().unwrap().contains("This is a test"), "{log:?}");
    let (status, message) = test(&rig, "webhook").await;
    assert!(status == 502 && message.contains("127.0.0.1 answered 401"), "{status} {message}");
    assert!(!message.contains("MARKED"), "{message}");
    assert_eq!(bad.take_log()[0].json()["event"], json!("test"));
    let alerts = rig.get("/get/config/callbacks", MASTER).await.json()["alerts"].clone();
    assert_eq!((&alerts[0]["name"], &alerts[1]["name"]), (&json!("slack"), &json!("webhook")));
    assert!(!alerts.to_string().contains("MARKED"), "{alerts}");
}

/// Where nobody asks for metrics, and there are none.
#[tokio::test]
async fn a_process_tells_how_it_is_doing_without_metrics() {
    let rig = Rig::config(CONFIG).replace("callbacks: [prometheus], ", "").start().await;
    assert_eq!(rig.get("/metrics", MASTER).await.status, 404);
    for model in ["unpriced", "priced", "unpriced"] {
        assert_eq!(rig.chat(model, "hi").await.status, 200);
    }
    assert_ne!(rig.chat("unpriced", "hi __err=500").await.status, 200);
    rig.rows(4).await;
    let told = rig.get("/health/replica", MASTER).await.json();
    for (name, value) in [
        ("ledger", json!("connected")),
        ("unpriced_requests", json!(2)),
        ("shed_requests", json!(0)),
        ("callbacks_dropped", json!(0)),
        ("alerts_dropped", json!(0)),
    ] {
        assert_eq!(told[name], value, "{name}: {told}");
    }
    assert!(told["journal_max_bytes"].as_u64() > told["journal_bytes"].as_u64(), "{told}");
    let key = rig.key(json!({})).await;
    assert_eq!(rig.get("/health/replica", &key).await.status, 401);
}

async fn state(rig: &Rig, name: &str) -> Value {
    let told = rig.get("/health/callbacks", MASTER).await.json();
    let found = told["callbacks"].as_array().into_iter().flatten().find(|state| state["name"] == json!(name));
    found.cloned().unwrap_or_else(|| panic!("no {name} in {told}"))
}

/// The state, once it is so.
async fn until(rig: &Rig, name: &str, status: &str) -> Value {
    let started = Instant::now();
    loop {
        let state = state(rig, name).await;
        if state["status"] == json!(status) {
            return state;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{state}\n{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn callbacks_tell_what_arrived_what_did_not_and_since_when() {
    let good = MockServer::start(taken).await.unwrap();
    let bad = MockServer::start(refused).await.unwrap();
    let rig = with("generic_api, otel, datadog")
        .env("GENERIC_LOGGER_ENDPOINT", &good.url())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &bad.url())
        .start()
        .await;
    assert_eq!(state(&rig, "generic_api").await["status"], json!("unused"));
    let unusable = state(&rig, "datadog").await;
    assert_eq!(unusable["status"], json!("unusable"));
    assert!(unusable["last_error"].as_str().is_some_and(|why| why.contains("DD_API_KEY")), "{unusable}");
    for _ in 0..3 {
        assert_eq!(rig.chat("priced", "hi").await.status, 200);
    }
    until(&rig, "generic_api", "healthy").await;
    let failing = until(&rig, "otel", "failing").await;
    assert_eq!(failing["last_error"], json!("it answered 401"), "{failing}");
    assert!(failing["failing_since"].is_string() && failing["dropped"].as_u64() >= Some(1), "{failing}");
    // Another configuration begins nothing anew.
    let settings = json!({ "config_type": "router_settings", "field_name": "num_retries", "field_value": 1 });
    assert_eq!(rig.post("/config/field/update", MASTER, settings).await.status, 200);
    let after = state(&rig, "otel").await;
    assert_eq!(after["failing_since"], failing["failing_since"], "{after}");
    assert!(after["dropped"].as_u64() >= failing["dropped"].as_u64(), "{after}");
}

async fn field(rig: &Rig, section: &str, name: &str) -> Value {
    let all = rig.get(&format!("/config/list?config_type={section}"), MASTER).await.json();
    let found = all.as_array().into_iter().flatten().find(|field| field["field_name"] == json!(name));
    found.cloned().unwrap_or_else(|| panic!("no {name} in {all}"))
}

#[tokio::test]
async fn p47_config_list_shows_what_the_file_says_below_the_ledger() {
    let rig = Rig::start().await;
    let before = field(&rig, "router_settings", "num_retries").await;
    assert_eq!((&before["field_value"], &before["stored_in_db"]), (&json!(0), &json!(false)));
    assert_eq!((&before["source"]["from"], &before["drift"]), (&json!("file"), &json!(null)));
    let change = json!({ "config_type": "router_settings", "field_name": "num_retries", "field_value": 5 });
    assert_eq!(rig.post("/config/field/update", MASTER, change).await.status, 200);
    let after = field(&rig, "router_settings", "num_retries").await;
    assert_eq!((&after["field_value"], &after["stored_in_db"]), (&json!(5), &json!(true)));
    assert_eq!(after["source"], json!({ "from": "ledger" }));
    assert_eq!((&after["drift"]["field_value"], &after["drift"]["source"]), (&json!(0), &before["source"]));
    assert_eq!(after["field_default_value"], json!(2));
    let back = json!({ "config_type": "router_settings", "field_name": "num_retries" });
    assert_eq!(rig.post("/config/field/delete", MASTER, back).await.status, 200);
    assert_eq!(field(&rig, "router_settings", "num_retries").await, before);
}
