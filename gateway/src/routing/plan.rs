//! The order of attempts of one exchange: retries within the group, then fallback groups, each with its own retries.

use super::cooldown::Cooldowns;
use super::shuffle;
use rand::Rng;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use weir_core::error::{ApiError, Kind};
use weir_plugins::deployment::Deployment;
use weir_plugins::exchange::Exchange;
use weir_plugins::filters::unknown_model;
use weir_plugins::models::Group;

/// The state of the search.
pub struct Plan {
    group: Arc<Group>,
    /// Deployments of this group that have failed in this exchange.
    failed: Vec<String>,
    /// Retries that were made within this group.
    retried: u32,
    /// Names still to be tried, next one last.
    fallbacks: Vec<String>,
    fallbacks_left: u32,
    tried_groups: Vec<String>,
}

/// What to do next.
pub enum Step {
    Try { deployment: Arc<Deployment>, after: Duration },
    GiveUp,
}

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

impl Plan {
    pub fn new(x: &Exchange, group: Arc<Group>) -> Self {
        Self {
            fallbacks: fallbacks(x, &group.name),
            fallbacks_left: if x.target.bound { 0 } else { x.snapshot.config.router.max_fallbacks },
            tried_groups: vec![group.name.clone()],
            group,
            failed: Vec::new(),
            retried: 0,
        }
    }

    /// The first attempt. Where all of a group are left alone, its fallbacks are asked.
    pub fn first(&mut self, x: &mut Exchange, cooldowns: &Cooldowns) -> Result<Arc<Deployment>, ApiError> {
        if let Some(deployment) = self.pick(cooldowns) {
            return Ok(deployment);
        }
        let nobody = self.nobody(x, cooldowns);
        match self.fall_back(x, cooldowns) {
            Step::Try { deployment, .. } => Ok(deployment),
            Step::GiveUp => Err(nobody),
        }
    }

    /// LiteLLM's words; what to wait for is the first that may be asked again.
    fn nobody(&self, x: &Exchange, cooldowns: &Cooldowns) -> ApiError {
        let cooled = self.group.deployments.iter().filter_map(|d| Some((&d.id, cooldowns.left(d)?)));
        let cooled: Vec<_> = cooled.collect();
        let soonest = cooled.iter().map(|(_, left)| *left).min().unwrap_or_default();
        let seconds = (soonest.as_millis().div_ceil(1_000)).max(1);
        let ids: Vec<_> = cooled.iter().map(|(id, _)| format!("'{id}'")).collect();
        let message = format!(
            "No deployments available for selected model, Try again in {seconds} seconds. Passed model={}. \
             pre-call-checks=False, cooldown_list=[{}]",
            x.target.requested,
            ids.join(", ")
        );
        let wait = Duration::from_secs(u64::try_from(seconds).unwrap_or(1));
        ApiError::new(Kind::NoDeployment, message).with_retry_after(wait)
    }

    /// The attempt after a failure.
    pub fn next(
        &mut self,
        x: &mut Exchange,
        failed: &Deployment,
        error: &ApiError,
        cooldowns: &Cooldowns,
    ) -> Step {
        self.failed.push(failed.id.clone());
        if self.may_retry(x, error)
            && let Some(step) = self.retry(x, error, cooldowns)
        {
            self.retried += 1;
            x.target.retries += 1;
            return step;
        }
        self.prefer(x, error);
        self.fall_back(x, cooldowns)
    }

    /// A policy for this kind of error says how often; else it is tried as often as any other that a retry may help.
    fn may_retry(&self, x: &Exchange, error: &ApiError) -> bool {
        let router = &x.snapshot.config.router;
        match router.retries_of(&self.group.name, error.class()) {
            Some(most) => self.retried < most,
            None => self.retried < retries(x) && self.worth_retrying(error),
        }
    }

    /// Errors with fallbacks of their own: a longer context window, a laxer filter.
    fn prefer(&mut self, x: &Exchange, error: &ApiError) {
        if x.request.body.is_true("disable_fallbacks") {
            return;
        }
        let router = &x.snapshot.config.router;
        let lists = match error.class() {
            "ContextWindowExceededError" => &router.context_window_fallbacks,
            "ContentPolicyViolationError" => &router.content_policy_fallbacks,
            _ => return,
        };
        let own = lists.iter().find(|(group, _)| *group == self.group.name);
        self.fallbacks.extend(own.into_iter().flat_map(|(_, names)| names.iter().rev().cloned()));
    }

    /// LiteLLM retries nearly every error; what the caller did wrong fails everywhere and only costs time.
    fn worth_retrying(&self, error: &ApiError) -> bool {
        match error.status() {
            400 | 404 | 413 | 422 => false,
            401 | 403 => self.group.deployments.len() > 1,
            _ => true,
        }
    }

