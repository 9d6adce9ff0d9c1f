//! Limits of requests, of tokens and of requests under way: exact, told on every answer, and free again on every way out.

use crate::client::Answer;
use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};
use std::time::Duration;
use weir_bench::mock::{Reply, Seen};

fn refused_by(answer: &Answer) -> String {
    let error = answer.json()["error"].clone();
    assert_eq!(
        (answer.status, &error["type"], &error["param"], &error["code"]),
        (429, &json!("None"), &json!("None"), &json!("429")),
        "{}",
        answer.text()
    );
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    error["message"].as_str().unwrap().to_owned()
}

async fn ask(rig: &Rig, key: &str) -> Answer {
    rig.post("/v1/chat/completions", key, chat("gpt-4o", "hi")).await
}

#[tokio::test]
async fn p18_requests_of_a_key_are_limited_over_all_endpoints() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"rpm_limit": 2})).await;
    let first = ask(&rig, &key).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(first.header("x-ratelimit-api_key-limit-requests"), "2");
    assert_eq!(first.header("x-ratelimit-api_key-remaining-requests"), "1");
    assert_eq!(first.header("x-litellm-key-rpm-limit"), "2");
    assert_eq!(first.header("x-ratelimit-limit-requests"), "10000", "the provider's own goes on as it is");
    assert_eq!(ask(&rig, &key).await.header("x-ratelimit-api_key-remaining-requests"), "0");
    let message = refused_by(&ask(&rig, &key).await);
    assert!(message.starts_with("Rate limit exceeded for api_key: "), "{message}");
    assert!(
        message.contains(". Limit type: requests. Current limit: 2, Remaining: 0. Limit resets at: 20"),
        "{message}"
    );
    let mut streamed = chat("gpt-4o", "hi");
    streamed["stream"] = json!(true);
    let bodies = [
        ("/v1/chat/completions", streamed),
        ("/v1/embeddings", json!({"model": "emb-small", "input": "x"})),
        (
            "/v1/messages",
            json!({"model": "gpt-4o", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}),
        ),
        ("/v1/responses", json!({"model": "gpt-4o", "input": "hi"})),
    ];
    for (path, body) in bodies {
        let refused = rig.post(path, &key, body).await;
        assert_eq!(refused.status, 429, "{path}: {}", refused.text());
        assert!(!refused.header("retry-after").is_empty(), "{path}");
        assert_eq!(refused.header("x-ratelimit-remaining-requests"), "0", "{path}");
    }
    assert_eq!(rig.get("/v1/models", &key).await.status, 200, "what calls no model does not count");
    assert_eq!(rig.mock.seen_count(), 2, "what is refused is not sent");
}

/// Whoever could begin a new window by it would change the text of a key with every minute.
#[tokio::test]
async fn p18_a_new_text_of_a_key_begins_no_new_window() {
    let rig = Rig::start().await;
    let limits = json!({"rpm_limit": 2, "model_rpm_limit": {"emb-small": 1}});
    let key = rig.key(limits).await;
    assert_eq!(ask(&rig, &key).await.status, 200);
    let embedding = json!({"model": "emb-small", "input": "x"});
    assert_eq!(rig.post("/v1/embeddings", &key, &embedding).await.status, 200);
    let made = rig.post(&format!("/key/{key}/regenerate"), MASTER, json!({})).await;
    let new = made.json()["key"].as_str().unwrap_or_else(|| panic!("{}", made.text())).to_owned();
    assert_ne!(new, key);
    refused_by(&ask(&rig, &new).await);
    let other = rig.key(json!({"rpm_limit": 2})).await;
    assert_eq!(ask(&rig, &other).await.status, 200);
}

