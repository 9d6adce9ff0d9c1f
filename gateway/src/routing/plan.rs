//! The order of attempts of one exchange: retries within the group, then fallback groups, each with its own retries.

use super::eligible::{Candidates, eligible};
use super::strategies::{self, Row, View};
use super::{Routing, errors};
use rand::Rng;
use std::sync::Arc;
use std::time::Duration;
use weir_core::domain::key::Principal;
use weir_core::domain::routed::Routed;
use weir_core::domain::spend::Explained;
use weir_core::error::{ApiError, Kind};
use weir_plugins::deployment::Deployment;
use weir_plugins::exchange::Exchange;
use weir_plugins::fallbacks::{self, List};
use weir_plugins::filters::{estimated_input, unknown_model};
use weir_plugins::load::Sample;
use weir_plugins::models::Group;
use weir_plugins::prefix::Prefixes;

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
    /// Beginnings of the prompt that are worth going back for (`prompt_caching`).
    prefixes: Option<Prefixes>,
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
            fallbacks: first_fallbacks(x, &group.name),
            fallbacks_left: if x.target.bound { 0 } else { x.snapshot.config.router.max_fallbacks },
            tried_groups: vec![group.name.clone()],
            prefixes: prefixes(x),
            group,
            failed: Vec::new(),
            retried: 0,
        }
    }

    /// The first attempt. Where nobody of a group may be asked, its fallbacks are.
    pub fn first(&mut self, x: &mut Exchange, routing: &Routing) -> Result<Arc<Deployment>, ApiError> {
        let error = match mocked(x, &self.group.name) {
            Some(error) => error,
            None => match self.pick(x, routing) {
                Ok(deployment) => return Ok(deployment),
                Err(nobody) => nobody,
            },
        };
        self.prefer(x, &error);
        match self.fall_back(x, routing) {
            Step::Try { deployment, .. } => Ok(deployment),
            Step::GiveUp => Err(error),
        }
    }

    /// The attempt after a failure.
    pub fn next(
        &mut self,
        x: &mut Exchange,
        failed: &Deployment,
        error: &ApiError,
        routing: &Routing,
    ) -> Step {
        self.failed.push(failed.id.clone());
        if x.is_late() {
            return Step::GiveUp;
        }
        // It was not asked, only passed over: that is no retry.
        if error.kind() == Kind::NoDeployment
            && let Ok(deployment) = self.pick(x, routing)
            && !self.failed.contains(&deployment.id)
        {
            return Step::Try { deployment, after: Duration::ZERO };
        }
        if is_spent(x) {
            return Step::GiveUp;
        }
        if self.may_retry(x, failed, error)
            && let Some(step) = self.retry(x, error, routing)
        {
            self.retried += 1;
            x.target.retries = u16::try_from(self.retried).unwrap_or(u16::MAX);
            return step;
        }
        self.prefer(x, error);
        self.fall_back(x, routing)
    }

    /// It answers, and its provider may have cached the prompt.
    pub fn served(&self, deployment: &Deployment, routing: &Routing) {
        if let Some(prefixes) = &self.prefixes {
            routing.affinity.learn(deployment, prefixes);
        }
    }

    /// Another deployment of the group that may be asked beside this one, which is not yet heard of.
    pub fn beside(
        &mut self,
        x: &mut Exchange,
        asked: &Deployment,
        routing: &Routing,
    ) -> Option<Arc<Deployment>> {
        if self.group.deployments.len() < 2 {
            return None;
        }
        self.failed.push(asked.id.clone());
        let other = self.pick(x, routing).ok().filter(|other| !self.failed.contains(&other.id));
        match &other {
            Some(other) => self.failed.push(other.id.clone()),
            None => x.target.running = None,
        }
        other
    }

    /// A policy for this kind of error says how often; else it is tried as often as any other that a retry may help:
    /// what the deployment says counts before what the request does, as with LiteLLM.
    fn may_retry(&self, x: &mut Exchange, failed: &Deployment, error: &ApiError) -> bool {
        let policy = x.snapshot.config.router.retries_of(&self.group.name, error.class());
        let most = policy.or(failed.retries).unwrap_or_else(|| retries(x));
        x.target.max_retries = u16::try_from(most).unwrap_or(u16::MAX);
        self.retried < most && (policy.is_some() || self.worth_retrying(error))
    }

    /// Errors with fallbacks of their own: a longer context window, a laxer filter. Where such are set, such errors have
    /// no others, as with LiteLLM.
    fn prefer(&mut self, x: &Exchange, error: &ApiError) {
        if fallbacks::are_off(x) {
            return;
        }
        let router = &x.snapshot.config.router;
        let (list, set) = match error.class() {
            "ContextWindowExceededError" => (List::ContextWindow, &router.context_window_fallbacks),
            "ContentPolicyViolationError" => (List::ContentPolicy, &router.content_policy_fallbacks),
            _ => return,
        };
        let mut names = fallbacks::asked(&x.request.body, list, &self.group.name);
        if names.is_empty() {
            names = fallbacks::of_caller(x, list, &self.group.name).unwrap_or_default();
        }
        if names.is_empty() {
            if set.is_empty() {
                return;
            }
            let own = set.iter().find(|(group, _)| *group == self.group.name);
            names = own.map(|(_, names)| names.clone()).unwrap_or_default();
        }
        names.reverse();
        self.fallbacks = names;
    }

    /// LiteLLM retries nearly every error; what the caller did wrong fails everywhere and only costs time. What one
    /// provider does not support another may.
    fn worth_retrying(&self, error: &ApiError) -> bool {
        if error.kind() == Kind::UnsupportedParams {
            return self.group.deployments.iter().any(|d| !self.failed.contains(&d.id));
        }
        match error.status() {
            400 | 404 | 413 | 422 => false,
            401 | 403 => self.group.deployments.len() > 1,
            _ => true,
        }
    }

    /// At once on another deployment; on the same one after a while, unless the provider wants to be left alone for
    /// longer than anybody waits.
    fn retry(&self, x: &mut Exchange, error: &ApiError, routing: &Routing) -> Option<Step> {
        let deployment = self.pick(x, routing).ok()?;
        if !self.failed.contains(&deployment.id) {
            return Some(Step::Try { deployment, after: Duration::ZERO });
        }
        let least = routed(x).and_then(|own| own.retry_after).unwrap_or(x.snapshot.config.router.retry_after);
        let after = wait(error, self.retried).map(|after| after.max(least));
        // A wait that lasts longer than the request may ends in nothing but a later error.
        let Some(after) = after.filter(|after| *after < x.time_left(Duration::ZERO)) else {
            x.target.running = None;
            return None;
        };
        Some(Step::Try { deployment, after })
    }

    fn fall_back(&mut self, x: &mut Exchange, routing: &Routing) -> Step {
        while self.fallbacks_left > 0
            && let Some(name) = self.fallbacks.pop()
        {
            self.fallbacks_left -= 1;
            let Some(group) = x.snapshot.models.find_for(&name, &x.caller) else {
                tracing::warn!(fallback = %name, "{}", unknown_model(&name).message());
                continue;
            };
            if self.tried_groups.contains(&group.name) {
                continue;
            }
            x.target.fallbacks += 1;
            self.enter(x, group);
            if let Ok(deployment) = self.pick(x, routing) {
                return Step::Try { deployment, after: Duration::ZERO };
            }
        }
        Step::GiveUp
    }

    /// A failing fallback group uses its own fallbacks first.
    fn enter(&mut self, x: &mut Exchange, group: Arc<Group>) {
        self.tried_groups.push(group.name.clone());
        self.fallbacks.extend(configured(x, &group.name).into_iter().rev());
        self.failed.clear();
        (self.retried, x.target.retries) = (0, 0);
        self.group = group;
    }

    /// Among those that may be asked: first those that have not failed in this exchange, and of them those of the lowest
    /// order; of these the one that has the prompt cached, else by the strategy.
    ///
    /// # Errors
    /// Why nobody may be asked.
    fn pick(&self, x: &mut Exchange, routing: &Routing) -> Result<Arc<Deployment>, ApiError> {
        let group = Arc::clone(&self.group);
        let mut left = eligible(x, &group, routing)?;
        if x.explained.considered.is_empty() && group.deployments.len() > 1 {
            x.explained.considered = left.iter().take(Explained::MOST).map(|d| d.id.clone()).collect();
        }
        let router = &x.snapshot.config.router;
        let row = strategies::of(router.routing_strategy);
        let watched = row.watches || left.iter().any(|d| d.limits.any());
        let view = View {
            loads: &routing.loads,
            args: &router.routing_strategy_args,
            stream: x.request.stream,
            now: if watched { x.clock.now() } else { x.clock.started_at },
        };
        let at = self.prefixes.as_ref().and_then(|found| routing.affinity.of(&group.name, found));
        loop {
            let Some(chosen) = choose(&left, &self.failed, at.as_deref(), row, &view) else {
                return Err(errors::all_full(&group, &routing.loads, view.now));
            };
            if !row.watches && !chosen.limits.any() {
                return Ok(Arc::clone(chosen));
            }
            let expected = i64::try_from(estimated_input(x)).unwrap_or(i64::MAX);
            x.target.running = routing.loads.of(&chosen.id).take(&chosen.limits, expected, view.now);
            if x.target.running.is_some() {
                return Ok(Arc::clone(chosen));
            }
            // Others were faster.
            left.retain(|d| d.id != chosen.id);
        }
    }
}

