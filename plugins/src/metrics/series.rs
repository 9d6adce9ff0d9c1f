//! Handles of everything that a success counts, for one key, deployment and requested model.

use super::Metrics;
use super::cells::{Counter, Gauge, Histogram};
use super::custom::Own;
use super::labels::Labels;
use crate::deployment::Deployment;
use crate::exchange::Exchange;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{Caller, Principal};
use weir_core::domain::operation::Operation;
use weir_core::metrics::Name;

pub struct Series {
    identity: Option<Identity>,
    proxy_requests: Counter,
    requests: Counter,
    spend: Counter,
    input: Counter,
    output: Counter,
    total: Counter,
    tokens: Counter,
    unpriced: Counter,
    latency: Histogram,
    provider_latency: Histogram,
    first_token: Histogram,
    overhead: Histogram,
    queue: Histogram,
    per_token: Histogram,
    remaining_requests: Gauge,
    remaining_tokens: Gauge,
    requests_for_model: Gauge,
    tokens_for_model: Gauge,
    deployment_success: Counter,
    deployment_total: Counter,
    deployment_state: Gauge,
    cached: Option<Cached>,
}

/// What is counted where answers are cached.
enum Cached {
    Hit { hits: Counter, tokens: Counter },
    Miss(Counter),
}

/// What a set of handles is for. Holding the deployment keeps its address from being given to another.
struct Identity {
    /// Of the metrics, when it was made: series may have been forgotten since.
    generation: u64,
    key: Option<KeyHash>,
    /// Labels tell more of a key than its hash. Read again it is another one.
    known: Option<Arc<Principal>>,
    deployment: Arc<Deployment>,
    requested: String,
    operation: Operation,
    shape: Shape,
    own: Own,
}

/// Which series exist at all: one that is never set must not be shown as zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Shape {
    stream: bool,
    remaining: (bool, bool),
    unpriced: bool,
    /// Whether it was a hit; `None`: the cache had nothing to do with it.
    cached: Option<bool>,
}

/// What LiteLLM says of a model that a key has no limit for.
const UNLIMITED: f64 = i64::MAX as f64;

impl Shape {
    fn of(x: &Exchange) -> Self {
        let remaining = (x.answer.remaining_requests.is_some(), x.answer.remaining_tokens.is_some());
        let cached = x.caching.as_ref().map(|_| x.answer.cache_hit);
        Self { stream: x.request.stream, remaining, unpriced: x.answer.unpriced, cached }
    }
}

fn known(x: &Exchange) -> Option<&Arc<Principal>> {
    match &x.caller {
        Caller::Key(known) => Some(known),
        _ => None,
    }
}

