//! Budgets hold: what is settled is never more than the budget, and nearly all of it can be spent.

use crate::rig::{Builder, CONFIG, MASTER, Rig, chat, database};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use weir_bench::mock::{Reply, Seen, Step};

/// A model that costs a hundredth of a dollar for each answer of the mock, more or less.
const DEAR: &str = r#"
  - model_name: dear
    litellm_params: {model: openai/dear, api_base: "MOCK/v1", api_key: sk-upstream-fake, input_cost_per_token: 0.0000001, output_cost_per_token: 0.001}
litellm_settings:"#;

pub fn dear() -> Builder {
    Rig::config(CONFIG).replace("\nlitellm_settings:", DEAR)
}

/// A provider that says as much as it is allowed to, and takes its time.
pub fn obedient(seen: &Seen) -> Reply {
    let asked = seen.json();
    let said = asked["max_tokens"].as_u64().unwrap_or(7);
    if seen.route().ends_with("/messages") {
        let usage = json!({"input_tokens": 9, "output_tokens": said});
        return Reply::json(
            200,
            &json!({"type": "message", "role": "assistant", "content": [], "usage": usage}),
        );
    }
    let usage = json!({"prompt_tokens": 9, "completion_tokens": said, "total_tokens": 9 + said});
    if asked["stream"] != json!(true) {
        let choice =
            json!({"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "so"}});
        let whole = json!({"id": "c1", "object": "chat.completion", "model": "dear", "choices": [choice], "usage": usage});
        return Reply::json(200, &whole).delayed(Duration::from_millis(5));
    }
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({"id": "c1", "object": "chat.completion.chunk", "model": "dear", "choices": choices, "usage": usage});
        Step::after(Duration::from_millis(2), format!("data: {chunk}\n\n"))
    };
    let said = json!([{"index": 0, "delta": {"role": "assistant", "content": "so"}}]);
    let over = json!([{"index": 0, "delta": {}, "finish_reason": "length"}]);
    let mut steps = vec![chunk(said, json!(null)), chunk(over, json!(null)), chunk(json!([]), usage)];
    steps.push(Step::now("data: [DONE]\n\n"));
    Reply::stream("text/event-stream", steps)
}

pub fn ask(tokens: u64) -> Value {
    json!({"model": "dear", "max_tokens": tokens, "messages": [{"role": "user", "content": "hi"}]})
}

async fn spent(rig: &Rig, key: &str) -> f64 {
    let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
    info["info"]["spend"].as_f64().unwrap()
}

/// What is told as spent when everything is booked.
pub async fn settled(rig: &Rig, key: &str) -> f64 {
    let started = Instant::now();
    let mut last = -1.0;
    loop {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let now = spent(rig, key).await;
        if (now - last).abs() < 1e-12 {
            return now;
        }
        assert!(started.elapsed() < Duration::from_secs(20));
        last = now;
    }
}

/// Also where the time stands in the metadata without a zone, as LiteLLM writes it.
#[tokio::test]
async fn p16_a_budget_that_is_raised_for_a_while_lets_pass_until_then() {
    let rig = dear().over(obedient).await;
    let key = rig.key(json!({"max_budget": "0.0000001"})).await;
    let asked = async || rig.post("/v1/chat/completions", &key, ask(1)).await.status;
    assert_ne!(asked().await, 200);
    for (until, is_served) in [("2099-01-01", true), ("2020-01-01", false)] {
        let raised = json!({"key": key, "temp_budget_increase": 5, "temp_budget_expiry": until});
        assert_eq!(rig.post("/key/update", MASTER, raised).await.status, 200);
        assert_eq!(asked().await == 200, is_served, "{until}");
    }
    let written = json!({"temp_budget_increase": 5, "temp_budget_expiry": "2099-01-01T00:00:00"});
    let imported = rig.post("/key/update", MASTER, json!({"key": key, "metadata": written})).await;
    assert_eq!((imported.status, asked().await), (200, 200), "{}", imported.text());
}

#[tokio::test]
async fn p43_a_spent_budget_refuses_in_litellms_words_and_says_whose_it_is() {
    let rig = dear().over(obedient).await;
    let key = rig.key(json!({"max_budget": 0.01, "budget_duration": "30d"})).await;
    let mut served = 0;
    let refused = loop {
        let answer = rig.post("/v1/chat/completions", &key, ask(1)).await;
        if answer.status != 200 {
            break answer;
        }
        served += 1;
        assert!(served < 20, "nothing is refused");
    };
    assert_eq!(refused.status, 400, "{}", refused.text());
    let error = refused.json()["error"].clone();
    assert_eq!(
        (&error["type"], &error["code"], &error["param"]),
        (&json!("budget_exceeded"), &json!("400"), &json!(null))
    );
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("Budget has been exceeded! Current cost: 0.0"), "{message}");
    assert!(message.ends_with("Max budget: 0.01"), "{message}");
    assert_eq!((&error["budget"]["scope"], &error["budget"]["max_budget"]), (&json!("key"), &json!("0.01")));
    assert!(error["budget"]["reset_at"].is_string(), "{error}");
    assert!(settled(&rig, &key).await <= 0.01);
    let seen = rig.mock.seen_count();
    assert_eq!(seen, served, "a refused request is not sent");
    assert_eq!(rig.get("/v1/models", &key).await.status, 200, "what costs nothing goes on");
}

