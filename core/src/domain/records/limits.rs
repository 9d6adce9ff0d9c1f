//! What keys, teams, users, organisations and customers are limited to.

use crate::domain::money::NanoUsd;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// `None` everywhere: no limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Refuses when as much is spent since the last reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_budget: Option<NanoUsd>,
    /// Tells, and refuses nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_budget: Option<NanoUsd>,
    /// After which time spend counts from zero again: `30d`, `1mo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_reset_at: Option<Micros>,
    /// Tokens a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm_limit: Option<i64>,
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm_limit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel_requests: Option<i64>,
}
