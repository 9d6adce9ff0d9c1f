//! What was asked and answered goes to whoever keeps it, where the operator wants that.

use super::FilterKind;
use crate::exchange::Exchange;
use crate::guardrails::Hiding;
use crate::metrics::Metrics;
use crate::plugin::{Phase, Plugin};
use crate::said::{Heard, Scribe};
use std::sync::Arc;
use weir_core::config::When;

pub static KIND: FilterKind = FilterKind {
    name: "said",
    phases: &[Phase::Finish],
    build: |s| Arc::new(Keeping { scribe: Arc::clone(&s.scribe), metrics: Arc::clone(&s.metrics) }),
};

struct Keeping {
    scribe: Arc<dyn Scribe>,
    metrics: Arc<Metrics>,
}

impl Keeping {
    /// Guardrails whose mode is `logging_only`.
    fn hiding(&self, x: &Exchange) -> Option<Hiding> {
        let guarded = x.guarded.as_ref()?;
        let chosen = guarded.at(When::LoggingOnly);
        let (about, metrics) = (Arc::clone(&guarded.about), Arc::clone(&self.metrics));
        (!chosen.is_empty()).then_some(Hiding { chosen, about, metrics })
    }
}

impl Plugin for Keeping {
    fn on_finish(&self, x: &mut Exchange) {
        if x.keeps_said() && x.caller.hash().is_some() {
            let answer = std::mem::take(&mut x.answer.said).freeze();
            self.scribe.take(Heard {
                id: x.id,
                started_at: x.clock.started_at,
                client: x.request.operation.row().chat,
                model: x.view("").model.to_owned(),
                request: x.request.body.clone(),
                answer,
                hiding: self.hiding(x),
            });
        }
    }
}
