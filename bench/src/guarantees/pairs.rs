//! Weirs that are asked the same, round by round in turn: what one takes more than another.

use std::sync::Arc;

use super::{Context, Section};
use crate::load::Plan;
use crate::load::closed::Closed;
use crate::report::summary::{median, of, paired, spread};
use crate::run::{Visit, rotated, visit_with};
use crate::targets::{Fleet, Target};

const CONNECTIONS: usize = 64;
/// A few microseconds are less than a machine differs from itself: many short rounds, of which the middle counts.
const OFTEN: usize = 3;

/// Visits every target in every round.
pub(super) async fn visits(
    context: &Context,
    fleet: &Fleet,
    case: &str,
    plans: impl Fn(&Target) -> Arc<[Plan]>,
) -> anyhow::Result<Vec<Visit>> {
    let closed = Closed { connections: CONNECTIONS, requests: u64::MAX, time: context.time / 2 };
    let mut visits = Vec::new();
    for round in 0..context.rounds * OFTEN {
        for target in rotated(&fleet.targets, round) {
            let visit = visit_with(target, case, &plans(target), closed, round).await?;
            tracing::info!("{}", visit.line());
            visits.push(visit);
        }
    }
    Ok(visits)
}

/// Microseconds of CPU that a request takes more at `more` than at `less`: judged by the median of the rounds.
pub(super) fn judge_cpu(
    section: &mut Section,
    visits: &[Visit],
    what: &str,
    [more, less]: [&str; 2],
    limit: f64,
) {
    let Some(case) = visits.first().map(|visit| visit.case.as_str()) else { return };
    let (own, other) = (of(visits, case, more), of(visits, case, less));
    let beyond = paired(&own, &other, |own, other| Some(own.cpu_us? - other.cpu_us?));
    let (low, high) = spread(&beyond).unwrap_or_default();
    section.no_more_than(limit, format!("{what} take"), median(beyond).unwrap_or(f64::NAN), "µs/req");
    section.notes.push(format!(
        "{what}: {low:.1} to {high:.1} µs in single rounds. `scripts/count.sh` counts instructions instead, which do not \
         depend on what else the machine does."
    ));
}

/// Every visit must end without an error.
pub(super) fn judge_errors(section: &mut Section, visits: &[Visit]) {
    let failed: u64 = visits.iter().map(Visit::failed).sum();
    section.no_more_than(0.0, "errors".to_owned(), failed as f64, "");
    let kinds: Vec<_> = visits.iter().filter(|visit| visit.failed() > 0).map(|visit| &visit.errors).collect();
    if !kinds.is_empty() {
        section.notes.push(format!("errors by visit: {kinds:?}"));
    }
}
