//! The tables of settings say the truth.

use super::{SERVED, load};
use crate::config::env::Env;
use crate::config::keys::{self, EnvKey, Kind, State, TABLES, Table};
use crate::config::load::Config;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

#[test]
fn names_are_unique_and_plain() {
    for table in TABLES {
        let mut seen = HashSet::new();
        for key in table.keys {
            assert!(seen.insert(key.name), "{}.{} has two rows", table.name, key.name);
            assert!(key.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{}", key.name);
            assert!((table.open)(key.name).is_none(), "{}.{} is an open name too", table.name, key.name);
        }
    }
    let names: Vec<_> = keys::env_keys().map(|(name, _)| name).collect();
    assert_eq!(names.len(), names.iter().collect::<HashSet<_>>().len(), "a variable is listed twice");
}

/// Words in capitals of the sources below a folder, but for the tables and the tests.
fn capitals(folder: &Path, words: &mut HashSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap();
        if name == "tests" || name == "keys" {
            continue;
        }
        if path.is_dir() {
            capitals(&path, words);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let other = |c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            words.extend(text.split(other).map(str::to_owned));
        }
    }
}

#[test]
fn a_variable_that_is_said_to_be_read_is_read() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut words = HashSet::new();
    for part in ["core", "plugins", "ledger", "admin", "gateway"] {
        capitals(&project.join(part).join("src"), &mut words);
    }
    let read = keys::env_keys().filter(|(_, key)| matches!(key, EnvKey::Used | EnvKey::Provider));
    let unread: Vec<_> = read.map(|(name, _)| name).filter(|name| !words.contains(*name)).collect();
    assert!(unread.is_empty(), "{unread:?}");
}

#[test]
fn weirs_own_settings_are_documented() {
    assert!(keys::WEIR.keys.iter().all(|key| key.doc.len() > 10));
}

/// A configuration with one setting in it. Ids are given, as a derived one changes with every parameter.
fn with(section: &str, setting: &str) -> String {
    let (params, info) = match section {
        "litellm_params" => (setting, ""),
        "model_info" => ("", setting),
        _ => ("", ""),
    };
    let model = format!(
        "model_list: [{{model_name: m, litellm_params: {{model: openai/m, {params}}}, model_info: {{id: i, {info}}}}}]"
    );
    let other = if params.is_empty() && info.is_empty() {
        format!("\n{section}: {{{setting}}}")
    } else {
        String::new()
    };
    model + &other
}

