//! Health, metrics, starting, stopping, dying.

use crate::client;
use crate::rig::{CONFIG, MASTER, Rig, chat};
use http_body_util::BodyExt;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

#[tokio::test]
async fn p29_health_asks_nobody() {
    let rig = Rig::start().await;
    let ready = rig.get("/health/readiness", "none").await;
    let body = ready.json();
    assert_eq!(
        (ready.status, body["status"].as_str(), body["db"].as_str()),
        (200, Some("connected"), Some("connected"))
    );
    assert_eq!(body["litellm_version"], "1.81.0");
    for path in ["/health/liveliness", "/health/liveness"] {
        let answer = rig.get(path, "none").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "\"I'm alive!\""));
    }
    assert_eq!(rig.mock.seen_count(), 0);
}

#[tokio::test]
async fn p29_probes_have_a_listener_of_their_own() {
    let port = crate::rig::free_port().to_string();
    let builder = Rig::config(CONFIG).env("SEPARATE_HEALTH_APP", "1").env("SEPARATE_HEALTH_PORT", &port);
    let _rig = builder.start().await;
    let get = async |path: &str| {
        client::send("GET", &format!("http://127.0.0.1:{port}{path}"), &[], "").await.status
    };
    for path in ["/health/readiness", "/health/liveliness", "/metrics"] {
        assert_eq!(get(path).await, 200, "{path}");
    }
    assert_eq!(get("/v1/models").await, 405, "nothing else is served there");
}

#[tokio::test]
async fn p49_clients_beyond_the_bound_are_turned_away_and_the_others_are_served() {
    let rig =
        Rig::config(&CONFIG.replace("weir_settings: {", "weir_settings: {max_clients: 3, ")).start().await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let stream = tokio::net::TcpStream::connect(rig.address()).await.unwrap();
        held.push(ask(stream).await);
    }
    let with = |status: &str| held.iter().filter(|(_, text)| text.starts_with(status)).count();
    assert!((1..=3).contains(&with("HTTP/1.1 200")), "{held:?}");
    assert_eq!(with("HTTP/1.1 200") + with("HTTP/1.1 503"), 10, "{held:?}");
    assert!(held.iter().all(|(_, text)| text.contains("200 OK") || text.contains("retry-after")), "{held:?}");
    drop(held);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.get("/health/liveliness", "none").await.status, 200, "room again");
}