/// No attempt is left of those that one request has, in whichever groups (`num_retries_per_request`).
fn is_spent(x: &Exchange) -> bool {
    let most = x.snapshot.config.litellm.retries_in_all;
    most.is_some_and(|most| x.attempts.len() > most as usize)
}

/// Whom a first attempt would ask now. Nothing is counted.
///
/// # Errors
/// Why nobody may be asked.
pub fn would_ask(x: &Exchange, group: &Group, routing: &Routing) -> Result<Arc<Deployment>, ApiError> {
    let left = eligible(x, group, routing)?;
    let router = &x.snapshot.config.router;
    let view = View {
        loads: &routing.loads,
        args: &router.routing_strategy_args,
        stream: x.request.stream,
        now: x.clock.now(),
    };
    let found = prefixes(x).and_then(|found| routing.affinity.of(&group.name, &found));
    let chosen = choose(&left, &[], found.as_deref(), strategies::of(router.routing_strategy), &view);
    chosen.map(Arc::clone).ok_or_else(|| errors::all_full(group, &routing.loads, view.now))
}

/// What of the prompt may be cached somewhere, where that counts.
fn prefixes(x: &Exchange) -> Option<Prefixes> {
    let tokens = x.snapshot.config.router.checks.prompt_caching?;
    x.request.operation.row().chat?;
    Prefixes::of(&x.request.body, tokens)
}

