//! What people see of requests without asking for them: a line in the log, traces, and budgets among the metrics.

use crate::callbacks::told_to;
use crate::client;
use crate::rig::{CONFIG, MASTER, Rig, chat};
use bytes::Bytes;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read;
use std::time::{Duration, Instant};
use weir_bench::mock::{MockServer, Reply, Seen};
use weir_core::domain::money::NanoUsd;

/// Asks again until it is so.
async fn until<T>(rig: &Rig, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{what}\n{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The line of a request that says this.
async fn log_line(rig: &Rig, with: &str) -> String {
    let is_it = |line: &&str| line.contains("request_id") && line.contains(with);
    until(rig, with, async || rig.log().lines().find(is_it).map(str::to_owned)).await
}

#[tokio::test]
async fn json_logs_have_an_object_for_each_request() {
    let rig = Rig::config(CONFIG)
        .replace("litellm_settings: {", "litellm_settings: {json_logs: true, ")
        .start()
        .await;
    let team = rig.post("/team/new", MASTER, json!({"team_alias": "reds"})).await.json()["team_id"].clone();
    let key = rig.key(json!({"key_alias": "alice", "team_id": team})).await;
    let answer = rig.post("/v1/chat/completions", &key, chat("priced", "never to be logged")).await;
    let id = answer.header("x-litellm-call-id").to_owned();
    let line: Value = serde_json::from_str(&log_line(&rig, &id).await).unwrap();
    for (name, value) in [
        ("message", json!("request")),
        ("level", json!("INFO")),
        ("key_alias", json!("alice")),
        ("team", team),
        ("team_alias", json!("reds")),
        ("model", json!("priced")),
        ("status", json!(200)),
        ("outcome", json!("success")),
        ("cost", json!("0.000025")),
        ("attempts", json!(1)),
    ] {
        assert_eq!(line[name], value, "{name}: {line}");
    }
    assert!(line["duration_ms"].is_number() && line["timestamp"].is_string(), "{line}");
    let tokens = line["input_tokens"].as_u64().unwrap() + line["output_tokens"].as_u64().unwrap();
    assert_eq!(tokens, 18, "{line}");
    let failed = rig.post("/v1/chat/completions", &key, chat("priced", "hi __err=500")).await;
    let line = log_line(&rig, failed.header("x-litellm-call-id")).await;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["status"], &line["error"]), (&json!(500), &json!("InternalServerError")), "{line}");
    assert!(!rig.log().contains("never to be logged") && !rig.log().contains(&key));
}

/// Beside LiteLLM's sums, for all who have days.
#[tokio::test]
async fn days_tell_how_long_answers_took() {
    let rig = Rig::start().await;
    let team = rig.post("/team/new", MASTER, json!({"team_alias": "reds"})).await.json()["team_id"].clone();
    let key = rig.key(json!({"team_id": team})).await;
    let ask = async |stream: bool, text: &str| {
        let mut body = chat("priced", text);
        (body["stream"], body["user"]) = (stream.into(), json!("customer"));
        body["metadata"] = json!({"tags": ["a"]});
        rig.post("/v1/chat/completions", &key, body).await.status
    };
    assert_eq!((ask(false, "hi").await, ask(true, "hi").await), (200, 200));
    assert_eq!(ask(false, "hi __err=500").await, 500);
    rig.rows(3).await;
    for of in ["user", "team", "customer", "tag"] {
        let path = format!("/{of}/daily/activity?start_date=2020-01-01&end_date=2100-01-01");
        let told = rig.get(&path, MASTER).await.json();
        let day = &told["results"][0];
        let times = day["metrics"]["weir"].clone();
        let number = |name: &str| times[name].as_i64().unwrap_or(-1);
        assert_eq!((number("timed_requests"), number("streamed_requests")), (2, 1), "{of}: {told}");
        let (whole, first) = (number("duration_us"), number("time_to_first_token_us"));
        assert!(first > 0 && whole > first, "{of}: {told}");
        let mut whole = told["metadata"]["weir"].clone();
        // Told once for all counts.
        let bounds = whole.as_object_mut().and_then(|members| members.remove("count_bounds_us"));
        let counted =
            |name: &str| Some(times[name].as_array()?.iter().filter_map(Value::as_i64).sum::<i64>());
        let counts = (counted("duration_counts"), counted("time_to_first_token_counts"));
        // What is kept of all together is nobody's own: not a team's, nor a customer's.
        let expected = if of == "user" { (Some(2), Some(1)) } else { (None, None) };
        assert_eq!((counts, bounds.is_some()), (expected, of == "user"), "{of}: {told}");
        let of_model = &day["breakdown"]["model_groups"]["priced"];
        for same in [&whole, &of_model["metrics"]["weir"]] {
            assert_eq!(*same, times, "{of}: {told}");
        }
    }
}

