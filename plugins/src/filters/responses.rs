//! What a request of the Responses API goes on from.

use super::FilterKind;
use crate::exchange::Exchange;
use crate::plugin::{Flow, Phase, Plugin};
use crate::responses;
use async_trait::async_trait;
use std::sync::Arc;
use weir_core::domain::operation::Operation;
use weir_core::error::ApiError;
use weir_core::ports::ResponseStore;

pub static KIND: FilterKind = FilterKind {
    name: "responses",
    phases: &[Phase::Request],
    build: |s| Arc::new(Responses { store: Arc::clone(&s.responses) }),
};

struct Responses {
    store: Arc<dyn ResponseStore>,
}

#[async_trait]
impl Plugin for Responses {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        if x.request.operation == Operation::Responses {
            x.conversation = Some(responses::conversation(x, self.store.as_ref()).await?);
        }
        Ok(Flow::Continue)
    }
}
