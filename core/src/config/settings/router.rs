//! `router_settings`, with what `litellm_settings` says under it.

use super::super::env::Env;
use super::super::fallbacks::{self, Alias, Fallbacks};
use super::super::problems::Problems;
use super::super::section::Section;
use super::super::tree::Node;
use super::{LitellmSettings, PreCallChecks, RedisSettings, env_node};
use crate::domain::money::NanoUsd;
use crate::domain::period::{Period, WindowBudget};
use std::time::Duration;

/// Retries where nobody says how many, as OpenAI's SDK makes them inside LiteLLM.
const NUM_RETRIES: u32 = 2;
const MAX_FALLBACKS: u32 = 5;
const COOLDOWN: Duration = Duration::from_secs(5);

/// How long a measured latency says something, and how many of them count. LiteLLM's figures.
const LATENCY_TTL: Duration = Duration::from_secs(3_600);
const LATENCIES: u32 = 10;
const MOST_LATENCIES: u32 = 100;

/// How a deployment is chosen among those of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    #[default]
    SimpleShuffle,
    LeastBusy,
    /// Both versions of `usage-based-routing`.
    UsageBased,
    LatencyBased,
    CostBased,
}

impl Strategy {
    /// As the config names it.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::SimpleShuffle => "simple-shuffle",
            Strategy::LeastBusy => "least-busy",
            Strategy::UsageBased => "usage-based-routing-v2",
            Strategy::LatencyBased => "latency-based-routing",
            Strategy::CostBased => "cost-based-routing",
        }
    }
}

/// `routing_strategy_args`: what a strategy goes by beside the deployments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrategyArgs {
    /// How long a measured latency counts.
    pub ttl: Duration,
    /// Share above the lowest latency within which deployments count as equally fast; 0.5 is half as much again.
    pub lowest_latency_buffer: f64,
    /// Latencies that count of each deployment, the last ones; 1 to 100.
    pub max_latency_list_size: u32,
}

impl Default for StrategyArgs {
    fn default() -> Self {
        Self { ttl: LATENCY_TTL, lowest_latency_buffer: 0.0, max_latency_list_size: LATENCIES }
    }
}

/// The values that count: those of `router_settings`, else of `litellm_settings`, else the defaults.
#[derive(Clone, Debug)]
pub struct RouterSettings {
    pub num_retries: u32,
    pub timeout: Duration,
    /// `None`: as `timeout`.
    pub stream_timeout: Option<Duration>,
    /// Shortest wait before a retry.
    pub retry_after: Duration,
    /// Retries by class of error, as `RateLimitErrorRetries: 3` says.
    pub retry_policy: RetryPolicy,
    /// The same for one group, in place of the general one.
    pub model_group_retry_policy: Vec<(String, RetryPolicy)>,
    pub fallbacks: Fallbacks,
    pub context_window_fallbacks: Fallbacks,
    pub content_policy_fallbacks: Fallbacks,
    /// For every group that has no fallbacks of its own.
    pub default_fallbacks: Vec<String>,
    pub max_fallbacks: u32,
    pub model_group_alias: Vec<Alias>,
    /// Failures per minute before a deployment cools down. `None`: by its failure rate.
    pub allowed_fails: Option<u32>,
    /// The same by class of error, as `RateLimitErrorAllowedFails: 3` says.
    pub allowed_fails_policy: RetryPolicy,
    pub cooldown_time: Duration,
    pub disable_cooldowns: bool,
    pub routing_strategy: Strategy,
    /// What each provider may cost, by its prefix.
    pub provider_budgets: Vec<(String, WindowBudget)>,
    pub routing_strategy_args: StrategyArgs,
    /// Calls at once, for deployments that say nothing of it.
    pub default_max_parallel_requests: Option<u32>,
    /// Whether a deployment is looked at before it is asked: its context window, region and limits per minute.
    pub enable_pre_call_checks: bool,
    /// Whether a request's tags choose among deployments.
    pub enable_tag_filtering: bool,
    /// Whether one tag in common is enough; else a deployment needs all of the request's.
    pub tag_filtering_match_any: bool,
    /// Where processes share what is no money.
    pub redis: Option<RedisSettings>,
    /// What else a deployment is chosen by.
    pub checks: PreCallChecks,
    /// A model that nobody configured is asked of the provider that its name names, with the keys of the environment.
    pub pass_through_all_models: bool,
    /// An entry of `model_list` that is wrong is left out, in place of all.
    pub ignore_invalid_deployments: bool,
    /// Answers are cached, where `litellm_settings.cache` says nothing of it.
    pub cache_responses: bool,
    /// Groups whose cached answers are good for each other.
    pub caching_groups: Vec<Vec<String>>,
    /// Logs tell more.
    pub debug: bool,
}

