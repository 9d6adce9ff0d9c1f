//! Answers that are given again: to whom, for how long, at what cost, and what becomes of it without Redis.

use crate::client::{self, Answer};
use crate::rig::{Builder, CONFIG, MASTER, Rig, chat, database, free_port};
use crate::shared_rates::{redis, serve};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const LOCAL: &str = "litellm_settings: {cache: true, cache_params: {type: local, ttl: 60}, ";
const PATH: &str = "/v1/chat/completions";

fn cached() -> Builder {
    Rig::config(CONFIG).replace("litellm_settings: {", LOCAL)
}

/// A chat that asks something of the cache.
fn with(text: &str, cache: Value) -> Value {
    let mut body = chat("priced", text);
    body["cache"] = cache;
    body
}

fn streamed(text: &str) -> Value {
    let mut body = chat("priced", text);
    body["stream"] = true.into();
    body
}

async fn ask(rig: &Rig, body: Value) -> Answer {
    let answer = rig.post(PATH, MASTER, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

async fn embed(rig: &Rig, input: Value) -> Answer {
    rig.post("/v1/embeddings", MASTER, json!({"model": "emb-small", "input": input})).await
}

fn is_hit(answer: &Answer) -> bool {
    !answer.header("x-litellm-cache-key").is_empty()
}

#[tokio::test]
async fn p10_a_hit_costs_nothing_and_is_booked_as_a_hit() {
    let rig = cached().start().await;
    let key = rig.key(json!({"max_budget": 1, "tpm_limit": 1_000, "rpm_limit": 10})).await;
    let first = rig.post(PATH, &key, chat("priced", "hello")).await;
    let again = rig.post(PATH, &key, chat("priced", "hello")).await;
    assert_eq!((first.status, again.status), (200, 200), "{}", again.text());
    assert_eq!(first.body, again.body, "the same answer, with its id");
    assert_eq!(rig.mock.seen_count(), 1, "no provider is asked");
    assert_eq!((first.header("x-litellm-cache-key"), again.header("x-litellm-cache-key").len()), ("", 64));
    assert!(first.header("x-litellm-response-cost").parse::<f64>().unwrap() > 0.0);
    assert_eq!(again.header("x-litellm-response-cost").parse::<f64>().unwrap(), 0.0);
    assert_eq!(again.header("x-litellm-model-id"), first.header("x-litellm-model-id"));
    assert_eq!(again.header("x-litellm-model-group"), "priced");
    assert_eq!(again.header("llm_provider-x-request-id"), "", "nothing of the provider's head is kept");
    let left = |answer: &Answer, of: &str| answer.header(of).parse::<i64>().unwrap();
    let (requests, tokens) =
        ("x-ratelimit-api_key-remaining-requests", "x-ratelimit-api_key-remaining-tokens");
    assert_eq!(left(&first, requests) - left(&again, requests), 1, "a hit is a request");
    let third = rig.post(PATH, &key, chat("priced", "hello")).await;
    assert_eq!(left(&again, tokens), left(&third, tokens), "but no tokens");

    let (made, hit) =
        (rig.row(first.header("x-litellm-call-id")).await, rig.row(again.header("x-litellm-call-id")).await);
    assert_eq!((&made["cache_hit"], &hit["cache_hit"]), (&json!("None"), &json!("True")));
    let kept_under = json!(again.header("x-litellm-cache-key"));
    assert_eq!((&made["cache_key"], &hit["cache_key"]), (&kept_under, &kept_under));
    assert_eq!((hit["spend"].as_f64(), &hit["total_tokens"]), (Some(0.0), &made["total_tokens"]), "{hit}");
    assert_eq!(hit["model_id"], made["model_id"]);
    assert_eq!(hit["metadata"]["weir"]["attempts"], json!([]), "nobody was asked");
    let spent = rig.get(&format!("/key/info?key={key}"), MASTER).await.json()["info"]["spend"].as_f64();
    assert_eq!(spent, made["spend"].as_f64(), "the key has paid once");
}

#[tokio::test]
async fn hits_and_misses_are_counted() {
    let rig = cached().start().await;
    for _ in 0..3 {
        ask(&rig, chat("priced", "count me")).await;
    }
    let metrics = rig.get("/metrics", "").await.text();
    let of = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}"));
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    assert_eq!((of("litellm_cache_hits_metric_total"), of("litellm_cache_misses_metric_total")), (2.0, 1.0));
    assert_eq!(of("litellm_cached_tokens_metric_total"), 36.0);
    assert_eq!(of("litellm_deployment_success_responses_total"), 1.0, "one was asked once");
    rig.rows(3).await;
    let sums = rig.get("/global/activity/cache_hits", MASTER).await.json()[0].clone();
    assert_eq!((&sums["total_rows"], &sums["cache_hit_true_rows"]), (&json!(3), &json!(2)), "{sums}");
    let tokens = (&sums["cached_completion_tokens"], &sums["generated_completion_tokens"]);
    assert_eq!(tokens, (&json!(14), &json!(7)), "{sums}");
}

#[tokio::test]
async fn an_answer_is_shared_with_nobody_else() {
    let rig = cached().start().await;
    let (mine, other) = (rig.key(json!({})).await, rig.key(json!({})).await);
    rig.post(PATH, &mine, chat("priced", "secret")).await;
    for key in [other.as_str(), MASTER] {
        let answer = rig.post(PATH, key, chat("priced", "secret")).await;
        assert!(answer.status == 200 && !is_hit(&answer), "another key");
    }
    assert_eq!(rig.mock.seen_count(), 3);
    assert!(is_hit(&rig.post(PATH, &mine, chat("priced", "secret")).await));
}

#[tokio::test]
async fn teams_or_all_share_where_that_is_configured() {
    let rig = cached().replace("weir_settings: {", "weir_settings: {cache_scope: team, ").start().await;
    for team in ["a", "b"] {
        assert_eq!(rig.post("/team/new", MASTER, json!({"team_id": team})).await.status, 200);
    }
    let mut keys = Vec::new();
    for team in [json!("a"), json!("a"), json!("b"), json!(null), json!(null)] {
        keys.push(rig.key(json!({"team_id": team})).await);
    }
    let mut hits = Vec::new();
    for key in &keys {
        hits.push(is_hit(&rig.post(PATH, key, chat("priced", "ours")).await));
    }
    assert_eq!(hits, [false, true, false, false, false], "keys without a team share with nobody");

    let rig = cached().replace("weir_settings: {", "weir_settings: {cache_scope: all, ").start().await;
    let key = rig.key(json!({})).await;
    ask(&rig, chat("priced", "everybody's")).await;
    assert!(is_hit(&rig.post(PATH, &key, chat("priced", "everybody's")).await));
}

#[tokio::test]
async fn groups_share_answers_where_that_is_configured() {
    let groups = "disable_cooldowns: true, caching_groups: [[priced, unpriced], [gpt-4o]]";
    let rig = cached().replace("disable_cooldowns: true", groups).start().await;
    let first = ask(&rig, chat("priced", "hello")).await;
    let shared = ask(&rig, chat("unpriced", "hello")).await;
    assert!(!is_hit(&first) && is_hit(&shared));
    assert_eq!(first.body, shared.body);
    assert!(!is_hit(&ask(&rig, chat("gpt-4o", "hello")).await), "another group");
}

#[tokio::test]
async fn p37_what_a_teams_own_model_answers_is_not_everybodys_answer() {
    let own = "model_list:\n  - {model_name: red, litellm_params: {model: openai/*, api_base: \"MOCK/v1\", api_key: sk-red}, \
               model_info: {id: red-1, team_id: red, team_public_model_name: \"gpt-*\"}}";
    let groups = "disable_cooldowns: true, caching_groups: [[gpt-4o, priced]]";
    let rig = cached().replace("model_list:", own).replace("disable_cooldowns: true", groups);
    let rig = rig.replace("weir_settings: {", "weir_settings: {cache_scope: all, ").start().await;
    assert_eq!(rig.post("/team/new", MASTER, json!({"team_id": "red"})).await.status, 200);
    let (red, nobodys) = (rig.key(json!({"team_id": "red"})).await, rig.key(json!({})).await);
    for (key, hit) in [(&red, false), (&red, true), (&nobodys, false), (&nobodys, true)] {
        let answer = rig.post(PATH, key, chat("gpt-4o", "hello")).await;
        assert_eq!((answer.status, is_hit(&answer)), (200, hit), "{}", answer.text());
    }
}

#[tokio::test]
async fn the_router_may_ask_for_a_cache() {
    let router = "disable_cooldowns: true, cache_responses: true";
    let rig = Rig::config(CONFIG)
        .replace("disable_cooldowns: true", router)
        .replace("litellm_settings: {", "litellm_settings: {cache_params: {type: local}, ")
        .start()
        .await;
    ask(&rig, chat("priced", "hello")).await;
    assert!(is_hit(&ask(&rig, chat("priced", "hello")).await));
}

#[tokio::test]
async fn what_is_asked_otherwise_is_another_request() {
    let rig = cached().start().await;
    ask(&rig, chat("priced", "same")).await;
    let mut others = vec![chat("priced", "other"), chat("gpt-4o", "same")];
    for (name, value) in [
        ("temperature", json!(0.5)),
        ("user", json!("u")),
        ("tools", json!([])),
        ("stream", json!(true)),
        ("cache", json!({"namespace": "n"})),
    ] {
        let mut body = chat("priced", "same");
        body[name] = value;
        others.push(body);
    }
    for body in others {
        assert!(!is_hit(&ask(&rig, body.clone()).await), "{body}");
    }
    for (name, value) in [("metadata", json!({"a": 1})), ("timeout", json!(30)), ("stream", json!(false))] {
        let mut body = chat("priced", "same");
        body[name] = value;
        assert!(is_hit(&ask(&rig, body.clone()).await), "{body}");
    }
    let spaced = "{ \"messages\" : [ {\"role\":\"user\", \"content\":\"same\"} ],\n \"model\" : \"priced\" }";
    assert!(is_hit(&rig.post(PATH, MASTER, spaced).await), "blanks and order are no difference");
}

#[tokio::test]
async fn requests_say_what_they_want_of_the_cache() {
    let rig = cached().start().await;
    let id = |answer: &Answer| answer.json()["id"].as_str().unwrap().to_owned();
    let first = id(&ask(&rig, chat("priced", "a")).await);
    let fresh = ask(&rig, with("a", json!({"no-cache": true}))).await;
    assert!(!is_hit(&fresh) && id(&fresh) != first);
    assert_eq!(id(&ask(&rig, chat("priced", "a")).await), id(&fresh), "and the fresh one is kept");
    let old = ask(&rig, with("a", json!({"s-maxage": 0}))).await;
    assert!(!is_hit(&old), "older than nothing");
    assert!(is_hit(&ask(&rig, with("a", json!({"s-maxage": 30}))).await));

    ask(&rig, with("b", json!({"no-store": true}))).await;
    assert!(!is_hit(&ask(&rig, chat("priced", "b")).await), "it was not kept");

    ask(&rig, with("c", json!({"ttl": 1}))).await;
    assert!(is_hit(&ask(&rig, chat("priced", "c")).await));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(!is_hit(&ask(&rig, chat("priced", "c")).await), "it is over");

    let named = ask(&rig, with("a", json!({"namespace": "n"}))).await;
    assert!(!is_hit(&named));
    let named = ask(&rig, with("a", json!({"namespace": "n"}))).await;
    assert!(named.header("x-litellm-cache-key").starts_with("n:"), "{:?}", named.headers);
    let mut off = chat("priced", "a");
    off["caching"] = false.into();
    assert!(!is_hit(&ask(&rig, off).await));
    let seen = rig.mock.log();
    assert!(seen.iter().all(|seen| seen.json().get("cache").is_none()), "that is between the client and us");
}

#[tokio::test]
async fn where_it_is_off_by_default_a_request_has_to_ask() {
    let rig = Rig::config(CONFIG).replace(
        "litellm_settings: {",
        "litellm_settings: {cache: true, cache_params: {type: local, mode: default_off, namespace: ns}, ",
    );
    let rig = rig.start().await;
    for _ in 0..2 {
        assert!(!is_hit(&ask(&rig, chat("priced", "a")).await));
    }
    let use_it = || with("a", json!({"use-cache": true}));
    let made = ask(&rig, use_it()).await;
    assert!(!is_hit(&made));
    let hit = ask(&rig, use_it()).await;
    let key = hit.header("x-litellm-cache-key").to_owned();
    assert!(key.starts_with("ns:"), "{key}");
    let uncached = ask(&rig, chat("priced", "a")).await;
    for (answer, cache_key) in [(made, key.as_str()), (hit, key.as_str()), (uncached, "Cache OFF")] {
        assert_eq!(rig.row(answer.header("x-litellm-call-id")).await["cache_key"], cache_key);
    }
}

#[tokio::test]
async fn a_stream_is_played_again_as_a_stream() {
    let rig = cached().start().await;
    let first = ask(&rig, streamed("play __chunks=5")).await;
    let again = ask(&rig, streamed("play __chunks=5")).await;
    assert_eq!(rig.mock.seen_count(), 1);
    assert_eq!(first.body, again.body);
    assert!(again.header("content-type").starts_with("text/event-stream"));
    assert_eq!(again.events().last().map(String::as_str), Some("[DONE]"));
    assert!(!again.content().is_empty());
    let row = rig.row(again.header("x-litellm-call-id")).await;
    assert_eq!((&row["cache_hit"], row["spend"].as_f64()), (&json!("True"), Some(0.0)));
    assert!(row["total_tokens"].as_i64().unwrap() > 0, "{row}");
}

#[tokio::test]
async fn p10_a_stream_that_is_played_again_tells_that_it_cost_nothing() {
    let told = LOCAL.replace("{cache", "{include_cost_in_streaming_usage: true, cache");
    let rig = Rig::config(CONFIG).replace("litellm_settings: {", &told).start().await;
    let mut body = streamed("hello");
    body["stream_options"] = json!({"include_usage": true});
    for (hit, cost) in [(false, 0.000_025), (true, 0.0)] {
        let answer = ask(&rig, body.clone()).await;
        let chunks = answer.chunks();
        let costs: Vec<f64> = chunks.iter().filter_map(|chunk| chunk["usage"]["cost"].as_f64()).collect();
        assert_eq!((is_hit(&answer), costs), (hit, vec![cost]), "{}", answer.text());
        let row = rig.row(answer.header("x-litellm-call-id")).await;
        assert_eq!(row["spend"].as_f64(), Some(cost), "what is told is what is booked");
    }
}

#[tokio::test]
async fn what_went_wrong_is_not_given_again() {
    let rig = cached().start().await;
    for (body, status) in [
        (chat("priced", "__err=500"), 500),
        (chat("priced", "__err=400"), 400),
        (streamed("__errmid"), 200),
        (streamed("__hostile=cut"), 0),
    ] {
        let before = rig.mock.seen_count();
        for round in 1..=2 {
            let answer = rig.post(PATH, MASTER, body.clone()).await;
            assert!(status == 0 || answer.status == status, "{body}: {}", answer.text());
            assert!(!is_hit(&answer), "{body}");
            assert_eq!(rig.mock.seen_count(), before + round, "{body}: it is asked for again");
        }
    }
    // A client that leaves leaves nothing behind.
    let url = format!("{}{PATH}", rig.url);
    let body = streamed("left __chunks=20 __pace=0.1").to_string();
    let auth = format!("Bearer {MASTER}");
    let headers = [("content-type", "application/json"), ("authorization", auth.as_str())];
    let (status, _, left) = client::open("POST", &url, &headers, body.clone()).await;
    assert_eq!(status, 200);
    drop(left);
    let whole = rig.post(PATH, MASTER, body).await;
    assert!(!is_hit(&whole) && whole.text().ends_with("data: [DONE]\n\n"), "{}", whole.text());
}

#[tokio::test]
async fn of_fifty_at_once_one_asks() {
    let rig = cached().start().await;
    for body in [chat("priced", "together __sleep=0.5"), streamed("together __sleep=0.5")] {
        rig.mock.take_log();
        let all = (0..50).map(|_| ask(&rig, body.clone()));
        let answers = futures_util::future::join_all(all).await;
        assert_eq!(rig.mock.take_log().len(), 1, "{body}");
        assert!(answers.iter().all(|answer| answer.body == answers[0].body), "{body}");
        assert_eq!(answers.iter().filter(|answer| is_hit(answer)).count(), 49, "{body}");
    }
    let rows = rig.rows(100).await;
    assert_eq!(rows.iter().filter(|row| row["cache_hit"] == "True").count(), 98, "each is booked");
    let paid = rows.iter().filter(|row| row["spend"].as_f64().unwrap() > 0.0).count();
    assert_eq!(paid, 2, "two have paid");
}

#[tokio::test]
async fn who_waits_for_one_that_fails_asks_by_itself() {
    let rig = cached().start().await;
    let all = (0..10).map(|_| rig.post(PATH, MASTER, chat("priced", "together __sleep=0.3 __flaky=one:1")));
    let answers = futures_util::future::join_all(all).await;
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(served, 9, "only the first has failed");
}

#[tokio::test]
async fn embeddings_are_cached_whole_and_messages_are_not() {
    let rig = cached().start().await;
    let first = embed(&rig, json!(["a", "b"])).await;
    assert_eq!(embed(&rig, json!(["a", "b"])).await.body, first.body);
    assert!(!is_hit(&embed(&rig, json!(["a", "c"])).await), "no part of it is another's");
    assert_eq!(rig.mock.take_log().len(), 2);
    let message =
        json!({"model": "gpt-4o", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]});
    for _ in 0..2 {
        assert_eq!(rig.post("/v1/messages", MASTER, message.clone()).await.status, 200);
    }
    assert_eq!(rig.mock.take_log().len(), 2);
}

