//! Requests pass those who tell operators what is wrong, and those who look at budgets.

use super::FilterKind;
use crate::alerts::Alerts;
use crate::budgets::Watched;
use crate::exchange::Exchange;
use crate::plugin::{Flow, Phase, Plugin};
use async_trait::async_trait;
use std::sync::Arc;
use weir_core::domain::key::Caller;
use weir_core::error::ApiError;

pub static KIND: FilterKind = FilterKind {
    name: "alerts",
    phases: &[Phase::Request, Phase::Finish],
    build: |s| Arc::new(Watching { alerts: Arc::clone(&s.alerts), watched: Arc::clone(&s.watched) }),
};

struct Watching {
    alerts: Arc<Alerts>,
    watched: Arc<Watched>,
}

#[async_trait]
impl Plugin for Watching {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        self.alerts.begin(x);
        Ok(Flow::Continue)
    }

    fn on_finish(&self, x: &mut Exchange) {
        self.alerts.finished(x);
        if let Caller::Key(known) = &x.caller {
            self.watched.touch(known, x.clock.started_at);
        }
    }
}
