//! Which of several deployments is asked: strategies, orders, tags, regions, context windows and limits of deployments.

use crate::client::Answer;
use crate::rig::{MASTER, Rig, chat};
use serde_json::{Value, json};
use std::time::Duration;
use weir_bench::mock::{Reply, Seen, Step};

/// `slow` answers late, `failing` fails, `big` uses many tokens; each answers in its own name. Who is asked to `wait`
/// answers late too.
fn provider(seen: &Seen) -> Reply {
    let asked = seen.json();
    let model = asked["model"].as_str().unwrap_or_default();
    if model.starts_with("failing") {
        return Reply::json(
            500,
            &json!({"error": {"message": "no", "type": "t", "param": null, "code": null}}),
        );
    }
    let tokens = if model.starts_with("big") { 5_000 } else { 10 };
    let usage = json!({"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": tokens + 1});
    let text = asked["messages"][0]["content"].as_str().unwrap_or_default();
    let wait = match (model, text) {
        (_, "wait") => 2_000,
        ("slow", _) => 250,
        _ => 0,
    };
    let reply = if asked["stream"] == true { streamed(model, &usage) } else { whole(model, &usage) };
    reply.delayed(Duration::from_millis(wait))
}

fn whole(model: &str, usage: &Value) -> Reply {
    let message = json!({"role": "assistant", "content": "so"});
    let choice = json!({"index": 0, "finish_reason": "stop", "message": message});
    Reply::json(
        200,
        &json!({"id": "c", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage}),
    )
}

fn streamed(model: &str, usage: &Value) -> Reply {
    let chunk = |delta: Value, finish: Value, usage: &Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "model": model, "choices": [choice], "usage": usage});
        Step::now(format!("data: {chunk}\n\n"))
    };
    let steps = vec![
        chunk(json!({"role": "assistant", "content": "so"}), Value::Null, &Value::Null),
        chunk(json!({}), json!("stop"), usage),
        Step::now("data: [DONE]\n\n"),
    ];
    Reply::stream("text/event-stream", steps)
}

/// A gateway whose group `m` has a deployment for each of these: model, more parameters, facts.
async fn start(deployments: &[(&str, &str, &str)], more: &str) -> Rig {
    start_with(deployments, more, "").await
}

async fn start_with(deployments: &[(&str, &str, &str)], router: &str, models: &str) -> Rig {
    let entry = |(model, params, info): &(&str, &str, &str)| {
        let params = if params.is_empty() { String::new() } else { format!(", {params}") };
        format!(
            "  - {{model_name: m, litellm_params: {{model: openai/{model}, api_base: \"MOCK/v1\", api_key: sk-fake{params}}}, \
             model_info: {{{info}}}}}\n"
        )
    };
    let entries: String = deployments.iter().map(entry).collect();
    let config = format!(
        "model_list:\n{entries}{models}router_settings: {{disable_cooldowns: true, num_retries: 0{router}}}\n\
         general_settings: {{master_key: os.environ/LITELLM_MASTER_KEY}}\nweir_settings: {{drain_delay: 0}}\n"
    );
    Rig::config(&config).over(provider).await
}

/// The group that fallbacks lead to.
const BACKUP: &str = "  - {model_name: backup, litellm_params: {model: openai/backup, api_base: \"MOCK/v1\", api_key: sk-fake}}\n";

/// The models that the provider was asked for, in turn.
fn asked(rig: &Rig) -> Vec<String> {
    rig.mock.take_log().iter().map(|seen| seen.json()["model"].as_str().unwrap().to_owned()).collect()
}

fn times(asked: &[String], model: &str) -> usize {
    asked.iter().filter(|of| *of == model).count()
}