#[tokio::test]
async fn p18_every_scope_limits_and_names_itself() {
    let rig = Rig::start().await;
    for (path, body) in [
        ("/team/new", json!({"team_id": "t", "rpm_limit": 1})),
        ("/user/new", json!({"user_id": "u", "rpm_limit": 1, "auto_create_key": false})),
        ("/organization/new", json!({"organization_id": "o", "organization_alias": "o", "rpm_limit": 1})),
        ("/customer/new", json!({"user_id": "c", "rpm_limit": 1})),
        ("/team/new", json!({"team_id": "tm", "model_rpm_limit": {"gpt-4o": 1}})),
        ("/team/new", json!({"team_id": "m"})),
        ("/user/new", json!({"user_id": "mu", "auto_create_key": false})),
        ("/team/member_add", json!({"team_id": "m", "member": {"role": "user", "user_id": "mu"}})),
        ("/team/member_update", json!({"team_id": "m", "user_id": "mu", "rpm_limit": 1})),
    ] {
        let answer = rig.post(path, MASTER, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    for (made, more, says) in [
        (json!({"rpm_limit": 1}), json!({}), "api_key: "),
        (json!({"team_id": "t"}), json!({}), "team: t."),
        (json!({"user_id": "u"}), json!({}), "user: u."),
        (json!({"organization_id": "o"}), json!({}), "organization: o."),
        (json!({}), json!({"user": "c"}), "end_user: c."),
        (json!({"model_rpm_limit": {"gpt-4o": 1}}), json!({}), "model_per_key: "),
        (json!({"team_id": "tm"}), json!({}), "model_per_team: tm:gpt-4o."),
        (json!({"team_id": "m", "user_id": "mu"}), json!({}), "team_member: m:mu."),
    ] {
        let key = rig.key(made).await;
        let mut body = chat("gpt-4o", "hi");
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let first = rig.post("/v1/chat/completions", &key, body.clone()).await;
        assert_eq!(first.status, 200, "{says}: {}", first.text());
        let second = rig.post("/v1/chat/completions", &key, body).await;
        assert_eq!(second.status, 429, "{says}: {}", second.text());
        let message = refused_by(&second);
        assert!(message.starts_with(&format!("Rate limit exceeded for {says}")), "{message}");
    }
}

#[tokio::test]
async fn p18_every_answer_tells_of_every_scope() {
    let rig = Rig::start().await;
    for (path, body) in [
        ("/team/new", json!({"team_id": "t", "rpm_limit": 70, "model_rpm_limit": {"gpt-4o": 60}})),
        ("/customer/new", json!({"user_id": "c", "rpm_limit": 50, "max_parallel_requests": 9})),
    ] {
        assert_eq!(rig.post(path, MASTER, body).await.status, 200, "{path}");
    }
    let key = rig.key(json!({"team_id": "t", "rpm_limit": 80, "model_rpm_limit": {"gpt-4o": 40}})).await;
    let mut body = chat("gpt-4o", "hi");
    body["user"] = json!("c");
    let mut other = body.clone();
    other["stream"] = json!(true);
    let mut failing = body.clone();
    failing["messages"][0]["content"] = json!("__err=400");
    for (asked, body) in [body, other, failing].into_iter().enumerate() {
        let answer = rig.post("/v1/chat/completions", &key, body).await;
        for (scope, limit) in [
            ("team-%-requests", 70),
            ("model_per_team-%-requests", 60),
            ("api_key-%-requests", 80),
            ("model_per_key-%-requests", 40),
            ("end_user-%-requests", 50),
            ("end_user-%-max_parallel_requests", 9),
        ] {
            let told = |what: &str| {
                let name = format!("x-ratelimit-{}", scope.replace('%', what));
                let text = answer.header(&name).to_owned();
                text.parse::<usize>().unwrap_or_else(|_| panic!("{name}: {text:?} of request {asked}"))
            };
            let used = if scope.ends_with("parallel_requests") { 1 } else { asked + 1 };
            assert_eq!(
                (told("limit"), told("remaining")),
                (limit, limit - used),
                "{scope} of request {asked}"
            );
        }
    }
}

#[tokio::test]
async fn p18_a_refusal_of_one_scope_is_not_counted_by_the_others() {
    let rig = Rig::start().await;
    let team = json!({"team_id": "t", "rpm_limit": 2});
    assert_eq!(rig.post("/team/new", MASTER, team).await.status, 200);
    let narrow = rig.key(json!({"team_id": "t", "rpm_limit": 1})).await;
    let wide = rig.key(json!({"team_id": "t"})).await;
    assert_eq!(ask(&rig, &narrow).await.status, 200);
    for _ in 0..5 {
        assert!(refused_by(&ask(&rig, &narrow).await).contains("api_key"));
    }
    let second = ask(&rig, &wide).await;
    assert_eq!((second.status, second.header("x-ratelimit-team-remaining-requests")), (200, "0"));
    assert!(refused_by(&ask(&rig, &wide).await).contains("team: t"));
}

#[tokio::test]
async fn p18_tokens_are_settled_with_the_truth() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"tpm_limit": 20})).await;
    // Each costs 18 tokens, as the provider says.
    assert_eq!(ask(&rig, &key).await.status, 200);
    assert_eq!(ask(&rig, &key).await.status, 200, "some are left");
    let message = refused_by(&ask(&rig, &key).await);
    assert!(message.contains("Limit type: tokens. Current limit: 20, Remaining: 0."), "{message}");
}

#[tokio::test]
async fn p18_a_dynamic_limit_counts_while_the_model_fails() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"rpm_limit": 1, "rpm_limit_type": "dynamic"})).await;
    for _ in 0..3 {
        assert_eq!(ask(&rig, &key).await.status, 200, "nobody is the worse for it");
    }
    for _ in 0..2 {
        let busy = rig.post("/v1/chat/completions", &key, chat("gpt-4o", "__err=429")).await;
        assert!(!busy.text().contains("api_key"), "{}", busy.text());
    }
    assert_eq!(ask(&rig, &key).await.status, 200);
    assert!(refused_by(&ask(&rig, &key).await).contains("api_key"));
    let other = chat("azure-gpt4", "hi");
    for _ in 0..2 {
        assert_eq!(rig.post("/v1/chat/completions", &key, &other).await.status, 200, "that one is well");
    }
}

