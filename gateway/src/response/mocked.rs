//! Answers of deployments with `mock_response`.

use crate::exchange::Flight;
use crate::response::{guard, head, outlet::Outlet, plain, state};
use crate::upstream::session::{self, Lost};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use pingora::protocols::http::ServerSession;
use weir_core::chat::Dialect;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::Status;
use weir_core::domain::usage::UsageSource;
use weir_plugins::dialects::{ResponsePlan, untranslatable};
use weir_plugins::exchange::{Attempt, Exchange};
use weir_plugins::mock::{MockAnswer, USAGE};
use weir_plugins::outgoing::inspected;

/// Answers without a provider.
pub async fn answer(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    attempt: &Attempt,
    mock: &MockAnswer,
) -> Result<(), Lost> {
    let limit = attempt.timeouts.total;
    let wait = if mock.times_out { limit } else { mock.delay };
    if !wait.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = session::client_gone(down) => return Err(Lost::ClientGone),
        }
    }
    if mock.times_out {
        return Err(Lost::Failed(session::timed_out(attempt, limit)));
    }
    let id = id(flight);
    let model = attempt.deployment.group.clone();
    let created = flight.x.clock.started_at.seconds();
    let operation = flight.x.request.operation;
    if flight.x.request.stream {
        let events = mock.events(operation, &id, &model, created);
        return stream(flight, down, out, attempt, events).await;
    }
    let body = mock.json(operation, &id, &model, created);
    let plan = plan(&flight.x);
    plain::answer(flight, down, attempt, &HeaderMap::new(), body, plan).await
}

/// A mocked deployment speaks OpenAI's dialect, whatever the client speaks.
fn plan(x: &Exchange) -> ResponsePlan {
    let row = x.request.operation.row();
    let plan = match row.chat {
        Some(_) if x.request.listed => ResponsePlan::List { upstream: Dialect::OpenAiChat },
        Some(client) if client != Dialect::OpenAiChat => {
            ResponsePlan::Translate { client, upstream: Dialect::OpenAiChat }
        }
        _ => ResponsePlan::Relay(row.errors),
    };
    inspected(plan, x)
}

fn id(flight: &Flight<'_>) -> String {
    let prefix = if flight.x.request.operation == Operation::Completions { "cmpl" } else { "chatcmpl" };
    format!("{prefix}-{}", flight.x.id)
}

async fn stream(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    attempt: &Attempt,
    events: Vec<Bytes>,
) -> Result<(), Lost> {
    let plan = plan(&flight.x);
    let content_type = HeaderValue::from_static(plan.stream_type());
    out.prepare(head::stream(down, &flight.x, attempt, &HeaderMap::new(), content_type));
    guard::begin(flight, down, out, attempt).await?;
    let mut passage = state::passage(&mut flight.x, attempt, plan);
    let mut last = Bytes::new();
    let broken = |e| Lost::Failed(untranslatable(&attempt.deployment, &e));
    flight.x.answer.first_token_at = Some(flight.x.clock.now());
    for event in events {
        let passed = passage.pass(event).map_err(broken)?;
        last = guard::send(&mut flight.x, passage.as_mut(), passed, down, out).await?.unwrap_or_default();
    }
    if last.is_empty() {
        let passed = passage.end(Bytes::new()).map_err(broken)?;
        last = guard::send(&mut flight.x, passage.as_mut(), passed, down, out).await?.unwrap_or_default();
    }
    let x = &mut flight.x;
    x.answer.provider_time = attempt.started.elapsed();
    x.answer.provider_id = passage.report().id;
    (x.answer.usage, x.answer.usage_source) = (USAGE, UsageSource::Reported);
    flight.keep(attempt, plan, &last).await.map_err(Lost::Failed)?;
    flight.x.say(&last);
    flight.attempt_ended(attempt, 200, None);
    flight.finish(200, Status::Success, None);
    out.end(down, last).await.map_err(|_| Lost::ClientGone)
}