/// Asks for a token until it is refused; answers the refusal, and how many were served before.
async fn until_refused(rig: &Rig, key: &str) -> (Value, usize) {
    for served in 0..20 {
        let answer = rig.post("/v1/chat/completions", key, ask(1)).await;
        if answer.status != 200 {
            assert_eq!(answer.status, 400, "{}", answer.text());
            return (answer.json()["error"].clone(), served);
        }
    }
    panic!("nothing is refused");
}

#[tokio::test]
async fn p43_a_budget_for_one_model_leaves_the_others_alone() {
    let rig = dear().over(obedient).await;
    let budget = json!({"dear": {"budget_limit": 0.01, "time_period": "1d"}});
    let key = rig.key(json!({"model_max_budget": budget, "key_alias": "k1"})).await;
    let (error, served) = until_refused(&rig, &key).await;
    assert!(served >= 8, "{served} of nearly ten");
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("LiteLLM Virtual Key: "), "{message}");
    assert!(message.ends_with(", key_alias: k1, exceeded budget for model=dear"), "{message}");
    assert_eq!(
        (&error["type"], &error["budget"]["scope"], &error["budget"]["max_budget"]),
        (&json!("budget_exceeded"), &json!("key_model"), &json!("0.01"))
    );
    assert!(error["budget"]["reset_at"].is_string(), "{error}");
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("gpt-4o", "hi")).await.status, 200);
    let other = rig.key(json!({})).await;
    assert_eq!(rig.post("/v1/chat/completions", &other, ask(1)).await.status, 200, "another key has its own");

    let team =
        rig.post("/team/new", MASTER, json!({"team_alias": "t1", "model_max_budget": budget})).await.json();
    let keys = [
        rig.key(json!({"team_id": team["team_id"]})).await,
        rig.key(json!({"team_id": team["team_id"]})).await,
    ];
    let (error, served) = until_refused(&rig, &keys[0]).await;
    assert!(served >= 8, "{served} of nearly ten");
    assert_eq!(error["budget"]["scope"], json!("team_model"), "{error}");
    let (_, served) = until_refused(&rig, &keys[1]).await;
    assert_eq!(served, 0, "all keys of a team share it");
}

/// Nor does the old text have one of its own, as long as it is taken.
#[tokio::test]
async fn p43_a_new_text_for_a_key_begins_no_budget_anew() {
    let rig = dear().over(obedient).await;
    let of_model = json!({"model_max_budget": {"dear": {"budget_limit": 0.01, "time_period": "1d"}}});
    for limits in [of_model, json!({"max_budget": 0.01})] {
        let key = rig.key(limits.clone()).await;
        let (_, served) = until_refused(&rig, &key).await;
        assert!(served >= 8, "{served} of nearly ten");
        let rotated = rig.post("/key/regenerate", MASTER, json!({"key": key, "grace_period": "1h"})).await;
        let fresh = rotated.json()["key"].as_str().unwrap().to_owned();
        for text in [&fresh, &key] {
            assert_eq!(until_refused(&rig, text).await.1, 0, "{limits}");
        }
        assert!(settled(&rig, &fresh).await <= 0.01, "{limits}");
    }
}

#[tokio::test]
async fn p43_the_gateways_own_budget_holds_all_keys_together_but_not_its_master() {
    let settings = "litellm_settings: {max_budget: 0.02, budget_duration: 1d, ";
    let rig = dear().replace("litellm_settings: {", settings).over(obedient).await;
    let keys = [rig.key(json!({})).await, rig.key(json!({})).await];
    let first = rig.post("/v1/chat/completions", &keys[0], ask(9)).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let (error, served) = until_refused(&rig, &keys[1]).await;
    assert!((8..=11).contains(&served), "{served}");
    assert_eq!(error["budget"]["scope"], json!("gateway"), "{error}");
    assert_eq!(until_refused(&rig, &keys[0]).await.1, 0);
    assert_eq!(rig.post("/v1/chat/completions", MASTER, ask(1)).await.status, 200);
    let told = rig.get("/global/spend", MASTER).await.json();
    assert_eq!(told["max_budget"].as_f64(), Some(0.02), "{told}");
}

