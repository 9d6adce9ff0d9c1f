//! Answers of deployments with `mock_response`.

use crate::exchange::Flight;
use crate::response::{head, outlet::Outlet, plain};
use crate::upstream::session::{self, Lost};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use pingora::protocols::http::ServerSession;
use weir_core::chat::Dialect;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::Status;
use weir_core::domain::usage::UsageSource;
use weir_plugins::dialects::{ResponsePlan, untranslatable};
use weir_plugins::exchange::{Attempt, Request};
use weir_plugins::mock::{MockAnswer, USAGE};

/// Answers without a provider.
pub async fn answer(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    attempt: &Attempt,
    mock: &MockAnswer,
) -> Result<(), Lost> {
    if !mock.delay.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(mock.delay) => {}
            () = session::client_gone(down) => return Err(Lost::ClientGone),
        }
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
    let plan = plan(&flight.x.request);
    plain::answer(flight, down, attempt, &HeaderMap::new(), body, plan).await
}

/// A mocked deployment speaks OpenAI's dialect, whatever the client speaks.
fn plan(request: &Request) -> ResponsePlan {
    let row = request.operation.row();
    match row.chat {
        Some(_) if request.listed => ResponsePlan::List { upstream: Dialect::OpenAiChat },
        Some(client) if client != Dialect::OpenAiChat => {
            ResponsePlan::Translate { client, upstream: Dialect::OpenAiChat }
        }
        _ => ResponsePlan::Relay(row.errors),
    }
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
    let plan = plan(&flight.x.request);
    let content_type = HeaderValue::from_static(plan.stream_type());
    out.prepare(head::stream(&flight.x, attempt, &HeaderMap::new(), content_type));
    let id = flight.x.id.to_string();
    let mut passage = plan.passage(&flight.x.view(&id));
    let mut last = Bytes::new();
    let broken = |e| Lost::Failed(untranslatable(&attempt.deployment, &e));
    flight.x.answer.first_token_at = Some(flight.x.clock.now());
    for event in events {
        let passed = passage.pass(event).map_err(broken)?;
        for bytes in passed.send {
            flight.x.say(&bytes);
            out.send(down, bytes).await.map_err(|_| Lost::ClientGone)?;
        }
        last = passed.done.unwrap_or_default();
    }
    if last.is_empty() {
        last = passage.end(Bytes::new()).map_err(broken)?.done.unwrap_or_default();
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
