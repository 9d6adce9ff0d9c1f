//! Deployments that fail are left alone for a while, and retries follow the operator's policy.

use crate::rig::{Builder, MASTER, Rig, chat, free_port};
use crate::shared_rates::redis;
use serde_json::{Value, json};
use std::time::Duration;
use weir_bench::mock::{Reply, Seen};
use weir_core::time::{self, Micros};

const CONFIG: &str = r#"
model_list:
  - {model_name: pair, litellm_params: {model: openai/bad, api_base: "MOCK/v1", api_key: sk-fake}, model_info: {id: bad}}
  - {model_name: pair, litellm_params: {model: openai/good, api_base: "MOCK/v1", api_key: sk-fake}, model_info: {id: good}}
  - {model_name: lone, litellm_params: {model: openai/bad, api_base: "MOCK/v1", api_key: sk-fake}, model_info: {id: lone}}
  - {model_name: backup, litellm_params: {model: openai/good, api_base: "MOCK/v1", api_key: sk-fake}}
litellm_settings: {num_retries: 0}
router_settings: {num_retries: 0, cooldown_time: 2}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
weir_settings: {drain_delay: 0}
"#;

/// `good` answers; `bad` fails with the status that the message says, and wants to be left alone where it says that too.
fn provider(seen: &Seen) -> Reply {
    let asked = seen.json();
    let text = asked["messages"][0]["content"].as_str().unwrap_or_default().to_owned();
    let status: Option<u16> = text.split(' ').next().and_then(|word| word.parse().ok());
    if asked["model"] == "good" || status.is_none() {
        let usage = json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2});
        let choice =
            json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "so"}});
        return Reply::json(
            200,
            &json!({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}),
        );
    }
    let error =
        json!({"error": {"message": "no to sk-nobodys-0000", "type": "t", "param": null, "code": null}});
    let reply = Reply::json(status.unwrap_or(500), &error);
    match text.split_once("after ") {
        Some((_, seconds)) => reply.header("retry-after", seconds),
        None => reply,
    }
}

async fn start(config: Builder) -> Rig {
    config.over(provider).await
}

fn bad(rig: &Rig) -> usize {
    rig.mock.log().iter().filter(|seen| seen.json()["model"] == "bad").count()
}

/// Asks until the bad one was asked, then answers how often more it is asked in twenty requests.
async fn asked_again(rig: &Rig, text: &str) -> usize {
    while bad(rig) == 0 {
        rig.chat("pair", text).await;
    }
    let before = bad(rig);
    for _ in 0..20 {
        rig.chat("pair", text).await;
    }
    bad(rig) - before
}

#[tokio::test]
async fn p27_a_cooled_deployment_gets_nothing_until_its_time() {
    let rig = start(Rig::config(CONFIG)).await;
    assert_eq!(asked_again(&rig, "429 after 1").await, 0, "it asked to be left alone");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let before = bad(&rig);
    for _ in 0..40 {
        rig.chat("pair", "hi").await;
    }
    assert!(bad(&rig) > before, "its time is over");
}