/// Values of a kind; at least one of them differs from any default.
fn samples(kind: Kind) -> Vec<String> {
    let texts: &[&str] = match kind {
        Kind::Any | Kind::Text | Kind::Secret => &["sample", "http://sample.test", "30d", "\"0 4 * * *\""],
        Kind::Bool => &["true", "false"],
        Kind::Int => &["7", "402"],
        Kind::Number | Kind::Price | Kind::Seconds | Kind::Bytes => &["7"],
        Kind::Texts => &["[sample]", "[10.0.0.0/8]", "[prompt_caching]"],
        Kind::List => &[
            "[{sample: [other]}]",
            "[sample]",
            "[{path: /sample, target: \"http://sample.test\"}]",
            "[{role: team}]",
            "[{team_id: sample, success_callback: [otel]}]",
            "[{header_name: x-sample, litellm_user_role: customer}]",
            "[{range: [0, 7000], input_cost_per_token: 7}]",
            "[{guardrail_name: sample, litellm_params: {guardrail: sample, mode: pre_call}}]",
        ],
        Kind::Map | Kind::SecretMap => &[
            "{sample: other}",
            "{TimeoutErrorRetries: 7}",
            "{sample: {TimeoutErrorRetries: 7}}",
            "{TimeoutErrorAllowedFails: 7}",
            "{ttl: 7}",
            "{user_id_jwt_field: sample}",
            "{budget_alert_ttl: 7}",
            "{sample: {budget_limit: 7, time_period: 1d}}",
            "{max_budget: 7}",
            "{openai: 0.5}",
            "{personal_key_generation: {required_params: [sample]}}",
            "{enforced_params: [sample]}",
            "{forward_client_headers_to_llm_api: [sample]}",
            "{default_priority: 0.7}",
            "{search_context_size_low: 7}",
            "{pass_through_all_models: true}",
            "{webhook_url: \"http://sample.test\"}",
        ],
        Kind::BoolOrText => &["false", "/sample.pem"],
        Kind::Choice(choices) => choices,
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn shown(section: &str, setting: &str) -> Option<String> {
    load(&with(section, setting), &[]).0.map(|config| format!("{config:?}"))
}

/// Names that a deployment cannot do without, or that stand in the text of every sample; `meaning.rs` looks at
/// `budget_duration`, which means nothing alone and is missed where it is not there, and at credentials, which need
/// somebody who takes them.
const GIVEN: [&str; 5] = ["model", "id", "custom_llm_provider", "budget_duration", "credential_list"];

/// What some settings do not count without.
fn beside(name: &str) -> &'static str {
    match name {
        "redis_port" | "redis_password" => "redis_host: sample, ",
        "max_budget" => "budget_duration: 1d, ",
        "cache_params" => "cache: true, ",
        "disable_spend_logs" => "store_prompts_in_spend_logs: true, ",
        "prompt_injection_params" => "callbacks: [detect_prompt_injection], ",
        "default_redis_ttl" => "cache: true, cache_params: {type: redis, host: sample}, ",
        "default_in_memory_ttl" => "cache: true, cache_params: {type: local}, ",
        "disable_end_user_cost_tracking_prometheus_only" => {
            "enable_end_user_cost_tracking_prometheus_only: true, "
        }
        "priority_reservation" => "callbacks: [dynamic_rate_limiter_v3], ",
        "priority_reservation_settings" => {
            "callbacks: [dynamic_rate_limiter_v3], priority_reservation: {sample: 0.5}, "
        }
        _ => "",
    }
}

#[test]
fn a_used_setting_changes_what_the_configuration_means() {
    let sections: [&Table; 6] =
        [&keys::LITELLM, &keys::ROUTER, &keys::GENERAL, &keys::PARAMS, &keys::INFO, &keys::WEIR];
    let mut checked = 0;
    for table in sections {
        for key in table.keys.iter().filter(|key| key.state == State::Used && !GIVEN.contains(&key.name)) {
            let values = samples(key.kind);
            let beside = beside(key.name);
            let plain = shown(table.name, beside).unwrap();
            let settings = values.iter().map(|value| format!("{beside}{}: {value}", key.name));
            let changed = settings.filter_map(|s| shown(table.name, &s)).any(|text| text != plain);
            assert!(changed, "{}.{} is marked used, and nothing depends on it", table.name, key.name);
            checked += 1;
        }
    }
    assert!(checked > 70, "{checked}");
}

#[test]
fn a_setting_that_counts_for_nothing_is_reported_as_such() {
    for table in [&keys::LITELLM, &keys::ROUTER, &keys::GENERAL] {
        for key in table.keys.iter().filter(|key| key.state == State::Moot) {
            let value = &samples(key.kind)[0];
            let (_, problems) = load(&format!("{}: {{{}: {value}}}", table.name, key.name), &[]);
            let path = format!("{}.{}", table.name, key.name);
            let note =
                problems.iter().find(|p| p.path == path).unwrap_or_else(|| panic!("{path}: {problems}"));
            assert_eq!((note.message.as_str(), note.cure.as_str()), (keys::NO_EFFECT, key.doc), "{path}");
        }
    }
}

#[test]
fn openai_parameters_and_prices_are_told_from_misspelt_ones() {
    let text = "model_list:\n  - model_name: m\n    litellm_params:\n      model: openai/m\n      temperature: 0.20\n      \
                input_cost_per_token_above_200k_tokens: 0.0000025\n      temprature: 1\n      ouput_cost_per_token: 1\n";
    let (config, problems) = Config::from_text(text, &Env::default(), SERVED);
    let params = config.unwrap().models.remove(0).params;
    assert_eq!(params.defaults.iter().collect::<Vec<_>>(), [("temperature", "0.20")]);
    assert_eq!(params.prices, [("input_cost_per_token_above_200k_tokens".into(), "0.0000025".into())]);
    let text = problems.to_string();
    assert!(
        text.contains("litellm_params.temprature: unknown setting; did you mean \"temperature\"?"),
        "{text}"
    );
    assert!(text.contains("did you mean \"output_cost_per_token\"?"), "{text}");
}