impl RouterSettings {
    pub(in super::super) fn read(
        s: &Section,
        (litellm, checks): (&LitellmSettings, PreCallChecks),
        env: &Env,
        problems: &mut Problems,
    ) -> Self {
        let mut list = |name: &str, under: &Fallbacks| match s.node(name) {
            Some(_) => fallbacks::read(s, name, problems),
            None => under.clone(),
        };
        let fallbacks = list("fallbacks", &litellm.fallbacks);
        let context_window_fallbacks = list("context_window_fallbacks", &litellm.context_window_fallbacks);
        let content_policy_fallbacks = list("content_policy_fallbacks", &litellm.content_policy_fallbacks);
        let default_fallbacks = s.texts("default_fallbacks");
        let usual_cooldown =
            || env_node(env, "DEFAULT_COOLDOWN_TIME_SECONDS").as_ref().and_then(Node::as_duration);
        let retries = s.count("num_retries").or(litellm.num_retries);
        Self {
            num_retries: retries.unwrap_or(NUM_RETRIES),
            timeout: s.seconds("timeout").unwrap_or(litellm.request_timeout),
            stream_timeout: s.seconds("stream_timeout"),
            retry_after: s.seconds("retry_after").unwrap_or_default(),
            retry_policy: s.node("retry_policy").map(|node| policy(node, RETRIES)).unwrap_or_default(),
            model_group_retry_policy: policies(s),
            fallbacks,
            context_window_fallbacks,
            content_policy_fallbacks,
            default_fallbacks: default_fallbacks.unwrap_or_else(|| litellm.default_fallbacks.clone()),
            max_fallbacks: s.count("max_fallbacks").or(litellm.max_fallbacks).unwrap_or(MAX_FALLBACKS),
            model_group_alias: fallbacks::aliases(s, problems),
            allowed_fails: s.count("allowed_fails").or(litellm.allowed_fails),
            allowed_fails_policy: s
                .node("allowed_fails_policy")
                .map(|node| policy(node, ALLOWED_FAILS))
                .unwrap_or_default(),
            cooldown_time: s.seconds("cooldown_time").or_else(usual_cooldown).unwrap_or(COOLDOWN),
            disable_cooldowns: s.bool("disable_cooldowns").unwrap_or(false),
            routing_strategy: strategy(s),
            provider_budgets: period_budgets(s, "provider_budget_config", problems),
            routing_strategy_args: s.node("routing_strategy_args").map(args).unwrap_or_default(),
            default_max_parallel_requests: s.count("default_max_parallel_requests"),
            enable_pre_call_checks: s.bool("enable_pre_call_checks").unwrap_or(false),
            enable_tag_filtering: s.bool("enable_tag_filtering").unwrap_or(false),
            tag_filtering_match_any: s.bool("tag_filtering_match_any").unwrap_or(true),
            redis: RedisSettings::read(s, env, problems),
            checks,
            pass_through_all_models: passes_on(s, problems),
            ignore_invalid_deployments: s.bool("ignore_invalid_deployments").unwrap_or(false),
            cache_responses: s.bool("cache_responses").unwrap_or(false),
            caching_groups: caching_groups(s),
            debug: s.bool("set_verbose").unwrap_or(false)
                || s.text("debug_level").as_deref() == Some("DEBUG"),
        }
    }
}

/// `router_general_settings`; its other member, `async_only_mode`, decides nothing here.
fn passes_on(s: &Section, problems: &mut Problems) -> bool {
    const NAME: &str = "router_general_settings";
    let of = |name: &str| s.node(NAME).and_then(|node| node.get(name)?.as_bool()).unwrap_or(false);
    if of("async_only_mode") {
        problems.note(&s.place(NAME), "async_only_mode has no effect: nothing here blocks a thread");
    }
    of("pass_through_all_models")
}

/// `[[a, b], [c, d]]`
fn caching_groups(s: &Section) -> Vec<Vec<String>> {
    let groups = s.node("caching_groups").map(Node::items).unwrap_or_default();
    groups.iter().filter_map(Node::as_texts).collect()
}

/// What the members of policies end in, after the class of an error.
const RETRIES: &str = "Retries";
const ALLOWED_FAILS: &str = "AllowedFails";

