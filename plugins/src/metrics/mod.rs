//! Prometheus series. What a success counts is found once per key, deployment and worker, and kept (`kept.rs`): each
//! worker adds to numbers of its own (`series.rs`, `times.rs`), and whoever scrapes adds what is new to those of all
//! (`sums.rs`, `roll.rs`). So a request costs a look and some twenty additions in a dozen cache lines, and no processor
//! waits for another. `cells.rs` are the shared numbers, `family.rs` the series of a metric and how many there may be,
//! `page.rs` what Prometheus reads; `labels.rs` and `custom.rs` say who asked for what, `failure.rs` what counts of a
//! failure, `services.rs` how long the parts of a request and what stands beside it take, `budgets.rs` how budgets
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
mod services;
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
        metrics.show_no_python();
        Ok(metrics)
    }

    /// Boards for LiteLLM ask for what only Python has.
    fn show_no_python(&self) {
        for generation in ["0", "1", "2"] {
            for name in [Name::PythonGc, Name::PythonCollections, Name::PythonUncollectable] {
                self.counter(name, &|_| Text::from(generation));
            }
        }
        self.gauge(Name::PythonInfo, 0.0);
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
            return self.noted(x);
        }
        match &x.answer.deployment {
            Some(deployment) if x.answer.outcome == Some(Status::Success) => kept::count(self, x, deployment),
            _ => failure::record(self, x),
        }
        failure::attempts(self, x);
        self.parts(x);
    }

    /// What admins are told of ([`Metrics::total`]) where nobody asks for metrics: rare, so that everything else stays
    /// free.
    fn noted(&self, x: &Exchange) {
        let served = x.answer.deployment.as_ref().filter(|_| x.answer.outcome == Some(Status::Success));
        if let Some(deployment) = served.filter(|_| x.answer.unpriced) {
            self.count(Name::UnpricedRequests, &deployment.model_label);
        }
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

    /// All series of a counter together. Of most counters that is nothing while metrics are off; of
    /// `weir_unpriced_requests_total`, `weir_ledger_failures_total` and whatever [`Metrics::count`] counts it is
    /// everything. With thousands of keys it takes a millisecond: not for a worker.
    pub fn total(&self, name: Name) -> u64 {
        self.workers.tell();
        let number = |cell: &Cell| if let Cell::Counter(counter) = cell { counter.get() } else { 0 };
        self.family(name).all().iter().map(|(_, cell)| number(cell)).sum()
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
