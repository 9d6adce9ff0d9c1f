//! Who is calling.

use super::FilterKind;
use crate::exchange::Exchange;
use crate::plugin::{Flow, Phase, Plugin};
use crate::services::Services;
use async_trait::async_trait;
use std::sync::Arc;
use weir_core::access::{self, Door, Grant, RouteClass, RouteRule};
use weir_core::domain::key::Caller;
use weir_core::error::ApiError;
use weir_core::ports::KeyLookup;
use weir_core::ports::identity::Bearers;

pub static KIND: FilterKind =
    FilterKind { name: "auth", phases: &[Phase::Request], build: |s| Arc::new(Auth::new(s)) };

struct Auth {
    keys: Arc<dyn KeyLookup>,
    bearers: Arc<dyn Bearers>,
}

impl Auth {
    fn new(services: &Services) -> Self {
        Self { keys: Arc::clone(&services.keys), bearers: Arc::clone(&services.bearers) }
    }
}

#[async_trait]
impl Plugin for Auth {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        let snapshot = Arc::clone(&x.snapshot);
        let custom = snapshot.config.general.litellm_key_header_name.as_deref();
        let (master, keys) = (snapshot.master.as_ref(), self.keys.as_ref());
        let bearers = Some(self.bearers.as_ref());
        // A model's answer costs money, so a session needs its header for any of them.
        let known = Door { custom, master, keys, bearers }.who(&x.request.headers, true).await;
        if x.request.pass.as_ref().is_some_and(|pass| pass.is_public()) {
            // Whoever says who they are is booked; nobody has to.
            x.caller = known.unwrap_or(Caller::Anonymous);
            return Ok(Flow::Continue);
        }
        x.caller = known?;
        let path = x.request.operation.row().route;
        let rule = RouteRule { path, class: RouteClass::Llm, grant: Grant::ANY };
        access::authorise(&x.caller, &rule, path).map(|()| Flow::Continue)
    }
}
