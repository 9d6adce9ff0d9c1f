//! A stream, relayed event by event. Until model content has been sent a failure may be answered by another deployment;
//! afterwards it becomes an error event, never a silent end.

use crate::exchange::Flight;
use crate::response::guard;
use crate::response::head;
use crate::response::outlet::Outlet;
use crate::response::state;
use crate::upstream::connect::Connected;
use crate::upstream::session::{self, Lost, Silence};
use bytes::Bytes;
use http::HeaderValue;
use pingora::protocols::http::ServerSession;
use std::time::Duration;
use weir_core::codec::Deframer;
use weir_core::domain::spend::Status;
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::error::ApiError;
use weir_plugins::dialects::{Passage, Passed, ResponsePlan, TranslateError, untranslatable, upstream_error};
use weir_plugins::exchange::Attempt;

/// An event longer than this is no chunk of a chat.
const MAX_EVENT: usize = 16 * 1024 * 1024;

/// How long the end of a body may take after its `[DONE]`, for the connection to be used again.
const LINGER: Duration = Duration::from_millis(200);

struct Relay<'r, 'f> {
    flight: &'r mut Flight<'f>,
    attempt: &'r Attempt,
    frames: Deframer,
    passage: Box<dyn Passage>,
    /// An error that the provider reported inside the stream. It has been passed on as it came.
    reported: Option<ApiError>,
    /// Whether the ledger keeps what was said, before the client has the end.
    keeps: bool,
}

/// What one read of the provider's body led to.
enum Progress {
    More,
    /// The last bytes, held back.
    Done(Bytes),
}

/// Relays a successful stream to its end.
pub async fn relay(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    mut connected: Connected,
    attempt: &Attempt,
    plan: ResponsePlan,
) -> Result<(), Lost> {
    prepare(flight, down, out, &connected, attempt, plan);
    if let Err(lost) = guard::begin(flight, down, out, attempt).await {
        flight.app.dialer.abort(connected).await;
        return Err(lost);
    }
    let passage = state::passage(&mut flight.x, attempt, plan);
    let frames = Deframer::new(plan.framing(), MAX_EVENT);
    let keeps = state::keeps(plan);
    let mut relay = Relay { flight, attempt, frames, passage, reported: None, keeps };
    let ended = relay.run(down, out, &mut connected).await;
    relay.learn(ended.is_ok());
    let ended = match ended {
        Ok(last) => relay.keep(plan, last).await,
        lost => lost,
    };
    match ended {
        Ok(last) => {
            relay.finish();
            // Booked; whether the client still takes the last bytes changes nothing.
            let sent = out.end(down, last).await;
            relay.flight.linger(connected).await;
            sent.map_err(|_| Lost::ClientGone)
        }
        Err(lost) => {
            relay.flight.app.dialer.abort(connected).await;
            Err(lost)
        }
    }
}

fn prepare(
    flight: &Flight<'_>,
    down: &ServerSession,
    out: &mut Outlet,
    connected: &Connected,
    attempt: &Attempt,
    plan: ResponsePlan,
) {
    let Some(upstream) = connected.session.response_header() else { return };
    let content_type = HeaderValue::from_static(plan.stream_type());
    out.prepare(head::stream(down, &flight.x, attempt, &upstream.headers, content_type));
}

impl Relay<'_, '_> {
    /// Runs to the end; answers the bytes that are sent after booking.
    async fn run(
        &mut self,
        down: &mut ServerSession,
        out: &mut Outlet,
        connected: &mut Connected,
    ) -> Result<Bytes, Lost> {
        let mut silence = Silence::begin(true);
        loop {
            let next = tokio::select! {
                biased;
                next = session::read(connected, self.attempt, &mut silence) => next.map_err(Lost::Failed)?,
                () = session::client_gone(down) => return Err(Lost::ClientGone),
                () = out.tick() => {
                    out.keep_alive(down).await.map_err(|_| Lost::ClientGone)?;
                    continue;
                }
            };
            silence = Silence::begin(false);
            let Some(chunk) = next else { return self.ended(down, out).await };
            if let Progress::Done(last) = self.pass_on(down, out, chunk).await? {
                return Ok(last);
            }
        }
    }

    async fn pass_on(
        &mut self,
        down: &mut ServerSession,
        out: &mut Outlet,
        chunk: Bytes,
    ) -> Result<Progress, Lost> {
        let whole = self.frames.push(chunk).map_err(|e| self.invalid(&e.into()))?;
        if whole.is_empty() {
            return Ok(Progress::More);
        }
        self.first_token();
        let passed = self.passage.pass(whole).map_err(|e| self.invalid(&e))?;
        self.send(down, out, passed).await
    }

