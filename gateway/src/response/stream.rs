//! A stream, relayed event by event. Until model content has been sent a failure may be answered by another deployment;
//! afterwards it becomes an error event, never a silent end.

use crate::exchange::Flight;
use crate::response::head;
use crate::response::outlet::Outlet;
use crate::upstream::connect::Connected;
use crate::upstream::session::{self, Lost, Silence};
use bytes::Bytes;
use http::HeaderValue;
use pingora::protocols::http::ServerSession;
use std::time::Duration;
use weir_core::codec::sse::Framer;
use weir_core::domain::spend::Status;
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::error::ApiError;
use weir_plugins::dialects::openai_chat::{Block, StreamError, StreamReader, upstream_error};
use weir_plugins::exchange::Attempt;

/// An event longer than this is no chunk of a chat.
const MAX_EVENT: usize = 16 * 1024 * 1024;

/// How long the end of a body may take after its `[DONE]`, for the connection to be used again.
const LINGER: Duration = Duration::from_millis(200);

const DONE: &[u8] = b"data: [DONE]\n\n";

struct Relay<'r, 'f> {
    flight: &'r mut Flight<'f>,
    attempt: &'r Attempt,
    framer: Framer,
    reader: StreamReader,
    /// An error that the provider reported inside the stream. It has been passed on as it came.
    reported: Option<ApiError>,
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
) -> Result<(), Lost> {
    prepare(flight, out, &connected, attempt);
    let keep_usage = flight.x.request.include_usage;
    let mut relay = Relay {
        flight,
        attempt,
        framer: Framer::new(MAX_EVENT),
        reader: StreamReader::new(keep_usage),
        reported: None,
    };
    let ended = relay.run(down, out, &mut connected).await;
    relay.learn();
    match ended {
        Ok(last) => {
            relay.finish();
            // Booked; whether the client still takes the last bytes changes nothing.
            let sent = out.end(down, last).await;
            relay.flight.linger(connected, attempt).await;
            sent.map_err(|_| Lost::ClientGone)
        }
        Err(lost) => {
            relay.flight.app.dialer.abort(connected).await;
            Err(lost)
        }
    }
}

fn prepare(flight: &Flight<'_>, out: &mut Outlet, connected: &Connected, attempt: &Attempt) {
    let Some(upstream) = connected.session.response_header() else { return };
    let content_type = HeaderValue::from_static("text/event-stream; charset=utf-8");
    out.prepare(head::stream(&flight.x, attempt, &upstream.headers, content_type));
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
            session::set_limit(connected, self.attempt, silence);
            let next = tokio::select! {
                biased;
                next = session::read(connected, self.attempt) => next.map_err(Lost::Failed)?,
                () = session::client_gone(down) => return Err(Lost::ClientGone),
                () = out.tick() => {
                    out.keep_alive(down).await.map_err(|_| Lost::ClientGone)?;
                    continue;
                }
            };
            silence = Silence::begin(false);
            let Some(chunk) = next else { return self.ended() };
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
        let whole = self.framer.push(chunk).map_err(|e| self.broken(&e.to_string()))?;
        if whole.is_empty() {
            return Ok(Progress::More);
        }
        self.first_token();
        let Block { relay, done, error } = self.reader.read(whole);
        if let Some(StreamError { json, first }) = error {
            let error = self.provider_error(&json);
            if first {
                return Err(Lost::Failed(error));
            }
            self.reported.get_or_insert(error);
        }
        for bytes in relay {
            out.send(down, bytes).await.map_err(|_| Lost::ClientGone)?;
        }
        Ok(done.map_or(Progress::More, Progress::Done))
    }

    fn finish(&mut self) {
        let Some(error) = self.reported.take() else {
            self.flight.attempt_ended(self.attempt, 200, None);
            return self.flight.finish(200, Status::Success, None);
        };
        self.flight.attempt_ended(self.attempt, error.status(), Some(error.class()));
        self.flight.finish(error.status(), Status::Failure, Some(error));
    }

    /// The body ended without `[DONE]`: fine if the model had finished, else the provider was cut off.
    fn ended(&mut self) -> Result<Bytes, Lost> {
        let rest = self.framer.rest();
        let done = self.reader.read(rest.clone()).done.is_some();
        if done {
            return Ok(rest);
        }
        if self.reported.is_some() {
            return Ok(rest);
        }
        if self.reader.finished() {
            return Ok([rest.as_ref(), DONE].concat().into());
        }
        Err(self.broken("the stream ended before the model had finished"))
    }

    fn first_token(&mut self) {
        let x = &mut self.flight.x;
        if x.answer.first_token_at.is_none() {
            x.answer.first_token_at = Some(x.clock.now());
        }
    }

    /// Takes over what the stream told of itself, or an estimate of what passed.
    fn learn(&mut self) {
        let x = &mut self.flight.x;
        x.answer.provider_time = self.attempt.started.elapsed();
        x.answer.provider_id.clone_from(&self.reader.report().id);
        let output = self.reader.estimated_output();
        (x.answer.usage, x.answer.usage_source) = match self.reader.report().usage {
            Some(usage) => (usage, UsageSource::Reported),
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

    /// An error that the provider reports inside a stream; without a status of its own it counts as unavailable.
    fn provider_error(&self, error: &str) -> ApiError {
        let wrapped = format!("{{\"error\":{error}}}");
        let code = weir_plugins::dialects::openai_chat::read_error(wrapped.as_bytes()).code;
        let status = code.and_then(|c| c.parse().ok()).filter(|s| (400..600).contains(s)).unwrap_or(503);
        upstream_error(&self.attempt.deployment, status, wrapped.as_bytes())
    }
}

impl Flight<'_> {
    /// Reads the end of a finished stream, so that its connection can be used again.
    async fn linger(&self, mut connected: Connected, attempt: &Attempt) {
        connected.session.set_read_timeout(Some(LINGER));
        loop {
            match session::read(&mut connected, attempt).await {
                Ok(Some(_)) => {}
                Ok(None) => return self.app.dialer.release(connected).await,
                Err(_) => return self.app.dialer.abort(connected).await,
            }
        }
    }
}
