//! The recorded requests of keys with budgets and limits, asked again in their order with keys made alike. Budgets are kept
//! as LiteLLM keeps them here (`budget_mode: litellm`); that they hold is shown in `budgets.rs`.

use super::{cases, priced, shared};
use crate::client::Answer;
use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};
use std::collections::HashMap;
use weir_bench::mock::Provider;

const FILE: &str = "db_limits_budgets.json";

/// The first case of each recorded key, what is made for it before, and the key.
fn made_for(case: &str) -> (Vec<(&'static str, Value)>, Value) {
    let only = |key: Value| (vec![], key);
    let team = |team: Value| vec![("/team/new", team)];
    match case {
        "key_budget_1" => only(json!({"max_budget": 5e-05})),
        "key_budget_zero" => only(json!({"max_budget": 0})),
        "soft_1" => only(json!({"max_budget": 10, "soft_budget": 0.00001})),
        "team_budget_1" => (team(json!({"team_id": "tb", "max_budget": 5e-05})), json!({"team_id": "tb"})),
        "user_budget_1" => (
            vec![("/user/new", json!({"user_id": "ub1", "max_budget": 5e-05, "auto_create_key": false}))],
            json!({"user_id": "ub1"}),
        ),
        "team_member_budget_1" => (
            vec![
                ("/team/new", json!({"team_id": "tm"})),
                ("/user/new", json!({"user_id": "tm1", "auto_create_key": false})),
                (
                    "/team/member_add",
                    json!({"team_id": "tm", "member": {"role": "user", "user_id": "tm1"}, "max_budget_in_team": 5e-05}),
                ),
            ],
            json!({"team_id": "tm", "user_id": "tm1"}),
        ),
        "key_rpm_0" => only(json!({"rpm_limit": 2})),
        "key_tpm_0" => only(json!({"tpm_limit": 20})),
        "team_rpm_0" => (team(json!({"team_id": "tr", "rpm_limit": 1})), json!({"team_id": "tr"})),
        "team_tpm_0" => (team(json!({"team_id": "tt", "tpm_limit": 20})), json!({"team_id": "tt"})),
        "user_rpm_0" => (
            vec![("/user/new", json!({"user_id": "ur1", "rpm_limit": 1, "auto_create_key": false}))],
            json!({"user_id": "ur1"}),
        ),
        "key_model_rpm_0" => only(json!({"model_rpm_limit": {"gpt-4o": 1}})),
        "max_parallel_second_while_first_running" => only(json!({"max_parallel_requests": 1})),
        "use_alias_model" => only(json!({
            "models": ["gpt-4o"], "aliases": {"alias-m": "gpt-4o"}, "user_id": "u-full", "max_parallel_requests": 3,
            "metadata": {"a": 1}, "model_rpm_limit": {"gpt-4o": 5}, "tpm_limit": 1000, "rpm_limit": 10, "max_budget": 5,
            "budget_duration": "7d", "duration": "30d"
        })),
        "management_key_llm_call" => only(json!({"key_type": "management"})),
        "read_only_key_llm_call" => only(json!({"key_type": "read_only"})),
        "llm_key_mgmt_call" => only(json!({"key_type": "llm_api"})),
        "wild_allowed" => only(json!({"models": ["openai/*"]})),
        "star_key" => only(json!({"models": ["*"]})),
        "all_proxy_models_key" => only(json!({"models": ["all-proxy-models"]})),
        "budget_reset_1" => only(json!({"max_budget": 1e-05, "budget_duration": "1s"})),
        "no_default_models_key" => only(json!({"models": ["no-default-models"]})),
        other => panic!("{other}: nobody says how its key was made"),
    }
}

/// (case, aspect, why); what begins so differs.
static DIFFERENCES: &[(&str, &str, &str)] = &[
    ("key_budget_exceeded_models_still_ok", "", "what costs nothing goes on"),
    ("user_budget_2", "", "LiteLLM's cached user lags behind; the budget is spent"),
    ("user_budget_exceeded", "message", "so less is spent"),
    ("max_parallel_second_while_first_running", "", "the slow call is not recorded; shown in rates.rs"),
    ("max_parallel_after_first_done", "x-litellm-key-spend", "as above"),
    ("key_tpm_", "x-ratelimit-api_key-remaining-tokens", "tokens are held by estimate until they are known"),
    ("team_tpm_", "x-ratelimit-team-remaining-tokens", "as above"),
    ("all_limits_headers", "x-ratelimit-api_key-remaining-tokens", "as above"),
    (
        "all_limits_headers",
        "x-ratelimit-api_key-remaining-max_parallel_requests",
        "LiteLLM's count is one too small after a refusal",
    ),
    ("key_rpm_messages_limited", "message", "an error of Anthropic's API"),
    ("key_rpm_messages_limited", "type", "as above"),
    ("key_rpm_messages_limited", "code", "as above"),
    ("key_rpm_messages_limited", "param", "as above"),
    ("use_alias_model", "", "a key's own name for a model that it may use"),
    ("all_limits_headers", "x-litellm-key-spend", "so it was used once before"),
    ("all_limits_headers", "x-ratelimit-api_key-remaining-requests", "as above"),
    ("key_model_rpm_other_model_ok", "x-litellm-key-spend", "the recorded key had spent before"),
    ("budget_reset", "", "LiteLLM goes on refusing after a reset; shown in due.rs"),
    ("tm_member", "", "made before; shown by the admin service's goldens"),
];

fn differs(case: &str, aspect: &str) -> bool {
    DIFFERENCES.iter().any(|(c, a, _)| case.starts_with(c) && aspect.starts_with(a))
}

#[tokio::test]
async fn goldens_of_budgets_and_limits_agree() {
    let (Some(folder), Some(all)) = (shared(), cases(FILE)) else { return };
    let config = std::fs::read_to_string(folder.join("configs/db.yaml")).unwrap();
    let config =
        config.replace("http://127.0.0.1:9100", "MOCK").replace("os.environ/LITELLM_MASTER_KEY", MASTER);
    let config = config.replace("  database_url: os.environ/DATABASE_URL\n", "");
    let config = priced(config) + "weir_settings: {budget_mode: litellm, drain_delay: 0}\n";
    let rig = Rig::config(&config).over(Provider::new()).await;
    let (mut keys, mut walked, mut wrong) = (HashMap::new(), 0, Vec::new());
    for case in &all {
        let name = case["name"].as_str().unwrap();
        let token =
            case["request"]["headers"]["Authorization"].as_str().unwrap().trim_start_matches("Bearer ");
        if token != "sk-1234" && !keys.contains_key(token) {
            keys.insert(token.to_owned(), make(&rig, name).await);
        }
        if differs(name, "") {
            continue;
        }
        walked += 1;
        let answer = ask(&rig, case, &keys).await;
        wrong.extend(compare(name, &case["response"], &answer).into_iter().map(|w| format!("{name}: {w}")));
    }
    assert!(walked > 45, "only {walked} cases");
    assert!(wrong.is_empty(), "{} differences in {walked} cases:\n{}", wrong.len(), wrong.join("\n"));
}

async fn make(rig: &Rig, case: &str) -> String {
    let (before, key) = made_for(case);
    for (path, body) in before {
        let answer = rig.post(path, MASTER, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    rig.key(key).await
}

async fn ask(rig: &Rig, case: &Value, keys: &HashMap<String, String>) -> Answer {
    let request = &case["request"];
    let with_ours = keys.iter().fold(request.to_string(), |text, (theirs, ours)| text.replace(theirs, ours));
    let request: Value = serde_json::from_str(&with_ours.replace("sk-1234", MASTER)).unwrap();
    super::ask(rig, &request).await
}

fn compare(case: &str, expected: &Value, answer: &Answer) -> Vec<String> {
    if expected["status"] != answer.status {
        return vec![format!(
            "status {} instead of {}: {}",
            answer.status,
            expected["status"],
            answer.text()
        )];
    }
    let mut wrong = Vec::new();
    let told = answer.json();
    for member in ["message", "type", "param", "code"] {
        let (want, got) = (&expected["body"]["error"][member], &told["error"][member]);
        if !differs(case, member) && !same(&text(want), &text(got)) {
            wrong.push(format!("error.{member} {got} instead of {want}"));
        }
    }
    if expected["body"]["detail"].is_string() && expected["body"]["detail"] != told["detail"] {
        wrong.push(format!("detail {} instead of {}", told["detail"], expected["body"]["detail"]));
    }
    for (name, want) in expected["headers"].as_object().into_iter().flatten() {
        let ours =
            name.starts_with("x-litellm-key-") || name.starts_with("x-ratelimit-") || name == "retry-after";
        let (want, got) = (want.as_str().unwrap_or_default(), answer.header(name));
        if ours && !differs(case, name) && !same(want, got) {
            wrong.push(format!("header {name}: {got:?} instead of {want:?}"));
        }
    }
    wrong
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Word by word: numbers by their value, waits by a second's difference, and neither ids nor moments.
fn same(want: &str, got: &str) -> bool {
    let words = |text: &str| {
        let text = text.split(" Limit resets at: ").next().unwrap_or_default().to_owned();
        text.split([' ', '=', ',', ':']).map(|word| word.trim_end_matches('.').to_owned()).collect::<Vec<_>>()
    };
    let (want, got) = (words(want), words(got));
    want.len() == got.len() && want.iter().zip(&got).all(|(want, got)| alike(want, got))
}

fn alike(want: &str, got: &str) -> bool {
    let is_id = |word: &str| word.len() == 64 || word.len() == 36 && word.matches('-').count() == 4;
    if want == got || is_id(want) {
        return !got.is_empty() || want.is_empty();
    }
    match (want.parse::<f64>(), got.parse::<f64>()) {
        (Ok(60.0), Ok(got)) => (59.0..=60.0).contains(&got),
        (Ok(want), Ok(got)) => (want - got).abs() < 1e-9,
        _ => false,
    }
}
