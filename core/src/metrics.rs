//! Metric names, types, labels and help texts, in one table. Names and labels are LiteLLM 1.81's, so that existing
//! scrapes and dashboards keep working; `weir_*` are our own.

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    /// Integer nano-dollars inside, dollars at the scrape.
    Money,
    Gauge,
    /// Seconds, in [`LATENCY_BUCKETS`].
    Histogram,
}

/// One metric.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

/// What keeps its labels longest when there is no room for all series, first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// What callers spent and used, and whatever has no callers among its labels.
    Account,
    /// What else is told of callers, by a number each.
    Detail,
    /// How long their requests took: forty series each.
    Spread,
}

/// LiteLLM's buckets for every latency, in seconds.
pub const LATENCY_BUCKETS: &[f64] = &[
    0.005, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0,
    6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5, 10.0, 15.0, 20.0, 25.0, 30.0, 60.0, 120.0, 180.0, 240.0, 300.0,
];

/// The label value for what is not there.
pub const NONE: &str = "None";

/// The label value for all that there is no room for: series are capped.
pub const OTHER: &str = "other";

/// Names, for those who record. The order is that of [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    ProxyTotalRequests,
    ProxyFailedRequests,
    Requests,
    LlmApiFailedRequests,
    Spend,
    InputTokens,
    OutputTokens,
    TotalTokens,
    TokensAlias,
    RequestTotalLatency,
    LlmApiLatency,
    TimeToFirstToken,
    Overhead,
    LatencyPerOutputToken,
    DeploymentSuccess,
    DeploymentFailure,
    DeploymentTotal,
    DeploymentState,
    DeploymentCooledDown,
    SuccessfulFallbacks,
    FailedFallbacks,
    RemainingRequests,
    RemainingTokens,
    CacheHits,
    CacheMisses,
    CachedTokens,
    QueueTime,
    KeyBudgetLeft,
    KeyBudget,
    KeyBudgetHours,
    TeamBudgetLeft,
    TeamBudget,
    TeamBudgetHours,
    UserBudgetLeft,
    UserBudget,
    UserBudgetHours,
    ProviderBudgetLeft,
    KeyRequestsForModel,
    KeyTokensForModel,
    GuardrailRequests,
    GuardrailErrors,
    GuardrailLatency,
    UnpricedRequests,
    ShedRequests,
    SaidDropped,
    CallbacksDropped,
    CallbackFailures,
    MirrorsDropped,
    JournalBytes,
    JournalOpen,
    JournalWaiting,
    OpenExchanges,
    InflightBytes,
    RedisUp,
    JournalMaxBytes,
    JournalLag,
    LedgerWrite,
    LedgerFailures,
    LeaseUnspent,
    LeaseHeld,
    LeaseWaits,
    MetricSeries,
    AlertsDropped,
    LogLinesDropped,
    RedisLatency,
    RedisRequests,
    RedisFailures,
    PostgresLatency,
    PostgresRequests,
    PostgresFailures,
    SelfLatency,
    SelfRequests,
    SelfFailures,
    RouterLatency,
    RouterRequests,
    RouterFailures,
    AuthLatency,
    AuthRequests,
    AuthFailures,
    PreCallLatency,
    PreCallRequests,
    PreCallFailures,
    BatchWriteLatency,
    BatchWriteRequests,
    BatchWriteFailures,
    ResetBudgetLatency,
    ResetBudgetRequests,
    ResetBudgetFailures,
    SpendQueue,
    DailySpendQueue,
    RedisSpendQueue,
    RedisDailySpendQueue,
    PodLockManager,
    PythonInfo,
    PythonCollections,
    PythonUncollectable,
    PythonGc,
}

