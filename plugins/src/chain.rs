//! The filters of the gateway, in the order of [`crate::filters::FILTERS`].

use crate::exchange::{Attempt, Exchange};
use crate::filters::{FILTERS, FilterKind};
use crate::plugin::{Flow, Phase, Plugin};
use crate::services::Services;
use crate::watch::Watcher;
use std::sync::Arc;
use weir_core::error::ApiError;

/// The filter that filters from outside stand before.
const BEFORE: &str = "cache";

/// Built once; for each phase the plugins that take part in it.
pub struct Chain {
    request: Vec<Arc<dyn Plugin>>,
    attempt: Vec<Arc<dyn Plugin>>,
    answer: Vec<Arc<dyn Plugin>>,
    finish: Vec<Arc<dyn Plugin>>,
}

impl Chain {
    /// `more`: filters from outside. They run behind the gateway's own and before cache and journal, so that what they
    /// refuse or change is looked up and booked as it was.
    pub fn build(services: &Services, more: &[&'static FilterKind]) -> Self {
        let own = FILTERS.iter().position(|kind| kind.name == BEFORE).unwrap_or(FILTERS.len());
        let (first, last) = FILTERS.split_at(own);
        let kinds = first.iter().chain(more).chain(last);
        let built = kinds.map(|kind| (kind, (kind.build)(services)));
        let built: Vec<_> = built.filter(|(_, plugin)| !plugin.is_idle()).collect();
        let of = |phase: Phase| {
            built
                .iter()
                .filter(|(kind, _)| kind.phases.contains(&phase))
                .map(|(_, p)| Arc::clone(p))
                .collect()
        };
        Self {
            request: of(Phase::Request),
            attempt: of(Phase::Attempt),
            answer: of(Phase::Answer),
            finish: of(Phase::Finish),
        }
    }

    /// Stops at the first refusal, and at the first answer.
    pub async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        for plugin in &self.request {
            if let Flow::Answer(reply) = plugin.on_request(x).await? {
                return Ok(Flow::Answer(reply));
            }
        }
        Ok(Flow::Continue)
    }

    /// Before each attempt. The first error refuses it.
    pub fn on_attempt(&self, x: &mut Exchange, attempt: &Attempt) -> Result<(), ApiError> {
        self.attempt.iter().try_for_each(|plugin| plugin.on_attempt(x, attempt))
    }

    /// Who looks at the answer of this attempt; mostly nobody.
    pub fn watch(&self, x: &Exchange) -> Vec<Box<dyn Watcher>> {
        let mut watchers = Vec::new();
        self.answer.iter().for_each(|plugin| plugin.watch(x, &mut watchers));
        watchers
    }

    /// When the exchange is over; every filter is asked.
    pub fn on_finish(&self, x: &mut Exchange) {
        self.finish.iter().for_each(|plugin| plugin.on_finish(x));
    }
}
