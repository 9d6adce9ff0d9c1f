//! `router_settings.optional_pre_call_checks`: what else a deployment is chosen by.

use super::super::env::Env;
use super::super::problems::{Problems, did_you_mean};
use super::super::section::Section;
use super::super::tree::Node;
use super::env_u64;

/// What is looked at only where it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreCallChecks {
    /// A prompt goes where its beginning is in the provider's cache, if that has as many tokens
    /// (`MINIMUM_PROMPT_CACHE_TOKEN_COUNT`). `None`: nobody asks for it.
    pub prompt_caching: Option<u64>,
    /// Requests and tokens per minute of a deployment are limits, whatever the strategy.
    pub model_rate_limits: bool,
    /// Groups whose providers get the headers of clients.
    pub forwards_headers_of: Vec<String>,
}

/// Most providers cache nothing shorter. LiteLLM's number.
const CACHED_TOKENS: u64 = 1_024;

const CACHING: &str = "prompt_caching";
const LIMITS: &str = "enforce_model_rate_limits";
const HEADERS: &str = "forward_client_headers_by_model_group";

/// Looked at always: budgets of providers and deployments, and who keeps an earlier response.
const ALWAYS: [&str; 2] = ["router_budget_limiting", "responses_api_deployment_check"];

const NAME: &str = "optional_pre_call_checks";

impl PreCallChecks {
    pub(in super::super) fn read(s: &Section, litellm: &Section, env: &Env, problems: &mut Problems) -> Self {
        let named = s.texts(NAME).unwrap_or_default();
        for name in named.iter().filter(|name| !known(name)) {
            let near = did_you_mean(name, [CACHING, LIMITS, HEADERS].into_iter().chain(ALWAYS));
            problems.warn(&s.place(NAME), format!("there is no check {name:?}"), near);
        }
        let tokens = || env_u64(env, "MINIMUM_PROMPT_CACHE_TOKEN_COUNT").unwrap_or(CACHED_TOKENS);
        let has = |check: &str| named.iter().any(|name| name == check);
        Self {
            prompt_caching: has(CACHING).then(tokens),
            model_rate_limits: has(LIMITS),
            forwards_headers_of: if has(HEADERS) { groups(litellm) } else { Vec::new() },
        }
    }
}

fn known(name: &str) -> bool {
    [CACHING, LIMITS, HEADERS].contains(&name) || ALWAYS.contains(&name)
}

/// `litellm_settings.model_group_settings.forward_client_headers_to_llm_api`
fn groups(litellm: &Section) -> Vec<String> {
    let settings = litellm.node("model_group_settings");
    let named = settings.and_then(|node| node.get("forward_client_headers_to_llm_api"));
    named.and_then(Node::as_texts).unwrap_or_default()
}
