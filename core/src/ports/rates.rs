//! Counters that several processes count in together.

use crate::domain::rates::{Count, Rate, Rates};
use async_trait::async_trait;

/// One counter, and what is allowed by it.
#[derive(Clone, Debug)]
pub struct RateAsk {
    /// Unique among all counters.
    pub name: String,
    pub limits: Rates,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// With this request, where it was taken.
    pub count: Count,
    /// Why it was not.
    pub full: Option<Rate>,
}

/// What was held of a counter, and what it was in truth.
#[derive(Clone, Debug)]
pub struct RateSettle {
    pub name: String,
    /// As [`Taken`] told it: what is settled later than in its window changes nothing any more.
    pub began: crate::time::Micros,
    /// The name under which it was taken.
    pub slot: String,
    /// To add to the tokens.
    pub tokens: i64,
    /// Refused by another counter: it was no request.
    pub undo: bool,
}

/// Counters outside of this process.
#[async_trait]
pub trait SharedRates: Send + Sync {
    /// Counts one request by all of them: in each that is full it is not counted. What the others counted is for the
    /// caller to undo. `None`: they cannot be reached, or did not answer in time.
    async fn take(&self, asks: &[RateAsk], tokens: i64, slot: &str) -> Option<Vec<Taken>>;

    /// Returns at once, and is done soon. What is lost on the way is forgotten with its window, or when its slot has not
    /// been renewed for a while.
    fn settle(&self, settled: RateSettle);

    /// Answers from memory whether they were reached at the last try.
    fn are_there(&self) -> bool;
}
