//! What was asked and answered goes to whoever keeps it, where the operator wants that.

use super::FilterKind;
use crate::exchange::Exchange;
use crate::metrics::Metrics;
use crate::plugin::{Phase, Plugin};
use crate::said::{Heard, Scribe};
use std::sync::Arc;

pub static KIND: FilterKind = FilterKind {
    name: "said",
    phases: &[Phase::Finish],
    build: |s| Arc::new(Keeping { scribe: Arc::clone(&s.scribe), metrics: Arc::clone(&s.metrics) }),
};

struct Keeping {
    scribe: Arc<dyn Scribe>,
    metrics: Arc<Metrics>,
}

impl Plugin for Keeping {
    fn on_finish(&self, x: &mut Exchange) {
        if x.keeps_said() && x.caller.hash().is_some() {
            let answer = std::mem::take(&mut x.answer.said).freeze();
            self.scribe.take(Heard::of(x, answer, &self.metrics));
        }
    }
}
