//! Handles of everything that a success counts, for one key, deployment and requested model.

use super::Metrics;
use super::labels::Labels;
use crate::deployment::Deployment;
use crate::exchange::Exchange;
use prometheus::{Histogram, IntCounter, IntGauge};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::operation::Operation;
use weir_core::metrics::Name;

pub struct Series {
    identity: Option<Identity>,
    proxy_requests: IntCounter,
    requests: IntCounter,
    spend: IntCounter,
    input: IntCounter,
    output: IntCounter,
    total: IntCounter,
    tokens: IntCounter,
    unpriced: Option<IntCounter>,
    latency: Option<Histogram>,
    provider_latency: Option<Histogram>,
    first_token: Option<Histogram>,
    overhead: Option<Histogram>,
    per_token: Option<Histogram>,
    remaining_requests: Option<IntGauge>,
    remaining_tokens: Option<IntGauge>,
    deployment_success: IntCounter,
    deployment_total: IntCounter,
    deployment_state: Option<IntGauge>,
    cached: Option<Cached>,
}

/// What is counted where answers are cached.
enum Cached {
    Hit { hits: IntCounter, tokens: IntCounter },
    Miss(IntCounter),
}

/// What a set of handles is for. Holding the deployment keeps its address from being given to another.
struct Identity {
    key: Option<KeyHash>,
    deployment: Arc<Deployment>,
    requested: String,
    operation: Operation,
    shape: Shape,
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

impl Shape {
    fn of(x: &Exchange) -> Self {
        let remaining = (x.answer.remaining_requests.is_some(), x.answer.remaining_tokens.is_some());
        let cached = x.caching.as_ref().map(|_| x.answer.cache_hit);
        Self { stream: x.request.stream, remaining, unpriced: x.answer.unpriced, cached }
    }
}

impl Series {
    /// A hash of the identity; [`Series::is_for`] tells collisions apart.
    pub(super) fn key(x: &Exchange) -> u64 {
        let mut hasher = DefaultHasher::new();
        x.caller.hash().map(|h| *h.bytes()).hash(&mut hasher);
        x.answer.deployment.as_ref().map(|d| Arc::as_ptr(d) as usize).hash(&mut hasher);
        x.target.requested.hash(&mut hasher);
        x.request.operation.hash(&mut hasher);
        Shape::of(x).hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn is_for(&self, x: &Exchange) -> bool {
        let Some(own) = &self.identity else { return false };
        own.key == x.caller.hash()
            && x.answer.deployment.as_ref().is_some_and(|d| Arc::ptr_eq(d, &own.deployment))
            && own.requested == x.target.requested
            && own.operation == x.request.operation
            && own.shape == Shape::of(x)
    }

    pub(super) fn resolve(metrics: &Metrics, labels: &Labels, x: &Exchange) -> Self {
        let counter = |name: Name| metrics.counter(name, &labels.values(name));
        let histogram = |name: Name| metrics.histogram(name, &labels.values(name));
        let shape = Shape::of(x);
        let gauge = |name: Name| metrics.labelled_gauge(name, &labels.values(name));
        Self {
            identity: x.answer.deployment.clone().map(|deployment| Identity {
                key: x.caller.hash(),
                deployment,
                requested: x.target.requested.clone(),
                operation: x.request.operation,
                shape,
            }),
            proxy_requests: counter(Name::ProxyTotalRequests),
            requests: counter(Name::Requests),
            spend: counter(Name::Spend),
            input: counter(Name::InputTokens),
            output: counter(Name::OutputTokens),
            total: counter(Name::TotalTokens),
            tokens: counter(Name::TokensAlias),
            unpriced: shape.unpriced.then(|| counter(Name::UnpricedRequests)),
            latency: histogram(Name::RequestTotalLatency),
            provider_latency: histogram(Name::LlmApiLatency),
            first_token: shape.stream.then(|| histogram(Name::TimeToFirstToken)).flatten(),
            overhead: histogram(Name::Overhead),
            per_token: histogram(Name::LatencyPerOutputToken),
            remaining_requests: shape.remaining.0.then(|| gauge(Name::RemainingRequests)).flatten(),
            remaining_tokens: shape.remaining.1.then(|| gauge(Name::RemainingTokens)).flatten(),
            deployment_success: counter(Name::DeploymentSuccess),
            deployment_total: counter(Name::DeploymentTotal),
            deployment_state: gauge(Name::DeploymentState),
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
        self.spend.inc_by(u64::try_from(x.answer.cost.0).unwrap_or_default());
        self.input.inc_by(usage.input);
        self.output.inc_by(usage.output);
        self.total.inc_by(usage.total());
        self.tokens.inc_by(usage.total());
        if let Some(unpriced) = &self.unpriced {
            unpriced.inc();
        }
        match &self.cached {
            Some(Cached::Hit { hits, tokens }) => {
                hits.inc();
                tokens.inc_by(usage.total());
                // No deployment was asked.
                let total = x.clock.started.elapsed().as_secs_f64();
                return observe(self.latency.as_ref(), total);
            }
            Some(Cached::Miss(misses)) => misses.inc(),
            None => {}
        }
        self.deployment_success.inc();
        self.deployment_total.inc();
        set(self.deployment_state.as_ref(), Some(0));
        self.times(x);
        set(self.remaining_requests.as_ref(), x.answer.remaining_requests);
        set(self.remaining_tokens.as_ref(), x.answer.remaining_tokens);
    }

    fn times(&self, x: &Exchange) {
        let total = x.clock.started.elapsed().as_secs_f64();
        let provider = x.answer.provider_time.as_secs_f64();
        observe(self.latency.as_ref(), total);
        observe(self.provider_latency.as_ref(), provider);
        observe(self.overhead.as_ref(), (total - provider).max(0.0));
        let first = x.answer.first_token_at.map(|at| at.since(x.clock.started_at) as f64 / 1e6);
        if let (true, Some(first)) = (x.request.stream, first) {
            observe(self.first_token.as_ref(), first);
        }
        if x.answer.usage.output > 0 {
            let base = if x.request.stream { first.unwrap_or(total) } else { provider };
            observe(self.per_token.as_ref(), base / x.answer.usage.output as f64);
        }
    }
}

fn observe(histogram: Option<&Histogram>, seconds: f64) {
    if let Some(histogram) = histogram {
        histogram.observe(seconds);
    }
}

fn set(gauge: Option<&IntGauge>, value: Option<i64>) {
    if let (Some(gauge), Some(value)) = (gauge, value) {
        gauge.set(value);
    }
}
