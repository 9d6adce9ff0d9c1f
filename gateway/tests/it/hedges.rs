//! A second deployment is asked while the first one is silent; the first answer wins (P44).

use crate::client::Answer;
use crate::rig::{MASTER, Rig, chat};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use weir_bench::mock::{End, Reply, Seen, Step};

const CONFIG: &str = r#"
model_list:
  - model_name: pair
    litellm_params: {model: openai/first, api_base: "MOCK/v1", api_key: sk-fake, order: 1, max_parallel_requests: 1,
      hedge_after_ms: 200, input_cost_per_token: 0.001, output_cost_per_token: 0.002}
    model_info: {id: first}
  - model_name: pair
    litellm_params: {model: openai/second, api_base: "MOCK/v1", api_key: sk-fake, order: 2, max_parallel_requests: 1,
      input_cost_per_token: 0.003, output_cost_per_token: 0.004}
    model_info: {id: second}
  - {model_name: lone, litellm_params: {model: openai/first, api_base: "MOCK/v1", api_key: sk-fake, hedge_after_ms: 50}}
litellm_settings: {num_retries: 0}
router_settings: {num_retries: 0}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
weir_settings: {drain_delay: 0}
"#;

/// Long after every test is over.
const NEVER: Duration = Duration::from_secs(120);

fn whole() -> Reply {
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});
    let choice =
        json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "so"}});
    Reply::json(
        200,
        &json!({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}),
    )
}

/// A head at once, and the words after this time.
fn words(after: Duration) -> Reply {
    let chunk = |choice: Value| format!("data: {}\n\n", json!({"id": "c", "choices": [choice]}));
    let word = chunk(json!({"index": 0, "delta": {"content": "so"}}));
    let last = chunk(json!({"index": 0, "delta": {}, "finish_reason": "stop"}));
    let steps = vec![Step::after(after, word), Step::now(last + "data: [DONE]\n\n")];
    Reply::stream("text/event-stream", steps).ending(End::Clean)
}

/// A stream that tells its tokens.
fn told() -> Reply {
    let event = |chunk: Value| Step::now(format!("data: {chunk}\n\n"));
    let word = json!({"index": 0, "delta": {"content": "so"}, "finish_reason": "stop"});
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});
    let steps = vec![
        event(json!({"id": "c", "choices": [word]})),
        event(json!({"id": "c", "choices": [], "usage": usage})),
        Step::now("data: [DONE]\n\n"),
    ];
    Reply::stream("text/event-stream", steps).ending(End::Clean)
}

/// What each deployment does is what the message says of it: `first=silent second=503`.
fn provider(seen: &Seen) -> Reply {
    let asked = seen.json();
    let text = asked["messages"][0]["content"].as_str().unwrap_or_default().to_owned();
    let model = asked["model"].as_str().unwrap_or_default();
    let does = text.split(' ').find_map(|word| word.strip_prefix(model)?.strip_prefix('='));
    let streams = asked["stream"] == true;
    match does.unwrap_or("answers") {
        "silent" if streams => words(NEVER),
        "silent" => whole().delayed(NEVER),
        "late" => whole().delayed(Duration::from_millis(700)),
        "told" => told(),
        "answers" if streams => words(Duration::ZERO),
        "answers" => whole(),
        status => {
            let error = json!({"error": {"message": "no", "type": "t", "param": null, "code": null}});
            Reply::json(status.parse().unwrap_or(500), &error).delayed(Duration::from_millis(400))
        }
    }
}

async fn start() -> Rig {
    Rig::config(CONFIG).over(provider).await
}

