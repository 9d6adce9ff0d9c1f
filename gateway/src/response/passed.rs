//! An answer that is passed through: status, headers and body as the provider sent them, errors included. It is watched
//! for usage, and its last bytes wait until the entry is booked.

use crate::exchange::Flight;
use crate::response::outlet::Outlet;
use crate::response::{head, plain};
use crate::upstream::connect::Connected;
use crate::upstream::request::Outgoing;
use crate::upstream::session::{self, Lost, Silence, Waiting};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use pingora::protocols::http::ServerSession;
use weir_core::domain::spend::Status;
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::error::{ApiError, Kind};
use weir_plugins::dialects::{ResponsePlan, upstream_error};
use weir_plugins::exchange::Attempt;
use weir_plugins::pass::{self, Learned, Pass, Watch};

/// Documents up to this size are read whole, so that their head can tell what they cost.
const MAX_WHOLE: u64 = 4 * 1024 * 1024;

/// Of an error, for the entry.
const MAX_ERROR: usize = 64 * 1024;

struct Passing<'r, 'f> {
    flight: &'r mut Flight<'f>,
    attempt: &'r Attempt,
    pass: &'r Pass,
    plan: ResponsePlan,
    status: StatusCode,
    headers: HeaderMap,
    /// Of the body, where the provider says it.
    length: Option<u64>,
    watch: Option<Watch>,
    /// The beginning of an error's body.
    told: Vec<u8>,
}

/// Sends the request of one attempt and passes its answer on.
pub async fn answer(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    attempt: &Attempt,
    pass: &Pass,
) -> Result<(), Lost> {
    let made = pass::outgoing(&flight.x, pass, &attempt.deployment).map_err(Lost::Failed)?;
    let sealed = Outgoing::seal_as(pass.method.clone(), made, &attempt.deployment).await;
    let outgoing = sealed.map_err(Lost::Failed)?;
    let plan = outgoing.plan;
    flight.app.chain.on_attempt(&mut flight.x, attempt).map_err(Lost::Failed)?;
    let sent =
        Box::pin(session::send(&flight.app.dialer, Waiting::Client(down, out), attempt, &outgoing)).await;
    let answered = sent.map_err(unreached)?;
    flight.provider_limits(&answered);
    let mut connected = answered.connected;
    let mut passing = Passing::new(flight, attempt, pass, plan, &connected);
    match passing.relay(down, out, &mut connected).await {
        Ok(()) => {
            flight.app.dialer.release(connected).await;
            Ok(())
        }
        Err(lost) => {
            flight.app.dialer.abort(connected).await;
            Err(lost)
        }
    }
}

/// A gateway that reaches nobody says so by its own status.
fn unreached(lost: Lost) -> Lost {
    match lost {
        Lost::Failed(error) if error.kind() == Kind::UpstreamRefused => Lost::Failed(error.with_status(502)),
        other => other,
    }
}

impl<'r, 'f> Passing<'r, 'f> {
    fn new(
        flight: &'r mut Flight<'f>,
        attempt: &'r Attempt,
        pass: &'r Pass,
        plan: ResponsePlan,
        connected: &Connected,
    ) -> Self {
        let head = connected.session.response_header();
        let headers = head.map(|h| h.headers.clone()).unwrap_or_default();
        let status = head.map_or(StatusCode::BAD_GATEWAY, |h| h.status);
        let id = flight.x.id.to_string();
        let watch = status.is_success().then(|| Watch::new(&pass.meant, &headers, &flight.x.view(&id)));
        let length = plain::length(&headers);
        Self { flight, attempt, pass, plan, status, headers, length, watch, told: Vec::new() }
    }

    async fn relay(
        &mut self,
        down: &mut ServerSession,
        out: &mut Outlet,
        connected: &mut Connected,
    ) -> Result<(), Lost> {
        out.carry();
        let length = self.length.filter(|_| self.pass.method != Method::HEAD);
        if let Err(lost) = plain::let_through(self.flight, self.attempt, length.unwrap_or_default()) {
            self.learn(false);
            return Err(lost);
        }
        if self.is_document() {
            return self.whole(down, connected).await;
        }
        let head = self.head(false);
        out.prepare(head);
        let last = self.run(down, out, connected).await;
        self.learn(last.is_ok());
        let last = last?;
        self.book();
        out.end(down, last).await.map_err(|_| Lost::ClientGone)
    }

    fn head(&self, booked: bool) -> pingora::http::ResponseHeader {
        head::passed(&self.flight.x, self.attempt, (self.status, &self.headers), self.length, booked)
    }