#[tokio::test]
async fn an_operator_looks_after_it() {
    let rig = cached().start().await;
    assert_eq!(rig.get("/health/readiness", "").await.json()["cache"], "local");
    ask(&rig, chat("priced", "mine")).await;
    let key = ask(&rig, chat("priced", "mine")).await.header("x-litellm-cache-key").to_owned();
    let gone = rig.post("/cache/delete", MASTER, json!({"keys": [key]})).await;
    assert_eq!((gone.status, gone.json()), (200, json!({"status": "success"})));
    assert!(!is_hit(&ask(&rig, chat("priced", "mine")).await));
    assert_eq!(rig.post("/cache/flushall", MASTER, "").await.status, 200);
    assert!(!is_hit(&ask(&rig, chat("priced", "mine")).await));
    let stranger = rig.key(json!({})).await;
    for path in ["/cache/flushall", "/cache/delete"] {
        let refused = rig.post(path, &stranger, json!({"keys": ["x"]})).await;
        assert!([401, 403].contains(&refused.status), "{path}: {}", refused.text());
    }
    assert!(is_hit(&ask(&rig, chat("priced", "mine")).await), "it is still there");
}

#[tokio::test]
async fn a_shortened_answer_is_nobody_elses() {
    let dear = r#"
  - model_name: dear
    litellm_params: {model: openai/dear, api_base: "MOCK/v1", api_key: sk-upstream-fake, input_cost_per_token: 0.0000001, output_cost_per_token: 0.001}
litellm_settings:"#;
    let rig = cached().replace("\nlitellm_settings:", dear);
    let rig = rig.replace("weir_settings: {", "weir_settings: {cache_scope: all, ").start().await;
    let mut body = chat("dear", "long");
    body["max_tokens"] = json!(1_000);
    let poor = rig.key(json!({"max_budget": 0.05})).await;
    let short = rig.post(PATH, &poor, body.clone()).await;
    assert_ne!(short.header("x-weir-max-tokens-limited"), "", "{}", short.text());
    let whole = ask(&rig, body.clone()).await;
    assert!(!is_hit(&whole), "the budget of one shortens nobody else's answer");
    assert!(is_hit(&ask(&rig, body).await));
}

