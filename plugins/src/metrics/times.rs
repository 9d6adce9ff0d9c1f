//! How long requests took, counted by one worker: all histograms of a set of labels side by side. There is a row for each
//! bucket, so that what takes about as long stands in the same cache line.

use super::cells::{self, BUCKETS, Histogram};
use super::sums::Sums;
use std::time::Duration;

/// What is timed; a column.
#[derive(Clone, Copy)]
pub(super) enum Time {
    Total,
    Provider,
    FirstToken,
    Overhead,
    Queue,
    PerToken,
}

/// Histograms that times are told to, in the order of [`Time`].
pub(super) type Histograms = [Histogram; 6];

/// Numbers in a cache line.
const ROW: usize = 8;

pub(super) struct Times {
    /// All nanoseconds, then a row for each bucket.
    sums: Sums<{ ROW * (1 + BUCKETS) }>,
    histograms: Histograms,
}

impl Times {
    pub(super) fn new(histograms: Histograms) -> Self {
        Self { sums: Sums::default(), histograms }
    }

    /// Whether they are told to these.
    pub(super) fn are_for(&self, histograms: &Histograms) -> bool {
        self.histograms.iter().zip(histograms).all(|(mine, theirs)| mine.is(theirs))
    }

    /// For the worker whose they are, and nobody else.
    pub(super) fn observe(&self, time: Time, took: Duration) {
        let (column, nanos) = (time as usize, cells::nanos(took));
        self.sums.add(column, nanos);
        self.sums.add(ROW * (1 + cells::bucket(nanos)) + column, 1);
    }

    /// Tells what is new. Never from two threads at once.
    pub(super) fn tell(&self) {
        self.sums.tell(|at, more| {
            let Some(histogram) = self.histograms.get(at % ROW) else { return };
            match (at / ROW).checked_sub(1) {
                None => histogram.add_nanos(more),
                Some(bucket) => histogram.add(bucket, more),
            }
        });
    }
}

/// Nobody else has it any more, so this is the last that there is to tell.
impl Drop for Times {
    fn drop(&mut self) {
        self.tell();
    }
}