async fn served(rig: &Rig, times: usize) -> Vec<String> {
    rig.mock.take_log();
    for _ in 0..times {
        let answer = rig.chat("m", "hi").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    asked(rig)
}

fn message(answer: &Answer) -> String {
    answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
}

// --- strategies ---

#[tokio::test]
async fn latency_based_routing_leaves_a_slow_deployment() {
    let rig = start(&[("slow", "", ""), ("fast", "", "")], ", routing_strategy: latency-based-routing").await;
    let whole = served(&rig, 20).await;
    assert_eq!((times(&whole, "slow"), times(&whole, "fast")), (1, 19));
}

#[tokio::test]
async fn latency_based_routing_measures_streams_by_their_first_token() {
    let rig = start(&[("slow", "", ""), ("fast", "", "")], ", routing_strategy: latency-based-routing").await;
    for _ in 0..20 {
        assert_eq!(rig.stream("m", "hi").await.status, 200);
    }
    assert_eq!(times(&asked(&rig), "slow"), 1);
}

#[tokio::test]
async fn least_busy_sends_where_least_is_going_on() {
    let started =
        start(&[("a", "", ""), ("b", "", ""), ("c", "", "")], ", routing_strategy: least-busy").await;
    let rig = &started;
    let going_on = (0..6).map(|n| async move {
        // One after another, so that each is seen by the next.
        while rig.mock.seen_count() < n {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        rig.chat("m", "wait").await.status
    });
    let statuses = futures_util::future::join_all(going_on).await;
    assert!(statuses.iter().all(|status| *status == 200));
    let asked = asked(rig);
    assert_eq!(["a", "b", "c"].map(|model| times(&asked, model)), [2, 2, 2]);
}

#[tokio::test]
async fn usage_based_routing_spares_who_has_used_much() {
    for strategy in ["usage-based-routing", "usage-based-routing-v2"] {
        let router = format!(", routing_strategy: {strategy}");
        let rig = start(&[("big", "", ""), ("small", "", "")], &router).await;
        assert_eq!(times(&served(&rig, 20).await, "big"), 1, "{strategy}");
    }
}

#[tokio::test]
async fn cost_based_routing_asks_the_cheapest_and_then_the_next() {
    let deployments = [
        ("unpriced", "", ""),
        ("dear", "input_cost_per_token: 0.00002, output_cost_per_token: 0.00002", ""),
        ("failing", "input_cost_per_token: 0.000001, output_cost_per_token: 0.000001", ""),
    ];
    let rig = start(&deployments, ", routing_strategy: cost-based-routing").await;
    let mut body = chat("m", "hi");
    body["num_retries"] = json!(1);
    for _ in 0..3 {
        assert_eq!(rig.post("/v1/chat/completions", MASTER, &body).await.status, 200);
        assert_eq!(asked(&rig), ["failing", "dear"]);
    }
}

#[tokio::test]
async fn lower_orders_are_asked_first_and_those_without_last() {
    let deployments = [("failing-3", "", ""), ("failing-2", "order: 2", ""), ("failing-1", "order: 1", "")];
    let rig = start(&deployments, "").await;
    let mut body = chat("m", "hi");
    body["num_retries"] = json!(2);
    for _ in 0..3 {
        assert_eq!(rig.post("/v1/chat/completions", MASTER, &body).await.status, 500);
        assert_eq!(asked(&rig), ["failing-1", "failing-2", "failing-3"]);
    }
}

// --- tags ---

#[tokio::test]
async fn tags_choose_among_deployments() {
    let deployments =
        [("free", "tags: [free]", ""), ("paid", "tags: [paid, eu]", ""), ("rest", "tags: [default]", "")];
    let rig = start(&deployments, ", enable_tag_filtering: true").await;
    let key = rig.key(json!({"metadata": {"tags": ["paid"]}})).await;
    for _ in 0..5 {
        let mut body = chat("m", "hi");
        rig.post("/v1/chat/completions", MASTER, &body).await;
        rig.post("/v1/chat/completions", &key, &body).await;
        body["metadata"] = json!({"tags": ["free"]});
        rig.post("/v1/chat/completions", MASTER, &body).await;
        body["tags"] = json!(["nobody's", "eu"]);
        rig.post("/v1/chat/completions", MASTER, &body).await;
        let auth = format!("Bearer {MASTER}");
        let headers = [("authorization", auth.as_str()), ("x-litellm-tags", "nobody's")];
        rig.post_with("/v1/chat/completions", &headers, chat("m", "hi")).await;
        assert_eq!(asked(&rig), ["rest", "paid", "free", "paid", "rest"]);
    }
}

#[tokio::test]
async fn a_request_for_whose_tags_nobody_is_gets_a_refusal_or_a_fallback() {
    let deployments = [("free", "tags: [free]", ""), ("paid", "tags: [paid, eu]", "")];
    let router = ", enable_tag_filtering: true, tag_filtering_match_any: false";
    let backup = BACKUP.replace("api_key: sk-fake", "api_key: sk-fake, tags: [eu, free]");
    let rig = start_with(&deployments, router, &backup).await;
    let mut body = chat("m", "hi");
    body["tags"] = json!(["eu", "paid"]);
    assert_eq!(rig.post("/v1/chat/completions", MASTER, &body).await.status, 200);
    body["tags"] = json!(["eu", "free"]);
    let refused = rig.post("/v1/chat/completions", MASTER, &body).await;
    assert_eq!(refused.status, 401, "{}", refused.text());
    assert!(message(&refused).contains("tags configuration"), "{}", refused.text());
    assert_eq!(asked(&rig), ["paid"]);
    body["fallbacks"] = json!(["backup"]);
    assert_eq!(rig.post("/v1/chat/completions", MASTER, &body).await.status, 200);
    assert_eq!(asked(&rig), ["backup"]);
}

// --- checks before a call ---

#[tokio::test]
async fn who_has_no_room_for_the_context_is_not_asked() {
    let deployments = [("narrow", "", "max_input_tokens: 50"), ("wide", "", "max_input_tokens: 2000")];
    let long = "word ".repeat(200);
    let rig = start(&deployments, ", enable_pre_call_checks: true").await;
    for _ in 0..10 {
        assert_eq!(rig.chat("m", &long).await.status, 200);
    }
    assert_eq!(times(&asked(&rig), "narrow"), 0);
    assert!(times(&served(&rig, 40).await, "narrow") > 0, "short ones go anywhere");
    let too_long = rig.chat("m", &long.repeat(20)).await;
    assert_eq!(too_long.status, 400, "{}", too_long.text());
    assert!(message(&too_long).contains("ContextWindowExceededError"), "{}", too_long.text());
    let mut pictured = chat("m", "");
    let picture = format!("data:image/png;base64,{}", "QUJD".repeat(5_000));
    pictured["messages"][0]["content"] = json!([{"type": "image_url", "image_url": {"url": picture}}]);
    let pictured = rig.post("/v1/chat/completions", MASTER, pictured).await;
    assert_eq!(pictured.status, 200, "a picture is not read word by word: {}", pictured.text());
}

#[tokio::test]
async fn too_long_for_all_has_fallbacks_of_its_own() {
    let router = ", enable_pre_call_checks: true, context_window_fallbacks: [{m: [backup]}]";
    let rig = start_with(&[("narrow", "", "max_input_tokens: 50")], router, BACKUP).await;
    let answer = rig.chat("m", &"word ".repeat(200)).await;
    assert_eq!(
        (
            answer.status,
            answer.header("x-litellm-model-group"),
            answer.header("x-litellm-attempted-fallbacks")
        ),
        (200, "backup", "1"),
        "{}",
        answer.text()
    );
    assert_eq!(asked(&rig), ["backup"]);
}

#[tokio::test]
async fn a_customer_who_is_bound_to_a_region_is_served_there() {
    let deployments =
        [("anywhere", "", ""), ("us", "region_name: us-east-1", ""), ("eu", "region_name: eu-west-1", "")];
    let rig = start(&deployments, ", enable_pre_call_checks: true").await;
    for (customer, region) in [("c", "eu"), ("d", "asia")] {
        let made = rig
            .post("/customer/new", MASTER, json!({"user_id": customer, "allowed_model_region": region}))
            .await;
        assert_eq!(made.status, 200, "{}", made.text());
    }
    let mut body = chat("m", "hi");
    body["user"] = json!("c");
    for _ in 0..10 {
        assert_eq!(rig.post("/v1/chat/completions", MASTER, &body).await.status, 200);
    }
    assert_eq!(times(&asked(&rig), "eu"), 10);
    body["user"] = json!("d");
    let refused = rig.post("/v1/chat/completions", MASTER, &body).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(asked(&rig).is_empty());
}

// --- limits of deployments ---

#[tokio::test]
async fn p18_a_deployment_gets_no_more_requests_in_a_minute_than_it_may() {
    let deployments = [("a", "rpm: 3", ""), ("b", "", "rpm: 2")];
    let rig = start_with(&deployments, ", enable_pre_call_checks: true", BACKUP).await;
    let asked = served(&rig, 5).await;
    assert_eq!((times(&asked, "a"), times(&asked, "b")), (3, 2));
    let full = rig.chat("m", "hi").await;
    let error = json!({"error": {"message": "No deployments available for selected model.", "type": "None",
                       "param": "None", "code": "429"}});
    assert_eq!((full.status, full.json()), (429, error));
    let wait: u64 = full.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let mut body = chat("m", "hi");
    body["fallbacks"] = json!(["backup"]);
    assert_eq!(rig.post("/v1/chat/completions", MASTER, body).await.status, 200, "others may be asked");
}

#[tokio::test]
async fn p18_what_a_deployment_used_counts_against_its_tokens() {
    let rig = start(&[("big", "tpm: 9000", "")], ", enable_pre_call_checks: true").await;
    assert_eq!(served(&rig, 2).await.len(), 2);
    assert_eq!(rig.chat("m", "hi").await.status, 429, "10,002 tokens were used");
}

#[tokio::test]
async fn requests_per_minute_are_only_weights_where_nobody_wants_them_watched() {
    let rig = start(&[("a", "rpm: 1", ""), ("b", "rpm: 0", "")], "").await;
    assert_eq!(times(&served(&rig, 10).await, "a"), 10);
}

#[tokio::test]
async fn p22_a_deployment_has_no_more_calls_at_once_than_it_may() {
    for (params, router) in [("max_parallel_requests: 1", ""), ("", ", default_max_parallel_requests: 1")] {
        let rig = start(&[("a", params, ""), ("b", params, "")], router).await;
        let one = async { rig.chat("m", "wait").await.status };
        let other = async { rig.chat("m", "wait").await.status };
        let third = async {
            while rig.mock.seen_count() < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let full = rig.chat("m", "hi").await;
            assert_eq!(message(&full), "No deployments available for selected model.");
            full.status
        };
        assert_eq!(tokio::join!(one, other, third), (200, 200, 429));
        let both = asked(&rig);
        assert_eq!((times(&both, "a"), times(&both, "b")), (1, 1));
        assert_eq!(served(&rig, 5).await.len(), 5, "the places are free again");
    }
}

// --- failures on demand ---

#[tokio::test]
async fn p36_an_administrator_may_see_what_follows_a_failure_and_nobody_else() {
    let router = ", fallbacks: [{m: [backup]}]";
    let rig = start_with(&[("a", "", "")], router, BACKUP).await;
    let key = rig.key(json!({})).await;
    let mut body = chat("m", "hi");
    body["mock_testing_fallbacks"] = json!(true);
    let fallen = rig.post("/v1/chat/completions", MASTER, &body).await;
    assert_eq!(
        (
            fallen.status,
            fallen.header("x-litellm-attempted-fallbacks"),
            fallen.header("x-litellm-model-group")
        ),
        (200, "1", "backup"),
        "{}",
        fallen.text()
    );
    assert_eq!(asked(&rig), ["backup"]);
    assert_eq!(rig.post("/v1/chat/completions", &key, &body).await.status, 200);
    assert_eq!(asked(&rig), ["a"], "a key's wish is not looked at");
    body["disable_fallbacks"] = json!(true);
    let failed = rig.post("/v1/chat/completions", MASTER, &body).await;
    assert_eq!(failed.status, 500);
    assert!(message(&failed).contains("mock exception for model=m"), "{}", failed.text());
}
