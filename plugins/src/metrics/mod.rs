//! Prometheus series. What a success counts is found once per key, deployment and worker, and kept (`kept.rs`): each worker
//! adds to numbers of its own (`series.rs`, `times.rs`), and whoever scrapes adds what is new to those of all (`sums.rs`,
//! `roll.rs`). So a request costs a look and some twenty additions in a dozen cache lines, and no processor waits for another.
//! `cells.rs` are the shared numbers, `family.rs` the series of a metric and how many there may be, `page.rs` what Prometheus
//! reads; `labels.rs` and `custom.rs` say who asked for what, `failure.rs` what counts of a failure, `budgets.rs` how budgets
//! stand.
//!
//! No library: ten thousand keys are two hundred thousand series, and in the usual one each holds its own copy of every
//! label. Here they share them.

mod budgets;
mod cells;
mod custom;
mod failure;
mod family;
mod kept;
mod labels;
mod page;
mod roll;
mod series;
mod sums;
#[cfg(test)]
mod tests;
mod times;

pub use cells::{Counter, Gauge, Histogram};
pub use page::Page;

use crate::exchange::Exchange;
use cells::Cell;
use custom::{Custom, Own};
use family::{Family, Room, Text};
use kept::Workers;
use prometheus::{Registry, TextEncoder};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use weir_core::config::MetricsSettings;
use weir_core::domain::spend::Status;
use weir_core::metrics::{NONE, Name, Row, TABLE};
use weir_core::ports::meter::{Call, Meter, Service};

/// All metrics of the process.
pub struct Metrics {
    /// In the order of the table.
    families: Vec<Family>,
    room: Room,
    custom: Custom,
    /// Memory, processor time and files of the process.
    process: Registry,
    recording: AtomicBool,
    workers: Arc<Workers>,
}

// --- Metrics ---

impl Metrics {
    /// `most`: series that there may be, as Prometheus counts them.
    ///
    /// # Errors
    /// The process cannot look at itself.
    pub fn new(settings: &MetricsSettings, most: u64) -> Result<Self, prometheus::Error> {
        let process = Registry::new();
        process.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let custom = Custom::new(settings);
        let metrics = Self {
            families: TABLE.iter().map(|row| family(row, settings, &custom)).collect(),
            room: Room::new(usize::try_from(most).unwrap_or(usize::MAX)),
            custom,
            process,
            recording: AtomicBool::new(false),
            workers: Arc::default(),
        };
        for generation in ["0", "1", "2"] {
            metrics.counter(Name::PythonGc, &|_| Text::from(generation));
        }
        Ok(metrics)
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
        match &x.answer.deployment {
            Some(deployment) if x.answer.outcome == Some(Status::Success) => kept::count(self, x, deployment),
            _ => failure::record(self, x),
        }
        failure::attempts(self, x);
    }

    /// Sets a gauge without labels.
    pub fn gauge(&self, name: Name, value: f64) {
        self.labelled_gauge(name, &|_| Text::from(NONE)).set(value);
    }

    /// A counter without labels, or with one.
    pub fn counted(&self, name: Name, label: &str) -> Counter {
        self.counter(name, &|_| Text::from(label))
    }

    /// Counts one of ours by its single label.
    pub fn count(&self, name: Name, label: &str) {
        self.counted(name, label).inc();
    }

    /// One check of a guardrail. `hook`: its mode; `error`: the class of the refusal it led to, if any.
    pub fn guardrail(&self, name: &str, hook: &str, error: Option<&str>, took: Duration) {
        if !self.recording() {
            return;
        }
        let (status, class) = (if error.is_some() { "error" } else { "success" }, error.unwrap_or(NONE));
        let value = |label: &str| {
            Text::from(match label {
                "guardrail_name" => name,
                "hook_type" => hook,
                "status" => status,
                _ => class,
            })
        };
        self.counter(Name::GuardrailRequests, &value).inc();
        if error.is_some() {
            self.counter(Name::GuardrailErrors, &value).inc();
        }
        self.histogram(Name::GuardrailLatency, &value).observe(took);
    }