fn asked(rig: &Rig) -> Vec<String> {
    rig.mock.log().iter().map(|seen| seen.json()["model"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn row_of(rig: &Rig, answer: &Answer) -> Value {
    rig.row(answer.header("x-litellm-call-id")).await
}

/// Whom each asked, and why it failed.
fn attempts(row: &Value) -> Vec<(String, String)> {
    let told = &row["metadata"]["weir"];
    let attempts = told["attempts"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    attempts.iter().map(|a| (text(&a["model_id"]), text(&a["error"]))).collect()
}

#[tokio::test]
async fn p44_the_first_answer_wins_and_the_others_cost_is_booked() {
    let rig = start().await;
    let text = "first=silent second=answers";
    for (answer, body) in [
        (rig.chat("pair", text).await, chat("pair", text)),
        (rig.stream("pair", text).await, json!({"model": "pair"})),
    ] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-litellm-model-id"), "second");
        let row = row_of(&rig, &answer).await;
        assert_eq!(row["model_id"], "second");
        if body.get("messages").is_none() {
            assert_eq!(answer.content(), "so");
            continue;
        }
        let read_by_first = body.to_string().len() as f64 / 4.0;
        let spend = row["spend"].as_f64().unwrap();
        let served = 10.0 * 0.003 + 5.0 * 0.004;
        assert!((spend - served - read_by_first.floor() * 0.001).abs() < 1e-9, "{spend}: {row}");
        let outrun = ("first".to_owned(), "Outrun".to_owned());
        assert!(attempts(&row).contains(&outrun), "{row}");
    }
    for _ in 0..100 {
        if rig.mock.open_now() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(rig.mock.hangups(), 2, "who is outrun is left");
}

#[tokio::test]
async fn p44_a_stream_that_tells_its_cost_tells_the_others_too() {
    let rig = Rig::config(CONFIG)
        .replace("litellm_settings: {", "litellm_settings: {include_cost_in_streaming_usage: true, ")
        .over(provider)
        .await;
    let mut body = chat("pair", "first=silent second=told");
    (body["stream"], body["stream_options"]) = (true.into(), json!({"include_usage": true}));
    let answer = rig.post("/v1/chat/completions", MASTER, body).await;
    assert_eq!(answer.header("x-litellm-model-id"), "second", "{}", answer.text());
    let costs = answer.chunks().iter().find_map(|chunk| chunk["usage"]["cost"].as_f64());
    let spend = row_of(&rig, &answer).await["spend"].as_f64();
    assert!(spend > Some(10.0 * 0.003 + 5.0 * 0.004), "{spend:?}");
    assert_eq!(costs, spend, "what is told is what is booked");
}

/// What budgets of providers and deployments stand at after the second one has outrun the first, and what each cost.
async fn after_a_race(first: &str) -> (Value, f64, f64) {
    let text = "first=silent second=answers";
    let budgets = "router_settings: {provider_budget_config: {openai: {budget_limit: 100, time_period: 1d}, \
                   groq: {budget_limit: 100, time_period: 1d}}, ";
    let limited = format!(
        "model: {first}, api_base: \"MOCK/v1\", api_key: sk-fake, order: 1, max_budget: 100, budget_duration: 1d,"
    );
    let rig = Rig::config(CONFIG)
        .replace("model: openai/first, api_base: \"MOCK/v1\", api_key: sk-fake, order: 1,", &limited)
        .replace("router_settings: {", budgets)
        .over(provider)
        .await;
    let answer = rig.chat("pair", text).await;
    assert_eq!((answer.status, answer.header("x-litellm-model-id")), (200, "second"), "{}", answer.text());
    let row = row_of(&rig, &answer).await;
    let read = (chat("pair", text).to_string().len() / 4) as f64 * 0.001;
    let served = 10.0 * 0.003 + 5.0 * 0.004;
    assert!((row["spend"].as_f64().unwrap() - read - served).abs() < 1e-9, "{row}");
    for seen in row["metadata"]["weir"]["budgets"].as_array().unwrap() {
        let cost = if seen["scope"] == "deployment_period" { read } else { served };
        let cost = if seen["id"] == "groq" { read } else { cost };
        let cost = if first.starts_with("openai") && seen["id"] == "openai" { read + served } else { cost };
        let counted = seen["after"].as_f64().unwrap() - seen["before"].as_f64().unwrap();
        assert!((counted - cost).abs() < 1e-9, "{seen}");
    }
    (rig.get("/provider/budgets", MASTER).await.json(), read, served)
}

#[tokio::test]
async fn p44_the_losers_cost_counts_in_its_own_budgets_and_once() {
    for first in ["groq/first", "openai/first"] {
        let (told, read, served) = after_a_race(first).await;
        let spent = |path: &str| told.pointer(path).and_then(Value::as_f64).unwrap_or(-1.0);
        let (by_groq, by_openai) = match first {
            "groq/first" => (read, served),
            _ => (0.0, read + served),
        };
        for (path, cost) in [
            ("/deployments/first/spend", read),
            ("/providers/groq/spend", by_groq),
            ("/providers/openai/spend", by_openai),
        ] {
            assert!((spent(path) - cost).abs() < 1e-9, "{first} {path} {cost}: {told}");
        }
    }
}

/// What the loser cost stays as it was, and what the winner cost is priced anew.
#[tokio::test]
async fn p51_an_entry_with_a_loser_is_priced_anew() {
    let rig = start().await;
    let text = "first=silent second=answers";
    let answer = rig.chat("pair", text).await;
    let before = row_of(&rig, &answer).await["spend"].as_f64().unwrap();
    let dearer = CONFIG.replace("input_cost_per_token: 0.003", "input_cost_per_token: 0.03");
    rig.write_config(&dearer);
    let done = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["reprice", "--from", "2020-01-01"])
        .env("CONFIG_FILE_PATH", rig.dir.path().join("config.yaml"))
        .env("WEIR_DATA_DIR", rig.data())
        .env("LITELLM_MASTER_KEY", MASTER)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && told.contains("1 changed"), "{told}");
    let after = row_of(&rig, &answer).await["spend"].as_f64().unwrap();
    assert!((after - before - 10.0 * 0.027).abs() < 1e-9, "{before} {after}");
}

#[tokio::test]
async fn p44_who_answers_in_time_is_alone() {
    let rig = start().await;
    let answer = rig.chat("pair", "first=answers").await;
    assert_eq!((answer.status, answer.header("x-litellm-model-id")), (200, "first"));
    assert_eq!(rig.chat("lone", "first=late").await.status, 200, "nobody else is there to be asked");
    assert_eq!(asked(&rig), ["first", "first"]);
}

#[tokio::test]
async fn p44_a_first_one_that_is_late_but_faster_wins() {
    let rig = start().await;
    let answer = rig.chat("pair", "first=late second=silent").await;
    assert_eq!((answer.status, answer.header("x-litellm-model-id")), (200, "first"));
    assert_eq!(asked(&rig), ["first", "second"]);
    assert_eq!(attempts(&row_of(&rig, &answer).await)[0], ("second".to_owned(), "Outrun".to_owned()));
}

#[tokio::test]
async fn p44_when_one_fails_the_other_is_waited_for() {
    let rig = start().await;
    for text in ["first=503 second=late", "first=late second=503"] {
        let answer = rig.chat("pair", text).await;
        assert_eq!(answer.status, 200, "{text}: {}", answer.text());
        let row = row_of(&rig, &answer).await;
        assert!(attempts(&row).iter().any(|(_, error)| error == "ServiceUnavailableError"), "{row}");
    }
    let both = rig.chat("pair", "first=503 second=500").await;
    assert_eq!(both.status, 500, "the last failure is told: {}", both.text());
}

#[tokio::test]
async fn p22_a_race_gives_both_places_back() {
    let rig = start().await;
    for text in ["first=silent second=answers", "first=late second=silent", "first=503 second=500"] {
        rig.chat("pair", text).await;
    }
    // A client that leaves in the middle of it.
    let left =
        tokio::time::timeout(Duration::from_millis(600), rig.chat("pair", "first=silent second=silent"))
            .await;
    assert!(left.is_err(), "both are silent");
    rig.rows(4).await;
    for model in ["first", "second"] {
        let other = if model == "first" { "second" } else { "first" };
        let answer = rig.chat("pair", &format!("{model}=late {other}=silent")).await;
        assert_eq!((answer.status, answer.header("x-litellm-model-id")), (200, model), "{}", answer.text());
    }
}