    /// At once on another deployment; on the same one after a while, unless the provider wants to be left alone for
    /// longer than anybody waits.
    fn retry(&self, x: &Exchange, error: &ApiError, cooldowns: &Cooldowns) -> Option<Step> {
        let untried =
            self.group.deployments.iter().any(|d| !self.failed.contains(&d.id) && !cooldowns.is_cooled(d));
        let least = x.snapshot.config.router.retry_after;
        let after = if untried { Duration::ZERO } else { wait(error, self.retried)?.max(least) };
        let deployment = self.pick(cooldowns)?;
        Some(Step::Try { deployment, after })
    }

    fn fall_back(&mut self, x: &mut Exchange, cooldowns: &Cooldowns) -> Step {
        while self.fallbacks_left > 0
            && let Some(name) = self.fallbacks.pop()
        {
            self.fallbacks_left -= 1;
            let Some(group) = x.snapshot.models.find(&name) else {
                tracing::warn!(fallback = %name, "{}", unknown_model(&name).message());
                continue;
            };
            if self.tried_groups.contains(&group.name) {
                continue;
            }
            x.target.fallbacks += 1;
            self.enter(x, group);
            if let Some(deployment) = self.pick(cooldowns) {
                return Step::Try { deployment, after: Duration::ZERO };
            }
        }
        Step::GiveUp
    }

    /// A failing fallback group uses its own fallbacks first.
    fn enter(&mut self, x: &Exchange, group: Arc<Group>) {
        self.tried_groups.push(group.name.clone());
        self.fallbacks.extend(configured(x, &group.name).into_iter().rev());
        self.failed.clear();
        self.retried = 0;
        self.group = group;
    }

    /// Prefers what has not failed in this exchange, lower orders first. What is cooled is not asked.
    fn pick(&self, cooldowns: &Cooldowns) -> Option<Arc<Deployment>> {
        let warm: Vec<_> = self.group.deployments.iter().filter(|d| !cooldowns.is_cooled(d)).collect();
        let fresh: Vec<_> = warm.iter().copied().filter(|d| !self.failed.contains(&d.id)).collect();
        shuffle::pick(&lowest_order(if fresh.is_empty() { warm } else { fresh }))
    }
}

fn lowest_order(candidates: Vec<&Arc<Deployment>>) -> Vec<&Arc<Deployment>> {
    let Some(lowest) = candidates.iter().map(|d| d.order).min() else { return candidates };
    candidates.into_iter().filter(|d| d.order == lowest).collect()
}

/// What the provider asks for, if that is not too long; else doubling from half a second, and up to half as much again, so
/// that those who failed together do not come back together.
fn wait(error: &ApiError, retried: u32) -> Option<Duration> {
    if let Some(asked) = error.retry_after().map(Duration::from_secs) {
        return (asked <= LONGEST_WAIT).then_some(asked);
    }
    let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(retried.min(10))).min(LONGEST_WAIT);
    Some(doubled.mul_f64(rand::rng().random_range(1.0..1.5)))
}

/// The request's own number, else the router's.
fn retries(x: &Exchange) -> u32 {
    const MOST: u64 = 10;
    let from_body = x.request.body.integer("num_retries");
    let from_header = x.header("x-litellm-num-retries").parse().ok();
    let config = &x.snapshot.config;
    match from_body.or(from_header) {
        Some(n) => u32::try_from(n.min(MOST)).unwrap_or_default(),
        None => config.router.num_retries,
    }
}

/// Fallback names for a group, next one last: the request's, the group's, `*`'s, the default ones.
fn fallbacks(x: &Exchange, group: &str) -> Vec<String> {
    if x.request.body.is_true("disable_fallbacks") {
        return Vec::new();
    }
    let mut names = asked(x, group);
    names.extend(configured(x, group));
    names.reverse();
    names
}

fn configured(x: &Exchange, group: &str) -> Vec<String> {
    let router = &x.snapshot.config.router;
    let of = |name: &str| router.fallbacks.iter().find(|(group, _)| group == name);
    let mut names: Vec<String> =
        of(group).or_else(|| of("*")).map(|(_, names)| names.clone()).unwrap_or_default();
    names.extend(router.default_fallbacks.iter().cloned());
    names
}

/// `"fallbacks": ["name", {"group": ["name", …]}, …]` in the request. Its keys must allow them, like any model it asks for.
fn asked(x: &Exchange, group: &str) -> Vec<String> {
    let Some(raw) = x.request.body.raw("fallbacks") else { return Vec::new() };
    let written: Vec<Value> = serde_json::from_str(raw).unwrap_or_default();
    let of_group = |of: &Value| of.get(group).and_then(Value::as_array).cloned().unwrap_or_default();
    let names = written.iter().flat_map(|asked| match asked {
        Value::Object(_) => of_group(asked),
        name => vec![name.clone()],
    });
    let names = names.filter_map(|name| name.as_str().map(str::to_owned));
    let allowed = |name: &String| {
        x.caller.key().is_none_or(|key| weir_plugins::models::may_use(&key.models, name, &x.snapshot.models))
    };
    names.take(10).filter(allowed).collect()
}
