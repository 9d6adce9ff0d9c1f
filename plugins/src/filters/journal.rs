//! Nothing is sent before its `begin` is in the journal, nothing is answered to the end before its `end` is.

use super::FilterKind;
use super::entry::{draft, fill};
use crate::deployment::Deployment;
use crate::exchange::{Attempt, Exchange};
use crate::plugin::{Phase, Plugin};
use crate::services::Services;
use crate::tier;
use crate::tokens;
use std::sync::Arc;
use weir_core::domain::spend::{AttemptRecord, Entry, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::Journal;

pub static KIND: FilterKind = FilterKind {
    name: "journal",
    phases: &[Phase::Attempt, Phase::Finish],
    build: |s| Arc::new(Booking::new(s)),
};

struct Booking {
    journal: Arc<dyn Journal>,
}

impl Booking {
    fn new(services: &Services) -> Self {
        Self { journal: Arc::clone(&services.journal) }
    }
}

impl Plugin for Booking {
    fn on_attempt(&self, x: &mut Exchange, attempt: &Attempt) -> Result<(), ApiError> {
        // A public endpoint's caller; what is not ended must not be begun.
        if x.caller.hash().is_none() {
            return Ok(());
        }
        let mut entry = x.draft.take().unwrap_or_else(|| Box::new(draft(x)));
        provisional(&mut entry, x, attempt);
        let begun = self.journal.begin(attempt.number, &entry);
        x.draft = Some(entry);
        begun.map_err(|full| {
            let message =
                "The spend journal is full because the ledger is not accepting entries; try again later.";
            ApiError::new(Kind::JournalFull, message).because(full)
        })
    }

    fn on_finish(&self, x: &mut Exchange) {
        // Strangers must not be able to fill the ledger.
        if x.caller.hash().is_none() {
            return;
        }
        let deployment = x.answer.deployment.clone();
        let mut entry = x.draft.take().unwrap_or_else(|| Box::new(draft(x)));
        fill(&mut entry, x, deployment.as_deref(), x.clock.now());
        entry.explained = std::mem::take(&mut x.explained);
        match self.journal.end(&entry) {
            Ok(()) => x.booked = Some(entry),
            // Only an exchange that never began can be refused here: one that we turned away ourselves.
            Err(full) => {
                tracing::warn!(call_id = %entry.call_id, "entry of a refused request not booked: {full}");
            }
        }
    }
}

/// What is booked if this process dies before the end: the input is taken to be consumed.
fn provisional(entry: &mut Entry, x: &Exchange, attempt: &Attempt) {
    let deployment = &attempt.deployment;
    fill(entry, x, Some(deployment), attempt.started_at);
    entry.status = Status::Interrupted;
    entry.model_group.clone_from(&deployment.group);
    entry.usage = consumed_input(x, deployment);
    entry.usage_source = UsageSource::Estimated;
    entry.cost = deployment.cost_of(&entry.usage) + x.answer.outrun_cost();
    entry.unpriced = deployment.price.is_none();
    entry.attempts.push(AttemptRecord {
        number: attempt.number,
        deployment_id: deployment.id.clone(),
        model_group: deployment.group.clone(),
        status: 0,
        error: String::from("interrupted"),
        started_at: attempt.started_at,
        ended_at: attempt.started_at,
    });
}

/// What is consumed of a deployment that was asked, whatever comes of it.
pub fn consumed_input(x: &Exchange, deployment: &Deployment) -> Usage {
    Usage { input: estimated_input(x), tier: tier::asked(x, deployment), ..Usage::default() }
}

/// By the bytes of the body: counting tokens would cost more than passing the request on.
pub fn estimated_input(x: &Exchange) -> u64 {
    tokens::from_bytes(x.request.body.bytes().len())
}
