//! `weir_settings`. What each one does stands in its row of `keys::WEIR`.

use super::super::env::Env;
use super::super::problems::{Place, Problems};
use super::super::section::Section;
use super::super::tree::Node;
use crate::domain::money::NanoUsd;
use ipnet::IpNet;
use secrecy::SecretString;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// When `/metrics` is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricsWhen {
    /// When `prometheus` is among the callbacks, as with LiteLLM.
    #[default]
    OnCallback,
    Always,
}

/// Without Redis requests go on, so nobody waits for it for long.
const REDIS_TIMEOUT: Duration = Duration::from_millis(50);

/// LiteLLM's own price map.
const PRICE_MAP_URL: &str =
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json";
const SHORTEST_REFRESH: Duration = Duration::from_secs(60);

/// How budgets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BudgetMode {
    /// What a request may cost is held before it is sent: a budget is never overshot.
    #[default]
    Hold,
    /// A request is sent as long as anything is left, as with LiteLLM.
    Litellm,
}

/// What one session of a client may take; `None`: any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionCaps {
    pub budget: Option<NanoUsd>,
    pub calls: Option<u32>,
    pub time: Option<Duration>,
}

impl SessionCaps {
    fn read(s: &Section, problems: &mut Problems) -> Self {
        const BUDGET: &str = "session_max_budget";
        let amount = |node: &Node| node.as_decimal().and_then(|text| NanoUsd::parse(&text).ok());
        let budget = s.node(BUDGET).map(amount);
        if budget == Some(None) {
            problems.error(&s.place(BUDGET), "is no amount", "write dollars, as in 5.0");
        }
        Self {
            budget: budget.flatten(),
            calls: s.count("session_max_calls"),
            time: s.seconds("session_max_time"),
        }
    }
}

/// Who shares cached answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheScope {
    /// Requests of one key.
    #[default]
    Key,
    /// Of all keys of a team; a key without one shares with nobody.
    Team,
    All,
}

#[derive(Clone, Debug)]
pub struct WeirSettings {
    pub trusted_proxies: Vec<IpNet>,
    pub identity_proxies: Vec<IpNet>,
    /// Of Microsoft; whoever comes from another one is not let in. Empty: all are.
    pub microsoft_tenants: Vec<String>,
    pub ui_session_lifetime: Duration,
    pub ui_session_idle: Duration,
    pub metrics: MetricsWhen,
    pub metrics_max_series: u64,
    /// `None`: as JSON lines are.
    pub access_log: Option<bool>,
    pub block_unpriced: bool,
    /// Where a newer price map is fetched from.
    pub price_map_url: String,
    /// How old the price map may become; `None`: as old as it likes.
    pub price_map_refresh: Option<Duration>,
    pub budget_mode: BudgetMode,
    pub budget_wait: Duration,
    pub cache_scope: CacheScope,
    /// Of answers that are kept in this process.
    pub cache_max_bytes: u64,
    /// How long a request waits for Redis.
    pub redis_timeout: Duration,
    /// `None`: LiteLLM's.
    pub budget_error_status: Option<u16>,
    /// Whether requests are served whose budgets cannot be looked at.
    pub serves_without_ledger: bool,
    pub lease_reclaim_after: Duration,
    pub session: SessionCaps,
    /// How often the same request may come within `loop_window`; `None`: as often as it likes.
    pub loop_max_repeats: Option<u32>,
    pub loop_window: Duration,
    /// Taken beside the master key. Never empty.
    pub master_key_previous: Option<SecretString>,
    /// `None`: the command line's, or the system's usual place.
    pub data_dir: Option<String>,
    pub journal_max_bytes: u64,
    pub journal_segment_bytes: u64,
    /// 1 to 64.
    pub journal_shards: usize,
    /// That keys and teams may name for callbacks of their own.
    pub callback_hosts: Vec<String>,
    /// Of what waits to be told to callbacks.
    pub callback_max_bytes: u64,
    pub inflight_bytes: u64,
    /// Requests of one address without a valid key; `None`: any number of them.
    pub unauthenticated_per_second: Option<u32>,
    pub header_timeout: Duration,
    pub body_timeout: Duration,
    pub connect_timeout: Duration,
    /// `None`: not limited.
    pub first_token_timeout: Option<Duration>,
    /// `None`: nobody else is asked.
    pub hedge_after: Option<Duration>,
    pub stream_idle_timeout: Duration,
    pub keepalive_interval: Duration,
    pub drain_delay: Duration,
    pub grace_period: Duration,
    pub h2c: bool,
    pub max_connections: u64,
    pub max_mirrors: u32,
    pub max_clients: u64,
    pub work_stealing: bool,
    /// Connections to providers that nobody uses.
    pub upstream_pool_size: usize,
    /// `None`: health is answered on the main listener only.
    pub health_port: Option<u16>,
}

