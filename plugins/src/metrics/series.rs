//! Everything that a success counts, for one key, deployment and requested model, as one worker counts it: a number for all
//! series that grow alike, in memory of its own. What has grown is told to the series themselves when somebody asks.

use super::Metrics;
use super::cells::{Cell, Counter, Gauge};
use super::family::{Family, Text, Values};
use super::kept::{Success, Workers};
use super::labels::{Labels, OWNERS, names_of};
use super::sums::Sums;
use super::times::{Histograms, Time, Times};
use crate::exchange::Exchange;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use weir_core::domain::key::Caller;
use weir_core::metrics::{NONE, Name};

pub(super) struct Series {
    sums: Sums<8>,
    /// Counters that each of the sums is told to.
    told: [Vec<Counter>; SUMS],
    times: Arc<Times>,
    /// What the key has left for the model: requests, tokens.
    left: [Gauge; 2],
    /// The same of what the provider says.
    remaining: [Gauge; 2],
    state: Gauge,
    shape: Shape,
    /// Whose they are, in the order of [`OWNERS`].
    owners: [Text; OWNERS.len()],
    gone: AtomicBool,
    workers: Arc<Workers>,
}

/// Which series exist at all: one that is never set must not be shown as zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    status: u16,
    stream: bool,
    remaining: [bool; 2],
    unpriced: bool,
    /// Whether it was a hit; `None`: the cache had nothing to do with it.
    cached: Option<bool>,
}

// What is summed.
const REQUESTS: usize = 0;
const SPEND: usize = 1;
const INPUT: usize = 2;
const OUTPUT: usize = 3;
const TOTAL: usize = 4;
const SUMS: usize = 5;

/// What LiteLLM says of a model that a key has no limit for.
const UNLIMITED: f64 = i64::MAX as f64;

// --- Shape ---

impl Shape {
    pub(super) fn of(x: &Exchange) -> Self {
        Self {
            status: x.answer.status,
            stream: x.request.stream,
            remaining: [x.answer.remaining_requests.is_some(), x.answer.remaining_tokens.is_some()],
            unpriced: x.answer.unpriced,
            cached: x.caching.as_ref().map(|_| x.answer.cache_hit),
        }
    }

    fn is_hit(self) -> bool {
        self.cached == Some(true)
    }

    /// What grows by one with each.
    fn requests(self) -> impl Iterator<Item = Name> {
        let deployment = [Name::DeploymentSuccess, Name::DeploymentTotal];
        let cached = self.cached.map(|hit| if hit { Name::CacheHits } else { Name::CacheMisses });
        [Name::ProxyTotalRequests, Name::Requests]
            .into_iter()
            .chain(self.unpriced.then_some(Name::UnpricedRequests))
            .chain(cached)
            .chain(deployment.into_iter().filter(move |_| !self.is_hit()))
    }

    /// What grows by all tokens of each.
    fn tokens(self) -> impl Iterator<Item = Name> {
        let cached = self.is_hit().then_some(Name::CachedTokens);
        [Name::TotalTokens, Name::TokensAlias].into_iter().chain(cached)
    }
}

// --- Series ---

impl Series {
    /// `times`: those that are counted by this worker and told to these histograms.
    pub(super) fn begin(
        metrics: &Metrics,
        success: &Success<'_>,
        times: impl FnOnce(Histograms) -> Arc<Times>,
    ) -> Self {
        let (x, shape) = (success.x, success.shape);
        let labels = Labels::of(metrics, x, success.own.clone());
        let mut found = Finder::new(metrics, &labels);
        // In this order: what is spent finds room before what is timed.
        let told = [
            found.counters(shape.requests()),
            found.counters([Name::Spend]),
            found.counters([Name::InputTokens]),
            found.counters([Name::OutputTokens]),
            found.counters(shape.tokens()),
        ];
        let [requests, tokens] = shape.remaining;
        let remaining =
            [found.gauge(requests, Name::RemainingRequests), found.gauge(tokens, Name::RemainingTokens)];
        let state = found.gauge(!shape.is_hit(), Name::DeploymentState);
        let histograms = found.histograms(shape);
        let by_group = labels.clone().by_group();
        let mut found = Finder::new(metrics, &by_group);
        let left = [Name::KeyRequestsForModel, Name::KeyTokensForModel].map(|name| found.gauge(true, name));
        Self {
            sums: Sums::default(),
            told,
            times: times(histograms),
            left,
            remaining,
            state,
            shape,
            owners: OWNERS.map(|label| labels.value(label)),
            gone: AtomicBool::new(false),
            workers: metrics.workers(),
        }
    }

    /// Whether they are of these metrics, and still shown.
    pub(super) fn is_of(&self, metrics: &Metrics) -> bool {
        metrics.has(&self.workers) && !self.gone.load(Ordering::Relaxed)
    }

