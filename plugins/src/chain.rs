//! The filters of the gateway, in the order of [`crate::filters::FILTERS`].

use crate::exchange::{Attempt, Exchange};
use crate::filters::FILTERS;
use crate::plugin::{Flow, Phase, Plugin};
use crate::services::Services;
use std::sync::Arc;
use weir_core::error::ApiError;

/// Built once; for each phase the plugins that take part in it.
pub struct Chain {
    request: Vec<Arc<dyn Plugin>>,
    attempt: Vec<Arc<dyn Plugin>>,
    finish: Vec<Arc<dyn Plugin>>,
}

impl Chain {
    pub fn build(services: &Services) -> Self {
        let built = FILTERS.iter().map(|kind| (kind, (kind.build)(services)));
        let built: Vec<_> = built.filter(|(_, plugin)| !plugin.is_idle()).collect();
        let of = |phase: Phase| {
            built
                .iter()
                .filter(|(kind, _)| kind.phases.contains(&phase))
                .map(|(_, p)| Arc::clone(p))
                .collect()
        };
        Self { request: of(Phase::Request), attempt: of(Phase::Attempt), finish: of(Phase::Finish) }
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

    pub fn on_attempt(&self, x: &mut Exchange, attempt: &Attempt) -> Result<(), ApiError> {
        self.attempt.iter().try_for_each(|plugin| plugin.on_attempt(x, attempt))
    }

    pub fn on_finish(&self, x: &mut Exchange) {
        self.finish.iter().for_each(|plugin| plugin.on_finish(x));
    }
}
