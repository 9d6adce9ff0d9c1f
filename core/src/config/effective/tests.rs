//! What `weir config` tells.

use super::super::additions::{AddedModel, Additions};
use super::super::keys::{self, GENERAL, LITELLM, ROUTER, WEIR};
use super::super::{Config, Env};
use super::{Effective, HIDDEN, Setting, Source, default_of};
use secrecy::SecretString;
use serde_json::json;

const FILE: &str = r#"
model_list:
  - model_name: chat
    litellm_params: {model: openai/gpt-4o, api_key: sk-provider, api_base: os.environ/BASE, extra_headers: {x-a: b}}
litellm_settings:
  request_timeout: 90
  generic_logger_headers: {authorization: bearer-of-logs}
  config_path: "https://user:pass@own.test/x"
  s3_callback_params: {s3_bucket_name: logs, s3_aws_secret_access_key: aws-pass}
  callback_settings: {generic_api: {headers: {x-key: hook-pass}, signing_secret: sign-pass}}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  pass_through_endpoints: [{path: /own, target: "https://own.test/x", headers: {x-key: sk-pass}}]
router_settings: {redis_host: redis.test, redis_password: redis-pass}
weir_settings: {data_dir: /var/lib/weir, header_timeout: 500ms}
"#;

const VARS: &[(&str, &str)] = &[
    ("LITELLM_MASTER_KEY", "sk-master"),
    ("BASE", "http://provider.test/v1"),
    ("DATABASE_HOST", "db.test"),
    ("DATABASE_USERNAME", "weir"),
    ("DATABASE_NAME", "weir"),
    ("DATABASE_PASSWORD", "db-pass"),
    ("WEIR_DATA_DIR", "/data"),
    ("JSON_LOGS", "true"),
];

fn told(added: &Additions) -> Effective {
    let read = |_: &str| Ok(FILE.to_owned());
    let env = Env::of(VARS.iter().copied());
    let (told, problems) = Config::explain("config.yaml", &read, &env, &["openai"], added);
    told.unwrap_or_else(|| panic!("{problems}"))
}

fn find<'a>(told: &'a Effective, section: &str, name: &str) -> &'a Setting {
    let mut all = told.settings.iter();
    all.find(|s| (s.section, s.name.as_str()) == (section, name))
        .unwrap_or_else(|| panic!("{section}.{name}"))
}

#[test]
fn every_setting_names_its_source() {
    let told = told(&Additions::default());
    for (section, name, value, source) in [
        ("general_settings", "master_key", json!(HIDDEN), "config.yaml:12, os.environ/LITELLM_MASTER_KEY"),
        ("general_settings", "database_url", json!(HIDDEN), "environment DATABASE_HOST"),
        ("general_settings", "database_connection_pool_limit", json!(10), "default"),
        ("litellm_settings", "request_timeout", json!(90), "config.yaml:6"),
        ("litellm_settings", "json_logs", json!(true), "environment JSON_LOGS"),
        ("router_settings", "timeout", json!(90), "config.yaml:6"),
        ("router_settings", "num_retries", json!(2), "default"),
        ("router_settings", "redis_host", json!("redis.test"), "config.yaml:14"),
        ("weir_settings", "data_dir", json!("/data"), "environment WEIR_DATA_DIR"),
        ("weir_settings", "header_timeout", json!("500ms"), "config.yaml:15"),
        ("weir_settings", "redis_timeout", json!("50ms"), "default"),
        ("weir_settings", "first_token_timeout", json!(null), "default"),
    ] {
        let setting = find(&told, section, name);
        assert_eq!(
            (&setting.value, setting.source.to_string().as_str()),
            (&value, source),
            "{section}.{name}"
        );
    }
    let model = &told.models[0];
    assert_eq!(model.provenance.to_string(), "config.yaml:3");
    assert_eq!(model.params["api_base"], json!("http://provider.test/v1"));
    assert_eq!(model.params["api_key"], json!(HIDDEN));
}

