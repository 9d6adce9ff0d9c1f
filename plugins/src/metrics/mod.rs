//! Prometheus series. Handles of a success are resolved once per key, deployment and worker, and kept; a request
//! then costs a handful of atomic additions.

mod failure;
mod labels;
mod series;

pub use series::Series;

use crate::exchange::Exchange;
use labels::Labels;
use prometheus::{Encoder, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use weir_core::domain::spend::Status;
use weir_core::metrics::{Kind, LATENCY_BUCKETS, NONE, Name, Row, TABLE};

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    vectors: Vec<Vector>,
    recording: AtomicBool,
}

enum Vector {
    Counter(IntCounterVec),
    Gauge(IntGaugeVec),
    Histogram(HistogramVec),
}

/// Series handles that one worker keeps. Beyond that they are looked up again.
const MAX_KEPT: usize = 4_096;

thread_local! {
    static KEPT: RefCell<HashMap<u64, Arc<Series>>> = RefCell::new(HashMap::new());
}

// --- Metrics ---

impl Metrics {
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let vectors = TABLE.iter().map(|row| Vector::register(row, &registry)).collect::<Result<_, _>>()?;
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self { registry, vectors, recording: AtomicBool::new(false) })
    }

    /// Off costs nothing per request.
    pub fn record(&self, on: bool) {
        self.recording.store(on, Ordering::Relaxed);
    }

    pub fn recording(&self) -> bool {
        self.recording.load(Ordering::Relaxed)
    }

    /// One finished exchange.
    pub fn finished(&self, x: &Exchange) {
        if !self.recording() {
            return;
        }
        if x.answer.outcome == Some(Status::Success) && x.answer.deployment.is_some() {
            self.kept(x).success(x);
        } else {
            failure::record(self, x);
        }
        failure::attempts(self, x);
    }

    fn kept(&self, x: &Exchange) -> Arc<Series> {
        let key = Series::key(x);
        KEPT.with_borrow_mut(|kept| {
            if let Some(series) = kept.get(&key).filter(|s| s.is_for(x)) {
                return Arc::clone(series);
            }
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
            let series = Arc::new(Series::resolve(self, &Labels::of(x), x));
            kept.insert(key, Arc::clone(&series));
            series
        })
    }

    /// Sets a gauge without labels.
    pub fn gauge(&self, name: Name, value: i64) {
        if let Vector::Gauge(gauge) = self.vector(name) {
            gauge.with_label_values::<&str>(&[]).set(value);
        }
    }

    /// Counts one of ours by its single label.
    pub fn count(&self, name: Name, label: &str) {
        self.counter(name, &[label]).inc();
    }

    /// One check of a guardrail. `hook`: its mode; `error`: the class of the refusal it led to, if any.
    pub fn guardrail(&self, name: &str, hook: &str, error: Option<&str>, took: Duration) {
        if !self.recording() {
            return;
        }
        let (status, class) = (if error.is_some() { "error" } else { "success" }, error.unwrap_or(NONE));
        self.counter(Name::GuardrailRequests, &[name, status, hook]).inc();
        if error.is_some() {
            self.counter(Name::GuardrailErrors, &[name, class, hook]).inc();
        }
        if let Some(latency) = self.histogram(Name::GuardrailLatency, &[name, status, class, hook]) {
            latency.observe(took.as_secs_f64());
        }
    }

    /// Prometheus text format, version 0.0.4.
    pub fn render(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut families = self.registry.gather();
        for family in &mut families {
            if TABLE.iter().any(|row| row.kind == Kind::Money && row.name == family.name()) {
                family.mut_metric().iter_mut().for_each(dollars);
            }
        }
        let mut out = Vec::with_capacity(64 * 1024);
        TextEncoder::new().encode(&families, &mut out)?;
        Ok(out)
    }

    fn vector(&self, name: Name) -> &Vector {
        &self.vectors[name as usize]
    }

    fn counter(&self, name: Name, labels: &[&str]) -> prometheus::IntCounter {
        match self.vector(name) {
            Vector::Counter(vector) => vector.with_label_values(labels),
            _ => detached_counter(),
        }
    }

    fn labelled_gauge(&self, name: Name, labels: &[&str]) -> Option<prometheus::IntGauge> {
        match self.vector(name) {
            Vector::Gauge(vector) => Some(vector.with_label_values(labels)),
            _ => None,
        }
    }

    fn histogram(&self, name: Name, labels: &[&str]) -> Option<prometheus::Histogram> {
        match self.vector(name) {
            Vector::Histogram(vector) => Some(vector.with_label_values(labels)),
            _ => None,
        }
    }
}

/// Counted but never shown; the table test rules out that it is ever used.
fn detached_counter() -> prometheus::IntCounter {
    static DETACHED: std::sync::OnceLock<IntCounterVec> = std::sync::OnceLock::new();
    let opts = Opts::new("detached_total", "never registered");
    #[expect(clippy::expect_used, reason = "a constant name is valid")]
    DETACHED.get_or_init(|| IntCounterVec::new(opts, &[]).expect("valid")).with_label_values::<&str>(&[])
}

/// Nano-dollars become dollars on the way out. Exact below nine million dollars per series.
fn dollars(metric: &mut prometheus::proto::Metric) {
    let mut counter = metric.get_counter().clone();
    counter.set_value(counter.get_value() / 1e9);
    metric.set_counter(counter);
}

// --- Vector ---

impl Vector {
    fn register(row: &Row, registry: &Registry) -> Result<Self, prometheus::Error> {
        let opts = Opts::new(row.name, row.help);
        Ok(match row.kind {
            Kind::Counter | Kind::Money => {
                let vector = IntCounterVec::new(opts, row.labels)?;
                registry.register(Box::new(vector.clone()))?;
                Vector::Counter(vector)
            }
            Kind::Gauge => {
                let vector = IntGaugeVec::new(opts, row.labels)?;
                registry.register(Box::new(vector.clone()))?;
                Vector::Gauge(vector)
            }
            Kind::Histogram => {
                let opts = prometheus::HistogramOpts::from(opts).buckets(LATENCY_BUCKETS.to_vec());
                let vector = HistogramVec::new(opts, row.labels)?;
                registry.register(Box::new(vector.clone()))?;
                Vector::Histogram(vector)
            }
        })
    }
}
