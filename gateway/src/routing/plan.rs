//! The order of attempts of one exchange: retries within the group, then fallback groups, each with its own retries.

use super::cooldown::Cooldowns;
use super::shuffle;
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
    retries_left: u32,
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
        let retries = retries(x);
        Self {
            fallbacks: fallbacks(x, &group.name),
            fallbacks_left: if x.target.bound { 0 } else { x.snapshot.config.router.max_fallbacks },
            tried_groups: vec![group.name.clone()],
            group,
            failed: Vec::new(),
            retries_left: retries,
        }
    }

    /// The first attempt.
    pub fn first(&mut self, cooldowns: &Cooldowns) -> Result<Arc<Deployment>, ApiError> {
        self.pick(cooldowns).ok_or_else(|| {
            let message =
                format!("No deployments available for selected model. Passed model={}", self.group.name);
            ApiError::new(Kind::NoDeployment, message)
        })
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
        if self.retries_left > 0 && self.worth_retrying(error) {
            self.retries_left -= 1;
            x.target.retries += 1;
            if let Some(step) = self.retry(error, cooldowns, x.target.retries) {
                return step;
            }
        }
        self.prefer(x, error);
        self.fall_back(x, cooldowns)
    }

    /// Errors with fallbacks of their own: a longer context window, a laxer filter.
    fn prefer(&mut self, x: &Exchange, error: &ApiError) {
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

    /// At once on another deployment; on the same one after a while.
    fn retry(&mut self, error: &ApiError, cooldowns: &Cooldowns, retries: u16) -> Option<Step> {
        let untried =
            self.group.deployments.iter().any(|d| !self.failed.contains(&d.id) && !cooldowns.is_cooled(d));
        let after = if untried { Duration::ZERO } else { wait(error, retries) };
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
        self.retries_left = retries(x);
        self.group = group;
    }

    /// Prefers what has not failed and is not cooled, lower orders first. A lone deployment is never kept back.
    fn pick(&self, cooldowns: &Cooldowns) -> Option<Arc<Deployment>> {
        let all = &self.group.deployments;
        let fresh = || all.iter().filter(|d| !self.failed.contains(&d.id));
        let warm: Vec<_> = fresh().filter(|d| !cooldowns.is_cooled(d)).collect();
        if !warm.is_empty() {
            return shuffle::pick(&lowest_order(warm));
        }
        let usable: Vec<_> = all.iter().filter(|d| !cooldowns.is_cooled(d)).collect();
        let any = if usable.is_empty() { all.iter().collect() } else { usable };
        shuffle::pick(&lowest_order(any))
    }
}

fn lowest_order(candidates: Vec<&Arc<Deployment>>) -> Vec<&Arc<Deployment>> {
    let Some(lowest) = candidates.iter().map(|d| d.order).min() else { return candidates };
    candidates.into_iter().filter(|d| d.order == lowest).collect()
}

/// Doubling from half a second, or what the provider asks for.
fn wait(error: &ApiError, retries: u16) -> Duration {
    let asked = error.retry_after().map(Duration::from_secs);
    let doubled = FIRST_WAIT * 2_u32.saturating_pow(u32::from(retries.saturating_sub(1)).min(10));
    asked.unwrap_or(doubled).min(LONGEST_WAIT)
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
    let mut names = asked(x);
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

/// `"fallbacks": ["name", …]` in the request. Its keys must allow them, like any model it asks for.
fn asked(x: &Exchange) -> Vec<String> {
    let Some(raw) = x.request.body.raw("fallbacks") else { return Vec::new() };
    let names: Vec<String> = serde_json::from_str(raw).unwrap_or_default();
    let allowed = |name: &String| {
        x.caller.key().is_none_or(|key| weir_plugins::models::may_use(&key.models, name, &x.snapshot.models))
    };
    names.into_iter().take(10).filter(allowed).collect()
}
