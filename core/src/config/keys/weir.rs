//! `weir_settings`: what LiteLLM has no setting for. Each row is the documentation of its setting.

use super::Kind::{Bool, Bytes, Choice, Int, Number, Seconds, Secret, Text, Texts};
use super::{Key, own};

const METRICS: &[&str] = &["on_callback", "always"];
const BUDGETS: &[&str] = &["hold", "litellm"];
const SCOPES: &[&str] = &["key", "team", "all"];
const LOSS: &[&str] = &["refuse", "serve"];

pub(super) const KEYS: &[Key] = &[
    own(
        "trusted_proxies",
        Texts,
        "Addresses or networks whose X-Forwarded-For and -Proto are believed. None by default.",
    ),
    own(
        "identity_proxies",
        Texts,
        "Addresses or networks of proxies (oauth2-proxy) whose headers say who uses the UI, with enable_oauth2_proxy_auth. \
         None by default.",
    ),
    own(
        "microsoft_tenants",
        Texts,
        "Ids of tenants whose people may sign in where MICROSOFT_TENANT is common or organizations. With none named anybody \
         of any tenant may, and roles and groups that their tenants give them count for nothing.",
    ),
    own("ui_session_lifetime", Seconds, "How long somebody stays signed in to the admin UI at most. 24 h."),
    own("ui_session_idle", Seconds, "How long a session of the admin UI may lie unused before it ends. 2 h."),
    own(
        "metrics",
        Choice(METRICS),
        "`on_callback`: /metrics only with the prometheus callback, as LiteLLM; `always`: without it too.",
    ),
    own(
        "metrics_max_series",
        Int,
        "Series of metrics in a process, as Prometheus counts them: some 200 for a key, of which 190 are latencies. New label \
         values beyond it are counted as `other`, those of latencies from half of it on, so that spend, tokens and requests of \
         10,000 keys have room. 200000. Needs a restart.",
    ),
    own(
        "access_log",
        Bool,
        "A line in the log for each request, when it is over. With json_logs, unless this says otherwise.",
    ),
    own(
        "block_unpriced",
        Bool,
        "Refuse models that have no price, instead of booking their tokens without a cost.",
    ),
    own(
        "price_map_url",
        Text,
        "Where a newer price map is fetched from when /reload/model_cost_map or price_map_refresh asks for it: a file in \
         LiteLLM's form. LITELLM_MODEL_COST_MAP_URL, else LiteLLM's own. Nothing is fetched at start.",
    ),
    own(
        "price_map_refresh",
        Seconds,
        "How old the price map may become before a newer one is fetched by itself. Never, where nothing is said; at least \
         60 s.",
    ),
    own(
        "budget_mode",
        Choice(BUDGETS),
        "`hold`: what a request may cost is held before it is sent, so that no budget is overshot; `litellm`: a request is \
         sent as long as anything is left.",
    ),
    own(
        "redis_timeout",
        Seconds,
        "How long a request waits for Redis before its limits are counted in this process, or no answer is cached. 0.05 s.",
    ),
    own(
        "cache_scope",
        Choice(SCOPES),
        "Who shares cached answers: requests of one `key` (default), of all keys of a `team`, or `all`.",
    ),
    own(
        "cache_max_bytes",
        Bytes,
        "Bytes of answers that a process caches in its memory; above it those that are asked for least are forgotten. \
         64 MiB. Needs a restart.",
    ),
    own(
        "budget_wait",
        Seconds,
        "How long a request waits for what others hold of its budget, before it is refused with 429. 10 s.",
    ),
    own(
        "budget_error_status",
        Int,
        "Status of a request whose budget is spent. 400, as LiteLLM; with 402 clients are told not to try again.",
    ),
    own(
        "on_ledger_loss",
        Choice(LOSS),
        "Requests with a budget that cannot be looked at, because the database is away: `refuse` (503) or `serve`.",
    ),
    own(
        "lease_reclaim_after",
        Seconds,
        "After which silence what a process held of budgets is given to others. Longer than any exchange. 1 h.",
    ),
    own(
        "session_max_budget",
        Number,
        "Dollars that one session may cost in a month (x-litellm-session-id, metadata.session_id). A key's metadata may \
         say another. Not limited by default.",
    ),
    own(
        "session_max_calls",
        Int,
        "Requests of one session, counted by this process. Not limited by default.",
    ),
    own("session_max_time", Seconds, "From a session's first request to its last, as this process sees it."),
    own(
        "loop_max_repeats",
        Int,
        "How often a key may send the very same request within loop_window, before it is taken for a loop and refused.",
    ),
    own("loop_window", Seconds, "See loop_max_repeats. 60 s."),
    own(
        "master_key_previous",
        Secret,
        "A second master key, taken as the first is, for the time in which one is changed for the other. Else \
         WEIR_MASTER_KEY_PREVIOUS. None by default.",
    ),
    own(
        "data_dir",
        Text,
        "Where journal, embedded ledger and generated keys live. Chosen by the command line when absent.",
    ),
    own(
        "journal_max_bytes",
        Bytes,
        "Size of the journal at which requests are refused because the ledger takes no entries. 1 GiB.",
    ),
    own(
        "journal_segment_bytes",
        Bytes,
        "Size at which a file of the journal is closed and the next one begun, 64 KiB to 256 MiB. 2 MiB. Needs a restart.",
    ),
    own(
        "journal_shards",
        Int,
        "Files of the journal that are written side by side, 1 to 64. 4. Needs a restart; `weir-bench tune` tells what suits \
         a machine.",
    ),
    own(
        "callback_hosts",
        Texts,
        "Hosts that callbacks of keys and teams may name, beside Langfuse's cloud and LANGFUSE_HOST. None by default, since \
         who makes keys could have the gateway ask any address of its network.",
    ),
    own(
        "callback_max_bytes",
        Bytes,
        "Bytes of finished requests that wait to be told to callbacks; beyond it new ones are not told. Each callback has an \
         equal share, so that one that is away takes nothing from the others. 64 MiB. Needs a restart.",
    ),
    own("inflight_bytes", Bytes, "Request and response bytes in memory at once; above it 503. 96 MiB."),
    own(
        "unauthenticated_per_second",
        Int,
        "Requests with no key or an unknown one that an address (with IPv6: its /64) may send in a second; beyond it they get \
         429 and no look at the ledger. Keys that were used a moment ago go on working from there. Behind a load balancer it \
         needs trusted_proxies. Not limited by default.",
    ),
    own("header_timeout", Seconds, "From connect to the last byte of a request's header. 30 s."),
    own("body_timeout", Seconds, "From the first to the last byte of a request's body. 300 s."),
    own("connect_timeout", Seconds, "Connecting to an upstream, TLS included. 10 s."),
    own(
        "first_token_timeout",
        Seconds,
        "From sending a streamed request to the first byte of its answer. Not limited by default.",
    ),
    own(
        "hedge_after_ms",
        Int,
        "Milliseconds without an answer after which a second deployment of the group is asked too; the first answer wins, \
         the other request is ended and what it cost is booked. Not done by default; a deployment may have its own.",
    ),
    own("stream_idle_timeout", Seconds, "Between two pieces of an upstream's stream. 300 s."),
    own(
        "keepalive_interval",
        Seconds,
        "Silence after which a stream sends a comment to keep the connection open. 15 s.",
    ),
    own(
        "drain_delay",
        Seconds,
        "From SIGTERM to closing the listeners; readiness answers 503 in between. 5 s.",
    ),
    own("grace_period", Seconds, "How long open requests may go on after that. 600 s."),
    own("h2c", Bool, "Speak HTTP/2 without TLS on the listener. Only where every client is trusted."),
    own(
        "max_connections",
        Int,
        "Requests in progress at once; above it new ones are answered with 503. 1000.",
    ),
    own(
        "max_mirrors",
        Int,
        "Copies of requests under way at once to silent models (litellm_params.silent_model); beyond it they are dropped. 16. \
         Needs a restart.",
    ),
    own(
        "max_clients",
        Int,
        "Client connections at once, idle ones included; above it new ones get 503 and are closed. 10000.",
    ),
    own(
        "work_stealing",
        Bool,
        "Whether a worker thread that has nothing to do takes work from another one. On by default. Needs a restart.",
    ),
    own(
        "upstream_pool_size",
        Int,
        "Connections to providers that are kept while nobody uses them, at most. 1024. Needs a restart.",
    ),
    own(
        "health_port",
        Int,
        "A second listener with a thread of its own for /health/* and /metrics, so that probes never wait behind \
         requests. Off by default; LiteLLM's SEPARATE_HEALTH_APP=1 switches it on, SEPARATE_HEALTH_PORT (4001) moves it.",
    ),
];