#[test]
fn p35_nothing_secret_is_told() {
    let told = format!("{:?}", told(&Additions::default()));
    let secrets = [
        "sk-provider",
        "bearer-of-logs",
        "sk-master",
        "user:pass",
        "sk-pass",
        "redis-pass",
        "db-pass",
        "aws-pass",
        "hook-pass",
        "sign-pass",
        "\"b\"",
    ];
    for secret in secrets {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
}

#[test]
fn p35_addresses_for_alerts_are_not_told() {
    let text =
        "general_settings:\n  alert_to_webhook_url: {budget_alerts: \"https://hooks.test/T0/secret-hook\"}\n";
    let read = |_: &str| Ok(text.to_owned());
    let none = Additions::default();
    let (told, problems) = Config::explain("config.yaml", &read, &Env::default(), &["openai"], &none);
    let told = told.unwrap_or_else(|| panic!("{problems}"));
    let setting = find(&told, "general_settings", "alert_to_webhook_url");
    assert_eq!(setting.value, json!(HIDDEN));
    assert!(!format!("{told:?}").contains("secret-hook"));
}

#[test]
fn p47_what_was_made_over_the_api_comes_from_the_ledger() {
    let secret = |text: &str| SecretString::from(text);
    let added = Additions {
        models: vec![AddedModel {
            id: "m-1".into(),
            name: "added".into(),
            params: secret(r#"{"model": "openai/x", "api_key": "sk-added"}"#),
            info: "{}".into(),
            overrides: false,
            by_team: false,
        }],
        settings: vec![
            ("litellm_settings".into(), secret(r#"{"request_timeout": 7}"#)),
            ("router_settings".into(), secret(r#"{"retry_policy": {"TimeoutErrorRetries": 3}}"#)),
        ],
        ..Additions::default()
    };
    let told = told(&added);
    let timeout = find(&told, "litellm_settings", "request_timeout");
    assert_eq!((&timeout.value, &timeout.source), (&json!(7), &Source::Ledger));
    assert_eq!(find(&told, "router_settings", "retry_policy").source, Source::Ledger);
    assert_eq!(find(&told, "router_settings", "redis_host").source.to_string(), "config.yaml:14");
    let sources: Vec<_> = told.models.iter().map(|m| (m.name.as_str(), m.provenance.to_string())).collect();
    assert_eq!(sources, [("chat", "config.yaml:3".to_owned()), ("added", "ledger".to_owned())]);
}

#[test]
fn an_entry_that_the_ledger_changes_says_where_it_stands_and_what_is_changed() {
    let before = told(&Additions::default()).models[0].clone();
    let change = AddedModel {
        id: before.id.clone(),
        name: String::new(),
        params: SecretString::from(r#"{"rpm": 9, "extra_headers": {"x-b": "c"}}"#),
        info: r#"{"base_model": "gpt-4"}"#.into(),
        overrides: true,
        by_team: false,
    };
    let after = told(&Additions { models: vec![change], ..Additions::default() }).models[0].clone();
    assert!(before.provenance.changed.is_empty());
    assert_eq!(after.provenance.entry, before.provenance.entry);
    let paths: Vec<_> = after.provenance.changed.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["litellm_params.extra_headers", "litellm_params.rpm", "model_info.base_model"]);
    let rpm = &after.provenance.changed_json()["litellm_params.rpm"];
    assert_eq!(rpm, &json!({"from": "ledger"}));
    assert!(after.provenance.to_string().starts_with("config.yaml:3; litellm_params.extra_headers: ledger"));
}

/// Of these nothing is the default.
static LIMITLESS: &[&str] = &[
    "first_token_timeout",
    "health_port",
    "hedge_after_ms",
    "loop_max_repeats",
    "master_key_previous",
    "price_map_refresh",
    "session_max_budget",
    "session_max_calls",
    "session_max_time",
    "unauthenticated_per_second",
];

#[test]
fn weirs_own_settings_are_told_with_their_defaults() {
    let told = told(&Additions::default());
    for key in WEIR.keys.iter().filter(|key| !LIMITLESS.contains(&key.name)) {
        assert!(!find(&told, "weir_settings", key.name).value.is_null(), "no row for {}", key.name);
    }
}

#[test]
fn what_is_written_and_does_nothing_says_so() {
    let told = told(&Additions::default());
    assert!(!find(&told, "litellm_settings", "config_path").used);
    assert!(find(&told, "litellm_settings", "request_timeout").used);
}

/// The same as a running gateway has it.
fn loaded(added: &Additions) -> Config {
    let read = |_: &str| Ok(FILE.to_owned());
    let env = Env::of(VARS.iter().copied());
    let (config, problems) = Config::load_with("config.yaml", &read, &env, &["openai"], added);
    config.unwrap_or_else(|| panic!("{problems}"))
}

fn settings(section: &str, text: &str) -> Additions {
    Additions { settings: vec![(section.into(), SecretString::from(text))], ..Additions::default() }
}

#[test]
fn p47_what_the_ledger_lies_over_is_remembered() {
    let told = loaded(&settings("litellm_settings", r#"{"request_timeout": 7, "json_logs": false}"#)).told;
    let both = |section: &str, name: &str| {
        let of = |setting: Option<&Setting>| setting.map(|s| (s.value.clone(), s.source.to_string()));
        (of(told.in_force(section, name)), of(told.in_files(section, name)))
    };
    let is = |value: serde_json::Value, source: &str| Some((value, source.to_owned()));
    assert_eq!(
        both("litellm_settings", "request_timeout"),
        (is(json!(7), "ledger"), is(json!(90), "config.yaml:6"))
    );
    assert_eq!(
        both("litellm_settings", "json_logs"),
        (is(json!(false), "ledger"), is(json!(true), "environment JSON_LOGS"))
    );
    // What follows from it follows from the file's there.
    assert_eq!(both("router_settings", "timeout").1, is(json!(90), "config.yaml:6"));
    let redis = is(json!("redis.test"), "config.yaml:14");
    assert_eq!(both("router_settings", "redis_host"), (redis.clone(), redis));
    let master = is(json!(HIDDEN), "config.yaml:12, os.environ/LITELLM_MASTER_KEY");
    assert_eq!(both("general_settings", "master_key").1, master);
}

#[test]
fn p47_without_settings_in_the_ledger_the_files_are_not_told_twice() {
    let told = loaded(&Additions::default()).told;
    assert!(told.in_force("litellm_settings", "request_timeout").is_some());
    assert!(told.in_files("litellm_settings", "request_timeout").is_none());
    assert!(told.in_force("general_settings", "custom_auth").is_none(), "not set, and nothing depends on it");
}

#[test]
fn defaults_are_those_of_a_file_that_says_nothing() {
    let of = |table: &keys::Table, name: &str| default_of(table, table.find(name).unwrap());
    assert_eq!(of(&LITELLM, "request_timeout"), json!(6000));
    assert_eq!(of(&ROUTER, "timeout"), json!(6000));
    assert_eq!(of(&WEIR, "data_dir"), json!("data"));
    assert_eq!(of(&GENERAL, "master_key"), json!(null));
    assert_eq!(of(&GENERAL, "alerting"), json!([]));
    assert_eq!(of(&GENERAL, "custom_auth"), json!(null), "nothing depends on it");
}