impl WeirSettings {
    pub(in super::super) fn read(s: &Section, env: &Env, problems: &mut Problems) -> Self {
        let seconds = |name: &str, default| s.seconds(name).unwrap_or(Duration::from_secs(default));
        let always = s.text("metrics").as_deref() == Some("always");
        Self {
            trusted_proxies: networks(s, "trusted_proxies", problems),
            identity_proxies: networks(s, "identity_proxies", problems),
            microsoft_tenants: s.texts("microsoft_tenants").unwrap_or_default(),
            ui_session_lifetime: seconds("ui_session_lifetime", 86_400),
            ui_session_idle: seconds("ui_session_idle", 7_200),
            metrics: if always { MetricsWhen::Always } else { MetricsWhen::OnCallback },
            metrics_max_series: s.int("metrics_max_series").unwrap_or(200_000),
            access_log: s.bool("access_log"),
            block_unpriced: s.bool("block_unpriced").unwrap_or(false),
            price_map_url: price_map_url(s, env),
            price_map_refresh: s.seconds("price_map_refresh").map(|every| every.max(SHORTEST_REFRESH)),
            budget_mode: budget_mode(s),
            cache_scope: cache_scope(s),
            cache_max_bytes: s.bytes("cache_max_bytes").unwrap_or(64 << 20),
            budget_wait: seconds("budget_wait", 10),
            redis_timeout: s.seconds("redis_timeout").unwrap_or(REDIS_TIMEOUT),
            budget_error_status: budget_status(s, problems),
            serves_without_ledger: s.text("on_ledger_loss").as_deref() == Some("serve"),
            lease_reclaim_after: seconds("lease_reclaim_after", 3_600),
            session: SessionCaps::read(s, problems),
            loop_max_repeats: s.count("loop_max_repeats"),
            loop_window: seconds("loop_window", 60),
            master_key_previous: s
                .secret("master_key_previous")
                .or_else(|| env.filled("WEIR_MASTER_KEY_PREVIOUS").map(SecretString::from)),
            data_dir: s.text("data_dir").filter(|dir| !dir.is_empty()),
            journal_max_bytes: s.bytes("journal_max_bytes").unwrap_or(1 << 30),
            journal_segment_bytes: s
                .bytes("journal_segment_bytes")
                .unwrap_or(2 << 20)
                .clamp(64 << 10, 256 << 20),
            journal_shards: within(s, "journal_shards", 1..=64, problems).unwrap_or(4),
            callback_hosts: s.texts("callback_hosts").unwrap_or_default(),
            callback_max_bytes: s.bytes("callback_max_bytes").unwrap_or(64 << 20),
            inflight_bytes: s.bytes("inflight_bytes").unwrap_or(96 << 20),
            unauthenticated_per_second: s.count("unauthenticated_per_second"),
            header_timeout: seconds("header_timeout", 30),
            body_timeout: seconds("body_timeout", 300),
            connect_timeout: seconds("connect_timeout", 10),
            first_token_timeout: s.seconds("first_token_timeout"),
            hedge_after: s.int("hedge_after_ms").map(Duration::from_millis),
            stream_idle_timeout: seconds("stream_idle_timeout", 300),
            keepalive_interval: seconds("keepalive_interval", 15),
            drain_delay: seconds("drain_delay", 5),
            grace_period: seconds("grace_period", 600),
            h2c: s.bool("h2c").unwrap_or(false),
            max_connections: s.int("max_connections").unwrap_or(1_000),
            max_mirrors: s.count("max_mirrors").unwrap_or(16),
            max_clients: s.int("max_clients").unwrap_or(10_000),
            work_stealing: s.bool("work_stealing").unwrap_or(true),
            upstream_pool_size: within(s, "upstream_pool_size", 1..=65_536, problems).unwrap_or(1_024),
            health_port: health_port(s, env, problems),
        }
    }
}

