//! A newer price map: fetched when somebody asks, in force at once and after a restart, and the last good one where there is
//! none (P14).

use crate::rig::{Builder, CONFIG, MASTER, Rig, chat, database};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use weir_bench::mock::openai::OpenAi;
use weir_bench::mock::{Reply, Seen, Step, Upstream};

/// A provider that also keeps a price map, whose content is chosen by number.
fn provider(which: &Arc<AtomicUsize>) -> impl Upstream + use<> {
    let (which, openai) = (Arc::clone(which), OpenAi::new());
    move |seen: &Seen| {
        if seen.route() != "/prices.json" {
            return openai.answer(seen);
        }
        let of = |input: f64, output: f64| {
            let model = json!({"litellm_provider": "openai", "mode": "chat",
                "input_cost_per_token": input, "output_cost_per_token": output});
            Reply::json(200, &json!({"sample_spec": {}, "no-price-anywhere": model}))
        };
        match which.load(Ordering::SeqCst) {
            0 => of(0.001, 0.002),
            1 => Reply::full(500, "text/plain", "not today"),
            2 => Reply::full(200, "application/json", "{\"no-price"),
            3 => Reply::json(200, &json!({})),
            4 => Reply::json(200, &json!([1, 2])),
            _ => of(0.002, 0.004),
        }
    }
}

fn config() -> Builder {
    Rig::config(CONFIG).replace("weir_settings: {", "weir_settings: {price_map_url: \"MOCK/prices.json\", ")
}

async fn reload(rig: &Rig) -> (u16, Value) {
    let answer = rig.post("/reload/model_cost_map", MASTER, json!({})).await;
    (answer.status, answer.json())
}

/// What a request costs that has 11 tokens in and 7 out.
async fn cost(rig: &Rig) -> f64 {
    let answer = rig.post("/v1/chat/completions", MASTER, chat("unpriced", "hi")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    rig.row(answer.header("x-litellm-call-id")).await["spend"].as_f64().unwrap()
}

async fn costs(rig: &Rig, dollars: f64) {
    let told = cost(rig).await;
    assert!((told - dollars).abs() < 1e-12, "{told} instead of {dollars}");
}

#[tokio::test]
async fn p14_a_newer_price_map_survives_a_restart_and_what_is_none_changes_nothing() {
    let which = Arc::new(AtomicUsize::new(0));
    let mut rig = config().over(provider(&which)).await;
    assert_eq!(rig.mock.seen_count(), 0, "nothing is fetched at start");
    costs(&rig, 0.0).await;
    let (status, told) = reload(&rig).await;
    assert_eq!((status, &told["models_count"]), (200, &json!(1)), "{told}");
    costs(&rig, 0.025).await;
    for bad in 1..=4 {
        which.store(bad, Ordering::SeqCst);
        let (status, told) = reload(&rig).await;
        assert_eq!(status, 502, "{bad}: {told}");
        costs(&rig, 0.025).await;
    }
    rig.restart().await;
    costs(&rig, 0.025).await;
    which.store(5, Ordering::SeqCst);
    assert_eq!(reload(&rig).await.0, 200);
    costs(&rig, 0.05).await;
    let key = rig.key(json!({})).await;
    assert_eq!(rig.post("/reload/model_cost_map", &key, json!({})).await.status, 401);
}

#[tokio::test]
async fn p14_every_replica_has_the_newer_price_map() {
    let Some(url) = database().await else { return };
    let which = Arc::new(AtomicUsize::new(0));
    let rig = async || config().env("DATABASE_URL", &url).over(provider(&which)).await;
    let (one, two) = (rig().await, rig().await);
    assert_eq!(reload(&one).await.0, 200);
    let begun = Instant::now();
    while cost(&two).await == 0.0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "{}", two.log());
    }
    costs(&two, 0.025).await;
}

#[tokio::test]
async fn a_price_map_is_fetched_as_often_as_an_admin_wishes() {
    let rig = config().over(provider(&Arc::default())).await;
    let schedule = "/schedule/model_cost_map_reload";
    let status = async || rig.get(&format!("{schedule}/status"), MASTER).await.json();
    assert_eq!((&status().await["scheduled"], &status().await["last_run"]), (&json!(false), &Value::Null));
    for wrong in ["", "?hours=0", "?hours=soon"] {
        let answer = rig.post(&format!("{schedule}{wrong}"), MASTER, json!({})).await;
        assert!((400..500).contains(&answer.status), "{wrong}: {}", answer.text());
    }
    let asked = rig.post(&format!("{schedule}?hours=6"), MASTER, json!({})).await;
    assert_eq!((asked.status, &asked.json()["interval_hours"]), (200, &json!(6)), "{}", asked.text());
    assert_eq!(reload(&rig).await.0, 200);
    let told = status().await;
    assert_eq!((&told["scheduled"], told["interval_hours"].as_f64()), (&json!(true), Some(6.0)), "{told}");
    assert!(told["last_run"].is_string() && told["next_run"].as_str() > told["last_run"].as_str(), "{told}");
    assert_eq!(rig.delete(schedule, MASTER).await.status, 200);
    assert_eq!(status().await["scheduled"], json!(false));
}

/// Serves every request at the tier that it names, but never flex; tells the usage as the dialect does.
fn tiered(seen: &Seen) -> Reply {
    let asked = seen.json();
    let tier = asked["service_tier"].as_str().filter(|tier| *tier != "flex").unwrap_or("default");
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150});
    let choice = |said: &str| json!([{"index": 0, (said): {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]);
    let answer = |choices: Value| json!({"id": "c", "object": "o", "created": 1, "model": "gpt-5", "choices": choices, "service_tier": tier});
    if asked["stream"] != json!(true) {
        let mut whole = answer(choice("message"));
        whole["usage"] = usage;
        return Reply::json(200, &whole);
    }
    let mut last = answer(json!([]));
    last["usage"] = usage;
    let text = format!("data: {}\n\ndata: {last}\n\ndata: [DONE]\n\n", answer(choice("delta")));
    Reply::stream("text/event-stream", vec![Step::now(text)])
}

#[tokio::test]
async fn p12_what_is_served_at_a_tier_has_its_prices_and_not_those_of_the_tier_that_was_asked_for() {
    let rig = Rig::config(CONFIG).over(tiered).await;
    // $1.25 and $10 for a million tokens, twice as much with priority.
    for (tier, dollars) in [(None, 0.000_625), (Some("priority"), 0.001_25), (Some("flex"), 0.000_625)] {
        for stream in [false, true] {
            let mut body = chat("openai/gpt-5", "hi");
            body["stream"] = stream.into();
            if let Some(tier) = tier {
                body["service_tier"] = tier.into();
            }
            let answer = rig.post("/v1/chat/completions", MASTER, body).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let row = rig.row(answer.header("x-litellm-call-id")).await;
            let spent = row["spend"].as_f64().unwrap();
            assert!(
                (spent - dollars).abs() < 1e-12,
                "{tier:?}, streamed: {stream}: {spent} instead of {dollars}"
            );
        }
    }
}
