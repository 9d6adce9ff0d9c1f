//! Calls of tools that a model makes, judged when they are whole. What is said beside them goes on at once.

use super::Guardrail;
use super::check::Judged;
use crate::metrics::Metrics;
use crate::watch::{Piece, TextKind, Watch, Watcher};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::When;
use weir_core::error::{ApiError, Kind};

/// One guardrail and one answer.
pub struct Judging {
    rail: Arc<Guardrail>,
    metrics: Arc<Metrics>,
    /// Calls that are not whole yet, by their block.
    calls: HashMap<usize, Call>,
}

#[derive(Default)]
struct Call {
    name: String,
    arguments: String,
}

/// Bytes of one call's arguments. No model says more.
const LARGEST: usize = 4 << 20;

impl Judging {
    pub fn new(rail: Arc<Guardrail>, metrics: Arc<Metrics>) -> Self {
        Self { rail, metrics, calls: HashMap::new() }
    }

    fn judged(&self, call: &Call) -> Judged {
        self.rail.check.tools().map_or(Judged::Allowed, |tools| tools.called(&call.name, &call.arguments))
    }

    fn count(&self, blocked: bool) {
        let error = blocked.then(|| Kind::GuardrailBlocked.row().label);
        self.metrics.guardrail(&self.rail.name, When::PostCall.word(), error, Duration::ZERO);
    }
}

impl Watcher for Judging {
    fn holds_calls(&self) -> bool {
        true
    }

    fn begins(&mut self, block: usize, name: &str) {
        self.calls.insert(block, Call { name: name.to_owned(), ..Call::default() });
    }

    fn text(&mut self, piece: &Piece) -> Watch {
        let Some(call) = self.calls.get_mut(&piece.block) else { return Watch::Pass };
        if call.arguments.len() + piece.text.len() > LARGEST {
            let message =
                format!("The arguments of a tool are too long for the guardrail {}.", self.rail.name);
            return Watch::Refuse(ApiError::new(Kind::GuardrailUnavailable, message));
        }
        call.arguments.push_str(&piece.text);
        Watch::Edit(String::new())
    }

    fn stop(&mut self, block: usize, _: TextKind) -> Watch {
        let Some(call) = self.calls.remove(&block) else { return Watch::Pass };
        let judged = self.judged(&call);
        self.count(judged != Judged::Allowed);
        match judged {
            Judged::Allowed => Watch::Edit(call.arguments),
            Judged::Replaced(text) => Watch::Replace(text),
            Judged::Blocked(blocked) => Watch::Refuse(self.rail.refusal(blocked, When::PostCall)),
        }
    }
}