/// A cheap deployment that may cost little, and one without a limit behind it.
const LIMITED: &str = r#"
  - model_name: limited
    litellm_params: {model: openai/dear, api_base: "MOCK/v1", api_key: sk-upstream-fake, input_cost_per_token: 0.0000001, output_cost_per_token: 0.001, order: 1, max_budget: 0.01, budget_duration: 1d}
    model_info: {id: little}
  - model_name: limited
    litellm_params: {model: anthropic/dear, api_base: "MOCK", api_key: sk-upstream-fake, input_cost_per_token: 0.0000001, output_cost_per_token: 0.001, order: 2}
    model_info: {id: plenty}
litellm_settings:"#;

fn limited() -> Builder {
    Rig::config(CONFIG).replace("\nlitellm_settings:", LIMITED)
}

async fn ask_limited(rig: &Rig, key: &str) -> crate::client::Answer {
    let mut body = ask(1);
    body["model"] = json!("limited");
    rig.post("/v1/chat/completions", key, body).await
}

#[tokio::test]
async fn p43_a_deployment_that_has_cost_enough_is_passed_over() {
    let rig = limited().over(obedient).await;
    let key = rig.key(json!({})).await;
    let mut by_little = 0;
    for _ in 0..15 {
        let answer = ask_limited(&rig, &key).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        by_little += usize::from(answer.header("x-litellm-model-id") == "little");
    }
    assert!((8..=9).contains(&by_little), "a hundredth of a dollar pays for nine: {by_little}");
    assert_eq!(ask_limited(&rig, MASTER).await.header("x-litellm-model-id"), "plenty", "whoever asks");
}

#[tokio::test]
async fn p43_when_a_provider_has_cost_enough_and_nobody_else_is_there_it_is_said() {
    let budgets = "router_settings: {provider_budget_config: {openai: {budget_limit: 0.005, time_period: 1d}, \
                   anthropic: {max_budget: 0.003, budget_duration: 1d}}, ";
    let rig = limited().replace("router_settings: {", budgets).over(obedient).await;
    let key = rig.key(json!({})).await;
    let mut served = 0;
    let refused = loop {
        let answer = ask_limited(&rig, &key).await;
        if answer.status != 200 {
            break answer;
        }
        served += 1;
        assert!(served < 10, "nothing is refused");
    };
    assert!((5..=6).contains(&served), "four by one, two by the other: {served}");
    assert_eq!(refused.status, 429, "{}", refused.text());
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("No deployments available - crossed budget: "), "{message}");
    assert!(message.contains("provider anthropic"), "{message}");
    assert_eq!(rig.mock.seen_count(), served, "nothing is sent beyond it");
    rig.rows(usize::try_from(served).unwrap()).await;
    let told = rig.get("/provider/budgets", MASTER).await.json();
    let openai = &told["providers"]["openai"];
    assert_eq!((&openai["budget_limit"], &openai["time_period"]), (&json!(0.005), &json!("1d")), "{told}");
    assert!(openai["spend"].as_f64().is_some_and(|spend| (0.001..=0.005).contains(&spend)), "{told}");
    assert!(openai["budget_reset_at"].is_string(), "{told}");
    assert_eq!(rig.get("/provider/budgets", &key).await.status, 401, "not for everybody");
}

/// What the UI shows of the budget of all keys together.
#[tokio::test]
async fn p43_what_the_whole_gateway_may_cost_is_told_with_what_it_has() {
    let open = limited().over(obedient).await;
    assert_eq!(open.get("/provider/budgets", MASTER).await.json()["gateway"], json!(null));
    let budget = "litellm_settings: {max_budget: 5, budget_duration: 30d, ";
    let rig = limited().replace("litellm_settings: {", budget).over(obedient).await;
    let key = rig.key(json!({})).await;
    assert_eq!(ask_limited(&rig, &key).await.status, 200);
    let spent = rig.rows(1).await[0]["spend"].clone();
    let told = rig.get("/provider/budgets", MASTER).await.json()["gateway"].clone();
    assert_eq!((told["budget_limit"].as_f64(), &told["time_period"]), (Some(5.0), &json!("30d")), "{told}");
    assert!(spent.as_f64() > Some(0.0) && told["spend"] == spent, "{told}, not {spent}");
    assert!(told["budget_reset_at"].is_string(), "{told}");
}

