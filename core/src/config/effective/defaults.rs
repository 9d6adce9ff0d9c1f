//! What counts where no file says anything: variables, the setting of another section, the default. Settings that are
//! not here are empty by default and have no variable.

use super::super::load::Config;
use super::super::settings::{BudgetMode, CacheScope, MetricsWhen, SslVerify, Sweep, TokenRate};
use super::HIDDEN;
use serde_json::{Value as Json, json};
use std::time::Duration;

pub(super) struct Row {
    section: &'static str,
    name: &'static str,
    /// Read where the file says nothing, the first that is set.
    pub(super) variables: &'static [&'static str],
    /// The variable counts even where the file says something.
    pub(super) environment_first: bool,
    /// The setting of `litellm_settings` that counts where this one is not set.
    pub(super) under: Option<&'static str>,
    /// The value that was made of all that.
    pub(super) value: fn(&Config) -> Json,
}

const GENERAL: &str = "general_settings";
const LITELLM: &str = "litellm_settings";
const ROUTER: &str = "router_settings";
const WEIR: &str = "weir_settings";

const fn row(section: &'static str, name: &'static str, value: fn(&Config) -> Json) -> Row {
    Row { section, name, variables: &[], environment_first: false, under: None, value }
}

impl Row {
    const fn or_env(self, variables: &'static [&'static str]) -> Self {
        Self { variables, ..self }
    }

    const fn or(self, under: &'static str) -> Self {
        Self { under: Some(under), ..self }
    }
}

pub(super) fn find(section: &str, name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.section == section && row.name == name)
}

