//! Counts the finished exchange.

use super::FilterKind;
use crate::exchange::Exchange;
use crate::metrics::Metrics;
use crate::plugin::{Phase, Plugin};
use std::sync::Arc;

pub static KIND: FilterKind = FilterKind {
    name: "metrics",
    phases: &[Phase::Finish],
    build: |s| Arc::new(Counting { metrics: Arc::clone(&s.metrics) }),
};

struct Counting {
    metrics: Arc<Metrics>,
}

impl Plugin for Counting {
    fn on_finish(&self, x: &mut Exchange) {
        self.metrics.finished(x);
    }
}
