//! Metrics over OTLP, where LiteLLM's `LITELLM_OTEL_INTEGRATION_ENABLE_METRICS` asks for them: histograms of tokens, time and
//! cost of each batch, told as what came since the last one (delta temporality).
//! <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/>

use super::otel::operation;
use super::otlp::{Attribute, Resource, Scope};
use crate::callbacks::payload;
use crate::callbacks::record::Exchanged;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics<'a> {
    resource_metrics: [ResourceMetrics<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceMetrics<'a> {
    resource: Resource<'a>,
    scope_metrics: [ScopeMetrics; 1],
}

#[derive(Serialize)]
struct ScopeMetrics {
    scope: Scope,
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
struct Metric {
    name: &'static str,
    unit: &'static str,
    histogram: Histogram,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Histogram {
    aggregation_temporality: u8,
    data_points: Vec<Point>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    attributes: Vec<Attribute>,
    start_time_unix_nano: String,
    time_unix_nano: String,
    count: String,
    sum: Box<RawValue>,
    bucket_counts: Vec<String>,
    explicit_bounds: Vec<Box<RawValue>>,
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

const DELTA: u8 = 1;
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

#[derive(Default)]
struct Seen {
    count: u64,
    sum: i64,
    buckets: Vec<u64>,
}

/// A request's body; what is told is not empty.
pub(super) fn body(resource: &[Attribute], told: &[&Exchanged<'_>]) -> Vec<u8> {
    let nanos = |micros: Option<i64>| format!("{}000", micros.unwrap_or_default().max(0));
    let times = (
        nanos(told.iter().map(|x| x.entry().started_at.0).min()),
        nanos(told.iter().map(|x| x.entry().ended_at.0).max()),
    );
    let metrics = Metrics {
        resource_metrics: [ResourceMetrics {
            resource: Resource { attributes: resource },
            scope_metrics: [ScopeMetrics {
                scope: Scope::own(),
                metrics: INSTRUMENTS.iter().map(|instrument| instrument.metric(told, &times)).collect(),
            }],
        }],
    };
    serde_json::to_vec(&metrics).unwrap_or_default()
}

impl Instrument {
    fn metric(&self, told: &[&Exchanged<'_>], times: &(String, String)) -> Metric {
        let mut all: BTreeMap<Key, Seen> = BTreeMap::new();
        for x in told {
            let entry = x.entry();
            for (kind, value) in (self.values)(x) {
                let (provider, model) = (entry.provider.clone(), payload::model(entry).to_owned());
                let seen = all.entry((operation(entry.operation), provider, model, kind)).or_default();
                seen.add(value, self.bounds);
            }
        }
        let data_points = all.into_iter().map(|(key, seen)| self.point(key, seen, times)).collect();
        let histogram = Histogram { aggregation_temporality: DELTA, data_points };
        Metric { name: self.name, unit: self.unit, histogram }
    }

    fn point(&self, key: Key, seen: Seen, (start, end): &(String, String)) -> Point {
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
            start_time_unix_nano: start.clone(),
            time_unix_nano: end.clone(),
            count: seen.count.to_string(),
            sum: self.decimal(seen.sum),
            bucket_counts: seen.buckets.iter().map(u64::to_string).collect(),
            explicit_bounds: self.bounds.iter().map(|bound| self.decimal(*bound)).collect(),
        }
    }

    /// Exact, as no float was between.
    fn decimal(&self, value: i64) -> Box<RawValue> {
        let (value, unit) = (value.max(0), 10_i64.pow(self.digits));
        let width = self.digits as usize;
        payload::number(match width {
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
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