/// Who sees only what is their own is not told how long all others waited.
#[tokio::test]
async fn how_many_took_how_long_is_told_of_models_and_providers() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"user_id": "alice"})).await;
    for model in ["priced", "priced", "gpt-4o"] {
        assert_eq!(rig.post("/v1/chat/completions", &key, chat(model, "hi")).await.status, 200);
    }
    rig.rows(3).await;
    let counted = async |key: &str, narrowed: &str| {
        let path = format!("/user/daily/activity?start_date=2020-01-01&end_date=2100-01-01{narrowed}");
        let told = rig.get(&path, key).await.json();
        assert!(told["metadata"]["total_api_requests"].as_i64() > Some(0), "{told}");
        let day = told["results"][0].clone();
        let sum = |times: &Value| {
            let counts = times["duration_counts"].as_array()?;
            Some(counts.iter().filter_map(Value::as_i64).sum::<i64>())
        };
        let part = |part: &str, name: &str| sum(&day["breakdown"][part][name]["metrics"]["weir"]);
        (sum(&day["metrics"]["weir"]), part("model_groups", "priced"), part("providers", "openai"))
    };
    assert_eq!(counted(MASTER, "").await, (Some(3), Some(2), Some(3)));
    assert_eq!(counted(MASTER, "&model=priced").await, (Some(2), Some(2), Some(2)));
    assert_eq!(counted(MASTER, "&provider=openai&page=1").await, (Some(3), Some(2), Some(3)));
    for narrowed in ["&user_id=alice", "&page=1&page_size=1"] {
        assert_eq!(counted(MASTER, narrowed).await, (None, None, None), "{narrowed}");
    }
    assert_eq!(counted(&key, "").await, (None, None, None));
}

#[tokio::test]
async fn people_read_text_and_nothing_is_written_unless_asked_for() {
    let quiet = Rig::start().await;
    let id = quiet.chat("priced", "hi").await.header("x-litellm-call-id").to_owned();
    quiet.row(&id).await;
    let rig = Rig::config(CONFIG).replace("weir_settings: {", "weir_settings: {access_log: true, ");
    let rig = rig.start().await;
    let loud = rig.chat("priced", "hi").await;
    let line = log_line(&rig, loud.header("x-litellm-call-id")).await;
    assert!(line.contains("INFO request ") && line.contains("model=\"priced\""), "{line}");
    assert!(!quiet.log().contains(&id), "{}", quiet.log());
}

#[tokio::test]
async fn a_line_of_the_log_is_one_line_whatever_a_client_sends() {
    let rig = Rig::config(CONFIG).replace("weir_settings: {", "weir_settings: {access_log: true, ");
    let rig = rig.start().await;
    let forged = "x\nforged line model=\"gpt-4o\"";
    let answer = rig.chat(forged, "hi").await;
    assert_ne!(answer.status, 200);
    log_line(&rig, "forged").await;
    assert!(rig.log().lines().all(|line| !line.starts_with("forged")), "{}", rig.log());
}

#[tokio::test]
async fn a_trace_goes_on_at_the_provider() {
    let rig = Rig::config(CONFIG)
        .replace("litellm_settings: {", "litellm_settings: {forward_traceparent_to_llm_provider: true, ")
        .start()
        .await;
    let auth = format!("Bearer {MASTER}");
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("authorization", auth.as_str()), ("traceparent", trace), ("tracestate", "a=b")];
    assert_eq!(rig.post_with("/v1/chat/completions", &headers, chat("gpt-4o", "hi")).await.status, 200);
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200);
    let seen = rig.mock.log();
    let told: Vec<&str> = seen.iter().map(|seen| seen.header("traceparent")).collect();
    assert!(told[0].starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{told:?}");
    assert!(told[0] != trace && told[0].ends_with("-01"), "a span of its own: {told:?}");
    assert_eq!(seen[0].header("tracestate"), "a=b");
    assert!(told[1].len() == trace.len() && !told[1].contains("0af765"), "begun here: {told:?}");
}