static ROWS: &[Row] = &[
    row(GENERAL, "master_key", |c| hidden(c.general.master_key.is_some()))
        .or_env(&["LITELLM_MASTER_KEY", "PROXY_MASTER_KEY"]),
    row(GENERAL, "database_url", |c| hidden(c.general.database_url.is_some()))
        .or_env(&["DATABASE_URL", "DATABASE_HOST"]),
    row(GENERAL, "alerting_threshold", |c| seconds(c.general.alerts.threshold))
        .or_env(&["DEFAULT_SLACK_ALERTING_THRESHOLD"]),
    row(GENERAL, "spend_report_frequency", |c| format!("{}d", c.general.alerts.spend_report_days).into()),
    row(GENERAL, "database_connection_pool_limit", |c| json!(c.general.database_connection_pool_limit)),
    row(GENERAL, "database_connection_pool_timeout", |c| seconds(c.general.database_wait)),
    row(GENERAL, "database_connection_timeout", |c| seconds(c.general.database_wait)),
    row(GENERAL, "disable_prisma_schema_update", |c| json!(c.general.disable_schema_update))
        .or_env(&["DISABLE_SCHEMA_UPDATE"]),
    row(GENERAL, "health_check_details", |c| json!(c.general.health.details)),
    row(GENERAL, "health_check_interval", |c| seconds(c.general.health.interval))
        .or_env(&["DEFAULT_HEALTH_CHECK_INTERVAL"]),
    row(GENERAL, "max_request_size_mb", |c| json!(c.general.request_limit >> 20)),
    row(GENERAL, "maximum_spend_logs_retention_interval", |c| sweep(&c.general.keeping.sweep)),
    row(GENERAL, "store_prompts_in_spend_logs", |c| json!(c.general.store_prompts_in_spend_logs))
        .or_env(&["STORE_PROMPTS_IN_SPEND_LOGS"]),
    row(GENERAL, "store_model_in_db", |c| json!(c.general.store_model_in_db)).or_env(&["STORE_MODEL_IN_DB"]),
    row(GENERAL, "token_rate_limit_type", |c| rate(c.general.token_rate_limit_type).into()),
    row(GENERAL, "user_api_key_cache_ttl", |c| seconds(c.general.user_api_key_cache_ttl)),
    row(LITELLM, "allow_dynamic_callback_disabling", |c| json!(c.litellm.allow_dynamic_callback_disabling)),
    row(LITELLM, "default_soft_budget", unset).or_env(&["DEFAULT_SOFT_BUDGET"]),
    row(LITELLM, "drop_params", |c| json!(c.litellm.drop_params)).or_env(&["LITELLM_DROP_PARAMS"]),
    row(LITELLM, "json_logs", |c| json!(c.litellm.json_logs)).or_env(&["JSON_LOGS"]),
    row(LITELLM, "max_internal_user_budget", unset).or("default_max_internal_user_budget"),
    row(LITELLM, "max_tokens", |c| json!(c.litellm.library.max_tokens))
        .or_env(&["DEFAULT_ANTHROPIC_CHAT_MAX_TOKENS", "DEFAULT_MAX_TOKENS"]),
    row(LITELLM, "modify_params", |c| json!(c.litellm.modify_params)).or_env(&["LITELLM_MODIFY_PARAMS"]),
    row(LITELLM, "organization", unset).or_env(&["OPENAI_ORGANIZATION"]),
    row(LITELLM, "project", unset).or_env(&["OPENAI_PROJECT"]),
    row(LITELLM, "request_timeout", |c| seconds(c.litellm.request_timeout)).or_env(&["REQUEST_TIMEOUT"]),
    row(LITELLM, "ssl_verify", |c| verify(&c.litellm.ssl_verify)).or_env(&["SSL_VERIFY", "SSL_CERT_FILE"]),
    row(LITELLM, "store_audit_logs", |c| json!(c.litellm.store_audit_logs)),
    row(LITELLM, "timezone", |c| c.litellm.timezone.as_deref().unwrap_or("UTC").into()),
    row(ROUTER, "allowed_fails", unset).or("allowed_fails"),
    row(ROUTER, "content_policy_fallbacks", unset).or("content_policy_fallbacks"),
    row(ROUTER, "context_window_fallbacks", unset).or("context_window_fallbacks"),
    row(ROUTER, "cooldown_time", |c| seconds(c.router.cooldown_time))
        .or_env(&["DEFAULT_COOLDOWN_TIME_SECONDS"]),
    row(ROUTER, "default_fallbacks", unset).or("default_fallbacks"),
    row(ROUTER, "fallbacks", unset).or("fallbacks"),
    row(ROUTER, "max_fallbacks", |c| json!(c.router.max_fallbacks)).or("max_fallbacks"),
    row(ROUTER, "num_retries", |c| json!(c.router.num_retries)).or("num_retries"),
    row(ROUTER, "redis_host", unset).or_env(&["REDIS_HOST"]),
    row(ROUTER, "redis_password", unset).or_env(&["REDIS_PASSWORD"]),
    row(ROUTER, "redis_port", unset).or_env(&["REDIS_PORT"]),
    row(ROUTER, "redis_url", unset).or_env(&["REDIS_URL"]),
    row(ROUTER, "retry_after", |c| seconds(c.router.retry_after)),
    row(ROUTER, "routing_strategy", |c| c.router.routing_strategy.name().into()),
    row(ROUTER, "timeout", |c| seconds(c.router.timeout)).or("request_timeout"),
    row(WEIR, "access_log", |c| json!(c.weir.access_log.unwrap_or(c.litellm.json_logs))),
    row(WEIR, "body_timeout", |c| seconds(c.weir.body_timeout)),
    row(WEIR, "budget_error_status", |c| json!(c.weir.budget_error_status.unwrap_or(400))),
    row(WEIR, "budget_mode", |c| {
        if c.weir.budget_mode == BudgetMode::Hold { "hold" } else { "litellm" }.into()
    }),
    row(WEIR, "budget_wait", |c| seconds(c.weir.budget_wait)),
    row(WEIR, "cache_max_bytes", |c| json!(c.weir.cache_max_bytes)),
    row(WEIR, "cache_scope", |c| scope(c.weir.cache_scope).into()),
    row(WEIR, "callback_hosts", |c| json!(c.weir.callback_hosts)),
    row(WEIR, "callback_max_bytes", |c| json!(c.weir.callback_max_bytes)),
    row(WEIR, "connect_timeout", |c| seconds(c.weir.connect_timeout)),
    Row {
        environment_first: true,
        ..row(WEIR, "data_dir", |c| {
            let named = c.env.filled("WEIR_DATA_DIR").or(c.weir.data_dir.as_deref());
            named.unwrap_or("data").into()
        })
        .or_env(&["WEIR_DATA_DIR"])
    },
    row(WEIR, "drain_delay", |c| seconds(c.weir.drain_delay)),
    row(WEIR, "grace_period", |c| seconds(c.weir.grace_period)),
    row(WEIR, "header_timeout", |c| seconds(c.weir.header_timeout)),
    row(WEIR, "health_port", |c| json!(c.weir.health_port)).or_env(&["SEPARATE_HEALTH_APP"]),
    row(WEIR, "inflight_bytes", |c| json!(c.weir.inflight_bytes)),
    row(WEIR, "journal_max_bytes", |c| json!(c.weir.journal_max_bytes)),
    row(WEIR, "journal_segment_bytes", |c| json!(c.weir.journal_segment_bytes)),
    row(WEIR, "journal_shards", |c| json!(c.weir.journal_shards)),
    row(WEIR, "keepalive_interval", |c| seconds(c.weir.keepalive_interval)),
    row(WEIR, "lease_reclaim_after", |c| seconds(c.weir.lease_reclaim_after)),
    row(WEIR, "loop_window", |c| seconds(c.weir.loop_window)),
    row(WEIR, "master_key_previous", |c| hidden(c.weir.master_key_previous.is_some()))
        .or_env(&["WEIR_MASTER_KEY_PREVIOUS"]),
    row(WEIR, "max_clients", |c| json!(c.weir.max_clients)),
    row(WEIR, "max_connections", |c| json!(c.weir.max_connections)),
    row(WEIR, "max_mirrors", |c| json!(c.weir.max_mirrors)),
    row(WEIR, "metrics", |c| {
        if c.weir.metrics == MetricsWhen::Always { "always" } else { "on_callback" }.into()
    }),
    row(WEIR, "metrics_max_series", |c| json!(c.weir.metrics_max_series)),
    row(WEIR, "on_ledger_loss", |c| if c.weir.serves_without_ledger { "serve" } else { "refuse" }.into()),
    row(WEIR, "price_map_url", |c| json!(c.weir.price_map_url)).or_env(&["LITELLM_MODEL_COST_MAP_URL"]),
    row(WEIR, "redis_timeout", |c| seconds(c.weir.redis_timeout)),
    row(WEIR, "stream_idle_timeout", |c| seconds(c.weir.stream_idle_timeout)),
    row(WEIR, "ui_session_idle", |c| seconds(c.weir.ui_session_idle)),
    row(WEIR, "ui_session_lifetime", |c| seconds(c.weir.ui_session_lifetime)),
    row(WEIR, "upstream_pool_size", |c| json!(c.weir.upstream_pool_size)),
    row(WEIR, "work_stealing", |c| json!(c.weir.work_stealing)),
];

