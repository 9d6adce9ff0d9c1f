//! What failures and attempts count. Looked up each time: failing is not the hot path, except for the success of the
//! last attempt, whose handles `Series` keeps.

use super::Metrics;
use super::custom::Own;
use super::labels::Labels;
use crate::deployment::Deployment;
use crate::exchange::Exchange;
use weir_core::domain::spend::{AttemptRecord, OUTRUN, Status};
use weir_core::metrics::Name;

/// An exchange whose client got no success. Refusals of strangers are not counted: they would make series.
pub(super) fn record(metrics: &Metrics, x: &Exchange) {
    if x.caller.hash().is_none() || x.answer.status == 401 {
        return;
    }
    let mut labels = Labels::of(metrics, x, metrics.own(x));
    labels.class = class(x).into();
    for name in [Name::ProxyTotalRequests, Name::ProxyFailedRequests, Name::LlmApiFailedRequests] {
        metrics.counter(name, &|label| labels.value(label)).inc();
    }
    consumed(metrics, x, &labels);
}

/// What it cost and used all the same: whoever left was served until then, and the entry says so.
fn consumed(metrics: &Metrics, x: &Exchange, labels: &Labels) {
    let usage = &x.answer.usage;
    for (name, amount) in [
        (Name::Spend, u64::try_from(x.answer.cost.0).unwrap_or_default()),
        (Name::InputTokens, usage.input),
        (Name::OutputTokens, usage.output),
        (Name::TotalTokens, usage.total()),
        (Name::TokensAlias, usage.total()),
    ] {
        if amount > 0 {
            metrics.counter(name, &|label| labels.value(label)).add(amount);
        }
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
    for attempt in x.attempts.iter().filter(|a| !a.error.is_empty() && a.error != OUTRUN) {
        failed_attempt(metrics, x, attempt);
    }
    for (deployment, status) in &x.target.cooled {
        cooled(metrics, x, deployment, *status);
    }
    fallback(metrics, x);
}

/// A deployment that is left alone from here on. Its state is told in the series that its next success sets back; LiteLLM
/// has one that is never set back. Counted under its group, as there.
fn cooled(metrics: &Metrics, x: &Exchange, deployment: &Deployment, status: u16) {
    let mut labels = Labels::of_attempt(metrics, x, Some(deployment), Own::default());
    labels.status = status.to_string().into();
    set_state(metrics, &labels, COOLED);
    let labels = labels.by_group();
    metrics.counter(Name::DeploymentCooledDown, &|label| labels.value(label)).inc();
}

/// Values of `litellm_deployment_state` beside 0, which a success sets.
const FAILED: f64 = 1.0;
const COOLED: f64 = 2.0;

fn set_state(metrics: &Metrics, labels: &Labels, state: f64) {
    metrics.labelled_gauge(Name::DeploymentState, &|label| labels.value(label)).set(state);
}

fn failed_attempt(metrics: &Metrics, x: &Exchange, attempt: &AttemptRecord) {
    let deployment = x.snapshot.models.by_id(&attempt.deployment_id).or_else(|| x.answer.deployment.clone());
    let mut labels = Labels::of_attempt(metrics, x, deployment.as_deref(), metrics.own(x));
    let prefix = deployment.map(|d| d.provider.exception_prefix()).unwrap_or_default();
    labels.class = format!("{prefix}.{}", attempt.error).into();
    labels.status = attempt.status.to_string().into();
    for name in [Name::DeploymentFailure, Name::DeploymentTotal] {
        metrics.counter(name, &|label| labels.value(label)).inc();
    }
    set_state(metrics, &labels, FAILED);
}

fn fallback(metrics: &Metrics, x: &Exchange) {
    if x.target.fallbacks == 0 {
        return;
    }
    let mut labels = Labels::of(metrics, x, metrics.own(x));
    let failed = x.attempts.iter().find(|a| !a.error.is_empty());
    labels.class = failed.map(|a| a.error.clone()).unwrap_or_default().into();
    labels.status = failed.map(|a| a.status.to_string()).unwrap_or_default().into();
    labels.fallback_model = x.group_name().into();
    let success = x.answer.outcome == Some(Status::Success);
    let name = if success { Name::SuccessfulFallbacks } else { Name::FailedFallbacks };
    metrics.counter(name, &|label| labels.value(label)).inc();
}
