//! What failures and attempts count. Looked up each time: failing is not the hot path, except for the success of the
//! last attempt, whose handles `Series` keeps.

use super::Metrics;
use super::cells::Cell;
use super::custom::Own;
use super::family::Text;
use super::labels::Labels;
use crate::deployment::Deployment;
use crate::exchange::Exchange;
use weir_core::domain::spend::{AttemptRecord, OUTRUN, Status};
use weir_core::metrics::{NONE, Name};

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

fn class(x: &Exchange) -> String {
    let class = x.answer.error.as_ref().map_or("ClientDisconnected", |e| e.class());
    class_of(x.answer.deployment.as_deref(), class)
}

/// `Openai.RateLimitError`, or the class alone where no provider was asked.
fn class_of(deployment: Option<&Deployment>, class: &str) -> String {
    match deployment {
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
    fallbacks(metrics, x);
}

/// A deployment that is left alone from here on. Its state is told in the series that its next success sets back, and a
/// scrape after its time; LiteLLM has one that is never set back. Counted under its group, as there.
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

impl Metrics {
    /// Shows who is left alone at this moment: that may have ended without anybody asking since, or begun elsewhere.
    pub fn cooled_now(&self, is_cooled: impl Fn(&str) -> bool) {
        let family = self.family(Name::DeploymentState);
        let Some(at) = family.labels.iter().position(|label| label == "model_id") else { return };
        for (values, cell) in family.all() {
            let (Some(id), Cell::Gauge(state)) = (values.get(at), cell) else { continue };
            match is_cooled(id) {
                true => state.set(COOLED),
                false if state.get() >= COOLED => state.set(FAILED),
                false => {}
            }
        }
    }
}

fn failed_attempt(metrics: &Metrics, x: &Exchange, attempt: &AttemptRecord) {
    let deployment = x.snapshot.models.made(&attempt.deployment_id, &attempt.model_group);
    let deployment = deployment.or_else(|| x.answer.deployment.clone());
    let mut labels = Labels::of_attempt(metrics, x, deployment.as_deref(), metrics.own(x));
    labels.class = class_of(deployment.as_deref(), &attempt.error).into();
    labels.status = attempt.status.to_string().into();
    for name in [Name::DeploymentFailure, Name::DeploymentTotal] {
        metrics.counter(name, &|label| labels.value(label)).inc();
    }
    set_state(metrics, &labels, FAILED);
}

/// Each group that was asked in place of the first: all failed but the one that answered. Why, says the first failure.
fn fallbacks(metrics: &Metrics, x: &Exchange) {
    if x.target.fallbacks == 0 {
        return;
    }
    let mut labels = Labels::of(metrics, x, metrics.own(x));
    (labels.class, labels.status) = first_failure(x);
    let answered = x.answer.deployment.as_deref().filter(|_| x.answer.outcome == Some(Status::Success));
    let answered = answered.map(|deployment| deployment.group.as_str());
    for group in fallback_groups(x) {
        labels.fallback_model = group.into();
        let success = answered == Some(group);
        let name = if success { Name::SuccessfulFallbacks } else { Name::FailedFallbacks };
        metrics.counter(name, &|label| labels.value(label)).inc();
    }
}

/// Class and status of what made others be asked; of a group that had nobody to ask there is neither.
fn first_failure(x: &Exchange) -> (Text, Text) {
    let first = x.attempts.iter().find(|attempt| !attempt.error.is_empty() && attempt.error != OUTRUN);
    let Some(first) = first else { return (Text::from(NONE), Text::from(NONE)) };
    let deployment = x.snapshot.models.made(&first.deployment_id, &first.model_group);
    let class = class_of(deployment.as_deref(), &first.error);
    (class.into(), first.status.to_string().into())
}

/// Those that were asked beside the group that the client meant, each once.
fn fallback_groups(x: &Exchange) -> Vec<&str> {
    let own = x.target.group.as_ref().map(|group| group.name.as_str());
    let mut groups: Vec<&str> = Vec::new();
    for group in x.attempts.iter().map(|attempt| attempt.model_group.as_str()) {
        if own != Some(group) && !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}
