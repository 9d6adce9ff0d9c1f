//! Calls of tools that a model makes, judged when they are whole. What is said beside them goes on at once.

use super::Guardrail;
use super::check::{About, Judged};
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
    about: Arc<About>,
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
    pub fn new(rail: Arc<Guardrail>, about: Arc<About>, metrics: Arc<Metrics>) -> Self {
        Self { rail, about, metrics, calls: HashMap::new() }
    }

    fn judged(&self, call: &Call) -> Judged {
        self.rail.check.tools().map_or(Judged::Allowed, |tools| tools.called(&call.name, &call.arguments))
    }

    fn count(&self, blocked: bool) {
        let error = blocked.then(|| Kind::GuardrailBlocked.row().label);
        self.metrics.guardrail(&self.rail.name, When::PostCall.word(), error, Duration::ZERO);
        self.about.runs.note(&self.rail, When::PostCall, error, Duration::ZERO);
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

#[cfg(test)]
mod tests {
    use super::super::runs::PASSED;
    use super::super::testing::guardrails;
    use super::*;
    use weir_core::config::MetricsSettings;

    #[test]
    fn what_was_judged_is_noted_however_many_calls_there_were() {
        let set = guardrails(
            "{guardrail_name: g, litellm_params: {guardrail: tool_permission, mode: post_call, \
             rules: [{id: r, tool_name: \"read_.*\", decision: allow}]}}",
        );
        let rail = Arc::clone(set.find("g").unwrap());
        let metrics = Arc::new(Metrics::new(&MetricsSettings::default(), 1_000).unwrap());
        let about = Arc::new(About::default());
        let mut judging = Judging::new(rail, Arc::clone(&about), metrics);
        for block in 0..100 {
            judging.begins(block, "read_file");
            assert!(matches!(judging.stop(block, TextKind::Arguments), Watch::Edit(_)));
        }
        assert!(about.runs.taken().iter().all(|run| run.status == PASSED));
        judging.begins(100, "bash");
        assert!(matches!(judging.stop(100, TextKind::Arguments), Watch::Refuse(_)));
        assert_eq!(about.runs.taken().last().unwrap().status, "guardrail_intervened");
    }
}