impl Series {
    /// A hash of the identity; [`Series::is_for`] tells collisions apart.
    pub(super) fn key(x: &Exchange, own: &Own) -> u64 {
        let mut hasher = DefaultHasher::new();
        x.caller.hash().map(|h| *h.bytes()).hash(&mut hasher);
        x.answer.deployment.as_ref().map(|d| Arc::as_ptr(d) as usize).hash(&mut hasher);
        x.target.requested.hash(&mut hasher);
        x.request.operation.hash(&mut hasher);
        Shape::of(x).hash(&mut hasher);
        own.hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn is_for(&self, x: &Exchange, own: &Own, generation: u64) -> bool {
        let Some(mine) = &self.identity else { return false };
        mine.generation == generation
            && mine.key == x.caller.hash()
            && mine.known.as_ref().map(Arc::as_ptr) == known(x).map(Arc::as_ptr)
            && x.answer.deployment.as_ref().is_some_and(|d| Arc::ptr_eq(d, &mine.deployment))
            && mine.requested == x.target.requested
            && mine.operation == x.request.operation
            && mine.shape == Shape::of(x)
            && mine.own == *own
    }

    pub(super) fn resolve(metrics: &Metrics, x: &Exchange, own: Own, generation: u64) -> Self {
        let labels = Labels::of(metrics, x, own.clone());
        let counter = |name: Name| metrics.counter(name, &|label| labels.value(label));
        let histogram = |name: Name| metrics.histogram(name, &|label| labels.value(label));
        let gauge = |name: Name| metrics.labelled_gauge(name, &|label| labels.value(label));
        let by_group = labels.clone().by_group();
        let of_group = |name: Name| metrics.labelled_gauge(name, &|label| by_group.value(label));
        let shape = Shape::of(x);
        let asked = shape.cached != Some(true);
        let one = |there: bool, name: Name| if there { counter(name) } else { Counter::default() };
        let some = |there: bool, name: Name| if there { gauge(name) } else { Gauge::default() };
        let timed = |there: bool, name: Name| if there { histogram(name) } else { Histogram::default() };
        Self {
            identity: identity(x, own, generation),
            proxy_requests: counter(Name::ProxyTotalRequests),
            requests: counter(Name::Requests),
            spend: counter(Name::Spend),
            input: counter(Name::InputTokens),
            output: counter(Name::OutputTokens),
            total: counter(Name::TotalTokens),
            tokens: counter(Name::TokensAlias),
            unpriced: one(shape.unpriced, Name::UnpricedRequests),
            latency: histogram(Name::RequestTotalLatency),
            provider_latency: timed(asked, Name::LlmApiLatency),
            first_token: timed(asked && shape.stream, Name::TimeToFirstToken),
            overhead: timed(asked, Name::Overhead),
            queue: timed(asked, Name::QueueTime),
            per_token: timed(asked, Name::LatencyPerOutputToken),
            remaining_requests: some(shape.remaining.0, Name::RemainingRequests),
            remaining_tokens: some(shape.remaining.1, Name::RemainingTokens),
            requests_for_model: of_group(Name::KeyRequestsForModel),
            tokens_for_model: of_group(Name::KeyTokensForModel),
            deployment_success: one(asked, Name::DeploymentSuccess),
            deployment_total: one(asked, Name::DeploymentTotal),
            deployment_state: some(asked, Name::DeploymentState),
            cached: shape.cached.map(|hit| match hit {
                true => Cached::Hit { hits: counter(Name::CacheHits), tokens: counter(Name::CachedTokens) },
                false => Cached::Miss(counter(Name::CacheMisses)),
            }),
        }
    }

    /// Everything a success counts.
    pub(super) fn success(&self, x: &Exchange) {
        let usage = &x.answer.usage;
        self.proxy_requests.inc();
        self.requests.inc();
        self.spend.add(u64::try_from(x.answer.cost.0).unwrap_or_default());
        self.input.add(usage.input);
        self.output.add(usage.output);
        self.total.add(usage.total());
        self.tokens.add(usage.total());
        self.unpriced.inc();
        self.limits(x);
        match &self.cached {
            Some(Cached::Hit { hits, tokens }) => {
                hits.inc();
                tokens.add(usage.total());
                // No deployment was asked.
                return self.latency.observe(x.clock.started.elapsed().as_secs_f64());
            }
            Some(Cached::Miss(misses)) => misses.inc(),
            None => {}
        }
        self.deployment_success.inc();
        self.deployment_total.inc();
        self.deployment_state.set(0.0);
        self.times(x);
        set(&self.remaining_requests, x.answer.remaining_requests);
        set(&self.remaining_tokens, x.answer.remaining_tokens);
    }

    /// What the key has left for this model.
    fn limits(&self, x: &Exchange) {
        let [requests, tokens] = x.rate_limits.as_ref().map(|told| told.model_of_key).unwrap_or_default();
        self.requests_for_model.set(requests.map_or(UNLIMITED, |left| left as f64));
        self.tokens_for_model.set(tokens.map_or(UNLIMITED, |left| left as f64));
    }

    fn times(&self, x: &Exchange) {
        let total = x.clock.started.elapsed().as_secs_f64();
        let provider = x.answer.provider_time.as_secs_f64();
        self.latency.observe(total);
        self.provider_latency.observe(provider);
        self.overhead.observe((total - provider).max(0.0));
        self.queue.observe(x.waited().as_secs_f64());
        let first = x.answer.first_token_at.map(|at| at.since(x.clock.started_at) as f64 / 1e6);
        if let (true, Some(first)) = (x.request.stream, first) {
            self.first_token.observe(first);
        }
        if x.answer.usage.output > 0 {
            let base = if x.request.stream { first.unwrap_or(total) } else { provider };
            self.per_token.observe(base / x.answer.usage.output as f64);
        }
    }
}

fn identity(x: &Exchange, own: Own, generation: u64) -> Option<Identity> {
    Some(Identity {
        generation,
        key: x.caller.hash(),
        known: known(x).cloned(),
        deployment: x.answer.deployment.clone()?,
        requested: x.target.requested.clone(),
        operation: x.request.operation,
        shape: Shape::of(x),
        own,
    })
}

fn set(gauge: &Gauge, value: Option<i64>) {
    if let Some(value) = value {
        gauge.set(value as f64);
    }
}
