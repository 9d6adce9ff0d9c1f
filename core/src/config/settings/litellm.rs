//! `litellm_settings`.

use super::super::env::Env;
use super::super::fallbacks::{self, Fallbacks};
use super::super::json::JsonMap;
use super::super::problems::Problems;
use super::super::section::Section;
use super::super::tree::Node;
use super::router::period_budgets;
use super::{
    CostSettings, KeyGeneration, Library, MetricsSettings, Priorities, SslVerify, TeamCallbacks,
    TeamDefaults, env_node,
};
use crate::domain::money::NanoUsd;
use crate::domain::period::{Period, WindowBudget};
use jiff::tz::TimeZone;
use std::time::Duration;

/// LiteLLM's default: a request may take 100 minutes.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(6000);

/// Retries, timeouts and fallbacks stand here as they were written; `RouterSettings` has the ones that count.
#[derive(Clone, Debug)]
pub struct LitellmSettings {
    /// Leave out parameters that a model does not know, instead of refusing the request.
    pub drop_params: bool,
    /// Mend requests that a provider would refuse (an assistant's turn first, a missing tool list).
    pub modify_params: bool,
    pub num_retries: Option<u32>,
    pub request_timeout: Duration,
    pub fallbacks: Fallbacks,
    pub context_window_fallbacks: Fallbacks,
    pub content_policy_fallbacks: Fallbacks,
    pub default_fallbacks: Vec<String>,
    pub max_fallbacks: Option<u32>,
    /// Failures per minute before a deployment cools down.
    pub allowed_fails: Option<u32>,
    /// How often one request is tried again, in all groups together (`num_retries_per_request`).
    pub retries_in_all: Option<u32>,
    /// What counts for every deployment that says nothing of its own.
    pub library: Library,
    /// What guardrails of the kind `presidio` have that say nothing of it.
    pub presidio: Vec<(String, Node)>,
    /// Called for every request, whatever became of it.
    pub callbacks: Vec<String>,
    pub success_callback: Vec<String>,
    pub failure_callback: Vec<String>,
    pub json_logs: bool,
    pub ssl_verify: SslVerify,
    pub set_verbose: bool,
    pub require_auth_for_metrics_endpoint: bool,
    /// Who changed what is kept, unless this is false.
    pub store_audit_logs: bool,
    /// Callbacks are told nothing of streams.
    pub disable_streaming_logging: bool,
    /// Nothing that was said is kept or passed on.
    pub turn_off_message_logging: bool,
    /// A request's `no-log` does not count.
    pub global_disable_no_log_param: bool,
    /// Callbacks are not told whose key it was.
    pub redact_user_api_key_info: bool,
    /// A request may name callbacks that are not told of it (`x-litellm-disable-callbacks`).
    pub allow_dynamic_callback_disabling: bool,
    /// Who is told of changes that admins make.
    pub audit_log_callbacks: Vec<String>,
    pub disable_add_user_agent_to_request_tags: bool,
    /// Headers whose values are tags, too.
    pub extra_spend_tag_headers: Vec<String>,
    /// Where midnights are, by its IANA name: budgets are reset there. UTC.
    pub timezone: Option<String>,
    /// What all keys together may spend.
    pub budget: Option<WindowBudget>,
    /// Teams that anybody may join.
    pub available_teams: Vec<String>,
    pub forward_traceparent_to_llm_provider: bool,
    /// The usage that a stream tells says what it cost (`include_cost_in_streaming_usage`).
    pub cost_in_streams: bool,
    /// What a user gets who is made by signing in (`default_internal_user_params`), by the names of `/user/new`.
    pub default_user: JsonMap,
    /// What a new key gets where nothing is said of it (`default_key_generate_params`), by the names of `/key/generate`.
    pub default_key: JsonMap,
    /// What no key may have more of (`upperbound_key_generate_params`).
    pub upperbound_key: JsonMap,
    /// Who may make keys (`key_generation_settings`).
    pub key_generation: KeyGeneration,
    /// What internal users may spend of whom nothing else is said (`max_internal_user_budget`), and in which time.
    pub internal_user_budget: Option<NanoUsd>,
    pub internal_user_budget_duration: Option<String>,
    /// What a customer may spend who has no budget of its own (`max_end_user_budget`).
    pub customer_budget: Option<NanoUsd>,
    /// The budget that limits each customer who has none (`max_end_user_budget_id`).
    pub customer_budget_id: Option<String>,
    /// What customers spend is noted (unless `disable_end_user_cost_tracking`).
    pub tracks_customers: bool,
    /// Customers whom nobody serves.
    pub blocked_users: Listed,
    /// What requests with a tag may cost in a period (`tag_budget_config`).
    pub tag_budgets: Vec<(String, WindowBudget)>,
    /// What one session of the UI may spend (`max_ui_session_budget`).
    pub ui_session_budget: Option<NanoUsd>,
    /// Whose requests go first where a group is nearly full.
    pub priorities: Option<Priorities>,
    /// What a team gets that an identity provider makes (`default_team_params`).
    pub default_team: TeamDefaults,
    /// Callbacks of teams (`default_team_settings`).
    pub team_callbacks: Vec<TeamCallbacks>,
    /// What is charged beside the price list, by provider.
    pub costs: CostSettings,
    /// Words that no request may say.
    pub banned_keywords: Listed,
    pub metrics: MetricsSettings,
    /// Requests are looked through for attempts to talk a model out of its instructions.
    pub prompt_injection: bool,
}