const fn row(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Row {
    Row { name, kind, labels, help }
}

use Kind::{Counter, Gauge, Histogram, Money};

/// In the order of [`Name`].
#[rustfmt::skip]
pub static TABLE: &[Row] = &[
    row("litellm_proxy_total_requests_metric_total", Counter,
        &["end_user", "hashed_api_key", "api_key_alias", "requested_model", "team", "team_alias", "user", "status_code", "user_email", "route"],
        "Requests made to the gateway, counted once each"),
    row("litellm_proxy_failed_requests_metric_total", Counter,
        &["end_user", "hashed_api_key", "api_key_alias", "requested_model", "team", "team_alias", "user", "user_email", "exception_status", "exception_class", "route"],
        "Requests whose client did not get a success"),
    row("litellm_requests_metric_total", Counter,
        &["end_user", "hashed_api_key", "api_key_alias", "model", "team", "team_alias", "user", "user_email"],
        "Requests that a model answered"),
    row("litellm_llm_api_failed_requests_metric_total", Counter,
        &["end_user", "hashed_api_key", "api_key_alias", "model", "team", "team_alias", "user"],
        "Requests that no model answered"),
    row("litellm_spend_metric_total", Money,
        &["end_user", "hashed_api_key", "api_key_alias", "model", "team", "team_alias", "user", "user_email"],
        "Spend in US dollars"),
    row("litellm_input_tokens_metric_total", Counter,
        &["end_user", "hashed_api_key", "api_key_alias", "model", "team", "team_alias", "user", "user_email", "requested_model"],
        "Input tokens"),
    row("litellm_output_tokens_metric_total", Counter,
        &["end_user", "hashed_api_key", "api_key_alias", "model", "team", "team_alias", "user", "user_email", "requested_model"],
        "Output tokens"),
    row("litellm_total_tokens_metric_total", Counter,
        &["end_user", "hashed_api_key", "api_key_alias", "model", "team", "team_alias", "user", "user_email", "requested_model"],
        "Input and output tokens"),
    row("litellm_tokens_total", Counter, &["team"], "Input and output tokens, by team"),
    row("litellm_request_total_latency_metric", Histogram,
        &["end_user", "hashed_api_key", "api_key_alias", "requested_model", "team", "team_alias", "user", "model"],
        "Seconds from the request's first byte to the end of its answer"),
    row("litellm_llm_api_latency_metric", Histogram,
        &["model", "hashed_api_key", "api_key_alias", "team", "team_alias", "requested_model", "end_user", "user"],
        "Seconds that the provider took"),
    row("litellm_llm_api_time_to_first_token_metric", Histogram,
        &["model", "hashed_api_key", "api_key_alias", "team", "team_alias"],
        "Seconds to the first token of a stream"),
    row("litellm_overhead_latency_metric", Histogram,
        &["model_group", "api_provider", "api_base", "litellm_model_name", "hashed_api_key", "api_key_alias"],
        "Seconds that the gateway added"),
    row("litellm_deployment_latency_per_output_token", Histogram,
        &["litellm_model_name", "model_id", "api_base", "api_provider", "hashed_api_key", "api_key_alias", "team", "team_alias"],
        "Seconds per output token"),
    row("litellm_deployment_success_responses_total", Counter,
        &["requested_model", "litellm_model_name", "model_id", "api_base", "api_provider", "hashed_api_key", "api_key_alias", "team", "team_alias"],
        "Attempts that a deployment answered"),
    row("litellm_deployment_failure_responses_total", Counter,
        &["requested_model", "litellm_model_name", "model_id", "api_base", "api_provider", "exception_status", "exception_class", "hashed_api_key", "api_key_alias", "team", "team_alias"],
        "Attempts that failed"),
    row("litellm_deployment_total_requests_total", Counter,
        &["requested_model", "litellm_model_name", "model_id", "api_base", "api_provider", "hashed_api_key", "api_key_alias", "team", "team_alias"],
        "Attempts, answered and failed"),
    row("litellm_deployment_state", Gauge, &["litellm_model_name", "model_id", "api_base", "api_provider"],
        "State of a deployment: 0 healthy, 1 failing, 2 cooled down"),
    row("litellm_deployment_cooled_down_total", Counter,
        &["litellm_model_name", "model_id", "api_base", "api_provider", "exception_status"],
        "Times a deployment was cooled down"),
    row("litellm_deployment_successful_fallbacks_total", Counter,
        &["requested_model", "fallback_model", "hashed_api_key", "api_key_alias", "team", "team_alias", "exception_status", "exception_class"],
        "Fallbacks that answered"),
    row("litellm_deployment_failed_fallbacks_total", Counter,
        &["requested_model", "fallback_model", "hashed_api_key", "api_key_alias", "team", "team_alias", "exception_status", "exception_class"],
        "Fallbacks that failed"),
    row("litellm_remaining_requests_metric", Gauge,
        &["model_group", "api_provider", "api_base", "litellm_model_name", "hashed_api_key", "api_key_alias"],
        "Requests left of the provider's limit, as it says"),
    row("litellm_remaining_tokens_metric", Gauge,
        &["model_group", "api_provider", "api_base", "litellm_model_name", "hashed_api_key", "api_key_alias"],
        "Tokens left of the provider's limit, as it says"),
    row("litellm_cache_hits_metric_total", Counter,
        &["model", "hashed_api_key", "api_key_alias", "team", "team_alias", "end_user", "user"],
        "Requests that were answered from the cache"),
    row("litellm_cache_misses_metric_total", Counter,
        &["model", "hashed_api_key", "api_key_alias", "team", "team_alias", "end_user", "user"],
        "Requests that would have been answered from the cache, had it been there"),
    row("litellm_cached_tokens_metric_total", Counter,
        &["model", "hashed_api_key", "api_key_alias", "team", "team_alias", "end_user", "user"],
        "Tokens of answers from the cache"),
    row("litellm_request_queue_time_seconds", Histogram,
        &["end_user", "hashed_api_key", "api_key_alias", "requested_model", "team", "team_alias", "user", "model"],
        "Seconds from a request that has come to its first attempt: what it waited for budgets, guardrails and the like"),
    row("litellm_remaining_api_key_budget_metric", Gauge, &["hashed_api_key", "api_key_alias"],
        "US dollars left of a key's budget; +Inf where it has none"),
    row("litellm_api_key_max_budget_metric", Gauge, &["hashed_api_key", "api_key_alias"], "A key's budget in US dollars"),
    row("litellm_api_key_budget_remaining_hours_metric", Gauge, &["hashed_api_key", "api_key_alias"],
        "Hours until a key's budget begins anew"),
    row("litellm_remaining_team_budget_metric", Gauge, &["team", "team_alias"],
        "US dollars left of a team's budget; +Inf where it has none"),
    row("litellm_team_max_budget_metric", Gauge, &["team", "team_alias"], "A team's budget in US dollars"),
    row("litellm_team_budget_remaining_hours_metric", Gauge, &["team", "team_alias"],
        "Hours until a team's budget begins anew"),
    row("litellm_remaining_user_budget_metric", Gauge, &["user"],
        "US dollars left of a user's budget; +Inf where there is none"),
    row("litellm_user_max_budget_metric", Gauge, &["user"], "A user's budget in US dollars"),
    row("litellm_user_budget_remaining_hours_metric", Gauge, &["user"], "Hours until a user's budget begins anew"),
    row("litellm_provider_remaining_budget_metric", Gauge, &["api_provider"],
        "US dollars left of a provider's budget, in the period that is now"),
    row("litellm_remaining_api_key_requests_for_model", Gauge, &["hashed_api_key", "api_key_alias", "model"],
        "Requests that a key has left for a model in its window; a very large number where it has no limit"),
    row("litellm_remaining_api_key_tokens_for_model", Gauge, &["hashed_api_key", "api_key_alias", "model"],
        "Tokens that a key has left for a model in its window; a very large number where it has no limit"),
    row("litellm_guardrail_requests_total", Counter, &["guardrail_name", "status", "hook_type"],
        "Checks that guardrails made"),
    row("litellm_guardrail_errors_total", Counter, &["guardrail_name", "error_type", "hook_type"],
        "Checks that refused something, or could not be made"),
    row("litellm_guardrail_latency_seconds", Histogram, &["guardrail_name", "status", "error_type", "hook_type"],
        "Seconds that a check took"),
    row("weir_unpriced_requests_total", Counter, &["model"], "Requests served without a known price"),
    row("weir_shed_requests_total", Counter, &["reason"], "Requests refused because a bound was reached"),
    row("weir_said_dropped_total", Counter, &["reason"], "Exchanges of which nothing is kept of what was said"),
    row("weir_callback_dropped_total", Counter, &["callback_name"],
        "Requests that a callback was not told of, because its queue was full or it did not take them"),
    row("litellm_callback_logging_failures_metric_total", Counter, &["callback_name"],
        "Times that a callback did not take what it was told"),
    row("weir_mirrors_dropped_total", Counter, &["reason"], "Copies for silent models that were not sent"),
    row("weir_journal_bytes", Gauge, &[], "Bytes in the spend journal"),
    row("weir_journal_open_exchanges", Gauge, &[], "Exchanges begun in the journal and not ended"),
    row("weir_journal_waiting_entries", Gauge, &[], "Ended entries that are not in the ledger yet"),
    row("weir_open_exchanges", Gauge, &[], "Exchanges in progress"),
    row("weir_inflight_bytes", Gauge, &[], "Request and response bytes held in memory"),
    row("weir_redis_up", Gauge, &[], "1 while limits are counted in Redis, 0 while each process counts for itself"),
    row("weir_journal_max_bytes", Gauge, &[], "Bytes of the spend journal at which requests are refused"),
    row("weir_journal_lag_seconds", Gauge, &[], "Age of the oldest entry that the ledger is asked to take and has not"),
    row("weir_ledger_write_seconds", Histogram, &[], "Seconds that a batch of entries takes in the ledger"),
    row("weir_ledger_failures_total", Counter, &["operation"], "What the ledger did not do, by what it was asked for"),
    row("weir_lease_unspent_dollars", Gauge, &[], "US dollars of budgets that this process was given and nobody holds"),
    row("weir_lease_held_dollars", Gauge, &[], "US dollars of budgets that requests under way hold"),
    row("weir_lease_waits_total", Counter, &[], "Requests that had to ask the ledger for a part of a budget"),
    row("weir_metric_series", Gauge, &[], "Series of metrics in this process"),
    row("weir_alerts_dropped_total", Counter, &["reason"], "Alerts that nobody was told"),
    row("weir_log_lines_dropped_total", Counter, &[], "Lines of the log that were not written, because the log was not read fast enough"),
    row("litellm_redis_latency", Histogram, &["redis"], "Seconds that a call of Redis takes"),
    row("litellm_redis_total_requests_total", Counter, &["redis"], "Calls of Redis"),
    row("litellm_redis_failed_requests_total", Counter, &["redis", "error_class", "function_name"], "Calls of Redis that failed"),
    row("litellm_postgres_latency", Histogram, &["postgres"], "Seconds that a call of the ledger takes"),
    row("litellm_postgres_total_requests_total", Counter, &["postgres"], "Calls of the ledger"),
    row("litellm_postgres_failed_requests_total", Counter, &["postgres", "error_class", "function_name"],
        "Calls of the ledger that failed"),
    row("litellm_self_latency", Histogram, &["self"], "Seconds that a request takes, whatever comes of it"),
    row("litellm_self_total_requests_total", Counter, &["self"], "Requests"),
    row("litellm_self_failed_requests_total", Counter, &["self", "error_class", "function_name"], "Requests that got no success"),
    row("litellm_router_latency", Histogram, &["router"], "Seconds from the first attempt of a request to the end of its answer"),
    row("litellm_router_total_requests_total", Counter, &["router"], "Requests that a deployment was asked for"),
    row("litellm_router_failed_requests_total", Counter, &["router", "error_class", "function_name"], "Those that no deployment answered"),
    row("litellm_auth_latency", Histogram, &["auth"], "Seconds from a request's first byte to when its caller is known"),
    row("litellm_auth_total_requests_total", Counter, &["auth"], "Requests that somebody had to be known for"),
    row("litellm_auth_failed_requests_total", Counter, &["auth", "error_class", "function_name"], "Requests of callers that are not known or may not call"),
    row("litellm_proxy_pre_call_latency", Histogram, &["proxy_pre_call"], "Seconds that budgets, limits, guardrails and the cache take before a deployment is asked"),
    row("litellm_proxy_pre_call_total_requests_total", Counter, &["proxy_pre_call"], "Requests that came so far"),
    row("litellm_proxy_pre_call_failed_requests_total", Counter, &["proxy_pre_call", "error_class", "function_name"], "Requests that were refused there"),
    row("litellm_batch_write_to_db_latency", Histogram, &["batch_write_to_db"], "Seconds that a batch of entries takes in the ledger"),
    row("litellm_batch_write_to_db_total_requests_total", Counter, &["batch_write_to_db"], "Batches of entries that went to the ledger"),
    row("litellm_batch_write_to_db_failed_requests_total", Counter, &["batch_write_to_db", "error_class", "function_name"], "Batches that the ledger did not take"),
    row("litellm_reset_budget_job_latency", Histogram, &["reset_budget_job"], "Seconds that it takes to begin budgets again that are over"),
    row("litellm_reset_budget_job_total_requests_total", Counter, &["reset_budget_job"], "Looks for budgets that are over"),
    row("litellm_reset_budget_job_failed_requests_total", Counter, &["reset_budget_job", "error_class", "function_name"], "Looks that failed"),
    row("litellm_in_memory_spend_update_queue_size", Gauge, &[], "Entries that the ledger does not have yet"),
    row("litellm_in_memory_daily_spend_update_queue_size", Gauge, &[], "The same: sums by day are raised with the entries"),
    row("litellm_redis_spend_update_queue_size", Gauge, &[], "Always 0: spend does not wait in Redis"),
    row("litellm_redis_daily_spend_update_queue_size", Gauge, &[], "Always 0: spend does not wait in Redis"),
    row("litellm_pod_lock_manager_size", Gauge, &[], "Always 0: replicas agree in the ledger, without locks of their own"),
    row("python_info", Gauge, &["implementation", "major", "minor", "patchlevel", "version"],
        "Always 0: there is no Python here, and panels of dashboards ask for it"),
    row("python_gc_collections_total", Counter, &["generation"],
        "Always 0: there is no Python here, and panels of dashboards ask for it"),
    row("python_gc_objects_uncollectable_total", Counter, &["generation"],
        "Always 0: there is no Python here, and panels of dashboards ask for it"),
    row("python_gc_objects_collected_total", Counter, &["generation"],
        "Always 0: there is no Python here, and panels of dashboards ask for it"),
];

impl Name {
    /// The metric's row in [`TABLE`].
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

/// What an operator charges by, or is charged.
const ACCOUNTS: &[Name] = &[
    Name::ProxyTotalRequests,
    Name::Requests,
    Name::Spend,
    Name::InputTokens,
    Name::OutputTokens,
    Name::TotalTokens,
    Name::TokensAlias,
];

/// Labels of which there are as many values as callers.
const CALLERS: &[&str] = &["hashed_api_key", "team", "user"];

/// Shown only where somebody asks for metrics of services (`service_callback: [prometheus_system]`).
const SYSTEM: &[&str] = &[
    "litellm_redis_",
    "litellm_postgres_",
    "litellm_self_",
    "litellm_router_",
    "litellm_auth_",
    "litellm_proxy_pre_call_",
    "litellm_batch_write_to_db_",
    "litellm_reset_budget_job_",
    "litellm_in_memory_",
    "litellm_pod_lock_",
];

/// The label of a member of metadata that an operator wishes for.
pub fn metadata_label(written: &str) -> String {
    plain(written)
}

/// The label of a tag that an operator wishes for.
pub fn tag_label(tag: &str) -> String {
    plain(&format!("tag_{tag}"))
}

/// A name that Prometheus takes.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

impl Row {
    /// LiteLLM's name of it in settings, where counters lack what Prometheus puts behind them.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.name.strip_suffix("_total") == Some(name)
    }

    /// Whether it is about services, those beside the gateway and its own parts, and shown only where somebody asks for
    /// these.
    pub fn is_of_system(&self) -> bool {
        SYSTEM.iter().any(|prefix| self.name.starts_with(prefix))
    }

    /// What goes first when room is short. Deployments, guardrails and the like are few, so whatever is told of them stays.
    pub fn rank(&self) -> Rank {
        let of_callers = self.labels.iter().any(|label| CALLERS.contains(label));
        if !of_callers || ACCOUNTS.iter().any(|name| name.row().name == self.name) {
            return Rank::Account;
        }
        if self.kind == Kind::Histogram { Rank::Spread } else { Rank::Detail }
    }

    /// Whether labels that the operator wishes for stand on it: what is counted by request says who asked.
    pub fn takes_custom_labels(&self) -> bool {
        self.kind != Kind::Gauge && self.labels.contains(&"hashed_api_key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_enum_is_as_long_as_the_table() {
        assert_eq!(TABLE.len(), Name::PythonGc as usize + 1);
        for (index, row) in TABLE.iter().enumerate() {
            assert!(TABLE[..index].iter().all(|r| r.name != row.name), "{} stands twice", row.name);
            let counted = matches!(row.kind, Counter | Money);
            assert_eq!(row.name.ends_with("_total"), counted, "{}", row.name);
        }
        assert_eq!(Name::DeploymentState.row().name, "litellm_deployment_state");
        assert_eq!(Name::ShedRequests.row().name, "weir_shed_requests_total");
        assert_eq!(Name::PodLockManager.row().name, "litellm_pod_lock_manager_size");
        assert_eq!(Name::ResetBudgetFailures.row().name, "litellm_reset_budget_job_failed_requests_total");
        assert_eq!(Name::PreCallLatency.row().name, "litellm_proxy_pre_call_latency");
    }

    #[test]
    fn p39_money_and_tokens_keep_their_labels_longer_than_latencies() {
        for row in TABLE {
            let (rank, of_keys) = (row.rank(), row.labels.contains(&"hashed_api_key"));
            assert!(row.kind != Money || rank == Rank::Account, "{}", row.name);
            assert!(row.kind != Histogram || (rank == Rank::Spread) == of_keys, "{}", row.name);
            assert!(of_keys || row.kind == Gauge || rank == Rank::Account, "{}", row.name);
        }
        for name in [Name::InputTokens, Name::OutputTokens, Name::TotalTokens, Name::Requests] {
            assert_eq!(name.row().rank(), Rank::Account, "{name:?}");
        }
        assert_eq!(Name::KeyBudgetLeft.row().rank(), Rank::Detail);
        assert_eq!(Name::DeploymentTotal.row().rank(), Rank::Detail);
    }
}
