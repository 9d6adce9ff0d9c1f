//! `general_settings` of LiteLLM's that an operator may bring along, and variables where they say nothing.

use super::{good, lines, load};
use crate::config::keys::{self, EnvKey};
use crate::config::{Severity, Sweep};
use crate::domain::cron::Cron;
use crate::domain::money::NanoUsd;
use crate::domain::operation::Operation;
use crate::domain::spend::Status;
use secrecy::ExposeSecret;
use std::time::Duration;

fn told(text: &str, severity: Severity) -> String {
    lines(&load(text, &[]).1, severity).join("\n")
}

#[test]
fn models_of_requests_that_name_none_go_by_what_is_asked() {
    let text = "general_settings: {completion_model: a, moderation_model: b, image_generation_model: c}";
    let requests = good(text, &[]).general.requests;
    for (operation, model) in [
        (Operation::Chat, Some("a")),
        (Operation::Messages, Some("a")),
        (Operation::Responses, Some("a")),
        (Operation::Moderations, Some("b")),
        (Operation::Images, Some("c")),
        (Operation::Embeddings, None),
    ] {
        assert_eq!(requests.model_for(operation), model, "{operation:?}");
    }
    assert_eq!(good("", &[]).general.requests.model_for(Operation::Chat), None);
}

#[test]
fn entries_are_kept_as_long_and_swept_as_often_as_is_said() {
    let sweep = |more: &str| good(&format!("general_settings: {{{more}}}"), &[]).general.keeping.sweep;
    assert_eq!(sweep(""), Sweep::Every(Duration::from_secs(3_600)));
    assert_eq!(sweep("maximum_spend_logs_retention_interval: 1d"), Sweep::Every(Duration::from_secs(86_400)));
    assert_eq!(sweep("maximum_spend_logs_retention_interval: 1s"), Sweep::Every(Duration::from_secs(60)));
    let both = "maximum_spend_logs_retention_interval: 1d, maximum_spend_logs_cleanup_cron: \"30 3 * * sun\"";
    assert_eq!(sweep(both), Sweep::At(Cron::parse("30 3 * * 0").unwrap()), "the clock counts");
    let wrong = told("general_settings: {maximum_spend_logs_cleanup_cron: nightly}", Severity::Error);
    assert!(wrong.contains("\"nightly\" is not a cron expression") && wrong.contains("0 4 * * *"), "{wrong}");
}

#[test]
fn what_cost_something_is_kept_whatever_is_left_out() {
    let keeping = good("general_settings: {disable_error_logs: true}", &[]).general.keeping;
    assert!(keeping.leaves_out(Status::Failure, NanoUsd::ZERO));
    assert!(!keeping.leaves_out(Status::Failure, NanoUsd(1)));
    assert!(!keeping.leaves_out(Status::Success, NanoUsd::ZERO));
    assert!(!keeping.leaves_out(Status::Cancelled, NanoUsd::ZERO));
    assert!(!good("", &[]).general.keeping.leaves_out(Status::Failure, NanoUsd::ZERO));
}

#[test]
fn budgets_that_hold_nobody_are_told_of() {
    let told = told("general_settings: {disable_spend_updates: true}", Severity::Warning);
    assert!(told.contains("disable_spend_updates: budgets hold nobody back"), "{told}");
}

#[test]
fn otel_is_a_callback_wherever_it_is_switched_on() {
    let callbacks = |text: &str| good(text, &[]).litellm.callbacks;
    assert_eq!(callbacks("general_settings: {otel: true}"), ["otel"]);
    let both = "general_settings: {otel: true}\nlitellm_settings: {success_callback: [otel]}";
    assert!(callbacks(both).is_empty(), "once is enough");
    assert!(callbacks("general_settings: {otel: false}").is_empty());
}

#[test]
fn a_statement_waits_for_a_connection_as_long_as_is_said() {
    let wait = |more: &str| good(&format!("general_settings: {{{more}}}"), &[]).general.database_wait;
    assert_eq!(wait(""), Duration::from_secs(5));
    assert_eq!(wait("database_connection_timeout: 0"), Duration::from_secs(5), "as in LiteLLM's examples");
    assert_eq!(wait("database_connection_timeout: 9"), Duration::from_secs(9));
    let both = "database_connection_timeout: 9, database_connection_pool_timeout: 7";
    assert_eq!(wait(both), Duration::from_secs(7));
}

#[test]
fn variables_count_where_the_file_says_nothing() {
    let vars = [
        ("DEFAULT_HEALTH_CHECK_INTERVAL", "60"),
        ("HEALTH_CHECK_TIMEOUT_SECONDS", "9"),
        ("DEFAULT_HEALTH_CHECK_PROMPT", "ping"),
        ("DEFAULT_SLACK_ALERTING_THRESHOLD", "30"),
        ("DEFAULT_COOLDOWN_TIME_SECONDS", "11"),
        ("STORE_PROMPTS_IN_SPEND_LOGS", "True"),
        ("DISABLE_SCHEMA_UPDATE", "true"),
    ];
    let config = good("", &vars);
    let health = &config.general.health;
    assert_eq!((health.interval, health.timeout), (Duration::from_secs(60), Some(Duration::from_secs(9))));
    assert_eq!(health.prompt.as_deref(), Some("ping"));
    assert_eq!(config.general.alerts.threshold, Duration::from_secs(30));
    assert_eq!(config.router.cooldown_time, Duration::from_secs(11));
    assert!(config.general.store_prompts_in_spend_logs && config.general.disable_schema_update);
    let said = "general_settings: {health_check_interval: 7, alerting_threshold: 8, store_prompts_in_spend_logs: false, \
                disable_prisma_schema_update: false}\nrouter_settings: {cooldown_time: 9}";
    let config = good(said, &vars);
    assert_eq!(config.general.health.interval, Duration::from_secs(7));
    assert_eq!(config.general.alerts.threshold, Duration::from_secs(8));
    assert_eq!(config.router.cooldown_time, Duration::from_secs(9));
    assert!(!config.general.store_prompts_in_spend_logs && !config.general.disable_schema_update);
}