/// The one with this id, else by the strategy, among those that are preferred.
fn choose<'g>(
    left: &Candidates<'g>,
    failed: &[String],
    at: Option<&str>,
    row: &Row,
    view: &View<'_>,
) -> Option<&'g Arc<Deployment>> {
    let wanted = preferred(left, failed);
    if let Some(there) = at.and_then(|id| wanted.iter().find(|d| d.id == id)) {
        return Some(*there);
    }
    let index = match wanted.len() {
        1 => Some(0),
        _ => (row.pick)(&wanted, view, &mut rand::rng()),
    };
    index.and_then(|index| wanted.get(index).copied())
}

fn preferred<'g>(left: &Candidates<'g>, failed: &[String]) -> Candidates<'g> {
    let fresh = |d: &&&Arc<Deployment>| !failed.contains(&d.id);
    let mut wanted: Candidates<'g> = left.iter().filter(fresh).copied().collect();
    if wanted.is_empty() {
        wanted.clone_from(left);
    }
    if let Some(lowest) = wanted.iter().filter_map(|d| d.order).min() {
        wanted.retain(|d| d.order == Some(lowest));
    }
    wanted
}

/// An attempt is over and in the list of attempts: what is going on at its deployment is known better now. Before the
/// client has its last byte, so that its next request goes by it.
pub fn settle(x: &mut Exchange) {
    let Some(running) = x.target.running.take() else { return };
    let used = i64::try_from(x.answer.usage.total()).unwrap_or(i64::MAX);
    running.settle(used, sample(x), &x.snapshot.config.router.routing_strategy_args);
}