/// `{openai: {budget_limit: 100, time_period: 1d}}`; `max_budget` and `budget_duration` are taken too.
pub(super) fn period_budgets(
    s: &Section,
    setting: &str,
    problems: &mut Problems,
) -> Vec<(String, WindowBudget)> {
    let mut budgets = Vec::new();
    for (whom, node) in s.node(setting).map(Node::entries).unwrap_or_default() {
        let of = |names: [&str; 2]| names.into_iter().find_map(|name| node.get(name));
        let cap = of(["budget_limit", "max_budget"]).and_then(Node::as_decimal);
        let cap = cap.and_then(|amount| NanoUsd::parse(&amount).ok()).filter(|cap| cap.0 >= 0);
        let period = of(["time_period", "budget_duration"]).and_then(Node::as_text).and_then(Period::parse);
        match (cap, period) {
            (Some(cap), period @ Some(_)) => budgets.push((whom.clone(), WindowBudget { cap, period })),
            _ => {
                let place = node.place(format!("{}.{whom}", s.place(setting).path));
                problems.error(&place, "is no budget", "write {budget_limit: 100.0, time_period: 1d}");
            }
        }
    }
    budgets
}

/// Class of an error, and how often it is tried again, or may happen.
pub type RetryPolicy = Vec<(String, u32)>;

fn policies(s: &Section) -> Vec<(String, RetryPolicy)> {
    let groups = s.node("model_group_retry_policy").map(Node::entries).unwrap_or_default();
    groups.iter().map(|(group, node)| (group.clone(), policy(node, RETRIES))).collect()
}

/// `{TimeoutErrorRetries: 2}`; what is no number says nothing.
fn policy(node: &Node, ending: &str) -> RetryPolicy {
    let read = |(name, node): &(String, Node)| {
        let class = name.strip_suffix(ending)?;
        Some((class.to_owned(), u32::try_from(node.as_u64()?).ok()?))
    };
    node.entries().iter().filter_map(read).collect()
}

/// The classes of errors by the names that policies have for them.
static POLICY_NAMES: &[(&str, &str)] =
    &[("Timeout", "TimeoutError"), ("ContextWindowExceededError", "BadRequestError")];

impl RouterSettings {
    /// How often a policy wants an error of this class to be tried again.
    pub fn retries_of(&self, group: &str, class: &str) -> Option<u32> {
        let of_group = self.model_group_retry_policy.iter().find(|(name, _)| name == group);
        let policy = match of_group {
            Some((_, policy)) => policy,
            None => &self.retry_policy,
        };
        said_of(policy, class)
    }

    /// How many failures of this class a deployment may have in a minute. `None`: nothing is said of it.
    pub fn allowed_fails_of(&self, class: &str) -> Option<u32> {
        said_of(&self.allowed_fails_policy, class).or(self.allowed_fails)
    }
}

fn said_of(policy: &[(String, u32)], class: &str) -> Option<u32> {
    let named = POLICY_NAMES.iter().find(|(known, _)| *known == class).map_or(class, |(_, name)| name);
    policy.iter().find(|(name, _)| name == named).map(|(_, most)| *most)
}

/// `rolling_window_size` is an older name of the list's size. What cannot be understood counts as not said.
fn args(node: &Node) -> StrategyArgs {
    let usual = StrategyArgs::default();
    let size = node.get("max_latency_list_size").or_else(|| node.get("rolling_window_size"));
    let size = size.and_then(Node::as_u64).map(|size| u32::try_from(size).unwrap_or(MOST_LATENCIES));
    StrategyArgs {
        ttl: node.get("ttl").and_then(Node::as_duration).unwrap_or(usual.ttl),
        lowest_latency_buffer: node
            .get("lowest_latency_buffer")
            .and_then(Node::as_f64)
            .unwrap_or(usual.lowest_latency_buffer),
        max_latency_list_size: size.map_or(usual.max_latency_list_size, |size| size.clamp(1, MOST_LATENCIES)),
    }
}

/// Any other text was refused by the table's choices.
fn strategy(s: &Section) -> Strategy {
    match s.text("routing_strategy").as_deref() {
        Some("least-busy") => Strategy::LeastBusy,
        Some("usage-based-routing" | "usage-based-routing-v2") => Strategy::UsageBased,
        Some("latency-based-routing") => Strategy::LatencyBased,
        Some("cost-based-routing") => Strategy::CostBased,
        _ => Strategy::SimpleShuffle,
    }
}
