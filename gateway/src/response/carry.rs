//! An answer that is none of JSON: sound, subtitles, events of another API. Sent on as it comes; events are looked into
//! for usage and never changed.

use crate::exchange::Flight;
use crate::response::outlet::Outlet;
use crate::response::{guard, head, plain};
use crate::upstream::connect::Connected;
use crate::upstream::session::{self, Lost, Silence};
use bytes::Bytes;
use http::HeaderValue;
use pingora::protocols::http::ServerSession;
use weir_core::codec::Deframer;
use weir_core::domain::spend::Status;
use weir_core::domain::usage::{Usage, UsageSource};
use weir_plugins::dialects::{Passage, ResponsePlan};
use weir_plugins::exchange::Attempt;

/// Larger events are not looked into.
const MAX_EVENT: usize = 16 * 1024 * 1024;

/// Looks at events that pass.
struct Watch {
    frames: Deframer,
    passage: Box<dyn Passage>,
    /// What came is not what the dialect says: nothing more is to be learned.
    lost: bool,
}

/// Relays a successful answer to its end.
pub async fn relay(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    mut connected: Connected,
    attempt: &Attempt,
    plan: ResponsePlan,
) -> Result<(), Lost> {
    let length = connected.session.response_header().and_then(|head| plain::length(&head.headers));
    if let Err(lost) = plain::let_through(flight, attempt, length.unwrap_or_default()) {
        learn(flight, attempt, None);
        flight.app.dialer.abort(connected).await;
        return Err(lost);
    }
    if let Err(lost) = guard::begin(flight, down, out, attempt).await {
        flight.app.dialer.abort(connected).await;
        return Err(lost);
    }
    let mut watch = begin(flight, down, out, &connected, attempt, plan);
    let ended = run(down, out, &mut connected, attempt, &mut watch).await;
    learn(flight, attempt, watch.as_ref());
    match ended {
        Ok(last) => {
            flight.attempt_ended(attempt, 200, None);
            flight.finish(200, Status::Success, None);
            flight.app.dialer.release(connected).await;
            out.end(down, last).await.map_err(|_| Lost::ClientGone)
        }
        Err(lost) => {
            flight.app.dialer.abort(connected).await;
            Err(lost)
        }
    }
}

fn begin(
    flight: &Flight<'_>,
    down: &ServerSession,
    out: &mut Outlet,
    connected: &Connected,
    attempt: &Attempt,
    plan: ResponsePlan,
) -> Option<Watch> {
    let headers = connected.session.response_header().map(|h| h.headers.clone()).unwrap_or_default();
    let kind = headers.get(http::header::CONTENT_TYPE).cloned();
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let events = plan.streams_as(kind.as_bytes());
    out.prepare(head::stream(down, &flight.x, attempt, &headers, kind));
    if !events {
        out.carry();
        return None;
    }
    let id = flight.x.id.to_string();
    let passage = plan.passage(&flight.x.view(&id));
    Some(Watch { frames: Deframer::new(plan.framing(), MAX_EVENT), passage, lost: false })
}

/// Answers the last piece, to be sent when the entry is booked.
async fn run(
    down: &mut ServerSession,
    out: &mut Outlet,
    connected: &mut Connected,
    attempt: &Attempt,
    watch: &mut Option<Watch>,
) -> Result<Bytes, Lost> {
    let mut held = Bytes::new();
    let mut silence = Silence::begin(true);
    loop {
        let next = tokio::select! {
            biased;
            next = session::read(connected, attempt, &mut silence) => next.map_err(Lost::Failed)?,
            () = session::client_gone(down) => return Err(Lost::ClientGone),
        };
        silence = Silence::begin(false);
        let Some(piece) = next else { return Ok(held) };
        if let Some(watch) = watch {
            watch.see(&piece);
            // An event must not wait for the next one.
            out.send(down, piece).await.map_err(|_| Lost::ClientGone)?;
            continue;
        }
        let before = std::mem::replace(&mut held, piece);
        if !before.is_empty() {
            out.send(down, before).await.map_err(|_| Lost::ClientGone)?;
        }
    }
}

fn learn(flight: &mut Flight<'_>, attempt: &Attempt, watch: Option<&Watch>) {
    let report = watch.map(|w| w.passage.report()).unwrap_or_default();
    let (usage, source) = match report.usage {
        Some(usage) => (usage, UsageSource::Reported),
        None => {
            let input = weir_plugins::filters::estimated_input(&flight.x);
            (Usage { input, ..Usage::default() }, UsageSource::Estimated)
        }
    };
    let (usage, source) = plain::measured(flight, b"", usage, source);
    let answer = &mut flight.x.answer;
    answer.provider_time = attempt.started.elapsed();
    answer.provider_id = report.id;
    (answer.usage, answer.usage_source) = (usage, source);
}

impl Watch {
    fn see(&mut self, piece: &Bytes) {
        if self.lost {
            return;
        }
        let seen = self.frames.push(piece.clone()).map(|block| {
            let nothing = block.is_empty();
            nothing || self.passage.pass(block).is_ok()
        });
        self.lost = !seen.unwrap_or(false);
    }
}