    /// Sends what may be sent, and waits for those who look at it.
    async fn send(
        &mut self,
        down: &mut ServerSession,
        out: &mut Outlet,
        mut passed: Passed,
    ) -> Result<Progress, Lost> {
        loop {
            let (hold, refused) = (passed.hold.take(), passed.refused.take());
            let awaited = hold.is_some() || self.keeps;
            let progress = self.send_on(down, out, passed, awaited).await?;
            if let Some(refused) = refused {
                return Err(self.stopped(Lost::Failed(refused)));
            }
            let Some(hold) = hold else { return Ok(progress) };
            let answer = guard::waited(hold.answer(), down, Some(&mut *out)).await;
            let answer = match answer {
                Ok(answer) => answer,
                Err(lost) => return Err(self.stopped(lost)),
            };
            passed = self.passage.resume(answer);
        }
    }

    /// Somebody does not let the answer pass: the deployment has done its part.
    fn stopped(&mut self, lost: Lost) -> Lost {
        if matches!(lost, Lost::Failed(_)) {
            self.flight.attempt_ended(self.attempt, 200, None);
        }
        lost
    }

    /// Sends what may be sent; an error that the client has not got from the provider itself ends the stream.
    /// `awaited`: what follows may take its time.
    async fn send_on(
        &mut self,
        down: &mut ServerSession,
        out: &mut Outlet,
        passed: Passed,
        awaited: bool,
    ) -> Result<Progress, Lost> {
        let Passed { send, done, fault, .. } = passed;
        let fault = fault.map(|f| (upstream_error(&self.attempt.deployment, &f.fault), f.first, f.told));
        if let Some((error, true, _)) = fault {
            return Err(Lost::Failed(error));
        }
        let ends = done.is_some() && !awaited;
        for bytes in send {
            self.flight.x.say(&bytes);
            let sent = match ends {
                true => out.send_with_next(down, bytes).await,
                false => out.send(down, bytes).await,
            };
            sent.map_err(|_| Lost::ClientGone)?;
        }
        match fault {
            Some((error, _, false)) => return Err(Lost::Failed(error)),
            Some((error, ..)) => drop(self.reported.get_or_insert(error)),
            None => {}
        }
        Ok(done.map_or(Progress::More, Progress::Done))
    }

    /// What the ledger is to keep is there before the client has the end.
    async fn keep(&mut self, plan: ResponsePlan, last: Bytes) -> Result<Bytes, Lost> {
        if self.reported.is_none() {
            self.flight.keep(self.attempt, plan, &last).await.map_err(Lost::Failed)?;
        }
        self.flight.x.say(&last);
        Ok(last)
    }

    fn finish(&mut self) {
        let Some(error) = self.reported.take() else {
            self.flight.attempt_ended(self.attempt, 200, None);
            return self.flight.finish(200, Status::Success, None);
        };
        self.flight.attempt_ended(self.attempt, error.status(), Some(error.class()));
        self.flight.finish(error.status(), Status::Failure, Some(error));
    }

    /// The body has ended.
    async fn ended(&mut self, down: &mut ServerSession, out: &mut Outlet) -> Result<Bytes, Lost> {
        let rest = self.frames.rest();
        let passed = self.passage.end(rest).map_err(|e| match e {
            TranslateError::Unfinished => self.broken(&e.to_string()),
            e => self.invalid(&e),
        })?;
        match self.send(down, out, passed).await? {
            Progress::Done(last) => Ok(last),
            Progress::More => Ok(Bytes::new()),
        }
    }

    fn first_token(&mut self) {
        let x = &mut self.flight.x;
        if x.answer.first_token_at.is_none() {
            x.answer.first_token_at = Some(x.clock.now());
        }
    }

    /// Takes over what the stream told of itself, or an estimate of what passed. `ended`: nothing of it is missing.
    fn learn(&mut self, ended: bool) {
        let whole = ended && self.reported.is_none();
        let x = &mut self.flight.x;
        x.answer.provider_time = self.attempt.started.elapsed();
        let report = self.passage.report();
        let output = self.passage.estimated_output();
        x.answer.provider_id = report.id;
        (x.answer.usage, x.answer.usage_source) = match report.usage {
            Some(usage) if whole || output == 0 => (usage, UsageSource::Reported),
            // Anthropic counts the input when a message begins, and the output when it is over.
            Some(usage) => (usage.and_output(output), UsageSource::Estimated),
            None if output == 0 => (Usage::default(), UsageSource::None),
            None => {
                let input = weir_plugins::filters::estimated_input(x);
                (Usage { input, output, ..Usage::default() }, UsageSource::Estimated)
            }
        };
    }

    fn broken(&self, why: &str) -> Lost {
        Lost::Failed(session::broken(self.attempt, why))
    }

    fn invalid(&self, error: &TranslateError) -> Lost {
        Lost::Failed(untranslatable(&self.attempt.deployment, error))
    }
}

impl Flight<'_> {
    /// Reads the end of a finished stream, so that its connection can be used again.
    async fn linger(&self, mut connected: Connected) {
        match session::exhaust(&mut connected, LINGER).await {
            true => self.app.dialer.release(connected).await,
            false => self.app.dialer.abort(connected).await,
        }
    }
}
