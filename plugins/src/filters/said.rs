//! What was asked and answered goes to whoever keeps it, where the operator wants that.

use super::FilterKind;
use crate::exchange::Exchange;
use crate::metrics::Metrics;
use crate::plugin::{Phase, Plugin};
use crate::said::{Heard, Scribe};
use std::sync::Arc;
use weir_core::domain::spend::Status;

pub static KIND: FilterKind = FilterKind {
    name: "said",
    phases: &[Phase::Finish],
    build: |s| Arc::new(Keeping { scribe: Arc::clone(&s.scribe), metrics: Arc::clone(&s.metrics) }),
};

struct Keeping {
    scribe: Arc<dyn Scribe>,
    metrics: Arc<Metrics>,
}

/// Where there is no entry there is nothing beside it.
fn is_left_out(x: &Exchange) -> bool {
    let outcome = x.answer.outcome.unwrap_or(Status::Interrupted);
    x.snapshot.config.general.keeping.leaves_out(outcome, x.answer.cost)
}

impl Plugin for Keeping {
    fn on_finish(&self, x: &mut Exchange) {
        if x.keeps_said() && x.caller.hash().is_some() && !is_left_out(x) {
            let answer = std::mem::take(&mut x.answer.said).freeze();
            self.scribe.take(Heard::of(x, answer, &self.metrics));
        }
    }
}
