//! Service tiers: what is served at one has its prices, and whoever asks for a dear one must be able to pay it (P12, P15).

use crate::client::Answer;
use crate::rig::{Builder, MASTER, Rig, chat};
use serde_json::{Value, json};
use weir_bench::mock::{Reply, Seen, Step, Upstream};

const CONFIG: &str = r#"
model_list:
  - model_name: tiered
    litellm_params: {model: openai/tiered, api_base: "MOCK/v1", api_key: sk-fake, PRICES}
  - model_name: patient
    litellm_params: {model: openai/tiered, api_base: "MOCK/v1", api_key: sk-fake, service_tier: flex, PRICES}
litellm_settings: {num_retries: 0, include_cost_in_streaming_usage: true}
router_settings: {num_retries: 0}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
weir_settings: {drain_delay: 0}
"#;

/// A million tokens cost $1 in and $2 out; four times as much with priority; $0.5 and $0.7 with flex.
const PRICES: &str = "input_cost_per_token: 0.000001, output_cost_per_token: 0.000002, \
    input_cost_per_token_priority: 0.000004, output_cost_per_token_priority: 0.000008, \
    input_cost_per_token_flex: 0.0000005, output_cost_per_token_flex: 0.0000007, \
    input_cost_per_token_batches: 0.0000001, output_cost_per_token_batches: 0.0000001";

/// Of 11 tokens in and 7 out, in dollars.
const STANDARD: f64 = 0.000_025;
const PRIORITY: f64 = 0.000_1;
const FLEX: f64 = 0.000_010_4;

fn tiered() -> Builder {
    Rig::config(CONFIG).replace("PRICES", PRICES)
}

/// A provider that names this tier in every answer and every chunk, or none.
fn naming(tier: Option<&'static str>) -> impl Upstream {
    move |seen: &Seen| {
        let usage = json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18});
        let named = |mut answer: Value| {
            answer["id"] = "c".into();
            if let Some(tier) = tier {
                answer["service_tier"] = tier.into();
            }
            answer
        };
        if seen.json()["stream"] != true {
            let message = json!({"role": "assistant", "content": "so"});
            let choice = json!({"index": 0, "finish_reason": "stop", "message": message});
            let answer =
                json!({"object": "chat.completion", "model": "m", "choices": [choice], "usage": usage});
            return Reply::json(200, &named(answer));
        }
        let said = json!([{"index": 0, "delta": {"content": "so"}, "finish_reason": "stop"}]);
        let chunks = [json!({"choices": said}), json!({"choices": [], "usage": usage})];
        let events: String = chunks.map(|chunk| format!("data: {}\n\n", named(chunk))).concat();
        Reply::stream("text/event-stream", vec![Step::now(events + "data: [DONE]\n\n")])
    }
}

