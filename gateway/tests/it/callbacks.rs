//! Callbacks: they are told of every exchange once, with what was booked, of nothing that they must not know, and nobody
//! waits for them.

use crate::client;
use crate::rig::{Builder, CONFIG, MASTER, Rig, chat};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use weir_bench::mock::{MockServer, Reply, Seen};
use weir_core::domain::money::NanoUsd;

/// As many as tests make, so that none is forgotten.
const LOGGED: usize = 200_000;

fn taken(_: &Seen) -> Reply {
    Reply::json(200, &json!({}))
}

async fn receiver() -> MockServer {
    MockServer::start(taken).await.unwrap().with_log_limit(LOGGED)
}

/// The ordinary gateway with callbacks, which are told quickly.
pub fn told_to(callbacks: &str) -> Builder {
    Rig::config(CONFIG)
        .replace("callbacks: [prometheus]", &format!("callbacks: [prometheus, {callbacks}]"))
        .env("DEFAULT_FLUSH_INTERVAL_SECONDS", "0.1")
}

fn webhook(server: &MockServer) -> Builder {
    told_to("generic_api").env("GENERIC_LOGGER_ENDPOINT", &server.url())
}

/// Payloads, once there are so many; more are a fault.
async fn payloads(server: &MockServer, count: usize, rig: &Rig) -> Vec<Value> {
    let started = Instant::now();
    let mut all: Vec<Value> = Vec::new();
    while all.len() < count {
        assert!(started.elapsed() < Duration::from_secs(60), "{} of {count}\n{}", all.len(), rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
        for seen in server.take_log() {
            all.extend(seen.json().as_array().cloned().unwrap_or_default());
        }
    }
    all
}

pub fn nanos(amount: &Value) -> i64 {
    NanoUsd::parse(&amount.to_string()).unwrap().0
}

/// One in ten fails, one in ten leaves in the middle, of the others half are streams.
async fn ask(rig: &Rig, key: &str, at: usize) {
    match at % 10 {
        0 => {
            let answer = rig.post("/v1/chat/completions", key, chat("priced", "hi __err=500")).await;
            assert_eq!(answer.status, 500);
        }
        1 => leave(rig, key).await,
        kind => {
            let mut body = chat("priced", "hi");
            body["stream"] = (kind % 2 == 0).into();
            assert_eq!(rig.post("/v1/chat/completions", key, body).await.status, 200);
        }
    }
}

/// Goes when the answer has begun.
async fn leave(rig: &Rig, key: &str) {
    let mut body = chat("priced", "hi __chunks=200 __pace=50");
    body["stream"] = true.into();
    let (url, auth) = (format!("{}/v1/chat/completions", rig.url), format!("Bearer {key}"));
    let headers = [("authorization", auth.as_str()), ("content-type", "application/json")];
    let (status, _, mut answer) = client::open("POST", &url, &headers, body.to_string()).await;
    assert_eq!(status, 200);
    assert!(answer.frame().await.is_some_and(|frame| frame.is_ok()));
}

#[tokio::test]
async fn streams_are_told_to_nobody_where_the_operator_says_so() {
    let server = receiver().await;
    let silent = "litellm_settings: {disable_streaming_logging: true, ";
    let rig = webhook(&server).replace("litellm_settings: {", silent).start().await;
    assert_eq!(rig.stream("priced", "hi").await.status, 200);
    assert_eq!(rig.chat("priced", "hi").await.status, 200);
    let told = payloads(&server, 1, &rig).await;
    assert_eq!((told.len(), &told[0]["stream"]), (1, &json!(false)));
    let facts = &told[0]["model_map_information"]["model_map_value"];
    assert_eq!(
        (&facts["input_cost_per_token"], &facts["litellm_provider"]),
        (&json!(0.000_001), &json!("openai"))
    );
    let parts = &told[0]["cost_breakdown"];
    assert_eq!([nanos(&parts["input_cost"]), nanos(&parts["output_cost"])], [11_000, 14_000], "{parts}");
    rig.rows(2).await;
}

/// Of all series of a counter together, in billionths where it has a point.
fn counted(page: &str, name: &str) -> i64 {
    let series =
        page.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{')));
    series.map(|line| NanoUsd::parse(line.rsplit(' ').next().unwrap()).unwrap().0).sum()
}

/// What is told of one, or of all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    exchanges: i64,
    failures: i64,
    nanos: i64,
    tokens: i64,
}

impl Told {
    fn of(payload: &Value) -> Self {
        Self {
            exchanges: 1,
            failures: i64::from(payload["status"] == "failure"),
            nanos: nanos(&payload["response_cost"]),
            tokens: payload["total_tokens"].as_i64().unwrap(),
        }
    }

    fn and(self, more: Self) -> Self {
        Self {
            exchanges: self.exchanges + more.exchanges,
            failures: self.failures + more.failures,
            nanos: self.nanos + more.nanos,
            tokens: self.tokens + more.tokens,
        }
    }
}

/// What the ledger has of a key: booked to it, and as the sum of its days.
async fn booked(rig: &Rig, key: &str) -> [i64; 2] {
    let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
    let days = rig.get("/global/spend", MASTER).await.json();
    [nanos(&info["info"]["spend"]), nanos(&days["spend"])]
}

#[tokio::test]
async fn p10_webhook_ledger_and_metrics_agree_to_the_nano_dollar() {
    let full = std::env::var("WEIR_SCALE").is_ok_and(|scale| scale == "full");
    let many = if full { 100_000 } else { 600 };
    let server = receiver().await;
    let rig = webhook(&server).start().await;
    let key = rig.key(json!({})).await;
    let mut told = Told::default();
    for from in (0..many).step_by(50) {
        futures_util::future::join_all((from..from + 50).map(|at| ask(&rig, &key, at))).await;
        // Not all at once in memory.
        let so_far = server.take_log();
        told = so_far.iter().flat_map(batch).map(|payload| Told::of(&payload)).fold(told, Told::and);
    }
    let all = i64::try_from(many).unwrap();
    let rest = payloads(&server, many - usize::try_from(told.exchanges).unwrap(), &rig).await;
    told = rest.iter().map(Told::of).fold(told, Told::and);
    assert_eq!(told.exchanges, all, "each is told once");
    assert_eq!(told.failures, all / 5, "failures, and those who left");
    assert!(told.nanos > 0 && told.tokens > 0);
    let started = Instant::now();
    while booked(&rig, &key).await != [told.nanos; 2] {
        let late = started.elapsed() > Duration::from_secs(60);
        assert!(!late, "{:?} nano-dollars booked, {told:?}", booked(&rig, &key).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let page = rig.get("/metrics", "none").await.text();
    let whole = |name: &str| counted(&page, name) / 1_000_000_000;
    assert_eq!(counted(&page, "litellm_spend_metric_total"), told.nanos, "metrics");
    assert_eq!(whole("litellm_total_tokens_metric_total"), told.tokens);
    assert_eq!(whole("litellm_proxy_total_requests_metric_total"), all);
    assert_eq!(whole("litellm_proxy_failed_requests_metric_total"), told.failures);
    assert_eq!(whole("litellm_requests_metric_total"), all - told.failures);
}

fn batch(seen: &Seen) -> Vec<Value> {
    seen.json().as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn whoever_left_is_told_as_a_failure_that_cost_what_was_booked() {
    let server = receiver().await;
    let rig = webhook(&server).start().await;
    let key = rig.key(json!({"key_alias": "alice"})).await;
    leave(&rig, &key).await;
    let told = payloads(&server, 1, &rig).await.remove(0);
    assert_eq!(
        (&told["status"], &told["error_information"]["error_code"]),
        (&json!("failure"), &json!("499"))
    );
    assert_eq!(told["metadata"]["user_api_key_alias"], "alice");
    let row = rig.row(told["litellm_call_id"].as_str().unwrap()).await;
    assert_eq!(row["spend"], told["response_cost"], "{row}");
}

#[tokio::test]
async fn a_dead_callback_delays_nobody_and_what_is_lost_is_counted() {
    // Connections are taken by the system, and nobody ever answers.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", dead.local_addr().unwrap());
    let rig = told_to("generic_api")
        .env("GENERIC_LOGGER_ENDPOINT", &address)
        .replace("weir_settings: {", "weir_settings: {callback_max_bytes: 64KB, ");
    let rig = rig.start().await;
    for _ in 0..200 {
        assert_eq!(rig.chat("priced", "hi").await.status, 200);
    }
    let text = rig.get("/metrics", "none").await.text();
    let series = "weir_callback_dropped_total{callback_name=\"generic_api\"} ";
    let lost = text.lines().find_map(|line| line.strip_prefix(series)?.parse::<u64>().ok());
    assert!(lost.is_some_and(|lost| (100..200).contains(&lost)), "{lost:?}\n{text}");
    assert_eq!(rig.rows(200).await.len(), 200, "all are booked");
}

// The receiver must be able to answer while the gateway is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_told_before_the_end() {
    let server = receiver().await;
    let mut rig = webhook(&server).env("DEFAULT_FLUSH_INTERVAL_SECONDS", "3600").start().await;
    for _ in 0..3 {
        rig.chat("priced", "hi").await;
    }
    rig.signal("TERM");
    assert_eq!(rig.wait(), Some(0));
    let told: usize = server.take_log().iter().map(|seen| batch(seen).len()).sum();
    assert_eq!(told, 3);
}

#[tokio::test]
async fn what_is_not_to_be_told_is_not() {
    const WORDS: &str = "these very words";
    let server = receiver().await;
    let rig = webhook(&server).start().await;
    let logging =
        json!([{"callback_name": "generic_api", "callback_vars": {"turn_off_message_logging": "true"}}]);
    let silent = rig.key(json!({"metadata": {"logging": logging}})).await;
    let auth = |key: &str| format!("Bearer {key}");
    let with = async |key: &str, header: (&str, &str), more: Value| {
        let mut body = chat("priced", WORDS);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let headers = [("authorization", auth(key)), (header.0, header.1.to_owned())];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = rig.post_with("/v1/chat/completions", &headers, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    // Told of nobody.
    with(MASTER, ("x-a", "b"), json!({"no-log": true})).await;
    with(MASTER, ("x-litellm-disable-callbacks", "otel, GENERIC_API"), json!({})).await;
    // Told without words.
    with(MASTER, ("x-litellm-enable-message-redaction", "true"), json!({})).await;
    with(MASTER, ("x-a", "b"), json!({"turn_off_message_logging": true})).await;
    with(&silent, ("litellm-disable-message-redaction", "true"), json!({})).await;
    // Told.
    with(MASTER, ("x-a", "b"), json!({})).await;
    let told = payloads(&server, 4, &rig).await;
    assert_eq!(told.len(), 4);
    let (loud, quiet): (Vec<_>, Vec<_>) = told.iter().partition(|told| told.to_string().contains(WORDS));
    assert_eq!((loud.len(), quiet.len()), (1, 3));
    assert!(quiet.iter().all(|told| told["response"]["text"] == "redacted-by-litellm"), "{quiet:?}");
    let content = &loud[0]["response"]["choices"][0]["message"]["content"];
    assert!(content.is_string(), "{loud:?}");
    // None of it is a provider's business.
    for seen in rig.mock.take_log() {
        let sent = seen.json();
        assert!(sent.get("no-log").is_none() && sent.get("turn_off_message_logging").is_none(), "{sent}");
    }
}

#[tokio::test]
async fn an_operator_who_tells_no_words_is_obeyed_unless_a_request_lifts_it() {
    let server = receiver().await;
    let rig = webhook(&server)
        .replace("litellm_settings: {", "litellm_settings: {turn_off_message_logging: true, ")
        .start()
        .await;
    rig.chat("priced", "first words").await;
    let lift = ("litellm-disable-message-redaction", "true");
    let auth = format!("Bearer {MASTER}");
    let headers = [("authorization", auth.as_str()), lift];
    rig.post_with("/v1/chat/completions", &headers, chat("priced", "second words")).await;
    let told = json!(payloads(&server, 2, &rig).await).to_string();
    assert!(!told.contains("first words") && told.contains("second words"), "{told}");
}

#[tokio::test]
async fn keys_have_callbacks_of_their_own() {
    let server = receiver().await;
    let rig = Rig::config(CONFIG).env("DEFAULT_FLUSH_INTERVAL_SECONDS", "0.1");
    let rig = rig.replace("weir_settings: {", "weir_settings: {callback_hosts: [127.0.0.1], ");
    let rig = rig.env("LANGFUSE_SECRET_KEY", "sk-lf-of-the-gateway").start().await;
    let logging = |vars: Value| json!([{"callback_name": "langfuse", "callback_type": "success", "callback_vars": vars}]);
    let vars = json!({"langfuse_public_key": "pk-lf-own", "langfuse_secret_key": "sk-lf-own", "langfuse_host": server.url()});
    let own = rig.key(json!({"metadata": {"logging": logging(vars)}})).await;
    let vars = json!({"langfuse_public_key": "pk-lf-own", "langfuse_host": server.url()});
    let elsewhere = json!({"langfuse_public_key": "pk-lf-own", "langfuse_secret_key": "sk-lf-own",
        "langfuse_host": server.url().replace("127.0.0.1", "localhost")});
    let elsewhere = rig.key(json!({"metadata": {"logging": logging(elsewhere)}})).await;
    let half = rig.key(json!({"metadata": {"logging": logging(vars)}})).await;
    let plain = rig.key(json!({})).await;
    for key in [&elsewhere, &half, &plain, &own] {
        rig.post("/v1/chat/completions", key, chat("priced", "hi")).await;
        rig.post("/v1/chat/completions", key, chat("priced", "hi __err=500")).await;
    }
    let started = Instant::now();
    while server.seen_count() == 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Longer than a batch waits.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let log = server.take_log();
    assert_eq!(
        log.len(),
        1,
        "the gateway's key is sent to nobody that a key names, and nothing to hosts that are not listed"
    );
    assert_eq!(
        (log[0].path.as_str(), log[0].header("authorization")),
        ("/api/public/ingestion", "Basic cGstbGYtb3duOnNrLWxmLW93bg==")
    );
    let told = log[0].json();
    assert_eq!(told["batch"].as_array().unwrap().len(), 2, "one success: {told}");
    assert_eq!(told["batch"][1]["body"]["level"], "DEFAULT");
}

#[tokio::test]
async fn a_team_is_told_of_its_own_failures_where_it_wants_no_more() {
    let server = receiver().await;
    let hosts = "weir_settings: {callback_hosts: [127.0.0.1], ";
    let rig =
        Rig::config(CONFIG).env("DEFAULT_FLUSH_INTERVAL_SECONDS", "0.1").replace("weir_settings: {", hosts);
    let rig = rig.start().await;
    let team = rig.post("/team/new", MASTER, json!({"team_alias": "reds"})).await.json()["team_id"].clone();
    let team = team.as_str().unwrap();
    let vars =
        json!({"langfuse_public_key": "pk", "langfuse_secret_key": "sk", "langfuse_host": server.url()});
    let callback = json!({"callback_name": "langfuse", "callback_type": "failure", "callback_vars": vars});
    let added = rig.post(&format!("/team/{team}/callback"), MASTER, callback).await;
    assert_eq!(added.status, 200, "{}", added.text());
    let key = rig.key(json!({"team_id": team})).await;
    let other = rig.key(json!({})).await;
    for (key, text) in [(&key, "hi"), (&other, "hi __err=500"), (&key, "hi __err=500")] {
        rig.post("/v1/chat/completions", key, chat("priced", text)).await;
    }
    let started = Instant::now();
    while server.seen_count() == 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Longer than a batch waits.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let told: Vec<Value> = server.take_log().iter().map(Seen::json).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let batch = told[0]["batch"].as_array().unwrap();
    assert_eq!((batch.len(), &batch[1]["body"]["level"]), (2, &json!("ERROR")), "one failure: {batch:?}");
}

#[tokio::test]
async fn lists_say_who_is_told_of_what_and_the_operator_may_not_let_requests_hide() {
    let server = receiver().await;
    let rig = |settings: &str| {
        let config = CONFIG.replace("callbacks: [prometheus]", settings);
        let rig = Rig::config(&config).env("DEFAULT_FLUSH_INTERVAL_SECONDS", "0.1");
        rig.env("GENERIC_LOGGER_ENDPOINT", &server.url()).start()
    };
    let failures = rig("failure_callback: [generic_api]").await;
    failures.chat("priced", "hi").await;
    leave(&failures, MASTER).await;
    failures.chat("priced", "hi __err=500").await;
    let told = payloads(&server, 2, &failures).await;
    assert!(told.iter().all(|told| told["status"] == "failure"), "{told:?}");
    let hiding =
        "success_callback: [generic_api], global_disable_no_log_param: true, redact_user_api_key_info: true";
    let successes = rig(hiding).await;
    let key = successes.key(json!({"key_alias": "alice"})).await;
    successes.post("/v1/chat/completions", &key, chat("priced", "hi __err=500")).await;
    let mut body = chat("priced", "hi");
    body["no-log"] = true.into();
    successes.post("/v1/chat/completions", &key, body).await;
    let told = payloads(&server, 1, &successes).await;
    assert_eq!((told.len(), &told[0]["status"]), (1, &json!("success")), "{told:?}");
    assert!(!json!(told).to_string().contains("alice"), "whose key it was is told to nobody");
}

#[tokio::test]
async fn a_team_tells_those_that_the_operator_gives_it() {
    let server = receiver().await;
    let teams = format!(
        "litellm_settings: {{default_team_settings: [{{team_id: t, success_callback: [langfuse], langfuse_public_key: \
         pk-lf-team, langfuse_secret: os.environ/SECRET_OF_T, langfuse_host: \"{}\"}}], ",
        server.url()
    );
    let rig = Rig::config(CONFIG).replace("litellm_settings: {", &teams);
    let rig = rig.env("DEFAULT_FLUSH_INTERVAL_SECONDS", "0.1").env("SECRET_OF_T", "sk-lf-team").start().await;
    for id in ["t", "other"] {
        assert_eq!(rig.post("/team/new", MASTER, json!({"team_id": id})).await.status, 200);
    }
    let (own, other) = (rig.key(json!({"team_id": "t"})).await, rig.key(json!({"team_id": "other"})).await);
    for key in [&other, &own] {
        rig.post("/v1/chat/completions", key, chat("priced", "hi")).await;
    }
    let started = Instant::now();
    while server.seen_count() == 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = server.take_log();
    assert_eq!(log[0].header("authorization"), "Basic cGstbGYtdGVhbTpzay1sZi10ZWFt");
    assert_eq!(log[0].json()["batch"].as_array().unwrap().len(), 2, "one exchange: {}", log[0].json());
}

#[tokio::test]
async fn each_kind_is_told_in_its_own_form() {
    let server = receiver().await;
    let url = server.url();
    let rig = told_to("otel, langfuse, langfuse_otel, datadog")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &url)
        .env("LANGFUSE_HOST", &url)
        .env("LANGFUSE_PUBLIC_KEY", "pk-lf-fake")
        .env("LANGFUSE_SECRET_KEY", "sk-lf-fake")
        .env("DD_BASE_URL", &url)
        .env("DD_API_KEY", "dd-fake")
        .start()
        .await;
    rig.stream("priced", "hi").await;
    let started = Instant::now();
    while server.seen_count() < 4 {
        assert!(started.elapsed() < Duration::from_secs(30), "{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = server.take_log();
    let of =
        |path: &str| log.iter().find(|seen| seen.path == path).unwrap_or_else(|| panic!("{path}")).json();
    for path in ["/v1/traces", "/api/public/otel/v1/traces"] {
        let span = of(path)["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone();
        let cost = json!({"key": "gen_ai.cost.total_cost", "value": {"doubleValue": 0.000_025}});
        assert!(span["attributes"].as_array().unwrap().contains(&cost), "{span}");
    }
    let generation = of("/api/public/ingestion")["batch"][1]["body"].clone();
    assert_eq!(
        (&generation["costDetails"]["total"], &generation["usageDetails"]["total"]),
        (&json!(0.000_025), &json!(18))
    );
    let output = &generation["output"]["choices"][0]["message"]["content"];
    assert!(
        output.as_str().is_some_and(|text| !text.is_empty()),
        "a stream is told as an answer: {generation}"
    );
    let line = of("/api/v2/logs")[0].clone();
    assert!(line["message"].as_str().unwrap().contains("\"response_cost\":0.000025,"), "{line}");
}

#[tokio::test]
async fn changes_are_told_to_those_who_are_named_for_it() {
    let server = receiver().await;
    let rig = Rig::config(CONFIG)
        .replace("litellm_settings: {", "litellm_settings: {audit_log_callbacks: [generic_api], ")
        .env("GENERIC_LOGGER_ENDPOINT", &server.url())
        .env("DEFAULT_FLUSH_INTERVAL_SECONDS", "0.1")
        .start()
        .await;
    let key = rig.key(json!({"key_alias": "alice"})).await;
    rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await;
    let told = payloads(&server, 1, &rig).await;
    let created = told.iter().find(|entry| entry["table_name"] == "LiteLLM_VerificationToken");
    assert_eq!(created.unwrap_or_else(|| panic!("{told:?}"))["action"], "created");
    assert!(told.iter().all(|entry| entry.get("call_type").is_none()), "of changes only: {told:?}");
    assert!(!json!(told).to_string().contains(&key));
}

#[tokio::test]
async fn p35_callbacks_are_told_no_secret() {
    const UPSTREAM: &str = "sk-upstream-MARKED-secret";
    let server = receiver().await;
    let secret = "webhook-MARKED-secret";
    let rig = webhook(&server)
        .replace(
            "openai/my-custom-model, api_base: \"MOCK/v1\", api_key: sk-upstream-fake",
            &format!("openai/my-custom-model, api_base: \"MOCK/v1\", api_key: {UPSTREAM}"),
        )
        .env("GENERIC_LOGGER_HEADERS", &format!("authorization=Bearer {secret}"))
        .env("WEIR_LOG", "trace")
        .start()
        .await;
    let key = rig.key(json!({"key_alias": "marked"})).await;
    let texts = ["hi", "hi __err=401", "hi __err=500", "hi __errmid"];
    for text in texts {
        rig.post("/v1/chat/completions", &key, chat("priced", text)).await;
        rig.post("/v1/chat/completions", MASTER, chat("priced", text)).await;
    }
    let started = Instant::now();
    let mut bodies = Vec::new();
    let mut told = 0;
    while told < 2 * texts.len() {
        assert!(started.elapsed() < Duration::from_secs(30), "{told}\n{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
        for seen in server.take_log() {
            assert_eq!(seen.header("authorization"), format!("Bearer {secret}"));
            told += batch(&seen).len();
            bodies.push(seen.body);
        }
    }
    for marked in [UPSTREAM, MASTER, key.as_str(), secret] {
        let found = bodies.iter().any(|body| memchr::memmem::find(body, marked.as_bytes()).is_some());
        assert!(!found, "{marked} is told");
        assert!(!rig.log().contains(marked), "{marked} is in the log");
    }
}
