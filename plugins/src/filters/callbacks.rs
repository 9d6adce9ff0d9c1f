//! Callbacks are told of an exchange when the journal has its entry, and only then: what they are told is booked.

use super::FilterKind;
use crate::callbacks::{Desk, Finished};
use crate::exchange::Exchange;
use crate::metrics::Metrics;
use crate::plugin::{Phase, Plugin};
use crate::said::Heard;
use bytes::Bytes;
use std::sync::Arc;

pub static KIND: FilterKind = FilterKind {
    name: "callbacks",
    phases: &[Phase::Finish],
    build: |s| Arc::new(Telling { desk: Arc::clone(&s.desk), metrics: Arc::clone(&s.metrics) }),
};

struct Telling {
    desk: Arc<Desk>,
    metrics: Arc<Metrics>,
}

impl Plugin for Telling {
    fn on_finish(&self, x: &mut Exchange) {
        let Some(entry) = x.booked.take() else { return };
        let to = x.telling().of(entry.status);
        if to.is_empty() {
            return;
        }
        let answer = said(x);
        let heard = Heard::of(x, answer, &self.metrics);
        self.desk.tell(Finished::of(x, entry, heard), to);
    }
}

/// What the client was sent, where callbacks may hear it.
fn said(x: &mut Exchange) -> Bytes {
    match (x.telling().hears(), x.keeps_said()) {
        (false, _) => Bytes::new(),
        // Somebody else takes it too.
        (true, true) => Bytes::copy_from_slice(&x.answer.said),
        (true, false) => std::mem::take(&mut x.answer.said).freeze(),
    }
}