    /// Whether the answer is small and all of it comes at once.
    fn is_document(&self) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE);
        let json = kind.is_some_and(|v| v.as_bytes().starts_with(b"application/json"));
        json && self.pass.method != Method::HEAD && self.length.is_some_and(|length| length <= MAX_WHOLE)
    }

    async fn whole(&mut self, down: &mut ServerSession, connected: &mut Connected) -> Result<(), Lost> {
        let limit = usize::try_from(MAX_WHOLE).unwrap_or(usize::MAX);
        let body = plain::read_all(self.flight, down, connected, self.attempt, limit).await?;
        self.see(&body);
        self.learn(true);
        self.book();
        self.length = Some(body.len() as u64);
        let head = self.head(true);
        let sent = async {
            down.write_response_header(Box::new(head)).await?;
            down.write_response_body(body, true).await
        };
        // The entry is booked; a client that left in this very moment changes nothing.
        sent.await.map_err(|_: Box<pingora::Error>| Lost::ClientGone)
    }

    /// Answers the last piece, to be sent when the entry is booked.
    async fn run(
        &mut self,
        down: &mut ServerSession,
        out: &mut Outlet,
        connected: &mut Connected,
    ) -> Result<Bytes, Lost> {
        let events = self.streams();
        let mut held = Bytes::new();
        let mut silence = Silence::begin(true);
        loop {
            let next = tokio::select! {
                biased;
                next = session::read(connected, self.attempt, &mut silence) => next.map_err(Lost::Failed)?,
                () = session::client_gone(down) => return Err(Lost::ClientGone),
            };
            silence = Silence::begin(false);
            let Some(piece) = next else { return Ok(held) };
            self.see(&piece);
            self.first_token(events);
            // An event must not wait for the next one.
            let before = if events { piece } else { std::mem::replace(&mut held, piece) };
            if !before.is_empty() {
                out.send(down, before).await.map_err(|_| Lost::ClientGone)?;
            }
        }
    }

    /// Whether the answer comes piece by piece because it is made so.
    fn streams(&self) -> bool {
        self.length.is_none()
    }

    fn first_token(&mut self, events: bool) {
        let x = &mut self.flight.x;
        if events && x.answer.first_token_at.is_none() {
            x.answer.first_token_at = Some(x.clock.now());
        }
    }

    fn see(&mut self, piece: &Bytes) {
        match &mut self.watch {
            Some(watch) => watch.see(piece),
            None => {
                let room = MAX_ERROR.saturating_sub(self.told.len()).min(piece.len());
                self.told.extend_from_slice(&piece[..room]);
            }
        }
    }

    // --- the entry ---

    /// Takes over what the answer told of itself, or an estimate where it should have. `whole`: it ended by itself.
    fn learn(&mut self, whole: bool) {
        self.flight.x.answer.provider_time = self.attempt.started.elapsed();
        let Some(learned) = self.watch.take().map(Watch::learned) else { return };
        let (usage, source) = self.usage(&learned, whole);
        let (usage, source) = plain::pieces(self.flight, &learned.document, usage, source);
        let answer = &mut self.flight.x.answer;
        answer.provider_id = learned.id;
        (answer.usage, answer.usage_source) = (usage, source);
    }

    fn usage(&self, learned: &Learned, whole: bool) -> (Usage, UsageSource) {
        match learned.usage {
            Some(usage) if whole || learned.output == 0 => return (usage, UsageSource::Reported),
            Some(usage) => return (usage.and_output(learned.output), UsageSource::Estimated),
            None => {}
        }
        let like = self.flight.x.request.like();
        if self.pass.meant.dialect.is_none() || like.counts() {
            return (Usage::default(), UsageSource::None);
        }
        let input = weir_plugins::filters::estimated_input(&self.flight.x);
        let output = if like.row().chat.is_some() { learned.output } else { 0 };
        (Usage { input, output, ..Usage::default() }, UsageSource::Estimated)
    }

    fn book(&mut self) {
        let status = self.status.as_u16();
        if status < 400 {
            self.flight.attempt_ended(self.attempt, status, None);
            return self.flight.finish(status, Status::Success, None);
        }
        let fault = self.plan.read_error(status, &self.told);
        let error: ApiError = upstream_error(&self.attempt.deployment, &fault);
        self.flight.attempt_ended(self.attempt, status, Some(error.class()));
        self.flight.finish(status, Status::Failure, Some(error));
    }
}
