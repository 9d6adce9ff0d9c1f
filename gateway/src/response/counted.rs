//! Counts of tokens that are made here, because the provider cannot be asked.

use crate::exchange::Flight;
use crate::response::plain;
use crate::upstream::session::Lost;
use http::HeaderMap;
use pingora::protocols::http::ServerSession;
use weir_core::chat::Request;
use weir_core::error::{ApiError, Kind};
use weir_plugins::count;
use weir_plugins::dialects::ResponsePlan;
use weir_plugins::exchange::Attempt;
use weir_plugins::tokens::count_request;

/// Answers as `/utils/token_counter` counts.
pub async fn answer(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    attempt: &Attempt,
    request: Request,
) -> Result<(), Lost> {
    let operation = flight.x.request.operation;
    let model = attempt.deployment.model_label.clone();
    // The first count of all unpacks a vocabulary, and a long conversation takes its time: no worker waits for it.
    let counted = tokio::task::spawn_blocking(move || count_request(&request, &model)).await;
    let tokens = counted.map_err(|e| {
        Lost::Failed(ApiError::new(Kind::Internal, "The tokens could not be counted.").because(e))
    })?;
    let body = count::told(operation, tokens);
    let plan = ResponsePlan::Relay(operation.row().errors);
    Box::pin(plain::answer(flight, down, attempt, &HeaderMap::new(), body, plan)).await
}