#[tokio::test]
async fn p18_what_is_guaranteed_to_keys_is_there() {
    let rig = Rig::start().await;
    let team = json!({"team_id": "t", "rpm_limit": 10, "model_rpm_limit": {"gpt-4o": 5}});
    assert_eq!(rig.post("/team/new", MASTER, team).await.status, 200);
    let asking = |more: serde_json::Value| {
        let mut body = json!({"team_id": "t", "rpm_limit_type": "guaranteed_throughput"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let first = rig.key(asking(json!({"rpm_limit": 6, "model_rpm_limit": {"gpt-4o": 3}}))).await;
    for more in [json!({"rpm_limit": 5}), json!({"model_rpm_limit": {"gpt-4o": 3}})] {
        let refused = rig.post("/key/generate", MASTER, asking(more)).await;
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert!(refused.text().contains("is greater than team RPM limit="), "{}", refused.text());
    }
    let second = rig.key(asking(json!({"rpm_limit": 4, "model_rpm_limit": {"gpt-4o": 2}}))).await;
    rig.key(json!({"team_id": "t", "rpm_limit": 100})).await;
    let update = async |key: &str, rpm: u32| {
        rig.post("/key/update", MASTER, json!({"key": key, "rpm_limit": rpm})).await.status
    };
    assert_eq!((update(&first, 7).await, update(&second, 4).await), (400, 200), "as it was");
}

#[tokio::test]
async fn p18_a_new_window_begins_after_its_time() {
    let rig = Rig::config(CONFIG).env("LITELLM_RATE_LIMIT_WINDOW_SIZE", "1").start().await;
    let key = rig.key(json!({"rpm_limit": 1})).await;
    assert_eq!(ask(&rig, &key).await.status, 200);
    assert_eq!(ask(&rig, &key).await.status, 429);
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_eq!(ask(&rig, &key).await.status, 200);
}

fn slow(seen: &Seen) -> Reply {
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2});
    let choice =
        json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "so"}});
    let whole =
        json!({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage});
    let asked = seen.json()["messages"][0]["content"].clone();
    let wait = if asked == "slow" { 2_000 } else { 0 };
    let status = if asked == "fail" { 500 } else { 200 };
    Reply::json(status, &whole).delayed(Duration::from_millis(wait))
}

#[tokio::test]
async fn p22_the_operators_limit_of_requests_at_once_is_a_429_and_free_again() {
    let limited = "general_settings: {max_parallel_requests: 1, ";
    let rig = Rig::config(CONFIG).replace("general_settings: {", limited).over(slow).await;
    let first = rig.post("/v1/chat/completions", MASTER, chat("gpt-4o", "slow"));
    let second = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        ask(&rig, MASTER).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.status, 200);
    let message = refused_by(&second);
    assert!(message.contains("general_settings.max_parallel_requests"), "{message}");
    assert_eq!(ask(&rig, MASTER).await.status, 200);
}

#[tokio::test]
async fn p22_slots_are_free_again_on_every_way_out() {
    let rig = Rig::config(CONFIG).over(slow).await;
    let key = rig.key(json!({"max_parallel_requests": 1})).await;
    let first = rig.post("/v1/chat/completions", &key, chat("gpt-4o", "slow"));
    let second = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        ask(&rig, &key).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.status, 200);
    let message = refused_by(&second);
    assert!(
        message.contains("Limit type: max_parallel_requests. Current limit: 1, Remaining: 0."),
        "{message}"
    );
    let third = ask(&rig, &key).await;
    assert_eq!(
        (third.status, third.header("x-ratelimit-api_key-remaining-max_parallel_requests")),
        (200, "0")
    );
    // Clients that leave in the middle.
    let many = if std::env::var("WEIR_SCALE").is_ok_and(|scale| scale == "full") { 100_000 } else { 2_000 };
    let at_once = 50;
    for _ in 0..many / at_once {
        let leave = (0..at_once).map(|_| async {
            let asked = rig.post("/v1/chat/completions", &key, chat("gpt-4o", "slow"));
            drop(tokio::time::timeout(Duration::from_millis(20), asked).await);
        });
        futures_util::future::join_all(leave).await;
    }
    // A slot that was lost never comes back; the others may need a while on a busy machine.
    let after = admitted(&rig, &key, chat("gpt-4o", "hi")).await;
    assert_eq!(after.status, 200, "a slot was lost: {}", after.text());
    // Requests that fail, and requests that are refused.
    let failing = admitted(&rig, &key, chat("gpt-4o", "fail")).await;
    assert!(failing.status >= 500, "{}", failing.text());
    let unknown = admitted(&rig, &key, chat("nobody", "hi")).await;
    assert!((400..500).contains(&unknown.status) && unknown.status != 429, "{}", unknown.text());
    assert_eq!(admitted(&rig, &key, chat("gpt-4o", "hi")).await.status, 200);
}

/// The answer once a slot is free, or the last refusal: a client that left may be read a moment after it left.
async fn admitted(rig: &Rig, key: &str, body: Value) -> Answer {
    let ask = || rig.post("/v1/chat/completions", key, body.clone());
    let mut answer = ask().await;
    for _ in 0..100 {
        if answer.status != 429 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer = ask().await;
    }
    answer
}