/// A number that has bounds.
fn within(s: &Section, name: &str, bounds: RangeInclusive<u64>, problems: &mut Problems) -> Option<usize> {
    let number = s.int(name)?;
    if !bounds.contains(&number) {
        let cure = format!("use {} to {}", bounds.start(), bounds.end());
        problems.error(&s.place(name), "out of bounds", cure);
        return None;
    }
    usize::try_from(number).ok()
}

fn cache_scope(s: &Section) -> CacheScope {
    match s.text("cache_scope").as_deref() {
        Some("team") => CacheScope::Team,
        Some("all") => CacheScope::All,
        _ => CacheScope::Key,
    }
}

fn price_map_url(s: &Section, env: &Env) -> String {
    let named = s.text("price_map_url").filter(|url| !url.is_empty());
    let named = named.or_else(|| env.filled("LITELLM_MODEL_COST_MAP_URL").map(str::to_owned));
    named.unwrap_or_else(|| PRICE_MAP_URL.to_owned())
}

fn budget_mode(s: &Section) -> BudgetMode {
    match s.text("budget_mode").as_deref() {
        Some("litellm") => BudgetMode::Litellm,
        _ => BudgetMode::Hold,
    }
}

/// An error of the client's: whoever gets it should not try again.
fn budget_status(s: &Section, problems: &mut Problems) -> Option<u16> {
    const NAME: &str = "budget_error_status";
    let status = s.int(NAME)?;
    let valid = u16::try_from(status).ok().filter(|status| (400..500).contains(status));
    if valid.is_none() {
        problems.error(&s.place(NAME), "not a status of a client's error", "use 400 (LiteLLM's), 402 or 429");
    }
    valid
}

/// Ours, else LiteLLM's variables.
fn health_port(s: &Section, env: &Env, problems: &mut Problems) -> Option<u16> {
    const USUAL: u64 = 4001;
    let from_env = || {
        let on = env.filled("SEPARATE_HEALTH_APP").is_some_and(|v| matches!(v, "1" | "true" | "True"));
        let port = env.filled("SEPARATE_HEALTH_PORT").and_then(|port| port.parse().ok());
        on.then(|| port.unwrap_or(USUAL))
    };
    let port = s.int("health_port").or_else(from_env)?;
    let valid = u16::try_from(port).ok().filter(|port| *port > 0);
    if valid.is_none() {
        problems.error(&s.place("health_port"), "not a port", "use 1 to 65535");
    }
    valid
}

/// Networks, or single addresses.
pub(super) fn networks(s: &Section, name: &str, problems: &mut Problems) -> Vec<IpNet> {
    let place = s.place(name);
    let mut networks = Vec::new();
    for (at, text) in s.texts(name).unwrap_or_default().iter().enumerate() {
        match text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            Ok(network) => networks.push(network),
            Err(_) => {
                let item = Place { path: format!("{}[{at}]", place.path), ..place.clone() };
                problems.error(&item, "not an address or network", "write it as 10.0.0.0/8");
            }
        }
    }
    networks
}