    /// Whether their labels say of whoever calls what they would say now. That it is the same key, is known.
    pub(super) fn are_named(&self, caller: &Caller) -> bool {
        let named = names_of(caller);
        self.owners.iter().skip(1).zip(named).all(|(label, name)| **label == *name.unwrap_or(NONE))
    }

    /// They are shown no more if a label has a value that is gone: whoever counts in them looks for others.
    pub(super) fn forget(&self, label: &str, gone: &dyn Fn(&str) -> bool) {
        if OWNERS.iter().zip(&self.owners).any(|(name, value)| *name == label && gone(value)) {
            self.gone.store(true, Ordering::Relaxed);
        }
    }

    /// Everything a success counts. For the worker whose they are, and nobody else.
    pub(super) fn count(&self, x: &Exchange) {
        let usage = &x.answer.usage;
        self.sums.add(REQUESTS, 1);
        self.sums.add(SPEND, u64::try_from(x.answer.cost.0).unwrap_or_default());
        self.sums.add(INPUT, usage.input);
        self.sums.add(OUTPUT, usage.output);
        self.sums.add(TOTAL, usage.total());
        self.limits(x);
        let total = x.clock.started.elapsed();
        self.times.observe(Time::Total, total);
        if self.shape.is_hit() {
            // No deployment was asked.
            return;
        }
        self.state.keep_at(0.0);
        self.spans(x, total);
        let said = [x.answer.remaining_requests, x.answer.remaining_tokens];
        for (gauge, value) in self.remaining.iter().zip(said) {
            if let Some(value) = value {
                gauge.set(value as f64);
            }
        }
    }

    /// What the key has left for this model.
    fn limits(&self, x: &Exchange) {
        let left = x.rate_limits.as_ref().map(|told| told.model_of_key).unwrap_or_default();
        for (gauge, left) in self.left.iter().zip(left) {
            gauge.keep_at(left.map_or(UNLIMITED, |left| left as f64));
        }
    }

    fn spans(&self, x: &Exchange, total: Duration) {
        let provider = x.answer.provider_time;
        self.times.observe(Time::Provider, provider);
        self.times.observe(Time::Overhead, total.saturating_sub(provider));
        self.times.observe(Time::Queue, x.waited());
        let first = x.answer.first_token_at.map(|at| at.since(x.clock.started_at).unsigned_abs());
        let first = first.map(Duration::from_micros);
        if let (true, Some(first)) = (x.request.stream, first) {
            self.times.observe(Time::FirstToken, first);
        }
        let base = if x.request.stream { first.unwrap_or(total) } else { provider };
        if let Some(each) =
            u32::try_from(x.answer.usage.output).ok().and_then(|tokens| base.checked_div(tokens))
        {
            self.times.observe(Time::PerToken, each);
        }
    }

    /// Tells what is new. Never from two threads at once.
    pub(super) fn tell(&self) {
        self.sums.tell(|at, more| {
            for counter in self.told.get(at).into_iter().flatten() {
                counter.add(more);
            }
        });
    }
}

/// Nobody else has it any more, so this is the last that there is to tell.
impl Drop for Series {
    fn drop(&mut self) {
        self.tell();
        self.workers.one_less();
    }
}

// --- Finder ---

/// Finds series by labels. Metrics that have the same labels share their values.
struct Finder<'m> {
    metrics: &'m Metrics,
    labels: &'m Labels,
    values: Vec<(&'m [String], Values)>,
}

impl<'m> Finder<'m> {
    fn new(metrics: &'m Metrics, labels: &'m Labels) -> Self {
        Self { metrics, labels, values: Vec::new() }
    }

    fn values(&mut self, family: &'m Family) -> Values {
        if let Some((_, values)) = self.values.iter().find(|(names, _)| *names == family.labels) {
            return Arc::clone(values);
        }
        let values: Values = family.values(&|label| self.labels.value(label));
        self.values.push((family.labels.as_slice(), Arc::clone(&values)));
        values
    }

    fn cell(&mut self, name: Name) -> Option<Cell> {
        let family = self.metrics.family(name);
        let values = self.values(family);
        family.cell_of(&self.metrics.room, &values)
    }

    fn counters(&mut self, names: impl IntoIterator<Item = Name>) -> Vec<Counter> {
        names.into_iter().map(|name| Cell::counter(self.cell(name))).collect()
    }

    fn gauge(&mut self, exists: bool, name: Name) -> Gauge {
        if exists { Cell::gauge(self.cell(name)) } else { Gauge::default() }
    }

    /// In the order of [`Time`].
    fn histograms(&mut self, shape: Shape) -> Histograms {
        let asked = !shape.is_hit();
        [
            (true, Name::RequestTotalLatency),
            (asked, Name::LlmApiLatency),
            (asked && shape.stream, Name::TimeToFirstToken),
            (asked, Name::Overhead),
            (asked, Name::QueueTime),
            (asked, Name::LatencyPerOutputToken),
        ]
        .map(|(exists, name)| Cell::histogram(if exists { self.cell(name) } else { None }))
    }
}