/// A list that may stand in a file of its own: `banned_keywords_list`, `blocked_user_list`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Listed {
    #[default]
    None,
    Words(Vec<String>),
    /// A file with a word on each line.
    File(String),
}

impl Listed {
    fn read(s: &Section, name: &str) -> Self {
        let Some(node) = s.node(name) else { return Self::None };
        match (node.as_text(), node.as_texts()) {
            (Some(path), _) => Self::File(path.to_owned()),
            (None, Some(words)) => Self::Words(words),
            (None, None) => Self::None,
        }
    }
}

/// The callback `detect_prompt_injection`; `prompt_injection_params` may switch its heuristics off.
fn prompt_injection(s: &Section, problems: &mut Problems) -> bool {
    const PARAMS: &str = "prompt_injection_params";
    let named = s.texts("callbacks").unwrap_or_default().iter().any(|name| name == "detect_prompt_injection");
    let Some(params) = s.node(PARAMS).filter(|_| named) else { return named };
    let on = |name: &str| params.get(name).and_then(Node::as_bool).unwrap_or(false);
    for check in ["llm_api_check", "vector_db_check"].into_iter().filter(|check| on(check)) {
        // Nobody shall believe in a protection that is not there.
        let cure = "remove it, and ask a service by a guardrail (generic_guardrail_api) instead";
        problems.error(&s.place(PARAMS), format!("{check} is not served"), cure);
    }
    on("heuristics_check") || on("similarity_check")
}

/// LiteLLM keeps them among the defaults of new users.
fn available_teams(s: &Section) -> Vec<String> {
    let named = s.node("default_internal_user_params").and_then(|params| params.get("available_teams"));
    named.and_then(Node::as_texts).unwrap_or_default()
}

/// Dollars, none of them negative.
fn amount(s: &Section, name: &str, problems: &mut Problems) -> Option<NanoUsd> {
    let written = s.node(name).filter(|node| !node.is_null())?;
    let amount = written.as_decimal().and_then(|text| NanoUsd::parse(&text).ok()).filter(|cap| cap.0 >= 0);
    if amount.is_none() {
        problems.error(&s.place(name), "is no amount", "write dollars, as in 5.0");
    }
    amount
}

/// An amount beside its `budget_duration`, which LiteLLM wants too.
pub(in super::super) fn budget(s: &Section, name: &str, problems: &mut Problems) -> Option<WindowBudget> {
    let written = s.node(name).filter(|node| !node.is_null())?;
    let cap = written.as_decimal().and_then(|amount| NanoUsd::parse(&amount).ok()).filter(|cap| cap.0 >= 0);
    let period = s.text("budget_duration").and_then(|text| Period::parse(&text));
    match (cap, period) {
        (Some(cap), period @ Some(_)) => Some(WindowBudget { cap, period }),
        (None, _) => {
            problems.error(&s.place(name), "is no amount", "write dollars, as in 100.0");
            None
        }
        (_, None) => {
            let message = "needs a budget_duration, after which it begins anew";
            problems.error(&s.place(name), message, "add budget_duration: 30d");
            None
        }
    }
}

/// `model_fallbacks` is LiteLLM's older name of them.
fn default_fallbacks(s: &Section) -> Vec<String> {
    s.texts("default_fallbacks").or_else(|| s.texts("model_fallbacks")).unwrap_or_default()
}

/// What LiteLLM makes of both settings.
fn user_budget(s: &Section, problems: &mut Problems) -> Option<NanoUsd> {
    let first = amount(s, "max_internal_user_budget", problems);
    let second = amount(s, "default_max_internal_user_budget", problems);
    first.or(second)
}

/// `default_key_generate_params`, and the soft budget that has a setting and a variable of its own.
fn default_key(s: &Section, env: &Env) -> JsonMap {
    let mut params = json_map(s, "default_key_generate_params");
    let of_env = || env_node(env, "DEFAULT_SOFT_BUDGET")?.as_decimal();
    if let Some(soft) = s.node("default_soft_budget").map(Node::to_json).or_else(of_env) {
        params.set_default("soft_budget", &soft);
    }
    params
}

/// Settings that LiteLLM keeps for all guardrails of the kind.
fn presidio(s: &Section) -> Vec<(String, Node)> {
    let names = ["output_parse_pii", "presidio_ad_hoc_recognizers"];
    names.into_iter().filter_map(|name| Some((name.to_owned(), s.node(name)?.clone()))).collect()
}

fn json_map(s: &Section, name: &str) -> JsonMap {
    s.node(name).map(|params| params.entries().iter().collect()).unwrap_or_default()
}