#[tokio::test]
async fn providers_hear_of_no_trace_unless_told_to() {
    let rig = Rig::start().await;
    let auth = format!("Bearer {MASTER}");
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("authorization", auth.as_str()), ("traceparent", trace)];
    assert_eq!(rig.post_with("/v1/chat/completions", &headers, chat("gpt-4o", "hi")).await.status, 200);
    assert_eq!(rig.mock.log()[0].header("traceparent"), "");
}

/// The value of the first series that begins so and has this label.
async fn series(rig: &Rig, name: &str, label: &str) -> Option<String> {
    let page = rig.get("/metrics", MASTER).await.text();
    let mut lines = page.lines().filter(|line| line.starts_with(name) && line.contains(label));
    lines.next().and_then(|line| line.rsplit(' ').next()).map(str::to_owned)
}

#[tokio::test]
async fn p39_budgets_are_shown_until_their_key_is_deleted() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"key_alias": "shown", "max_budget": 1, "budget_duration": "1d"})).await;
    rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await;
    let spent = until(&rig, "what is left", async || {
        let left = series(&rig, "litellm_remaining_api_key_budget_metric{", "\"shown\"").await;
        left.filter(|left| left != "1")
    })
    .await;
    assert_eq!(spent, "0.999975");
    let hours = series(&rig, "litellm_api_key_budget_remaining_hours_metric{", "\"shown\"").await.unwrap();
    assert!((0.0..=24.0).contains(&hours.parse::<f64>().unwrap()), "{hours}");
    assert_eq!(series(&rig, "litellm_spend_metric_total{", "\"shown\"").await.as_deref(), Some("0.000025"));
    let deleted = rig.post("/key/delete", MASTER, json!({"keys": [key]})).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    until(&rig, "its series are there", async || {
        let page = rig.get("/metrics", MASTER).await.text();
        (!page.contains("\"shown\"")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn p39_series_of_a_deleted_key_go_though_its_last_request_is_over_later() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"key_alias": "late"})).await;
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await.status, 200);
    let shown = async || rig.get("/metrics", MASTER).await.text().contains("\"late\"");
    until(&rig, "its series are not there", async || shown().await.then_some(())).await;
    let slow = rig.post("/v1/chat/completions", &key, chat("priced", "hi __sleep=10"));
    let deleted = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let deleted = rig.post("/key/delete", MASTER, json!({"keys": [key]})).await;
        assert_eq!(deleted.status, 200, "{}", deleted.text());
        until(&rig, "its series are there", async || (!shown().await).then_some(())).await;
    };
    let (served, ()) = tokio::join!(slow, deleted);
    assert_eq!(served.status, 200, "{}", served.text());
    until(&rig, "its series came back", async || (!shown().await).then_some(())).await;
}

#[tokio::test]
async fn p39_spend_keeps_its_labels_and_agrees_with_the_ledger_when_room_is_short() {
    let rig = Rig::config(CONFIG).replace("weir_settings: {", "weir_settings: {metrics_max_series: 500, ");
    let rig = rig.start().await;
    let mut spent = 0;
    for at in 0..16 {
        let key = rig.key(json!({"key_alias": format!("key-{at:02}")})).await;
        for _ in 0..=at % 3 {
            let answer = rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            spent += 1;
        }
    }
    let rows = rig.rows(spent).await;
    let booked: NanoUsd = rows.iter().map(|row| NanoUsd::parse(&row["spend"].to_string()).unwrap()).sum();
    let page = rig.get("/metrics", MASTER).await.text();
    let of = |name: &str| page.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
    let spends = of("litellm_spend_metric_total{");
    let amount = |line: &&str| NanoUsd::parse(line.rsplit(' ').next().unwrap()).unwrap();
    assert_eq!(spends.iter().map(amount).sum::<NanoUsd>(), booked, "{page}");
    for at in 0..16 {
        let alias = format!("\"key-{at:02}\"");
        let own =
            spends.iter().find(|line| line.contains(&alias)).unwrap_or_else(|| panic!("{alias}: {page}"));
        assert_eq!(amount(own), NanoUsd(25_000 * (at % 3 + 1)), "{own}");
    }
    let counts = of("litellm_request_total_latency_metric_count{");
    assert!(counts.len() < 16 && counts.iter().any(|line| line.contains("=\"other\"")), "{counts:?}");
    let timed: usize =
        counts.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum();
    assert_eq!(timed, spent, "{counts:?}");
}