// --- Redis ---

const SHARED: &str = "litellm_settings: {cache: true, cache_params: {type: redis}, ";

fn over_redis(port: u16) -> Builder {
    // Gateways of one configuration, but for where each has its mock.
    let price = "output_cost_per_token: 0.000002}";
    let same = format!("{price}\n    model_info: {{id: the-same-everywhere}}");
    let rig = Rig::config(CONFIG).replace(price, &same).replace("litellm_settings: {", SHARED);
    rig.env("REDIS_HOST", "127.0.0.1").env("REDIS_PORT", &port.to_string())
}

/// Asks until it is answered from the cache.
async fn warmed(rig: &Rig, key: &str, text: &str) -> Answer {
    let started = Instant::now();
    loop {
        let answer = rig.post(PATH, key, chat("priced", text)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        if is_hit(&answer) {
            return answer;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "no hit");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn gateways_share_answers_in_redis() {
    let (Some(database), Some(_)) = (database().await, redis()) else { return };
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let _server = serve(port, folder.path());
    let mut rigs = Vec::new();
    for _ in 0..2 {
        // Where a busy machine makes Redis slow, what is promised while it answers cannot be seen.
        let rig = over_redis(port).replace("weir_settings: {", "weir_settings: {redis_timeout: 10, ");
        rigs.push(rig.env("DATABASE_URL", &database).start().await);
    }
    let key = rigs[0].key(json!({})).await;
    let first = warmed(&rigs[0], &key, "shared").await;
    // What is kept is written a moment later.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let second = warmed(&rigs[1], &key, "shared").await;
    assert_eq!(first.body, second.body);
    assert_eq!(rigs[1].mock.seen_count(), 0, "the other has asked");
    assert_eq!(rigs[1].get("/health/readiness", "").await.json()["cache"], "redis");

    let ping = rigs[1].get("/cache/ping", MASTER).await.json();
    assert_eq!((&ping["cache_type"], &ping["ping_response"]), (&json!("redis"), &json!(true)), "{ping}");
    let info = rigs[1].get("/cache/redis/info", MASTER).await.json();
    assert!(
        info["num_clients"].as_i64().unwrap() >= 2 && info["info"]["redis_version"].is_string(),
        "{info}"
    );
    assert_eq!(rigs[0].post("/cache/flushall", MASTER, "").await.status, 200);
    let after = rigs[1].post(PATH, &key, chat("priced", "shared")).await;
    assert!(!is_hit(&after), "forgotten everywhere");
}

#[tokio::test]
async fn without_redis_every_request_is_served() {
    if redis().is_none() {
        return;
    }
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let rig = over_redis(port).start().await;
    assert!(!is_hit(&ask(&rig, chat("priced", "never there")).await));
    let ping = rig.get("/cache/ping", MASTER).await;
    assert_eq!((ping.status, &ping.json()["error"]["type"]), (503, &json!("cache_ping_error")));
    let server = serve(port, folder.path());
    warmed(&rig, MASTER, "there").await;
    drop(server);
    let started = Instant::now();
    for _ in 0..10 {
        assert!(!is_hit(&ask(&rig, chat("priced", "there")).await), "it is gone");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "nobody waits for it: {:?}", started.elapsed());
    let _server = serve(port, folder.path());
    warmed(&rig, MASTER, "back again").await;
}
