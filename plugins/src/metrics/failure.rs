//! What failures and attempts count. Looked up each time: failing is not the hot path, except for the success of the
//! last attempt, whose handles `Series` keeps.

use super::Metrics;
use super::labels::Labels;
use crate::exchange::Exchange;
use weir_core::domain::spend::{AttemptRecord, Status};
use weir_core::metrics::Name;

/// An exchange whose client got no success. Refusals of strangers are not counted: they would make series.
pub(super) fn record(metrics: &Metrics, x: &Exchange) {
    if x.caller.hash().is_none() || x.answer.status == 401 {
        return;
    }
    let mut labels = Labels::of(x);
    labels.class = class(x);
    for name in [Name::ProxyTotalRequests, Name::ProxyFailedRequests, Name::LlmApiFailedRequests] {
        metrics.counter(name, &labels.values(name)).inc();
    }
}

/// `Openai.RateLimitError`, or the class alone where no provider was asked.
fn class(x: &Exchange) -> String {
    let class = x.answer.error.as_ref().map_or("ClientDisconnected", |e| e.class());
    match &x.answer.deployment {
        Some(deployment) => format!("{}.{class}", deployment.provider.exception_prefix()),
        None => class.to_owned(),
    }
}

/// Attempts that failed; the one that succeeded is counted by its `Series`.
pub(super) fn attempts(metrics: &Metrics, x: &Exchange) {
    for attempt in x.attempts.iter().filter(|a| !a.error.is_empty()) {
        failed_attempt(metrics, x, attempt);
    }
    fallback(metrics, x);
}

fn failed_attempt(metrics: &Metrics, x: &Exchange, attempt: &AttemptRecord) {
    let deployment = x.snapshot.models.by_id(&attempt.deployment_id).or_else(|| x.answer.deployment.clone());
    let mut labels = Labels::of_attempt(x, deployment.as_deref());
    let prefix = deployment.map(|d| d.provider.exception_prefix()).unwrap_or_default();
    labels.class = format!("{prefix}.{}", attempt.error);
    labels.status = attempt.status.to_string();
    for name in [Name::DeploymentFailure, Name::DeploymentTotal] {
        metrics.counter(name, &labels.values(name)).inc();
    }
    if let Some(state) = metrics.labelled_gauge(Name::DeploymentState, &labels.values(Name::DeploymentState))
    {
        state.set(1);
    }
}

fn fallback(metrics: &Metrics, x: &Exchange) {
    if x.target.fallbacks == 0 {
        return;
    }
    let mut labels = Labels::of(x);
    let failed = x.attempts.iter().find(|a| !a.error.is_empty());
    labels.class = failed.map(|a| a.error.clone()).unwrap_or_default();
    labels.status = failed.map(|a| a.status.to_string()).unwrap_or_default();
    x.group_name().clone_into(&mut labels.fallback_model);
    let success = x.answer.outcome == Some(Status::Success);
    let name = if success { Name::SuccessfulFallbacks } else { Name::FailedFallbacks };
    metrics.counter(name, &labels.values(name)).inc();
}
