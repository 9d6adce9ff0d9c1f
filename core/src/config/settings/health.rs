//! `general_settings`: how deployments are asked whether they are well.

use super::super::section::Section;
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
}

impl HealthSettings {
    pub(super) fn read(s: &Section) -> Self {
        Self {
            background: s.bool("background_health_checks").unwrap_or(false),
            interval: s.seconds("health_check_interval").unwrap_or(INTERVAL).max(SHORTEST),
            details: s.bool("health_check_details").unwrap_or(true),
        }
    }
}