/// How fast the last attempt was, where that says something about its deployment. LiteLLM measures whole answers by the
/// token.
fn sample(x: &Exchange) -> Option<Sample> {
    let attempt = x.attempts.last()?;
    if x.answer.deployment.as_ref().is_some_and(|deployment| deployment.of_client) {
        return None;
    }
    match attempt.error.as_str() {
        "" => {}
        "Timeout" => return Some(Sample::TimedOut),
        _ => return None,
    }
    let seconds = match x.answer.first_token_at.filter(|_| x.request.stream) {
        Some(first) => return Some(Sample::First(first.since(attempt.started_at) as f64 / 1e6)),
        None => x.answer.provider_time.as_secs_f64(),
    };
    Some(Sample::Whole(seconds / x.answer.usage.output.max(1) as f64))
}

/// Errors that an administrator may ask for, to see which fallbacks follow: member of the body, class, status.
static MOCKED: &[(&str, &str, u16)] = &[
    ("mock_testing_fallbacks", "InternalServerError", 500),
    ("mock_testing_context_fallbacks", "ContextWindowExceededError", 400),
    ("mock_testing_content_policy_fallbacks", "ContentPolicyViolationError", 400),
];

/// The failure that a request asks for instead of an attempt. Of others than administrators it is not looked at: who may
/// make a gateway fail may choose where requests go.
fn mocked(x: &Exchange, group: &str) -> Option<ApiError> {
    if !x.caller.is_admin() {
        return None;
    }
    let (_, class, status) = MOCKED.iter().find(|(name, ..)| x.request.body.is_true(name))?;
    let message = format!(
        "litellm.{class}: This is a mock exception for model={group}, to trigger a fallback. Fallbacks={}",
        errors::listed(available(x, group).iter().map(String::as_str))
    );
    Some(ApiError::new(Kind::Upstream, message).with_status(*status).with_class(class))
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

/// The request's own number, else the key's, else the router's.
fn retries(x: &Exchange) -> u32 {
    const MOST: u64 = 10;
    let from_body = x.request.body.integer("num_retries");
    let from_header = x.header("x-litellm-num-retries").parse().ok();
    let config = &x.snapshot.config;
    match from_body.or(from_header) {
        Some(n) => u32::try_from(n.min(MOST)).unwrap_or_default(),
        None => routed(x).and_then(|own| own.num_retries).unwrap_or(config.router.num_retries),
    }
}

/// What the key, or its team, says of routing.
fn routed(x: &Exchange) -> Option<&Routed> {
    x.caller.principal().map(Principal::routed)
}

/// Fallback names for the first group, next one last: the request's, the group's, `*`'s, the default ones.
pub fn first_fallbacks(x: &Exchange, group: &str) -> Vec<String> {
    let mut names = fallbacks::asked(&x.request.body, List::General, group);
    names.extend(configured(x, group));
    if names.is_empty() || fallbacks::are_off(x) {
        return Vec::new();
    }
    names.reverse();
    names
}

fn configured(x: &Exchange, group: &str) -> Vec<String> {
    let router = &x.snapshot.config.router;
    let of = |name: &str| router.fallbacks.iter().find(|(group, _)| group == name);
    let operators = || of(group).or_else(|| of("*")).map(|(_, names)| names.clone());
    let own = fallbacks::of_caller(x, List::General, group);
    let mut names = own.or_else(operators).unwrap_or_default();
    names.extend(router.default_fallbacks.iter().cloned());
    names
}

/// The fallbacks that clients are told of: their own, else of the group, else the default ones.
pub(super) fn available(x: &Exchange, group: &str) -> Vec<String> {
    let router = &x.snapshot.config.router;
    let of_group = || router.fallbacks.iter().find(|(of, _)| of == group).map(|(_, names)| names.clone());
    let own = fallbacks::of_caller(x, List::General, group);
    own.or_else(of_group).unwrap_or_else(|| router.default_fallbacks.clone())
}
