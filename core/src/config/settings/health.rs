//! `general_settings`, and variables where it says nothing: how deployments are asked whether they are well.

use super::super::env::Env;
use super::super::section::Section;
use super::super::tree::Node;
use super::env_node;
use std::time::Duration;

/// LiteLLM's. Each check is a real call, which a provider bills.
const INTERVAL: Duration = Duration::from_secs(300);
const SHORTEST: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub struct HealthSettings {
    /// All of them again and again, without anybody asking (`background_health_checks`).
    pub background: bool,
    /// Between two rounds.
    pub interval: Duration,
    /// `/health` tells parameters and errors, and not only who is well.
    pub details: bool,
    /// How long a deployment may take that says nothing of it (`HEALTH_CHECK_TIMEOUT_SECONDS`).
    pub timeout: Option<Duration>,
    /// What is said to them (`DEFAULT_HEALTH_CHECK_PROMPT`).
    pub prompt: Option<String>,
}

impl HealthSettings {
    pub(super) fn read(s: &Section, env: &Env) -> Self {
        let time = |name: &str| env_node(env, name).as_ref().and_then(Node::as_duration);
        let interval = s.seconds("health_check_interval").or_else(|| time("DEFAULT_HEALTH_CHECK_INTERVAL"));
        Self {
            background: s.bool("background_health_checks").unwrap_or(false),
            interval: interval.unwrap_or(INTERVAL).max(SHORTEST),
            details: s.bool("health_check_details").unwrap_or(true),
            timeout: time("HEALTH_CHECK_TIMEOUT_SECONDS").filter(|time| !time.is_zero()),
            prompt: env.filled("DEFAULT_HEALTH_CHECK_PROMPT").map(str::to_owned),
        }
    }
}
