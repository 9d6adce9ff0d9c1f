//! Numbers that are counted: shared by those who count and the page that shows them. One that is not shown is there too,
//! and does nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weir_core::metrics::{Kind, LATENCY_BUCKETS};

/// Grows. Of money it holds nano-dollars.
#[derive(Clone, Default)]
pub struct Counter(Option<Arc<AtomicU64>>);

/// Any number.
#[derive(Clone, Default)]
pub struct Gauge(Option<Arc<AtomicU64>>);

/// Seconds, in [`LATENCY_BUCKETS`].
#[derive(Clone, Default)]
pub struct Histogram(Option<Arc<Buckets>>);

struct Buckets {
    /// As many as there are bounds, and one for what is beyond them.
    counts: Box<[AtomicU64]>,
    nanos: AtomicU64,
}

/// What a series of some kind is counted in.
#[derive(Clone)]
pub(super) enum Cell {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

// --- Counter ---

impl Counter {
    pub fn inc(&self) {
        self.add(1);
    }

    pub fn add(&self, more: u64) {
        if let Some(number) = &self.0 {
            number.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// What is counted elsewhere stands at `value`. It does not fall.
    pub fn reach(&self, value: u64) {
        if let Some(number) = &self.0 {
            number.fetch_max(value, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self) -> u64 {
        self.0.as_ref().map_or(0, |number| number.load(Ordering::Relaxed))
    }
}

// --- Gauge ---

impl Gauge {
    pub fn set(&self, value: f64) {
        if let Some(number) = &self.0 {
            number.store(value.to_bits(), Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self) -> f64 {
        self.0.as_ref().map_or(0.0, |number| f64::from_bits(number.load(Ordering::Relaxed)))
    }
}

// --- Histogram ---

impl Histogram {
    pub fn observe(&self, seconds: f64) {
        let Some(buckets) = &self.0 else { return };
        let at = LATENCY_BUCKETS.partition_point(|bound| *bound < seconds);
        if let Some(count) = buckets.counts.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let nanos = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default().as_nanos();
        buckets.nanos.fetch_add(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How many there are in each bucket, and beyond the last.
    pub(super) fn counts(&self) -> impl Iterator<Item = u64> + '_ {
        let counts = self.0.iter().flat_map(|buckets| buckets.counts.iter());
        counts.map(|count| count.load(Ordering::Relaxed))
    }

    /// Of all seconds.
    pub(super) fn sum(&self) -> f64 {
        self.0.as_ref().map_or(0.0, |buckets| buckets.nanos.load(Ordering::Relaxed) as f64 / 1e9)
    }
}

// --- Cell ---

impl Cell {
    /// As many as Prometheus keeps of it: a histogram's are its buckets, the one without a bound, the sum and the count.
    pub(super) fn series(kind: Kind) -> usize {
        if kind == Kind::Histogram { LATENCY_BUCKETS.len() + 3 } else { 1 }
    }

    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Counter | Kind::Money => Self::Counter(Counter(Some(Arc::default()))),
            Kind::Gauge => Self::Gauge(Gauge(Some(Arc::default()))),
            Kind::Histogram => {
                let counts = (0..=LATENCY_BUCKETS.len()).map(|_| AtomicU64::new(0)).collect();
                Self::Histogram(Histogram(Some(Arc::new(Buckets { counts, nanos: AtomicU64::new(0) }))))
            }
        }
    }
}