/// Asks for a sign of life on this connection.
async fn ask(mut stream: tokio::net::TcpStream) -> (tokio::net::TcpStream, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    stream.write_all(b"GET /health/liveliness HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut buffer = vec![0; 1024];
    let read = stream.read(&mut buffer).await.unwrap();
    (stream, String::from_utf8_lossy(&buffer[..read]).into_owned())
}

#[tokio::test]
async fn metrics_count_once_and_agree_with_the_ledger() {
    let rig = Rig::start().await;
    for _ in 0..3 {
        rig.chat("priced", "hi").await;
    }
    rig.chat("gpt-4o", "hi __err=500").await;
    for path in ["/metrics", "/metrics/"] {
        let answer = rig.get(path, "none").await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    }
    let text = rig.get("/metrics", "none").await.text();
    let value = |name: &str, label: &str| -> f64 {
        let line = text
            .lines()
            .find(|l| l.starts_with(name) && l.contains(label))
            .unwrap_or_else(|| panic!("{name}: {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(value("litellm_proxy_total_requests_metric_total{", "requested_model=\"priced\""), 3.0);
    assert_eq!(value("litellm_spend_metric_total{", "model=\"my-custom-model\""), 0.000075);
    assert_eq!(value("litellm_total_tokens_metric_total{", "requested_model=\"priced\""), 54.0);
    assert_eq!(value("litellm_proxy_failed_requests_metric_total{", "exception_status=\"500\""), 1.0);
    assert_eq!(
        value(
            "litellm_deployment_failure_responses_total{",
            "exception_class=\"Openai.InternalServerError\""
        ),
        1.0
    );
    assert_eq!(value("litellm_request_total_latency_metric_count{", "requested_model=\"priced\""), 3.0);
}

#[tokio::test]
async fn without_the_callback_there_are_no_metrics() {
    let rig = Rig::config(&CONFIG.replace("callbacks: [prometheus], ", "")).start().await;
    assert_eq!(rig.get("/metrics", "none").await.status, 404);
}

#[tokio::test]
async fn p33_stopping_loses_nothing() {
    let mut rig = Rig::config(&CONFIG.replace("drain_delay: 0.2", "drain_delay: 1.0")).start().await;
    let auth = format!("Bearer {MASTER}");
    let url = format!("{}/v1/chat/completions", rig.url);
    let mut body = chat("priced", "hi __sleep=0.3 __chunks=40");
    body["stream"] = true.into();
    let (status, _, answer) = client::open(
        "POST",
        &url,
        &[("authorization", &auth), ("x-litellm-call-id", "last")],
        body.to_string(),
    )
    .await;
    assert_eq!(status, 200);
    rig.signal("TERM");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rig.get("/health/readiness", "none").await.status, 503, "not ready at once");
    assert_eq!(rig.chat("priced", "hi").await.status, 200, "still serves while others learn of it");
    let text = answer.collect().await.unwrap().to_bytes();
    assert!(text.ends_with(b"data: [DONE]\n\n"), "the open stream ends as it should");
    assert_eq!(rig.wait(), Some(0), "{}", rig.log());
    rig.restart().await;
    assert_eq!(rig.row("last").await["completion_tokens"], 7);
    assert_eq!(rig.rows(2).await.len(), 2);
}

/// The mock's requests and the ledger's rows are the same set, whatever dies in between.
#[tokio::test]
async fn p40_kill_nine_under_load_loses_and_invents_nothing() {
    let rounds = if std::env::var("WEIR_SCALE").is_ok_and(|s| s == "full") { 20 } else { 3 };
    let mut rig = Rig::start().await;
    let in_flight = 8;
    for round in 0..rounds {
        let load: Vec<_> =
            (0..in_flight).map(|worker| tokio::spawn(load(rig.url.clone(), round, worker))).collect();
        tokio::time::sleep(Duration::from_millis(400 + 37 * round)).await;
        rig.signal("KILL");
        for task in load {
            task.await.unwrap();
        }
        rig.restart().await;
    }
    let seen: Vec<String> =
        rig.mock.log().iter().map(|s| s.header("x-client-request-id").to_owned()).collect();
    assert!((51..10_000).contains(&seen.len()), "{} requests", seen.len());
    let rows = settled(&rig, seen.len()).await;
    let mut attempts: HashMap<String, &serde_json::Value> = HashMap::new();
    for row in &rows {
        let weir = &row["metadata"]["weir"];
        for attempt in weir["attempts"].as_array().unwrap() {
            let id = format!("{}-{}", weir["entry_id"].as_str().unwrap(), attempt["number"]);
            assert!(attempts.insert(id, row).is_none(), "an attempt stands in two rows");
        }
    }
    let sent: HashSet<&String> = seen.iter().collect();
    assert_eq!(sent.len(), seen.len(), "no request was sent twice under one id");
    for id in &sent {
        assert!(attempts.contains_key(*id), "{id} was served and not booked");
    }
    let unseen: Vec<_> = attempts.iter().filter(|(id, _)| !sent.contains(id)).collect();
    assert!(unseen.len() <= in_flight * rounds as usize, "{} rows without a request", unseen.len());
    assert!(unseen.iter().all(|(_, row)| row["metadata"]["weir"]["status"] == "interrupted"), "{unseen:?}");
    sums(&rig, &rows).await;
}

async fn load(url: String, round: u64, worker: usize) {
    let http = client::http();
    for n in 0..10_000 {
        let mut body = chat("priced", "hi");
        body["stream"] = (n % 3 == 0).into();
        let request = http::Request::post(format!("{url}/v1/chat/completions"))
            .header("authorization", format!("Bearer {MASTER}"))
            .header("x-litellm-call-id", format!("{round}-{worker}-{n}"))
            .body(http_body_util::Full::new(bytes::Bytes::from(body.to_string())))
            .unwrap();
        let Ok(response) = http.request(request).await else { return };
        if response.into_body().collect().await.is_err() {
            return;
        }
        // All of twenty rounds have to fit into one list of 10,000: they last 15 s together, with eight workers.
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

/// Rows, once their number no longer changes.
async fn settled(rig: &Rig, least: usize) -> Vec<serde_json::Value> {
    let mut rows = rig.rows(least.min(10_000)).await;
    loop {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let again = rig.rows(rows.len()).await;
        if again.len() == rows.len() {
            return again;
        }
        rows = again;
    }
}

/// 0.000025 for each answer with usage, to the nano-dollar; the total is the sum of the rows.
async fn sums(rig: &Rig, rows: &[serde_json::Value]) {
    let nano = |v: &serde_json::Value| weir_core::domain::money::NanoUsd::parse(&v.to_string()).unwrap();
    let total: weir_core::domain::money::NanoUsd = rows.iter().map(|r| nano(&r["spend"])).sum();
    for row in rows.iter().filter(|r| r["status"] == "success") {
        assert_eq!(nano(&row["spend"]).0, 25_000, "{row}");
    }
    let told = rig.get("/global/spend", MASTER).await.json();
    assert_eq!(nano(&told["spend"]), total);
}

#[tokio::test]
async fn p49_beyond_its_bounds_weir_sheds_and_comes_back() {
    let config = CONFIG.replace("weir_settings: {", "weir_settings: {inflight_bytes: 2000000, ");
    let rig = Rig::config(&config).start().await;
    let body = chat("gpt-4o", &format!("{} __sleep=1", "x".repeat(500_000)));
    let auth = format!("Bearer {MASTER}");
    let url = format!("{}/v1/chat/completions", rig.url);
    let headers = [("authorization", auth.as_str())];
    let tries = (0..12).map(|_| client::send("POST", &url, &headers, body.to_string()));
    let answers = futures_util::future::join_all(tries).await;
    let shed: Vec<_> = answers.iter().filter(|a| a.status == 503).collect();
    assert!(!shed.is_empty() && answers.iter().all(|a| matches!(a.status, 200 | 503)));
    assert!(shed.iter().all(|a| a.header("retry-after") == "1"), "told when to come back");
    assert_eq!(rig.get("/health/liveliness", "none").await.status, 200);
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200, "back to normal");
}

/// The two halves as processes of their own, over one ledger.
#[tokio::test]
async fn p33_proxy_and_admin_run_apart_over_one_ledger() {
    let Some(url) = crate::rig::database().await else { return };
    let half = |only: &str| Rig::config(CONFIG).env("DATABASE_URL", &url).args(&["--only", only]);
    let (proxy, admin) = (half("proxy").start().await, half("admin").start().await);
    let key = admin.key(json!({ "models": ["gpt-4o"] })).await;
    let answer = proxy.post("/v1/chat/completions", &key, chat("gpt-4o", "hi")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(admin.row(answer.header("x-litellm-call-id")).await["status"], "success");
    assert_eq!(proxy.get("/key/info", MASTER).await.status, 404);
    assert_eq!(admin.chat("gpt-4o", "hi").await.status, 404);
    for rig in [&proxy, &admin] {
        assert_eq!(rig.get("/health/readiness", "none").await.status, 200);
    }
}

/// What `weir migrate` is for: a job before the pods.
#[tokio::test]
async fn p32_a_schema_is_migrated_by_one_and_waited_for_by_others() {
    let Some(url) = crate::rig::database().await else { return };
    let migrate = |url: &str, wait: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args(["migrate", "--wait", wait]).env_clear().env("DATABASE_URL", url);
        command.spawn().unwrap()
    };
    let waits = Rig::config(CONFIG).env("DATABASE_URL", &url).env("DISABLE_SCHEMA_UPDATE", "true");
    let rig = waits.start_unready().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.get("/health/readiness", "none").await.status, 503, "the schema is not there");
    let mut jobs: Vec<_> = (0..4).map(|_| migrate(&url, "20")).collect();
    assert!(jobs.iter_mut().all(|job| job.wait().unwrap().success()), "at once, and each more than once");
    let ready = async || rig.get("/health/readiness", "none").await.status == 200;
    for _ in 0..100 {
        if ready().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(ready().await, "{}", rig.log());
    assert!(migrate(&url, "5").wait().unwrap().success(), "again changes nothing");
    let nowhere = "postgresql://app@127.0.0.1:9/none";
    assert!(!migrate(nowhere, "1").wait().unwrap().success());
}

#[tokio::test]
async fn everything_may_be_mounted_below_a_path() {
    let rig = Rig::config(CONFIG).env("SERVER_ROOT_PATH", "/llm").start().await;
    for root in ["/llm", ""] {
        let answer = rig.post(&format!("{root}/v1/chat/completions"), MASTER, chat("gpt-4o", "hi")).await;
        assert_eq!(answer.status, 200, "{root}");
        assert_eq!(rig.get(&format!("{root}/key/list?size=1"), MASTER).await.status, 200, "{root}");
        for page in ["/", "/docs", "/redoc", "/openapi.json"] {
            assert_eq!(rig.get(&format!("{root}{page}"), "none").await.status, 200, "{root}{page}");
        }
    }
    assert_eq!(rig.get("/llmx/key/list", MASTER).await.status, 404);
    let quiet = Rig::config(CONFIG).env("NO_DOCS", "True").env("REDOC_URL", "").start().await;
    assert_eq!(quiet.get("/", "none").await.json(), "LiteLLM: RUNNING");
    for page in ["/redoc", "/docs/swagger-ui.css"] {
        assert_eq!(quiet.get(page, "none").await.status, 404, "{page}");
    }
}
