//! Metrics over OTLP, where LiteLLM's `LITELLM_OTEL_INTEGRATION_ENABLE_METRICS` asks for them: histograms of tokens,
//! time and cost, told with each batch. All since the start is told, which is what Prometheus takes and what makes up
//! for a batch that was lost; or what came since the last batch, as OpenTelemetry's `..._TEMPORALITY_PREFERENCE` has
//! it. <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/>

use super::otel::operation;
use super::otlp::{Attribute, Resource, Scope, as_decimal, as_text, as_texts, double};
use crate::callbacks::payload;
use crate::callbacks::record::Exchanged;
use prost::Message;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use weir_core::config::env::Env;
use weir_core::metrics::OTHER;
use weir_core::time::{self, Micros};

/// `ExportMetricsServiceRequest`, written as the messages of `otlp.rs` are.
#[derive(Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metrics {
    #[prost(message, repeated, tag = "1")]
    resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Message, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceMetrics {
    #[prost(message, required, tag = "1")]
    resource: Resource,
    #[prost(message, repeated, tag = "2")]
    scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Message, Serialize)]
struct ScopeMetrics {
    #[prost(message, required, tag = "1")]
    scope: Scope,
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<Metric>,
}

#[derive(Message, Serialize)]
struct Metric {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    unit: String,
    #[prost(message, required, tag = "9")]
    histogram: Histogram,
}

#[derive(Message, Serialize)]
#[serde(rename_all = "camelCase")]
struct Histogram {
    #[prost(int32, tag = "2")]
    aggregation_temporality: i32,
    #[prost(message, repeated, tag = "1")]
    data_points: Vec<Point>,
}

#[derive(Message, Serialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<Attribute>,
    #[prost(fixed64, tag = "2")]
    #[serde(serialize_with = "as_text")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(serialize_with = "as_text")]
    time_unix_nano: u64,
    #[prost(fixed64, tag = "4")]
    #[serde(serialize_with = "as_text")]
    count: u64,
    #[prost(double, required, tag = "5")]
    #[serde(serialize_with = "as_decimal")]
    sum: f64,
    #[prost(fixed64, repeated, tag = "6")]
    #[serde(serialize_with = "as_texts")]
    bucket_counts: Vec<u64>,
    #[prost(double, repeated, tag = "7")]
    explicit_bounds: Vec<f64>,
}

/// What is measured, in whole units: tokens, microseconds, nano-dollars.
struct Instrument {
    name: &'static str,
    unit: &'static str,
    /// Digits behind the point.
    digits: u32,
    bounds: &'static [i64],
    values: fn(&Exchanged<'_>) -> Vec<(&'static str, i64)>,
}

/// Values of `aggregation_temporality`.
const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;
const PREFERENCE: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
/// Series of one instrument that are kept. What comes beyond them is told together.
const MOST: usize = 1_000;
const TOKEN_TYPE: &str = "gen_ai.token.type";

static INSTRUMENTS: &[Instrument] = &[
    Instrument {
        name: "gen_ai.client.token.usage",
        unit: "{token}",
        digits: 0,
        bounds: &[
            1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
            67_108_864,
        ],
        values: |x| vec![("input", whole(x.entry().usage.input)), ("output", whole(x.entry().usage.output))],
    },
    Instrument {
        name: "gen_ai.client.operation.duration",
        unit: "s",
        digits: 6,
        bounds: &[
            10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 1_280_000, 2_560_000, 5_120_000,
            10_240_000, 20_480_000, 40_960_000, 81_920_000,
        ],
        values: |x| vec![("", x.entry().ended_at.since(x.entry().started_at))],
    },
    Instrument {
        name: "gen_ai.client.token.cost",
        unit: "USD",
        digits: 9,
        bounds: &[1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000],
        values: |x| vec![("", x.entry().cost.0)],
    },
];

/// What tells one series from another.
type Key = (&'static str, String, String, &'static str);

/// Of one instrument.
type Series = BTreeMap<Key, Seen>;

#[derive(Clone, Default)]
struct Seen {
    count: u64,
    sum: i64,
    buckets: Vec<u64>,
}

/// Measures batches, in the way that the receiver wants to be told.
pub(super) struct Measure {
    /// `None`: what came since the last batch is told.
    totals: Option<Totals>,
}

/// All since the start.
struct Totals {
    since: u64,
    /// In the order of the instruments.
    seen: Mutex<Vec<Series>>,
}

impl Measure {
    pub(super) fn of(env: &Env) -> Self {
        let wanted = env.filled(PREFERENCE).unwrap_or_default().to_ascii_lowercase();
        let delta = matches!(wanted.as_str(), "delta" | "lowmemory");
        let totals = || Totals { since: nanos(time::now()), seen: Mutex::default() };
        Self { totals: (!delta).then(totals) }
    }

