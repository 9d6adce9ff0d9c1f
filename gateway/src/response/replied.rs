//! Answers that no provider is asked for: a filter had them, or another request of the same kind has asked.

use crate::exchange::Flight;
use crate::response::head;
use crate::response::outlet::Outlet;
use crate::upstream::session::{self, Lost};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use pingora::protocols::http::ServerSession;
use std::sync::Arc;
use std::time::Instant;
use weir_core::domain::spend::Status;
use weir_plugins::cache;
use weir_plugins::deployment::Deployment;
use weir_plugins::exchange::Attempt;
use weir_plugins::plugin::Reply;

/// Waits for the answer that another request asks for, as long as the client waits. `None`: there is none to be had so.
pub async fn followed(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
) -> Result<Option<Reply>, Lost> {
    let Some(caching) = flight.x.caching.as_mut() else { return Ok(None) };
    let kept = loop {
        tokio::select! {
            biased;
            kept = caching.followed() => break kept,
            () = session::client_gone(down) => return Err(Lost::ClientGone),
            () = out.tick() => out.keep_alive(down).await.map_err(|_| Lost::ClientGone)?,
        }
    };
    Ok(kept.map(|kept| cache::reply(&flight.x, &kept)))
}

/// Books and sends it, in the way that a deployment's own answer takes.
pub async fn answer(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    reply: Reply,
) -> Result<(), Lost> {
    // A check that runs beside a call runs beside a hit too.
    flight.checked(down, Some(&mut *out)).await?;
    let Some(deployment) = said_to_answer(flight, &reply) else {
        return Err(Lost::Failed(weir_plugins::filters::unknown_model(&flight.x.target.requested)));
    };
    let attempt = Attempt {
        number: 0,
        timeouts: flight.x.timeouts(&deployment),
        started_at: flight.x.clock.now(),
        started: Instant::now(),
        deployment,
    };
    // Room for the entry is taken before anything is said. What is begun here ends before anybody else runs.
    flight.app.chain.on_attempt(&mut flight.x, &attempt).map_err(Lost::Failed)?;
    book(flight, &attempt, &reply);
    let sent = send(flight, down, out, &attempt, reply.body).await;
    // The entry is booked; a client that left in this very moment changes nothing.
    sent.map_err(|_| Lost::ClientGone)
}

fn said_to_answer(flight: &Flight<'_>, reply: &Reply) -> Option<Arc<Deployment>> {
    let first = || flight.x.target.group.as_ref()?.deployments.first().cloned();
    reply.deployment.clone().or_else(first)
}

fn book(flight: &mut Flight<'_>, attempt: &Attempt, reply: &Reply) {
    let x = &mut flight.x;
    x.answer.deployment = Some(Arc::clone(&attempt.deployment));
    (x.answer.usage, x.answer.usage_source) = (reply.usage, reply.usage_source);
    x.answer.cache_hit = reply.cached;
    // Nothing was made shorter for it.
    x.limit_output = None;
    x.answer.first_token_at = x.request.stream.then(|| x.clock.now());
    if let Some(caching) = &mut x.caching {
        caching.forget();
    }
    x.say(&reply.body);
    flight.finish(200, Status::Success, None);
}

async fn send(
    flight: &Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    attempt: &Attempt,
    body: Bytes,
) -> pingora::Result<()> {
    let (x, nobody) = (&flight.x, HeaderMap::new());
    if x.request.stream {
        let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
        out.prepare(head::stream(down, x, attempt, &nobody, kind));
        return out.end(down, body).await;
    }
    let kind = HeaderValue::from_static("application/json");
    let head = head::plain(down, x, attempt, &nobody, kind, body.len());
    head.write(down).await?;
    down.write_response_body(body, true).await
}