#[tokio::test]
async fn a_scraper_gets_the_page_packed_if_it_says_so() {
    let rig = Rig::start().await;
    rig.chat("priced", "hi").await;
    let scrape = async |coding: &str| {
        let headers = [("accept-encoding", coding)];
        client::send("GET", &format!("{}/metrics", rig.url), &headers, Bytes::new()).await
    };
    let (plain, packed) = (scrape("identity").await, scrape("gzip").await);
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
    assert!(packed.body.len() * 3 < plain.body.len(), "{} {}", packed.body.len(), plain.body.len());
    let mut unpacked = String::new();
    GzDecoder::new(&packed.body[..]).read_to_string(&mut unpacked).unwrap();
    let counters = |page: &str| -> Vec<String> {
        page.lines().filter(|line| line.starts_with("litellm_request")).map(str::to_owned).collect()
    };
    assert_eq!(counters(&unpacked), counters(&plain.text()));
    assert!(counters(&unpacked).iter().any(|line| line.contains("_latency_metric_bucket{")));
}

#[tokio::test]
async fn p48_budgets_are_there_after_a_restart() {
    let mut rig = Rig::config(CONFIG)
        .replace("litellm_settings: {", "litellm_settings: {prometheus_initialize_budget_metrics: true, ")
        .start()
        .await;
    let team = json!({"team_alias": "reds", "max_budget": 2});
    let team = rig.post("/team/new", MASTER, team).await.json()["team_id"].clone();
    let key = rig.key(json!({"team_id": team})).await;
    let answer = rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await;
    rig.row(answer.header("x-litellm-call-id")).await;
    rig.restart().await;
    let left = until(&rig, "what is left", async || {
        series(&rig, "litellm_remaining_team_budget_metric{", "\"reds\"").await
    })
    .await;
    assert_eq!(left, "1.999975");
}

#[tokio::test]
async fn p48_a_key_that_is_changed_counts_on_and_a_renamed_one_by_its_new_name() {
    let rig = Rig::config(CONFIG).start().await;
    let key = rig.key(json!({"key_alias": "dawn"})).await;
    let changes = [json!({"max_budget": 50}), json!({"key_alias": "dusk"})];
    for change in [None].into_iter().chain(changes.map(Some)) {
        if let Some(mut change) = change {
            change["key"] = json!(key);
            assert_eq!(rig.post("/key/update", MASTER, change).await.status, 200);
        }
        assert_eq!(rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await.status, 200);
    }
    for (alias, count) in [("dawn", "2"), ("dusk", "1")] {
        let label = format!("api_key_alias=\"{alias}\"");
        let counted = series(&rig, "litellm_requests_metric_total{", &label).await;
        assert_eq!(counted.as_deref(), Some(count), "{alias}");
    }
}

#[tokio::test]
async fn labels_are_those_that_the_operator_wishes_for() {
    let wished = "litellm_settings: {enable_end_user_cost_tracking_prometheus_only: true, \
                  custom_prometheus_metadata_labels: [metadata.shift], custom_prometheus_tags: [night], ";
    let rig = Rig::config(CONFIG).replace("litellm_settings: {", wished).start().await;
    let mut body = chat("priced", "hi");
    body["user"] = json!("customer-7");
    body["metadata"] = json!({"shift": "late", "tags": ["night"]});
    assert_eq!(rig.post("/v1/chat/completions", MASTER, body).await.status, 200);
    rig.chat("priced", "hi").await;
    let wished = "metadata_shift=\"late\"";
    for label in [wished, "tag_night=\"true\"", "end_user=\"customer-7\"", "tag_night=\"false\""] {
        let counted = series(&rig, "litellm_requests_metric_total{", label).await;
        assert_eq!(counted.as_deref(), Some("1"), "{label}");
    }
}

/// A line of the page that begins so and holds all of these.
async fn has_line(rig: &Rig, name: &str, holds: &[&str]) {
    let page = rig.get("/metrics", MASTER).await.text();
    let mut lines = page.lines().filter(|line| line.starts_with(name));
    assert!(lines.any(|line| holds.iter().all(|part| line.contains(part))), "{name} {holds:?}\n{page}");
}

#[tokio::test]
async fn every_group_that_was_asked_instead_is_counted_with_what_came_of_it() {
    let fallbacks = "router_settings: {fallbacks: [{gpt-4o: [refused, priced]}], ";
    let rig = Rig::config(CONFIG).replace("router_settings: {", fallbacks).start().await;
    let answer = rig.chat("gpt-4o", "hi __errif=gpt-4o:500").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let why = "exception_class=\"Openai.InternalServerError\",exception_status=\"500\"";
    for (name, group) in [("failed", "refused"), ("successful", "priced")] {
        let name = format!("litellm_deployment_{name}_fallbacks_total{{");
        let group = format!("fallback_model=\"{group}\"");
        has_line(&rig, &name, &[why, &group, "requested_model=\"gpt-4o\"", "} 1"]).await;
    }
}