#[test]
fn p35_who_asks_vertex_is_said_by_the_file_or_by_variables_and_shown_to_nobody() {
    let vars = [
        ("DEFAULT_VERTEXAI_PROJECT", "of-env"),
        ("DEFAULT_VERTEXAI_LOCATION", "europe-west1"),
        ("DEFAULT_GOOGLE_APPLICATION_CREDENTIALS", "/keys/s3cr3t.json"),
    ];
    let config = good("default_vertex_config: {vertex_project: of-file}", &vars);
    let vertex = &config.passed_vertex;
    assert_eq!(
        (vertex.project.as_deref(), vertex.location.as_deref()),
        (Some("of-file"), Some("europe-west1"))
    );
    let credentials = vertex.credentials.as_ref().map(|secret| secret.expose_secret().to_owned());
    assert_eq!(credentials.as_deref(), Some("/keys/s3cr3t.json"));
    assert!(!format!("{vertex:?}").contains("s3cr3t"));
}

#[test]
fn the_hub_shows_what_is_named_and_nothing_where_it_is_closed() {
    let named = "litellm_settings: {public_model_groups: [a]}\n";
    let hub = |general: &str| good(&format!("{named}general_settings: {{{general}}}"), &[]).hub;
    assert!(hub("").shows("a") && !hub("").shows("b"));
    assert!(hub("enable_public_model_hub: true").shows("a"));
    assert!(!hub("enable_public_model_hub: false").shows("a"));
    let empty = told("general_settings: {enable_public_model_hub: true}", Severity::Warning);
    assert!(
        empty.contains("no models are shown; name them in litellm_settings.public_model_groups"),
        "{empty}"
    );
}

#[test]
fn what_the_ledger_keeps_is_used_as_far_as_it_is_named() {
    let general = |text: &str| good(text, &[]).general;
    assert!(general("").uses_kept("models"));
    let some = general("general_settings: {supported_db_objects: [model_cost_map]}");
    assert!(some.uses_kept("model_cost_map") && !some.uses_kept("models"));
    let wrong = told("general_settings: {supported_db_objects: [model]}", Severity::Warning);
    assert!(wrong.contains("the ledger keeps no \"model\"; did you mean \"models\"?"), "{wrong}");
}

#[test]
fn a_provider_is_asked_about_users_only_with_an_address_and_only_where_that_is_wanted() {
    let jwt =
        |settings: &str| format!("general_settings: {{enable_jwt_auth: true, litellm_jwtauth: {settings}}}");
    let both = jwt("{oidc_userinfo_enabled: true, oidc_userinfo_endpoint: \"https://idp.test/me\"}");
    let read = good(&both, &[]).general.jwt;
    assert_eq!(read.userinfo.as_deref(), Some("https://idp.test/me"));
    assert_eq!(read.userinfo_ttl, Duration::from_secs(300));
    let without = told(&jwt("{oidc_userinfo_enabled: true}"), Severity::Error);
    assert!(without.contains("nobody can be asked; add oidc_userinfo_endpoint"), "{without}");
    let off = jwt("{oidc_userinfo_endpoint: \"https://idp.test/me\"}");
    assert!(good(&off, &[]).general.jwt.userinfo.is_none());
    assert!(told(&off, Severity::Warning).contains("has no effect by itself"));
}

#[test]
fn routes_that_tokens_leave_open_are_open_where_tokens_are_taken() {
    let text = |more: &str| {
        format!(
            "general_settings: {{{more}litellm_jwtauth: {{public_allowed_routes: [public_routes, /v1/rerank]}}}}"
        )
    };
    assert_eq!(good(&text("enable_jwt_auth: true, "), &[]).general.routes.public, ["/v1/rerank"]);
    assert!(good(&text(""), &[]).general.routes.public.is_empty());
}

#[test]
fn what_will_never_count_says_why_and_what_does() {
    let text = "general_settings: {custom_auth: my.auth, use_google_kms: true}\n\
                environment_variables: {SMTP_HOST: mail.test, LASSO_USER_ID: u, OPENAI_PROJECT: p}\n";
    let told = told(text, Severity::Note);
    assert!(told.contains("custom_auth: known, not used yet; Weir runs no Python"), "{told}");
    assert!(told.contains("enable_jwt_auth"), "{told}");
    assert!(told.contains("use_google_kms: known, not used yet; of secret managers"), "{told}");
    assert!(told.contains("SMTP_HOST: known, not used yet; no e-mails are sent"), "{told}");
    assert!(told.contains("LASSO_USER_ID: known, not used yet; it is of a guardrail"), "{told}");
    assert!(!told.contains("OPENAI_PROJECT"), "{told}");
    for (name, key) in keys::env_keys() {
        if let EnvKey::Moot(why) = key {
            assert!(why.len() > 20 && !why.ends_with('.'), "{name}: {why}");
        }
    }
}