#[tokio::test]
async fn p15_what_does_not_fit_whole_is_made_shorter() {
    let rig = dear().start().await;
    let key = rig.key(json!({"max_budget": 0.05})).await;
    let answer = rig.post("/v1/chat/completions", &key, ask(1_000)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let limit: u64 = answer.header("x-weir-max-tokens-limited").parse().unwrap();
    assert!((40..50).contains(&limit), "0.05 dollars pay for nearly fifty tokens: {limit}");
    assert_eq!(rig.mock.log().last().unwrap().json()["max_tokens"], json!(limit));
    let plenty = rig.key(json!({"max_budget": 5})).await;
    let answer = rig.post("/v1/chat/completions", &plenty, ask(1_000)).await;
    assert_eq!(answer.header("x-weir-max-tokens-limited"), "", "nobody notices plenty");
    assert_eq!(rig.mock.log().last().unwrap().json()["max_tokens"], json!(1_000));
}

fn gemini_says(_: &Seen) -> Reply {
    let said = json!({"content": {"role": "model", "parts": [{"text": "so"}]}, "finishReason": "STOP"});
    let usage = json!({"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2});
    Reply::json(200, &json!({"candidates": [said], "usageMetadata": usage}))
}

/// LiteLLM's `additional_drop_params`, and Gemini's own place for the limit, which would count before it.
#[tokio::test]
async fn p15_what_is_made_shorter_no_client_makes_longer() {
    let gemini = dear().replace("openai/dear, api_base: \"MOCK/v1\"", "gemini/dear, api_base: \"MOCK\"");
    let rig = gemini.over(gemini_says).await;
    for (asked, more) in [
        (1_000, json!({"additional_drop_params": ["max_tokens", "max_completion_tokens"]})),
        (1, json!({"additional_drop_params": ["max_tokens"]})),
        (1, json!({"generationConfig": {"maxOutputTokens": 1_000}})),
        (1, json!({"generation_config": {"max_output_tokens": 1_000}})),
    ] {
        let key = rig.key(json!({"max_budget": 0.05})).await;
        let mut body = ask(asked);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = rig.post("/v1/chat/completions", &key, body).await;
        assert_eq!(answer.status, 200, "{more}: {}", answer.text());
        let limit: u64 = answer.header("x-weir-max-tokens-limited").parse().unwrap();
        assert!(limit < 50, "{more}: {limit}");
        let sent = rig.mock.log().last().unwrap().json()["generationConfig"].clone();
        assert_eq!(sent["maxOutputTokens"], json!(limit.min(asked)), "{more}: {sent}");
        assert!(sent.get("max_output_tokens").is_none(), "{more}: {sent}");
    }
}

/// As another dialect calls it. Nobody heeds that, and the hold would be too small.
#[tokio::test]
async fn p15_a_limit_that_no_provider_is_told_limits_nothing() {
    let rig = dear().over(obedient).await;
    let messages = json!([{"role": "user", "content": "hi"}]);
    for body in [
        json!({"model": "dear", "messages": messages, "max_output_tokens": 1}),
        json!({"model": "dear", "messages": messages, "generationConfig": {"maxOutputTokens": 1}}),
    ] {
        let key = rig.key(json!({"max_budget": 0.05})).await;
        let answer = rig.post("/v1/chat/completions", &key, &body).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        let limit: u64 = answer.header("x-weir-max-tokens-limited").parse().unwrap();
        assert!((40..50).contains(&limit), "{body}: {limit}");
        assert_eq!(rig.mock.log().last().unwrap().json()["max_tokens"], json!(limit), "{body}");
    }
}

/// Google takes either spelling of its own names.
#[tokio::test]
async fn p15_geminis_clients_are_held_to_what_is_left_in_either_spelling() {
    let gemini = dear().replace("openai/dear, api_base: \"MOCK/v1\"", "gemini/dear, api_base: \"MOCK\"");
    let rig = gemini.over(gemini_says).await;
    for said in [
        json!({}),
        json!({"generationConfig": {"maxOutputTokens": 1_000}}),
        json!({"generation_config": {"max_output_tokens": 1_000}}),
        json!({"generationConfig": {"maxOutputTokens": 1}, "generation_config": {"max_output_tokens": 1_000}}),
    ] {
        let key = rig.key(json!({"max_budget": 0.05})).await;
        let mut body = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
        body.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        let answer = rig.post("/v1beta/models/dear:generateContent", &key, body).await;
        assert_eq!(answer.status, 200, "{said}: {}", answer.text());
        let limit: u64 = answer.header("x-weir-max-tokens-limited").parse().unwrap();
        assert!(limit < 50, "{said}: {limit}");
        let sent = rig.mock.log().last().unwrap().json();
        let shortest = said["generationConfig"]["maxOutputTokens"].as_u64().unwrap_or(limit).min(limit);
        assert_eq!(sent["generationConfig"], json!({"maxOutputTokens": shortest}), "{said}: {sent}");
        assert!(sent.get("generation_config").is_none(), "{said}: {sent}");
    }
}

#[tokio::test]
async fn p15_each_of_several_answers_has_its_share() {
    let rig = dear().over(obedient).await;
    let key = rig.key(json!({"max_budget": 0.1})).await;
    let mut body = ask(1_000);
    body["n"] = json!(4);
    let answer = rig.post("/v1/chat/completions", &key, body).await;
    let limit: u64 = answer.header("x-weir-max-tokens-limited").parse().unwrap();
    assert!(
        (20..25).contains(&limit),
        "0.1 dollars pay for a hundred tokens, four times twenty-five: {limit}"
    );
}

#[tokio::test]
async fn p15_each_prompt_of_several_has_its_share() {
    let rig = dear().over(obedient).await;
    for (prompt, best_of) in [
        (json!(["a", "b", "c", "d"]), 1),
        (json!([[1, 2], [3], [4], [5]]), 1),
        (json!(["a", "b"]), 2),
        (json!("a"), 4),
        (json!([1, 2, 3]), 4),
    ] {
        let key = rig.key(json!({"max_budget": 0.1})).await;
        let body = json!({"model": "dear", "max_tokens": 1_000, "prompt": prompt, "best_of": best_of});
        let answer = rig.post("/v1/completions", &key, &body).await;
        let limit: u64 = answer.header("x-weir-max-tokens-limited").parse().unwrap();
        assert!((20..25).contains(&limit), "{body}: {limit}");
    }
}

#[tokio::test]
async fn p15_each_of_geminis_candidates_has_its_share() {
    let gemini = dear().replace("openai/dear, api_base: \"MOCK/v1\"", "gemini/dear, api_base: \"MOCK\"");
    let rig = gemini.over(gemini_says).await;
    let contents = json!([{"role": "user", "parts": [{"text": "hi"}]}]);
    for body in [
        json!({"contents": contents, "generationConfig": {"candidateCount": 4}}),
        json!({"contents": contents, "generation_config": {"candidate_count": 4}}),
    ] {
        let key = rig.key(json!({"max_budget": 0.1})).await;
        let answer = rig.post("/v1beta/models/dear:generateContent", &key, &body).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        let limit: u64 = answer.header("x-weir-max-tokens-limited").parse().unwrap();
        assert!((20..25).contains(&limit), "{body}: {limit}");
    }
}

#[tokio::test]
async fn p15_what_is_passed_through_is_not_said_to_be_limited() {
    let rig = dear()
        .replace("openai/dear, api_base: \"MOCK/v1\"", "anthropic/dear, api_base: \"MOCK\"")
        .over(obedient)
        .await;
    let key = rig.key(json!({"max_budget": 0.05})).await;
    let small = rig.post("/anthropic/v1/messages", &key, ask(10)).await;
    assert_eq!((small.status, small.header("x-weir-max-tokens-limited")), (200, ""), "{}", small.text());
    let large = rig.post("/anthropic/v1/messages", &key, ask(1_000)).await;
    assert_eq!(large.status, 400, "what the client limits itself has to fit: {}", large.text());
    assert_eq!(rig.mock.seen_count(), 1);
}

#[tokio::test]
async fn p16_every_scope_holds_and_names_itself() {
    let rig = dear().start().await;
    for (path, body) in [
        ("/team/new", json!({"team_id": "t", "max_budget": 0.005})),
        ("/user/new", json!({"user_id": "u", "max_budget": 0.005, "auto_create_key": false})),
        (
            "/organization/new",
            json!({"organization_id": "o", "organization_alias": "o", "max_budget": 0.005}),
        ),
        ("/customer/new", json!({"user_id": "c", "max_budget": 0.005})),
        ("/tag/new", json!({"name": "g", "max_budget": 0.005})),
        ("/team/new", json!({"team_id": "m"})),
        ("/user/new", json!({"user_id": "mu", "auto_create_key": false})),
        (
            "/team/member_add",
            json!({"team_id": "m", "member": {"role": "user", "user_id": "mu"}, "max_budget_in_team": 0.005}),
        ),
    ] {
        let answer = rig.post(path, MASTER, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let free = || json!({});
    for (scope, made, more, says) in [
        ("team", json!({"team_id": "t"}), free(), "Team=t Current cost"),
        ("user", json!({"user_id": "u"}), free(), "ExceededBudget: User=u over budget. Spend="),
        ("organization", json!({"organization_id": "o"}), free(), "Organization=o Current cost"),
        ("customer", free(), json!({"user": "c"}), "ExceededBudget: End User=c over budget. Spend="),
        ("tag", free(), json!({"metadata": {"tags": ["g"]}}), "Tag=g Current cost"),
        ("member", json!({"team_id": "m", "user_id": "mu"}), free(), "Current cost"),
    ] {
        let key = rig.key(made).await;
        let mut refused = None;
        for _ in 0..10 {
            let mut body = ask(1);
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let answer = rig.post("/v1/chat/completions", &key, body).await;
            if answer.status != 200 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.unwrap_or_else(|| panic!("{scope} refuses nothing"));
        let error = refused.json()["error"].clone();
        assert_eq!((refused.status, &error["budget"]["scope"]), (400, &json!(scope)), "{error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_blocked_customer_calls_no_model() {
    let rig = Rig::start().await;
    assert_eq!(rig.post("/customer/new", MASTER, json!({"user_id": "bad"})).await.status, 200);
    let body = || json!({"model": "gpt-4o", "user": "bad", "messages": [{"role": "user", "content": "hi"}]});
    for _ in 0..3 {
        assert_eq!(rig.post("/v1/chat/completions", MASTER, body()).await.status, 200);
    }
    assert_eq!(rig.post("/customer/block", MASTER, json!({"user_ids": ["bad"]})).await.status, 200);
    let refused = rig.post("/v1/chat/completions", MASTER, body()).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("User=bad"), "{}", refused.text());
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200, "others go on");
    assert_eq!(rig.post("/customer/unblock", MASTER, json!({"user_ids": ["bad"]})).await.status, 200);
    assert_eq!(rig.post("/v1/chat/completions", MASTER, body()).await.status, 200);
}

#[tokio::test]
async fn p43_402_tells_clients_not_to_try_again() {
    let rig = dear().replace("weir_settings: {", "weir_settings: {budget_error_status: 402, ").start().await;
    let key = rig.key(json!({"max_budget": 0})).await;
    let refused = rig.post("/v1/chat/completions", &key, ask(1)).await;
    assert_eq!((refused.status, refused.header("x-should-retry")), (402, "false"), "{}", refused.text());
}

/// Asks over and over, at so many replicas, until the budget is spent; answers how many were served and what was refused.
pub async fn exhaust(rigs: &[Rig], key: &str, at_once: usize) -> (usize, Vec<String>) {
    let asking = (0..at_once).map(|n| async move {
        let rig = &rigs[n % rigs.len()];
        let (mut served, mut refusals) = (0, Vec::new());
        for _ in 0..400 {
            let mut body = ask(20);
            body["stream"] = json!(n % 2 == 0);
            let answer = rig.post("/v1/chat/completions", key, body).await;
            match answer.status {
                200 => served += 1,
                400 => {
                    refusals.push(answer.text());
                    break;
                }
                429 => {}
                other => panic!("{other}: {}", answer.text()),
            }
        }
        (served, refusals)
    });
    let all = futures_util::future::join_all(asking).await;
    (all.iter().map(|(served, _)| served).sum(), all.into_iter().flat_map(|(_, refused)| refused).collect())
}

#[tokio::test]
async fn p15_a_budget_is_never_overshot_and_nearly_all_of_it_is_spent() {
    for (replicas, at_once) in [(1, 8), (1, 64), (3, 64)] {
        let Some(url) = database().await else { return };
        let mut rigs = Vec::new();
        for _ in 0..replicas {
            rigs.push(dear().env("DATABASE_URL", &url).over(obedient).await);
        }
        let key = rigs[0].key(json!({"max_budget": 1})).await;
        let (served, refusals) = exhaust(&rigs, &key, at_once).await;
        let spent = settled(&rigs[0], &key).await;
        assert!(spent <= 1.0, "{replicas} replicas, {at_once} at once: {spent} of 1 dollar");
        assert!(spent >= 0.98, "{replicas} replicas, {at_once} at once: only {spent}, {served} served");
        assert_eq!(refusals.len(), at_once, "everybody is told in the end");
        let rows = rigs[0].get("/global/spend", MASTER).await.json();
        assert!((rows["spend"].as_f64().unwrap() - spent).abs() < 1e-9, "entries and budget agree: {rows}");
    }
}

/// A provider that says half of what it may: much of what is held for it comes back.
fn frugal(seen: &Seen) -> Reply {
    let mut asked = seen.json();
    let half = asked["max_tokens"].as_u64().unwrap_or(14) / 2;
    asked["max_tokens"] = json!(half);
    obedient(&Seen { body: asked.to_string().into(), ..seen.clone() })
}

#[tokio::test]
async fn p15_what_is_too_little_at_each_replica_is_enough_for_one_of_them() {
    let Some(url) = database().await else { return };
    let mut rigs = Vec::new();
    for _ in 0..3 {
        rigs.push(dear().env("DATABASE_URL", &url).over(frugal).await);
    }
    let key = rigs[0].key(json!({"max_budget": 0.5})).await;
    let (served, refusals) = exhaust(&rigs, &key, 9).await;
    assert_eq!(refusals.len(), 9, "nobody is told to wait for ever; {served} were served");
    let spent = settled(&rigs[0], &key).await;
    assert!((0.48..=0.5).contains(&spent), "{spent} of half a dollar");
}

#[tokio::test]
async fn p15_what_a_killed_replica_held_comes_back() {
    let Some(url) = database().await else { return };
    let quick = "weir_settings: {lease_reclaim_after: 2, budget_wait: 30, ";
    let rig = || dear().replace("weir_settings: {", quick).env("DATABASE_URL", &url);
    let (mut one, two) = (rig().over(obedient).await, rig().over(obedient).await);
    let key = one.key(json!({"max_budget": 0.1})).await;
    // The first one takes a slice, and dies with it.
    assert_eq!(one.post("/v1/chat/completions", &key, ask(90)).await.status, 200);
    one.signal("KILL");
    one.wait();
    let (served, _) = exhaust(std::slice::from_ref(&two), &key, 2).await;
    let spent = settled(&two, &key).await;
    assert!(served > 0 && spent <= 0.1, "{served} served, {spent} spent");
    assert!(spent >= 0.07, "what it held is used by the others: {spent}");
}

#[tokio::test]
async fn budget_mode_litellm_checks_and_then_spends() {
    let rig = dear().replace("weir_settings: {", "weir_settings: {budget_mode: litellm, ").start().await;
    let key = rig.key(json!({"max_budget": 0.000001})).await;
    let first = rig.post("/v1/chat/completions", &key, ask(100)).await;
    assert_eq!((first.status, first.header("x-weir-max-tokens-limited")), (200, ""), "{}", first.text());
    let second = rig.post("/v1/chat/completions", &key, chat("dear", "hi")).await;
    assert_eq!(second.status, 400, "{}", second.text());
    assert!(second.text().contains("Max budget: 1e-06"), "{}", second.text());
}

#[tokio::test]
async fn p46_an_entry_explains_itself() {
    let twice = DEAR.replace("\nlitellm_settings:", DEAR);
    let rig = Rig::config(CONFIG).replace("\nlitellm_settings:", &twice).over(obedient).await;
    let key = rig.key(json!({"max_budget": 1.0, "key_alias": "explained"})).await;
    let mut spent = 0.0;
    for (tokens, of) in [(7_u64, "first"), (11, "second")] {
        let headers = [("authorization", format!("Bearer {key}"))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = rig.post_with("/v1/chat/completions", &headers, ask(tokens)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let row = rig.row(answer.header("x-litellm-call-id")).await;
        let told = &row["metadata"]["weir"];
        assert_eq!(told["considered"].as_array().map(Vec::len), Some(2), "{told}");
        let charged = [
            json!({"label": "input", "quantity": 9, "price": 0.0000001, "per": 1, "cost": 0.0000009}),
            json!({"label": "output", "quantity": tokens, "price": 0.001, "per": 1, "cost": tokens as f64 / 1000.0}),
        ];
        assert_eq!(told["charges"], json!(charged), "{of}");
        let breakdown = &row["metadata"]["cost_breakdown"];
        assert_eq!(
            (&breakdown["input_cost"], &breakdown["output_cost"]),
            (&json!(0.0000009), &charged[1]["cost"])
        );
        let budget = &told["budgets"][0];
        assert_eq!((&budget["scope"], &budget["cap"]), (&json!("key"), &json!(1)));
        let (before, after) = (budget["before"].as_f64().unwrap(), budget["after"].as_f64().unwrap());
        assert!((before - spent).abs() < 1e-9, "{of}: {budget}");
        spent += row["spend"].as_f64().unwrap();
        assert!((after - spent).abs() < 1e-9, "{of}: {budget}");
    }
}

#[tokio::test]
async fn p46_an_entry_tells_whose_budgets_it_was_held_to() {
    let rig = dear().over(obedient).await;
    for (path, body) in [
        ("/organization/new", json!({"organization_id": "o", "organization_alias": "o", "max_budget": 1})),
        ("/team/new", json!({"team_id": "t", "max_budget": 1})),
        ("/user/new", json!({"user_id": "u", "auto_create_key": false})),
        (
            "/team/member_add",
            json!({"team_id": "t", "member": {"role": "user", "user_id": "u"}, "max_budget_in_team": 1}),
        ),
        ("/customer/new", json!({"user_id": "c", "max_budget": 1})),
        ("/tag/new", json!({"name": "g", "max_budget": 1})),
    ] {
        let answer = rig.post(path, MASTER, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let of_model = json!({"dear": {"budget_limit": 1, "time_period": "30d"}});
    let key = json!({"team_id": "t", "user_id": "u", "organization_id": "o", "max_budget": 1, "model_max_budget": of_model});
    let key = rig.key(key).await;
    let mut body = ask(3);
    (body["user"], body["metadata"]) = (json!("c"), json!({"tags": ["g"]}));
    let answer = rig.post("/v1/chat/completions", &key, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    let told = row["metadata"]["weir"]["budgets"].as_array().unwrap();
    let told: Vec<_> = told.iter().map(|budget| [&budget["scope"], &budget["id"]]).collect();
    let hash = row["api_key"].as_str().unwrap();
    let expected = [
        ["key", hash],
        ["member", "t u"],
        ["team", "t"],
        ["organization", "o"],
        ["customer", "c"],
        ["tag", "g"],
        ["key_model", &format!("{hash} dear")],
    ];
    assert_eq!(json!(told), json!(expected));
}

#[tokio::test]
async fn p46_a_refused_request_tells_which_budget_had_no_room() {
    let rig = dear().over(obedient).await;
    let key = rig.key(json!({"max_budget": 0.01, "budget_duration": "30d"})).await;
    let (error, served) = until_refused(&rig, &key).await;
    let rows = rig.rows(served + 1).await;
    let row = rows.iter().find(|row| row["status"] == "failure").unwrap();
    let budgets = row["metadata"]["weir"]["budgets"].as_array().unwrap();
    assert_eq!(budgets.len(), 1, "{row}");
    let told = &budgets[0];
    assert_eq!(
        (&told["scope"], &told["cap"], &told["refused"]),
        (&json!("key"), &json!(0.01), &json!(true)),
        "{told}"
    );
    assert_eq!(told["before"], told["after"], "nothing was spent");
    let spent: f64 = error["budget"]["spent"].as_str().unwrap().parse().unwrap();
    assert!((told["before"].as_f64().unwrap() - spent).abs() < 1e-9, "{told} {error}");
    assert_eq!(told["reset_at"], error["budget"]["reset_at"], "{told}");
    assert!(told["reset_at"].is_string(), "{told}");
    let served: Vec<&Value> = rows.iter().filter(|row| row["status"] == "success").collect();
    assert!(served.iter().all(|row| row["metadata"]["weir"]["budgets"][0]["refused"] == false));
}

#[tokio::test]
async fn p46_an_entry_tells_whose_budget_was_passed_over() {
    let rig = limited().over(obedient).await;
    let key = rig.key(json!({})).await;
    for _ in 0..15 {
        let answer = ask_limited(&rig, &key).await;
        let row = rig.row(answer.header("x-litellm-call-id")).await;
        let budgets = row["metadata"]["weir"]["budgets"].as_array().unwrap();
        assert_eq!((budgets.len(), &budgets[0]["id"]), (1, &json!("little")), "{row}");
        let told = &budgets[0];
        let by_plenty = answer.header("x-litellm-model-id") == "plenty";
        assert_eq!((&told["scope"], &told["refused"]), (&json!("deployment_period"), &json!(by_plenty)));
        assert_eq!(told["before"] == told["after"], by_plenty, "{told}");
        if by_plenty {
            return;
        }
    }
    panic!("nothing is passed over");
}

#[tokio::test]
async fn p15_what_was_spent_beyond_a_hold_is_not_counted_twice() {
    let rig = Rig::config(CONFIG)
        .replace("weir_settings: {", "weir_settings: {budget_mode: litellm, ")
        .start()
        .await;
    // Each costs 0.000025; the last one begins when anything at all is left.
    let key = rig.key(json!({"max_budget": 0.000085})).await;
    for _ in 0..4 {
        let answer = rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert!((settled(&rig, &key).await - 0.0001).abs() < 1e-9);
    let refused = rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await;
    assert!(refused.text().contains("budget_exceeded"), "{} {}", refused.status, refused.text());
}
