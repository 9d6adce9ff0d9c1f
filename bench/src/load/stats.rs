//! What a driver counts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::client::{Arrival, Failure};

/// Kinds of error that are told apart; more are counted together.
const MAX_KINDS: usize = 32;
const OTHER: &str = "other";
/// Latencies are kept between these, in nanoseconds, to three digits.
const LOWEST: u64 = 1_000;
const HIGHEST: u64 = 120_000_000_000;

/// Counts and latencies of one visit to one target.
#[derive(Debug, Clone)]
pub struct Stats {
    /// Answers that were complete and right.
    pub done: u64,
    pub errors: BTreeMap<String, u64>,
    /// Requests that an open loop did not send, as too many were under way.
    pub overruns: u64,
    pub connects: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Nanoseconds to the last byte, of answers that count as done.
    pub total: Histogram<u64>,
    /// Nanoseconds to the first byte of the body.
    pub first: Histogram<u64>,
}

// --- impl Stats ---

impl Default for Stats {
    fn default() -> Stats {
        Stats {
            done: 0,
            errors: BTreeMap::new(),
            overruns: 0,
            connects: 0,
            elapsed: Duration::ZERO,
            total: histogram(),
            first: histogram(),
        }
    }
}

impl Stats {
    /// Books one answer that was due, or sent, at `from`.
    pub fn book(&mut self, from: Instant, result: Result<Arrival, Failure>) {
        match result {
            Ok(arrival) => {
                self.done += 1;
                record(&mut self.total, arrival.last.duration_since(from));
                record(&mut self.first, arrival.first.duration_since(from));
            }
            Err(Failure(kind)) => self.count_error(kind),
        }
    }

    fn count_error(&mut self, kind: String) {
        let room = self.errors.len() < MAX_KINDS || self.errors.contains_key(&kind);
        let kind = if room { kind } else { OTHER.to_owned() };
        *self.errors.entry(kind).or_default() += 1;
    }

    /// Errors of any kind.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Right answers per second.
    pub fn per_second(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.done as f64 / seconds } else { 0.0 }
    }
}

/// A histogram of nanoseconds, 1 µs to 2 minutes, three significant digits.
pub fn histogram() -> Histogram<u64> {
    match Histogram::new_with_bounds(LOWEST, HIGHEST, 3) {
        Ok(histogram) => histogram,
        Err(error) => unreachable!("constant bounds: {error}"),
    }
}

/// Values out of bounds count as the bound.
pub fn record(histogram: &mut Histogram<u64>, value: Duration) {
    histogram.saturating_record(u64::try_from(value.as_nanos()).unwrap_or(HIGHEST).clamp(LOWEST, HIGHEST));
}

/// A quantile in microseconds; 0 when nothing was recorded.
pub fn micros(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    if histogram.is_empty() { 0.0 } else { histogram.value_at_quantile(quantile) as f64 / 1000.0 }
}
