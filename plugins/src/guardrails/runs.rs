//! Which checks were made of an exchange, and how they ended: for callbacks.

use super::Guardrail;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use weir_core::config::When;
use weir_core::error::Kind;
use weir_core::time::{self, Micros};

/// A check that was made.
#[derive(Clone, Debug)]
pub struct Run {
    pub name: String,
    pub kind: String,
    pub when: When,
    /// LiteLLM's word for how it ended.
    pub status: &'static str,
    pub began: Micros,
    pub took: Duration,
}

/// Those of one exchange; streams may be looked at in many pieces.
#[derive(Clone, Debug, Default)]
pub struct Runs(Arc<Mutex<Vec<Run>>>);

/// Checks that are noted, and those that are where they refused something or could not be made.
const MOST: usize = 64;
const MOST_WORSE: usize = 2 * MOST;

pub(crate) const PASSED: &str = "success";

/// How LiteLLM calls what is worse than that, the worst last.
pub(crate) static WORSE: [&str; 2] = ["guardrail_failed_to_respond", "guardrail_intervened"];

impl Runs {
    /// `error`: the label of what the caller was told, or would have been.
    pub(super) fn note(&self, rail: &Guardrail, when: When, error: Option<&str>, took: Duration) {
        let status = match error {
            None => PASSED,
            Some(label) if label == Kind::GuardrailBlocked.row().label => WORSE[1],
            Some(_) => WORSE[0],
        };
        let micros = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
        let began = Micros(time::now().0.saturating_sub(micros));
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let most = if status == PASSED { MOST } else { MOST_WORSE };
        if runs.len() < most {
            let (name, kind) = (rail.name.clone(), rail.kind.clone());
            runs.push(Run { name, kind, when, status, began, took });
        }
    }

    /// All of them by now.
    pub fn taken(&self) -> Vec<Run> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