/// A request for a tier, or for none, plain or streamed.
fn asking(model: &str, tier: Option<&str>, stream: bool) -> Value {
    let mut body = chat(model, "hi");
    if let Some(tier) = tier {
        body["service_tier"] = tier.into();
    }
    if stream {
        body["stream"] = true.into();
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

/// The same of the Responses API.
fn responding(model: &str, tier: Option<&str>, stream: bool) -> Value {
    let mut body = json!({"model": model, "input": "hi", "stream": stream});
    if let Some(tier) = tier {
        body["service_tier"] = tier.into();
    }
    body
}

/// What is booked, and how it is explained.
async fn is_booked(rig: &Rig, answer: &Answer, (tier, dollars): (&str, f64), what: &str) {
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    let spent = row["spend"].as_f64().unwrap();
    assert!((spent - dollars).abs() < 1e-12, "{what}: {spent} instead of {dollars}");
    let weir = &row["metadata"]["weir"];
    assert_eq!(weir["service_tier"], tier, "{what}");
    let charges = weir["charges"].as_array().unwrap();
    let explained: f64 = charges.iter().map(|charge| charge["cost"].as_f64().unwrap()).sum();
    assert!((explained - dollars).abs() < 1e-12, "{what}: {charges:?}");
}

#[tokio::test]
async fn p12_the_tier_that_serves_is_paid_plain_and_streamed_in_both_of_openais_dialects() {
    let rig = tiered().start().await;
    for (asked, paid) in [
        (None, ("standard", STANDARD)),
        (Some("auto"), ("standard", STANDARD)),
        (Some("default"), ("standard", STANDARD)),
        (Some("priority"), ("priority", PRIORITY)),
        (Some("flex"), ("flex", FLEX)),
        // A tier without prices of its own.
        (Some("scale"), ("standard", STANDARD)),
    ] {
        for stream in [false, true] {
            let what = format!("{asked:?}, streamed: {stream}");
            let answer = rig.post("/v1/chat/completions", MASTER, asking("tiered", asked, stream)).await;
            is_booked(&rig, &answer, paid, &what).await;
            let answer = rig.post("/v1/responses", MASTER, responding("tiered", asked, stream)).await;
            is_booked(&rig, &answer, paid, &format!("a response, {what}")).await;
        }
    }
}

#[tokio::test]
async fn p12_a_tier_that_was_asked_for_in_vain_is_not_paid() {
    let rig = tiered().over(naming(Some("default"))).await;
    for stream in [false, true] {
        for (model, tier) in [("tiered", Some("priority")), ("tiered", Some("flex")), ("patient", None)] {
            let what = format!("{model} {tier:?}, streamed: {stream}");
            let answer = rig.post("/v1/chat/completions", MASTER, asking(model, tier, stream)).await;
            is_booked(&rig, &answer, ("standard", STANDARD), &what).await;
        }
    }
}

/// Also where the operator asks for it.
#[tokio::test]
async fn p12_where_no_answer_names_a_tier_the_one_that_was_asked_for_is_paid() {
    let rig = tiered().over(naming(None)).await;
    for (model, asked, paid) in [
        ("tiered", None, ("standard", STANDARD)),
        ("tiered", Some("priority"), ("priority", PRIORITY)),
        ("tiered", Some("flex"), ("flex", FLEX)),
        // Nobody who waits for an answer is served as a batch.
        ("tiered", Some("batch"), ("standard", STANDARD)),
        ("patient", None, ("flex", FLEX)),
        ("patient", Some("priority"), ("priority", PRIORITY)),
    ] {
        for stream in [false, true] {
            let what = format!("{model} {asked:?}, streamed: {stream}");
            let answer = rig.post("/v1/chat/completions", MASTER, asking(model, asked, stream)).await;
            is_booked(&rig, &answer, paid, &what).await;
            if stream {
                let told = answer.chunks().iter().find_map(|chunk| chunk["usage"]["cost"].as_f64()).unwrap();
                assert!((told - paid.1).abs() < 1e-12, "{what}: {told} is told");
            }
        }
    }
}

/// What a client says and takes back, or says twice, may reach the provider or not.
#[tokio::test]
async fn p12_a_cheap_tier_that_the_provider_may_not_be_asked_for_is_not_paid() {
    let rig = tiered().over(naming(None)).await;
    let dropped = json!(["service_tier"]);
    for (tier, more, paid) in [
        ("flex", json!({"additional_drop_params": dropped}), ("standard", STANDARD)),
        ("priority", json!({"additional_drop_params": dropped}), ("priority", PRIORITY)),
        ("flex", json!({"serviceTier": "default"}), ("standard", STANDARD)),
        ("flex", json!({"serviceTier": "priority"}), ("priority", PRIORITY)),
        ("flex", json!({"additional_drop_params": ["seed"]}), ("flex", FLEX)),
    ] {
        let mut body = asking("tiered", Some(tier), false);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = rig.post("/v1/chat/completions", MASTER, &body).await;
        is_booked(&rig, &answer, paid, &format!("{tier} {more}")).await;
    }
}

#[tokio::test]
async fn p12_who_names_two_tiers_pays_the_dearer_one() {
    let rig = tiered().over(naming(None)).await;
    for (one, other) in [("flex", "priority"), ("priority", "flex")] {
        let mut body = asking("tiered", Some(one), false);
        body["serviceTier"] = other.into();
        let answer = rig.post("/v1/chat/completions", MASTER, body).await;
        is_booked(&rig, &answer, ("priority", PRIORITY), one).await;
    }
}

#[tokio::test]
async fn p15_a_dear_tier_is_held_at_its_own_price() {
    let rig = tiered().start().await;
    // More than the bytes of the request and sixteen tokens cost at the standard tier, and less than they do with priority.
    let key = rig.key(json!({"max_budget": 0.0002})).await;
    let dear = rig.post("/v1/chat/completions", &key, asking("tiered", Some("priority"), false)).await;
    assert_eq!(dear.status, 400, "{}", dear.text());
    assert_eq!(rig.mock.seen_count(), 0, "it is not sent");
    for cheap in [Some("flex"), None] {
        let answer = rig.post("/v1/chat/completions", &key, asking("tiered", cheap, false)).await;
        assert_eq!(answer.status, 200, "{cheap:?}: {}", answer.text());
    }
}