/// Until twenty requests in a row have left the bad one alone; then it is left alone for twenty more.
async fn hears_of_it(rig: &Rig) {
    for _ in 0..100 {
        let before = bad(rig);
        for _ in 0..20 {
            rig.chat("pair", "hi").await;
        }
        if bad(rig) == before {
            for _ in 0..20 {
                rig.chat("pair", "hi").await;
            }
            return assert_eq!(bad(rig), before, "until its time");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is still asked");
}

/// What is told of deployments.
async fn states(rig: &Rig, query: &str) -> Value {
    let answer = rig.get(&format!("/model/deployments/state{query}"), MASTER).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn p27_a_cooled_deployment_says_since_when_until_when_and_why() {
    let rig = start(Rig::config(CONFIG)).await;
    let well = states(&rig, "").await;
    assert_eq!((&well["scope"], &well["total"]), (&json!("replica"), &json!(4)));
    assert!(well["data"].as_array().unwrap().iter().all(|row| row["state"] == "healthy"), "{well}");

    assert_eq!(asked_again(&rig, "429 after 60").await, 0);
    let told = states(&rig, "?model=pair").await;
    let [bad, good] = &told["data"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!((&bad["model_id"], &bad["state"]), (&json!("bad"), &json!("cooled")));
    assert_eq!((&bad["error"]["status"], &bad["error"]["class"]), (&json!(429), &json!("RateLimitError")));
    let message = bad["error"]["message"].as_str().unwrap();
    assert!(message.contains("no to ***") && !message.contains("nobodys"), "p35: {message}");
    let moment = |name: &str| Micros::parse_rfc3339(bad[name].as_str().unwrap()).unwrap();
    let seconds = moment("until").since(moment("since")) as f64 / 1e6;
    assert!((59.0..61.0).contains(&seconds), "{told}");
    assert!(time::now().since(moment("since")) < 30_000_000, "{told}");
    let nothing = json!({"model_id": "good", "model_name": "pair", "state": "healthy", "since": null, "until": null, "error": null,
        "check": null});
    assert_eq!(good, &nothing);
    assert_eq!(states(&rig, "?state=cooled").await["total"], 1);
    assert_eq!(states(&rig, "?model_id=good&state=cooled").await["total"], 0);
}

#[tokio::test]
async fn p31_viewers_see_the_state_of_deployments_and_users_do_not() {
    let rig = start(Rig::config(CONFIG)).await;
    for (role, sees) in [("proxy_admin_viewer", true), ("internal_user", false)] {
        let made = rig.post("/user/new", MASTER, json!({"user_id": role, "user_role": role})).await.json();
        let answer = rig.get("/model/deployments/state", made["key"].as_str().unwrap()).await;
        assert_eq!(answer.status == 200, sees, "{role}: {}", answer.text());
    }
}

#[tokio::test]
async fn p27_what_one_replica_cools_the_others_leave_alone() {
    let Some(redis) = redis() else { return };
    // Others use the same Redis.
    let id = format!("{{id: bad-{}}}", free_port());
    let replica = || {
        let config =
            Rig::config(CONFIG).replace("{id: bad}", &id).replace("cooldown_time: 2", "cooldown_time: 60");
        // Where a busy machine makes Redis slow, what is promised while it answers cannot be seen.
        config.replace("weir_settings: {", "weir_settings: {redis_timeout: 10, ").env("REDIS_URL", &redis)
    };
    let (first, second) = (start(replica()).await, start(replica()).await);
    assert_eq!(asked_again(&first, "429").await, 0);
    hears_of_it(&second).await;
    let told = states(&second, "?state=cooled").await;
    let row = &told["data"][0];
    assert_eq!((&told["scope"], &told["total"]), (&json!("shared"), &json!(1)), "{told}");
    assert_eq!((&row["model_name"], &row["error"]["status"]), (&json!("pair"), &json!(429)), "{told}");
    assert!(row["since"].is_string() && row["until"].is_string(), "{told}");
    hears_of_it(&start(replica()).await).await;
}

#[tokio::test]
async fn p27_without_its_redis_a_replica_cools_for_itself() {
    let nowhere = format!("redis://127.0.0.1:{}", free_port());
    let rig = start(Rig::config(CONFIG).env("REDIS_URL", &nowhere)).await;
    assert_eq!(asked_again(&rig, "429 after 60").await, 0);
    assert_eq!(rig.chat("pair", "hi").await.status, 200);
    let told = states(&rig, "?state=cooled").await;
    assert_eq!((&told["scope"], &told["data"][0]["model_id"]), (&json!("replica"), &json!("bad")), "{told}");
}

#[tokio::test]
async fn p27_a_failure_now_and_then_cools_nothing() {
    let rig = start(Rig::config(CONFIG)).await;
    while bad(&rig) == 0 {
        rig.chat("pair", "500").await;
    }
    let before = bad(&rig);
    for _ in 0..40 {
        rig.chat("pair", "hi").await;
    }
    assert!(bad(&rig) > before, "one failure is no outage");
}

#[tokio::test]
async fn p27_a_deployment_that_mostly_fails_is_left_alone() {
    let rig = start(Rig::config(CONFIG).replace("cooldown_time: 2", "cooldown_time: 60")).await;
    while bad(&rig) < 5 {
        rig.chat("pair", "503").await;
    }
    for _ in 0..30 {
        assert_eq!(rig.chat("pair", "503").await.status, 200);
    }
    assert_eq!(bad(&rig), 5, "five failures of five say enough");
}

#[tokio::test]
async fn p27_what_the_caller_did_wrong_cools_nothing() {
    let rig = start(Rig::config(CONFIG)).await;
    for text in ["400", "403", "422", "413"] {
        for _ in 0..10 {
            rig.chat("pair", text).await;
        }
    }
    let before = bad(&rig);
    for _ in 0..40 {
        rig.chat("pair", "hi").await;
    }
    assert!(bad(&rig) > before);
}

#[tokio::test]
async fn p27_a_lone_deployment_is_not_cooled_unless_the_operator_says_so() {
    let rig = start(Rig::config(CONFIG)).await;
    for _ in 0..20 {
        let answer = rig.chat("lone", "429").await;
        assert_eq!(answer.status, 429);
        assert!(answer.text().contains("RateLimitError"), "the provider's own: {}", answer.text());
    }
    assert_eq!(bad(&rig), 20, "each time it was asked");
    let config = Rig::config(CONFIG).replace("cooldown_time: 2", "cooldown_time: 2, allowed_fails: 1");
    let rig = start(config).await;
    for _ in 0..2 {
        assert_eq!(rig.chat("lone", "500").await.status, 500);
    }
    let nobody = rig.chat("lone", "500").await;
    let message = nobody.json()["error"]["message"].clone();
    let expected = "No deployments available for selected model, Try again in 2 seconds. Passed model=lone. \
                    pre-call-checks=False, cooldown_list=['lone']";
    assert_eq!((nobody.status, message), (429, json!(expected)));
    assert_eq!(nobody.header("retry-after"), "2");
    assert_eq!(bad(&rig), 2);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(rig.chat("lone", "hi").await.status, 200);
}

#[tokio::test]
async fn p27_a_policy_says_which_failures_cool_and_each_is_counted() {
    let policy = "allowed_fails_policy: {InternalServerErrorAllowedFails: 1}, cooldown_time: 60";
    let config = Rig::config(CONFIG)
        .replace("cooldown_time: 2", policy)
        .replace("num_retries: 0}", "num_retries: 0, callbacks: [prometheus]}");
    let rig = start(config).await;
    for _ in 0..5 {
        assert_eq!(rig.chat("lone", "429").await.status, 429);
    }
    assert_eq!(bad(&rig), 5, "nothing is said of quotas");
    assert_eq!(rig.chat("lone", "500").await.status, 500);
    let nobody = rig.chat("lone", "500").await;
    assert!(nobody.text().contains("No deployments available"), "{}", nobody.text());
    let metrics = rig.get("/metrics", MASTER).await.text();
    let line = |name: &str| metrics.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    let cooled = line("litellm_deployment_cooled_down_total{");
    assert!(cooled.contains("litellm_model_name=\"lone\"") && cooled.ends_with(" 1"), "{cooled}");
    assert!(cooled.contains("exception_status=\"500\""), "{cooled}");
    let state = line("litellm_deployment_state{");
    assert!(state.contains("model_id=\"lone\"") && state.ends_with(" 2"), "{state}");
}

#[tokio::test]
async fn p39_a_deployment_is_shown_as_cooled_for_as_long_as_it_is() {
    let config = Rig::config(CONFIG)
        .replace("cooldown_time: 2", "cooldown_time: 2, allowed_fails: 0")
        .replace("num_retries: 0}", "num_retries: 0, callbacks: [prometheus]}");
    let rig = start(config).await;
    assert_eq!(rig.chat("lone", "500").await.status, 500);
    let state = async || {
        let page = rig.get("/metrics", MASTER).await.text();
        let mut lines = page.lines().filter(|line| line.starts_with("litellm_deployment_state{"));
        lines.find(|line| line.contains("model_id=\"lone\"")).and_then(|line| line.chars().last())
    };
    assert_eq!(state().await, Some('2'));
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(state().await, Some('1'), "it failed last, and would be asked again");
}

#[tokio::test]
async fn p27_a_deployment_may_be_left_alone_for_a_time_of_its_own() {
    let own = r#"{model: openai/bad, api_base: "MOCK/v1", api_key: sk-fake, cooldown_time: 60}, model_info: {id: lone}"#;
    let config = Rig::config(CONFIG)
        .replace(r#"{model: openai/bad, api_base: "MOCK/v1", api_key: sk-fake}, model_info: {id: lone}"#, own)
        .replace("cooldown_time: 2", "cooldown_time: 2, allowed_fails: 0");
    let rig = start(config).await;
    assert_eq!(rig.chat("lone", "500").await.status, 500);
    let nobody = rig.chat("lone", "hi").await;
    assert!(nobody.text().contains("Try again in 60 seconds"), "{}", nobody.text());
}

#[tokio::test]
async fn p27_fallbacks_are_asked_where_all_of_a_group_are_cooled() {
    let config = Rig::config(CONFIG)
        .replace("cooldown_time: 2", "cooldown_time: 60, allowed_fails: 0, fallbacks: [{lone: [backup]}]");
    let rig = start(config).await;
    for _ in 0..3 {
        let answer = rig.chat("lone", "500").await;
        assert_eq!(
            (answer.status, answer.header("x-litellm-attempted-fallbacks")),
            (200, "1"),
            "{}",
            answer.text()
        );
    }
    assert_eq!(bad(&rig), 1, "asked once, then left alone");
}

#[tokio::test]
async fn retries_follow_the_policy_of_the_error_and_of_the_group() {
    let policy = "num_retries: 1, disable_cooldowns: true, retry_policy: {BadRequestErrorRetries: 2, InternalServerErrorRetries: 0}, \
                  model_group_retry_policy: {pair: {BadRequestErrorRetries: 0}}";
    let rig = start(
        Rig::config(CONFIG).replace("num_retries: 0, cooldown_time", &format!("{policy}, cooldown_time")),
    )
    .await;
    for (model, text, asked) in [("lone", "400", 3), ("lone", "500", 1), ("lone", "503", 2)] {
        rig.mock.take_log();
        assert_eq!(rig.chat(model, text).await.status.to_string(), text);
        assert_eq!(bad(&rig), asked, "{model} {text}");
    }
    rig.mock.take_log();
    while bad(&rig) == 0 {
        rig.chat("pair", "400").await;
    }
    assert_eq!(bad(&rig), 1, "the group's own policy");
}

#[tokio::test]
async fn p27_a_provider_that_wants_a_long_rest_is_not_asked_again() {
    let config =
        Rig::config(CONFIG).replace("num_retries: 0, cooldown_time", "num_retries: 3, cooldown_time");
    let rig = start(config).await;
    let answer = rig.chat("lone", "429 after 30").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "30"), "{}", answer.text());
    assert_eq!(bad(&rig), 1);
}

#[tokio::test]
async fn fallbacks_of_a_request_may_be_for_a_group_and_may_be_switched_off() {
    let rig = start(Rig::config(CONFIG)).await;
    let mut body = chat("lone", "500");
    body["fallbacks"] = json!([{"pair": ["good"], "lone": ["backup"]}]);
    let answer = rig.post("/v1/chat/completions", MASTER, body.clone()).await;
    assert_eq!((answer.status, answer.header("x-litellm-model-group")), (200, "backup"), "{}", answer.text());
    body["disable_fallbacks"] = json!(true);
    assert_eq!(rig.post("/v1/chat/completions", MASTER, body).await.status, 500);
}
