//! The state of the Responses API, on the way to the client: new names for a provider's ids, and what the ledger keeps.

use crate::exchange::Flight;
use bytes::Bytes;
use std::sync::Arc;
use weir_core::chat::Dialect;
use weir_core::domain::operation::Operation;
use weir_core::error::ApiError;
use weir_plugins::costed::Costed;
use weir_plugins::deployment::Deployment;
use weir_plugins::dialects::{Passage, ResponsePlan};
use weir_plugins::exchange::{Attempt, Exchange};
use weir_plugins::responses::{self, Names, Origin, Renamed};
use weir_plugins::tier;

/// What the provider's ids are called; `None` where no provider keeps the response.
fn names(x: &Exchange, deployment: &Deployment, plan: ResponsePlan) -> Option<Names> {
    let native = plan == ResponsePlan::Relay(Dialect::OpenAiResponses);
    let owner = x.caller.hash().filter(|_| native && x.request.operation == Operation::Responses)?;
    let origin = Origin {
        deployment: deployment.id.clone(),
        group: deployment.group.clone(),
        owner,
        upstream: String::new(),
    };
    Some(Names { sealer: Arc::clone(&x.snapshot.sealer), origin })
}

/// The way of a stream, past those who look at it.
pub fn passage(x: &mut Exchange, attempt: &Attempt, plan: ResponsePlan) -> Box<dyn Passage> {
    let (id, watchers) = (x.id.to_string(), std::mem::take(&mut x.watchers));
    let inner = plan.watched(&x.view(&id), watchers);
    let inner = match names(x, &attempt.deployment, plan) {
        Some(names) => Box::new(Renamed { inner, names }),
        None => inner,
    };
    if !x.snapshot.config.litellm.cost_in_streams {
        return inner;
    }
    let (deployment, tier) = (Arc::clone(&attempt.deployment), tier::asked(x, &attempt.deployment));
    Box::new(Costed { inner, deployment, tier, outrun: x.answer.outrun_cost() })
}

/// A whole answer as the client gets it.
pub fn renamed(x: &Exchange, attempt: &Attempt, plan: ResponsePlan, body: Bytes) -> Bytes {
    match names(x, &attempt.deployment, plan) {
        Some(names) => names.whole(body),
        None => body,
    }
}

impl Flight<'_> {
    /// Keeps a response that no provider keeps. `sent`: the whole answer, or the last events of its stream.
    ///
    /// # Errors
    /// The ledger cannot be reached: a response that a client believes to be kept would be lost.
    pub async fn keep(&self, attempt: &Attempt, plan: ResponsePlan, sent: &[u8]) -> Result<(), ApiError> {
        if !keeps(plan) {
            return Ok(());
        }
        let Some(record) = responses::record(&self.x, &attempt.deployment.id, sent)? else { return Ok(()) };
        self.app.responses.keep_response(&record).await.map_err(responses::unavailable)
    }
}

/// Whether an answer may be one that the ledger keeps.
pub fn keeps(plan: ResponsePlan) -> bool {
    matches!(plan, ResponsePlan::Translate { client: Dialect::OpenAiResponses, .. })
}
