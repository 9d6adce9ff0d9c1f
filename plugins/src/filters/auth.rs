//! Who is calling.

use super::FilterKind;
use crate::exchange::Exchange;
use crate::plugin::{Flow, Phase, Plugin};
use crate::services::Services;
use crate::strangers::Strangers;
use async_trait::async_trait;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;
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
    strangers: Arc<Strangers>,
}

impl Auth {
    fn new(services: &Services) -> Self {
        Self {
            keys: Arc::clone(&services.keys),
            bearers: Arc::clone(&services.bearers),
            strangers: Arc::clone(&services.strangers),
        }
    }

    async fn admit(&self, x: &mut Exchange) -> Result<(), ApiError> {
        let snapshot = Arc::clone(&x.snapshot);
        let custom = snapshot.config.general.litellm_key_header_name.as_deref();
        let (master, keys) = (snapshot.master.as_ref(), self.keys.as_ref());
        let bearers = Some(self.bearers.as_ref());
        let door = Door { custom, master, keys, bearers };
        let (headers, from) = (&x.request.headers, x.request.client_ip);
        // A model's answer costs money, so a session needs its header for any of them.
        if x.request.pass.as_ref().is_some_and(|pass| pass.is_public()) {
            // Whoever says who they are is booked; nobody has to.
            x.caller = door.who(headers, true).await.unwrap_or(Caller::Anonymous);
            return Ok(());
        }
        let most = snapshot.config.weir.unauthenticated_per_second;
        let known = self.strangers.who(door, headers, true, from, most).await;
        let path = x.request.operation.row().route;
        let rule = RouteRule { path, class: RouteClass::Llm, grant: Grant::ANY };
        let called = x.request.pass.as_ref().map_or(Cow::Borrowed(path), |pass| pass.route().into());
        x.caller = access::admit(&snapshot.config.general.routes, known, &rule, &called)?;
        Ok(())
    }
}

#[async_trait]
impl Plugin for Auth {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        self.admit(x).await?;
        if x.snapshot.config.litellm.metrics.system() {
            x.known_at = Some(Instant::now());
        }
        Ok(Flow::Continue)
    }
}