    /// What is told with a batch, which is not empty.
    pub(super) fn metrics(&self, resource: Resource, told: &[&Exchanged<'_>]) -> Metrics {
        let fresh: Vec<Series> = INSTRUMENTS.iter().map(|instrument| instrument.measured(told)).collect();
        let (kind, times, all) = match &self.totals {
            None => (DELTA, span(told), fresh),
            Some(totals) => (CUMULATIVE, (totals.since, nanos(time::now())), totals.with(fresh)),
        };
        let metric = |(instrument, series): (&Instrument, Series)| instrument.metric(series, kind, times);
        let metrics = INSTRUMENTS.iter().zip(all).map(metric).collect();
        let scope_metrics = vec![ScopeMetrics { scope: Scope::own(), metrics }];
        Metrics { resource_metrics: vec![ResourceMetrics { resource, scope_metrics }] }
    }
}

impl Totals {
    fn with(&self, fresh: Vec<Series>) -> Vec<Series> {
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        all.resize_with(fresh.len(), Series::new);
        for (total, fresh) in all.iter_mut().zip(fresh) {
            for (key, seen) in fresh {
                let fits = total.len() < MOST || total.contains_key(&key);
                total.entry(if fits { key } else { other(key) }).or_default().and(&seen);
            }
        }
        all.clone()
    }
}

/// Of whomever there is no room for.
fn other((operation, _, _, kind): Key) -> Key {
    (operation, OTHER.to_owned(), OTHER.to_owned(), kind)
}

/// From the first beginning to the last end.
fn span(told: &[&Exchanged<'_>]) -> (u64, u64) {
    (
        nanos(told.iter().map(|x| x.entry().started_at).min().unwrap_or_default()),
        nanos(told.iter().map(|x| x.entry().ended_at).max().unwrap_or_default()),
    )
}

/// Nothing happened before 1970.
pub(super) fn nanos(at: Micros) -> u64 {
    u64::try_from(at.0).unwrap_or_default().saturating_mul(1_000)
}

impl Instrument {
    fn measured(&self, told: &[&Exchanged<'_>]) -> Series {
        let mut all = Series::new();
        for x in told {
            let entry = x.entry();
            for (kind, value) in (self.values)(x) {
                let (provider, model) = (entry.provider.clone(), payload::model(entry).to_owned());
                let seen = all.entry((operation(entry.operation), provider, model, kind)).or_default();
                seen.add(value, self.bounds);
            }
        }
        all
    }

    fn metric(&self, series: Series, temporality: i32, times: (u64, u64)) -> Metric {
        let data_points = series.into_iter().map(|(key, seen)| self.point(key, seen, times)).collect();
        let histogram = Histogram { aggregation_temporality: temporality, data_points };
        Metric { name: self.name.to_owned(), unit: self.unit.to_owned(), histogram }
    }

    fn point(&self, key: Key, seen: Seen, (start, end): (u64, u64)) -> Point {
        let (operation, provider, model, kind) = key;
        let mut attributes = vec![
            Attribute::text("gen_ai.operation.name", operation),
            Attribute::text("gen_ai.provider.name", provider),
            Attribute::text("gen_ai.response.model", model),
        ];
        attributes
            .extend(Some(kind).filter(|kind| !kind.is_empty()).map(|kind| Attribute::text(TOKEN_TYPE, kind)));
        Point {
            attributes,
            start_time_unix_nano: start,
            time_unix_nano: end,
            count: seen.count,
            sum: self.double(seen.sum),
            bucket_counts: seen.buckets,
            explicit_bounds: self.bounds.iter().map(|bound| self.double(*bound)).collect(),
        }
    }

    /// Summed exactly; only what is told is a double, the nearest there is.
    fn double(&self, value: i64) -> f64 {
        let (value, unit) = (value.max(0), 10_i64.pow(self.digits));
        let width = self.digits as usize;
        double(&match width {
            0 => value.to_string(),
            _ => format!("{}.{:0width$}", value / unit, value % unit),
        })
    }
}

impl Seen {
    /// A value that is a bound is within it.
    fn add(&mut self, value: i64, bounds: &[i64]) {
        self.buckets.resize(bounds.len() + 1, 0);
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
        let at = bounds.partition_point(|bound| *bound < value);
        if let Some(bucket) = self.buckets.get_mut(at) {
            *bucket += 1;
        }
    }

    /// Of the same instrument.
    fn and(&mut self, more: &Seen) {
        self.buckets.resize(more.buckets.len(), 0);
        self.count += more.count;
        self.sum = self.sum.saturating_add(more.sum);
        self.buckets.iter_mut().zip(&more.buckets).for_each(|(bucket, more)| *bucket += more);
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
