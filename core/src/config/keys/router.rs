//! `router_settings`: how a deployment is chosen, and what happens when it fails.

use super::Kind::{Any, Bool, Choice, Int, List, Map, Seconds, Secret, SecretMap, Text, Texts};
use super::{Key, moot, used};

const STRATEGIES: &[&str] = &[
    "simple-shuffle",
    "least-busy",
    "usage-based-routing",
    "usage-based-routing-v2",
    "latency-based-routing",
    "cost-based-routing",
];

const QUEUE: &str =
    "requests do not wait for each other in a queue; bound them by weir_settings.max_connections or rpm";

pub(super) const KEYS: &[Key] = &[
    used("allowed_fails", Int),
    used("allowed_fails_policy", Map),
    used("content_policy_fallbacks", List),
    used("context_window_fallbacks", List),
    used("cooldown_time", Seconds),
    used("default_fallbacks", Texts),
    used("default_max_parallel_requests", Int),
    used("disable_cooldowns", Bool),
    used("fallbacks", List),
    used("max_fallbacks", Int),
    used("model_group_alias", Map),
    used("num_retries", Int),
    used("retry_after", Seconds),
    used("routing_strategy", Choice(STRATEGIES)),
    used("stream_timeout", Seconds),
    used("timeout", Seconds),
    used("alerting_config", SecretMap),
    moot("assistants_config", Any, "assistants are not served; use /v1/responses"),
    moot(
        "cache_kwargs",
        Map,
        "it is about a Python client of Redis; use redis_host, redis_port and redis_password",
    ),
    used("cache_responses", Bool),
    used("caching_groups", List),
    moot(
        "client_ttl",
        Seconds,
        "no clients are kept, only connections; see weir_settings.upstream_pool_size",
    ),
    used("debug_level", Choice(&["DEBUG", "INFO"])),
    used("default_litellm_params", Map),
    moot("default_priority", Int, QUEUE),
    used("enable_pre_call_checks", Bool),
    used("enable_tag_filtering", Bool),
    used("guardrail_list", List),
    used("ignore_invalid_deployments", Bool),
    used("model_group_retry_policy", Map),
    used("optional_pre_call_checks", Texts),
    moot("polling_interval", Seconds, QUEUE),
    used("provider_budget_config", Map),
    used("redis_host", Text),
    used("redis_password", Secret),
    used("redis_port", Int),
    used("redis_url", Secret),
    used("retry_policy", Map),
    used("router_general_settings", Map),
    used("routing_strategy_args", Map),
    moot("search_tools", List, "searches are not served; use a model's own web search (web_search_options)"),
    used("set_verbose", Bool),
    used("tag_filtering_match_any", Bool),
];