    /// What Prometheus reads. What workers have counted by now is in it; that alone takes some milliseconds: not for a
    /// worker.
    ///
    /// # Errors
    /// The process cannot look at itself.
    pub fn page(self: &Arc<Self>) -> Result<Page, prometheus::Error> {
        self.workers.tell();
        self.gauge(Name::MetricSeries, self.room.taken() as f64);
        let mut process = String::new();
        TextEncoder::new().encode_utf8(&self.process.gather(), &mut process)?;
        Ok(Page::new(Arc::clone(self), process))
    }

    fn family(&self, name: Name) -> &Family {
        &self.families[name as usize]
    }

    fn own(&self, x: &Exchange) -> Own {
        self.custom.of(x)
    }

    fn custom_names(&self) -> impl Iterator<Item = &str> {
        self.custom.names()
    }

    fn workers(&self) -> Arc<Workers> {
        Arc::clone(&self.workers)
    }

    /// Whether what these count is told here.
    fn has(&self, workers: &Arc<Workers>) -> bool {
        Arc::ptr_eq(&self.workers, workers)
    }

    fn counter(&self, name: Name, value: &dyn Fn(&str) -> Text) -> Counter {
        Cell::counter(self.family(name).cell(&self.room, value))
    }

    fn labelled_gauge(&self, name: Name, value: &dyn Fn(&str) -> Text) -> Gauge {
        Cell::gauge(self.family(name).cell(&self.room, value))
    }

    fn histogram(&self, name: Name, value: &dyn Fn(&str) -> Text) -> Histogram {
        Cell::histogram(self.family(name).cell(&self.room, value))
    }
}

/// A metric as the settings want it shown. `prometheus_metrics_config` is about LiteLLM's; ours are always there.
fn family(row: &'static Row, settings: &MetricsSettings, custom: &Custom) -> Family {
    let named = settings.shown.as_ref().map(|shown| shown.iter().find(|metric| metric.name == row.name));
    let ours = !row.name.starts_with("litellm_");
    let shown = match named {
        _ if ours => true,
        _ if row.is_of_system() => settings.system(),
        Some(named) => named.is_some(),
        None => true,
    };
    let wanted = named.flatten().and_then(|metric| metric.labels.as_ref());
    let own = row.labels.iter().copied();
    let more = custom.names().filter(|name| row.takes_custom_labels() && !row.labels.contains(name));
    let labels = own.chain(more).filter(|label| wanted.is_none_or(|w| w.iter().any(|name| name == label)));
    Family::new(row, labels.map(str::to_owned).collect(), shown)
}

// --- what others tell ---

impl Meter for Metrics {
    fn took(&self, call: &Call) {
        if !self.recording() {
            return;
        }
        let (latency, calls, failures, label) = match call.service {
            Service::Redis => (Name::RedisLatency, Name::RedisRequests, Name::RedisFailures, "redis"),
            Service::Ledger => {
                (Name::PostgresLatency, Name::PostgresRequests, Name::PostgresFailures, "postgres")
            }
        };
        let value = |name: &str| {
            Text::from(match name {
                "error_class" => call.error.unwrap_or(NONE),
                "function_name" | "operation" => call.operation,
                _ => label,
            })
        };
        self.counter(calls, &value).inc();
        self.histogram(latency, &value).observe(call.took);
        if call.error.is_some() {
            self.counter(failures, &value).inc();
        }
        if let Service::Ledger = call.service {
            if call.operation == weir_core::ports::meter::WRITE {
                self.histogram(Name::LedgerWrite, &value).observe(call.took);
            }
            if call.error.is_some() {
                self.counter(Name::LedgerFailures, &value).inc();
            }
        }
    }
}