// --- values as a file would have them ---

fn unset(_: &Config) -> Json {
    Json::Null
}

fn hidden(set: bool) -> Json {
    if set { HIDDEN.into() } else { Json::Null }
}

fn seconds(time: Duration) -> Json {
    match time.subsec_nanos() {
        0 => json!(time.as_secs()),
        _ => format!("{}ms", time.as_millis()).into(),
    }
}

/// Null where the clock says it.
fn sweep(sweep: &Sweep) -> Json {
    match sweep {
        Sweep::Every(time) => seconds(*time),
        Sweep::At(_) => Json::Null,
    }
}

fn verify(verify: &SslVerify) -> Json {
    match verify {
        SslVerify::On => json!(true),
        SslVerify::Off => json!(false),
        SslVerify::CaFile(path) => path.as_str().into(),
    }
}

fn scope(scope: CacheScope) -> &'static str {
    match scope {
        CacheScope::Key => "key",
        CacheScope::Team => "team",
        CacheScope::All => "all",
    }
}

fn rate(rate: TokenRate) -> &'static str {
    match rate {
        TokenRate::Total => "total",
        TokenRate::Input => "input",
        TokenRate::Output => "output",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::keys;
    use super::*;

    #[test]
    fn rows_are_of_settings_and_variables_that_are_known() {
        for (at, row) in ROWS.iter().enumerate() {
            let table = keys::TABLES.iter().find(|table| table.name == row.section).unwrap();
            let place = format!("{}.{}", row.section, row.name);
            assert!(table.find(row.name).is_some(), "{place}");
            assert!(row.under.is_none_or(|name| keys::LITELLM.find(name).is_some()), "{place}");
            let same = |other: &Row| (other.section, other.name) == (row.section, row.name);
            assert_eq!(ROWS.iter().position(same), Some(at), "{place} has two rows");
            let unknown =
                row.variables.iter().find(|v| keys::env_key(v).is_none() && !v.starts_with("WEIR_"));
            assert_eq!(unknown, None, "{place}");
        }
    }
}
