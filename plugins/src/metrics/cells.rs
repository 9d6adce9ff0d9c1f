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

/// Times, in [`LATENCY_BUCKETS`].
#[derive(Clone, Default)]
pub struct Histogram(Option<Arc<Buckets>>);

struct Buckets {
    counts: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
    /// It is of all that there was no room for.
    is_other: bool,
}

/// What a series of some kind is counted in.
#[derive(Clone)]
pub(super) enum Cell {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

/// As many as there are bounds, and one for what is beyond them.
pub(super) const BUCKETS: usize = LATENCY_BUCKETS.len() + 1;

/// The same bounds in nanoseconds.
static BOUNDS: [u64; LATENCY_BUCKETS.len()] = bounds();

const fn bounds() -> [u64; LATENCY_BUCKETS.len()] {
    let mut bounds = [0; LATENCY_BUCKETS.len()];
    let mut at = 0;
    while at < bounds.len() {
        bounds[at] = (LATENCY_BUCKETS[at] * 1e9 + 0.5) as u64;
        at += 1;
    }
    bounds
}

/// The bucket of so many nanoseconds.
pub(super) fn bucket(nanos: u64) -> usize {
    BOUNDS.partition_point(|bound| *bound < nanos)
}

pub(super) fn nanos(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
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

    /// The same for what all workers say all the time: only who says something new writes, and nobody takes the number
    /// away from another processor that reads it.
    pub(super) fn keep_at(&self, value: f64) {
        if let Some(number) = &self.0
            && number.load(Ordering::Relaxed) != value.to_bits()
        {
            number.store(value.to_bits(), Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self) -> f64 {
        self.0.as_ref().map_or(0.0, |number| f64::from_bits(number.load(Ordering::Relaxed)))
    }
}

// --- Histogram ---

impl Histogram {
    pub fn observe(&self, took: Duration) {
        let nanos = nanos(took);
        self.add(bucket(nanos), 1);
        self.add_nanos(nanos);
    }

    /// So many more in a bucket, whose time is told beside.
    pub(super) fn add(&self, bucket: usize, more: u64) {
        if let Some(count) = self.0.as_ref().and_then(|buckets| buckets.counts.get(bucket)) {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }

    pub(super) fn add_nanos(&self, more: u64) {
        if let Some(buckets) = &self.0 {
            buckets.nanos.fetch_add(more, Ordering::Relaxed);
        }
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

    /// Whether it is shown with labels of its own.
    pub(super) fn is_labelled(&self) -> bool {
        self.0.as_ref().is_some_and(|buckets| !buckets.is_other)
    }

    /// Whether it is the same series.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.as_ref().map(Arc::as_ptr) == other.0.as_ref().map(Arc::as_ptr)
    }
}

// --- Cell ---

impl Cell {
    /// As many as Prometheus keeps of it: a histogram's are its buckets, the one without a bound, the sum and the count.
    pub(super) fn series(kind: Kind) -> usize {
        if kind == Kind::Histogram { BUCKETS + 2 } else { 1 }
    }

    /// `is_other`: of all that there is no room for.
    pub(super) fn new(kind: Kind, is_other: bool) -> Self {
        match kind {
            Kind::Counter | Kind::Money => Self::Counter(Counter(Some(Arc::default()))),
            Kind::Gauge => Self::Gauge(Gauge(Some(Arc::default()))),
            Kind::Histogram => {
                let counts = [const { AtomicU64::new(0) }; BUCKETS];
                let buckets = Buckets { counts, nanos: AtomicU64::new(0), is_other };
                Self::Histogram(Histogram(Some(Arc::new(buckets))))
            }
        }
    }

    /// What is found where a counter is looked for; what is not shown does nothing.
    pub(super) fn counter(found: Option<Self>) -> Counter {
        match found {
            Some(Self::Counter(counter)) => counter,
            _ => Counter::default(),
        }
    }

    pub(super) fn gauge(found: Option<Self>) -> Gauge {
        match found {
            Some(Self::Gauge(gauge)) => gauge,
            _ => Gauge::default(),
        }
    }

    pub(super) fn histogram(found: Option<Self>) -> Histogram {
        match found {
            Some(Self::Histogram(histogram)) => histogram,
            _ => Histogram::default(),
        }
    }
}