fn request_timeout(s: &Section, env: &Env) -> Duration {
    let of_env = || env_node(env, "REQUEST_TIMEOUT").as_ref().and_then(Node::as_duration);
    s.seconds("request_timeout").or_else(of_env).unwrap_or(REQUEST_TIMEOUT)
}

/// Any text in JSON_LOGS switches them on, "false" too, as in LiteLLM.
fn json_logs(s: &Section, env: &Env) -> bool {
    s.bool("json_logs").unwrap_or_else(|| env.filled("JSON_LOGS").is_some())
}

impl LitellmSettings {
    pub(in super::super) fn read(s: &Section, env: &Env, problems: &mut Problems) -> Self {
        let env_bool = |name: &str| env_node(env, name).and_then(|node| node.as_bool()).unwrap_or(false);
        let on = |name: &str| s.bool(name).unwrap_or(false);
        let text = |name: &str| s.text(name).filter(|text| !text.is_empty());
        Self {
            drop_params: s.bool("drop_params").unwrap_or_else(|| env_bool("LITELLM_DROP_PARAMS")),
            modify_params: s.bool("modify_params").unwrap_or_else(|| env_bool("LITELLM_MODIFY_PARAMS")),
            num_retries: s.count("num_retries"),
            request_timeout: request_timeout(s, env),
            fallbacks: fallbacks::read(s, "fallbacks", problems),
            context_window_fallbacks: fallbacks::read(s, "context_window_fallbacks", problems),
            content_policy_fallbacks: fallbacks::read(s, "content_policy_fallbacks", problems),
            default_fallbacks: default_fallbacks(s),
            max_fallbacks: s.count("max_fallbacks"),
            allowed_fails: s.count("allowed_fails"),
            retries_in_all: s.count("num_retries_per_request"),
            library: Library::read(s, env, problems),
            presidio: presidio(s),
            callbacks: s.texts("callbacks").unwrap_or_default(),
            success_callback: s.texts("success_callback").unwrap_or_default(),
            failure_callback: s.texts("failure_callback").unwrap_or_default(),
            json_logs: json_logs(s, env),
            ssl_verify: s.node("ssl_verify").map_or_else(|| SslVerify::from_env(env), SslVerify::read),
            set_verbose: on("set_verbose"),
            require_auth_for_metrics_endpoint: on("require_auth_for_metrics_endpoint"),
            store_audit_logs: s.bool("store_audit_logs").unwrap_or(true),
            disable_streaming_logging: on("disable_streaming_logging"),
            turn_off_message_logging: on("turn_off_message_logging"),
            global_disable_no_log_param: on("global_disable_no_log_param"),
            redact_user_api_key_info: on("redact_user_api_key_info"),
            allow_dynamic_callback_disabling: s.bool("allow_dynamic_callback_disabling").unwrap_or(true),
            audit_log_callbacks: s.texts("audit_log_callbacks").unwrap_or_default(),
            disable_add_user_agent_to_request_tags: on("disable_add_user_agent_to_request_tags"),
            extra_spend_tag_headers: s.texts("extra_spend_tag_headers").unwrap_or_default(),
            timezone: text("timezone"),
            budget: budget(s, "max_budget", problems),
            available_teams: available_teams(s),
            forward_traceparent_to_llm_provider: on("forward_traceparent_to_llm_provider"),
            cost_in_streams: on("include_cost_in_streaming_usage"),
            default_user: json_map(s, "default_internal_user_params"),
            default_key: default_key(s, env),
            upperbound_key: json_map(s, "upperbound_key_generate_params"),
            key_generation: KeyGeneration::read(s, problems),
            internal_user_budget: user_budget(s, problems),
            internal_user_budget_duration: text("internal_user_budget_duration"),
            customer_budget: amount(s, "max_end_user_budget", problems),
            customer_budget_id: text("max_end_user_budget_id"),
            tracks_customers: !on("disable_end_user_cost_tracking"),
            blocked_users: Listed::read(s, "blocked_user_list"),
            tag_budgets: period_budgets(s, "tag_budget_config", problems),
            ui_session_budget: amount(s, "max_ui_session_budget", problems),
            priorities: Priorities::read(s, problems),
            default_team: TeamDefaults::read(s, problems),
            team_callbacks: TeamCallbacks::read(s, problems),
            costs: CostSettings::read(s, problems),
            banned_keywords: Listed::read(s, "banned_keywords_list"),
            metrics: MetricsSettings::read(s, problems),
            prompt_injection: prompt_injection(s, problems),
        }
    }

    /// Where midnights are; UTC where nothing, or nothing known, is said.
    pub fn zone(&self) -> TimeZone {
        let named = self.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
        named.unwrap_or(TimeZone::UTC)
    }

    /// Whether a callback is named in any of the three lists.
    pub fn has_callback(&self, name: &str) -> bool {
        let all = [&self.callbacks, &self.success_callback, &self.failure_callback];
        all.into_iter().flatten().any(|callback| callback == name)
    }
}