#[tokio::test]
async fn whoever_may_not_scrape_reads_litellms_words() {
    let rig = Rig::config(CONFIG)
        .replace("litellm_settings: {", "litellm_settings: {require_auth_for_metrics_endpoint: true, ")
        .start()
        .await;
    for path in ["/metrics", "/metrics/"] {
        let refused = rig.get(path, "sk-nobody").await;
        assert_eq!(refused.status, 401, "{}", refused.text());
        let words = refused.json();
        let words = words.as_str().unwrap_or_default();
        assert!(words.starts_with("Unauthorized access to metrics endpoint: "), "{words}");
        assert!(!words.contains("sk-nobody"));
        assert_eq!(rig.get(path, MASTER).await.status, 200);
    }
    let key = rig.key(json!({})).await;
    assert_eq!(rig.get("/metrics", &key).await.status, 200, "any key may, as with LiteLLM");
}

#[tokio::test]
async fn parts_of_a_request_are_timed_where_services_are_shown() {
    let system = "litellm_settings: {service_callback: [prometheus_system], ";
    let rig = Rig::config(CONFIG).replace("litellm_settings: {", system).start().await;
    assert_eq!(rig.chat("priced", "hi").await.status, 200);
    assert_eq!(rig.chat("priced", "hi __err=500").await.status, 500);
    assert_eq!(rig.post("/v1/chat/completions", "sk-nobody", chat("priced", "hi")).await.status, 401);
    rig.rows(2).await;
    let parts =
        ["self", "auth", "proxy_pre_call", "router", "batch_write_to_db", "reset_budget_job", "postgres"];
    for part in parts {
        let (name, label) = (format!("litellm_{part}_latency_count{{"), format!("{part}=\"{part}\""));
        until(&rig, part, async || series(&rig, &name, &label).await).await;
    }
    let failed = |part: &str| format!("litellm_{part}_failed_requests_total{{");
    has_line(&rig, &failed("router"), &["error_class=\"InternalServerError\"", "} 1"]).await;
    has_line(&rig, &failed("auth"), &["} 1"]).await;
    assert!(!Rig::start().await.get("/metrics", MASTER).await.text().contains("litellm_self_latency"));
}

#[tokio::test]
async fn what_a_provider_traces_stands_below_the_span_that_callbacks_are_told_of() {
    let taken = |_: &Seen| Reply::json(200, &json!({}));
    let collector = MockServer::start(taken).await.unwrap();
    let forward = "litellm_settings: {forward_traceparent_to_llm_provider: true, ";
    let rig = told_to("otel")
        .replace("litellm_settings: {", forward)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())
        .start()
        .await;
    assert_eq!(rig.chat("priced", "hi").await.status, 200);
    let told = until(&rig, "a span", async || collector.log().first().map(|seen| seen.json())).await;
    let span = &told["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    let heard = rig.mock.log()[0].header("traceparent").to_owned();
    let (trace, id) = (span["traceId"].as_str().unwrap(), span["spanId"].as_str().unwrap());
    assert_eq!(heard, format!("00-{trace}-{id}-01"));
}

#[tokio::test]
async fn the_log_is_as_loud_as_it_is_told_to_be() {
    let lost = || told_to("generic_api").env("GENERIC_LOGGER_ENDPOINT", "http://127.0.0.1:9");
    let loud = lost().args(&["--detailed_debug"]).start().await;
    let also = lost().env("LITELLM_LOG", "DEBUG").start().await;
    let quiet = lost().env("LITELLM_LOG", "ERROR").start().await;
    for rig in [&loud, &also, &quiet] {
        assert_eq!(rig.chat("priced", "hi").await.status, 200);
        assert_eq!(rig.chat("priced", "hi __err=500").await.status, 500);
    }
    for rig in [&loud, &also] {
        until(rig, "a line for those who look closely", async || rig.log().contains("DEBUG").then_some(()))
            .await;
    }
    let said = quiet.log();
    assert!(!["DEBUG", " INFO ", " WARN "].iter().any(|level| said.contains(level)), "{said}");
}
