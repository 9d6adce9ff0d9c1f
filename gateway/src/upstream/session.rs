//! Sending one request and reading the head of its answer, while watching that the client is still there.

use super::connect::{Connected, Dialer};
use super::line::goes_with_head;
use super::request::Outgoing;
use crate::response::outlet::Outlet;
use bytes::Bytes;
use futures_util::FutureExt;
use pingora::prelude::timeout;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::client::HttpSession;
use pingora::{ErrorType, RetryType};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use weir_core::error::{ApiError, Kind};
use weir_plugins::dialects::ResponsePlan;
use weir_plugins::exchange::Attempt;

/// Why an attempt ended without an answer.
pub enum Lost {
    /// Another attempt may do better.
    Failed(ApiError),
    /// Nobody waits for an answer any more.
    ClientGone,
}

/// An answer whose head has been read.
pub struct Answered {
    pub connected: Connected,
    pub status: u16,
}

impl Answered {
    /// Whether its body comes event by event.
    pub fn is_stream(&self, plan: ResponsePlan) -> bool {
        let head = self.connected.session.response_header();
        let content_type = head.and_then(|h| h.headers.get(http::header::CONTENT_TYPE));
        content_type.is_some_and(|v| plan.streams_as(v.as_bytes()))
    }
}

/// How long a provider's connection may refuse to take bytes from us.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

/// Who waits for the answer.
pub enum Waiting<'a> {
    Client(&'a mut ServerSession, &'a mut Outlet),
    /// A question of the gateway's own.
    Nobody,
}

/// What happens on the client's side meanwhile.
pub enum Meanwhile {
    Gone,
    /// It wants to hear something.
    Tick,
}

impl Waiting<'_> {
    /// Cancel safe.
    pub async fn meanwhile(&mut self) -> Meanwhile {
        let Waiting::Client(down, out) = self else { return std::future::pending().await };
        tokio::select! {
            () = client_gone(down) => Meanwhile::Gone,
            () = out.tick() => Meanwhile::Tick,
        }
    }

    async fn gone(&mut self) {
        match self {
            Waiting::Client(down, _) => client_gone(down).await,
            Waiting::Nobody => std::future::pending().await,
        }
    }

    /// Does what is to be done about it. Not cancel safe: a comment may be under way.
    pub async fn heed(&mut self, meanwhile: Meanwhile) -> Result<(), Lost> {
        match meanwhile {
            Meanwhile::Gone => Err(Lost::ClientGone),
            Meanwhile::Tick => self.keep_alive().await.map_err(|_| Lost::ClientGone),
        }
    }

    async fn keep_alive(&mut self) -> Result<(), Transfer> {
        let Waiting::Client(down, out) = self else { return Ok(()) };
        out.keep_alive(down).await.map_err(|_| Transfer::ClientGone)
    }
}

/// Sends and waits for the head. A kept-alive connection that turns out to be closed is replaced: the provider cannot have
/// started on a request that it never received. One that has said anything at all has received it.
pub async fn send(
    dialer: &Dialer,
    mut waiting: Waiting<'_>,
    attempt: &Attempt,
    outgoing: &Outgoing,
) -> Result<Answered, Lost> {
    let mut replaced = false;
    loop {
        let mut connected = connected(dialer, &mut waiting, attempt, outgoing).await?;
        match transfer(&mut waiting, attempt, outgoing, &mut connected).await {
            Ok(status) => return Ok(Answered { connected, status }),
            Err(lost) => {
                let stale = connected.reused && !connected.is_answered();
                let http1 = matches!(connected.session, HttpSession::H1(_));
                let limit = connected.limit;
                dialer.abort(connected).await;
                match lost {
                    // Over HTTP/2 it may be the same connection again, and only a request that was reset.
                    Transfer::Broken { unbegun, .. } if stale && (http1 || unbegun && !replaced) => {
                        replaced = true;
                    }
                    Transfer::Broken { why, .. } => return Err(Lost::Failed(broken(attempt, &why))),
                    Transfer::TimedOut => return Err(Lost::Failed(timed_out(attempt, limit))),
                    Transfer::ClientGone => return Err(Lost::ClientGone),
                }
            }
        }
    }
}

/// A connection, as soon as there is one, while somebody waits for it.
async fn connected(
    dialer: &Dialer,
    waiting: &mut Waiting<'_>,
    attempt: &Attempt,
    outgoing: &Outgoing,
) -> Result<Connected, Lost> {
    // Nearly always one is there already: no need to watch the clock and the client.
    if let Some(connected) = dialer.at_hand(&attempt.deployment, outgoing.wanted()) {
        return Ok(connected);
    }
    let mut connecting = Box::pin(dialer.connect(&attempt.deployment, outgoing.wanted()));
    // HTTP/2 has one for many.
    if let Some(connected) = tokio::task::unconstrained(&mut connecting).now_or_never() {
        return connected.map_err(Lost::Failed);
    }
    tokio::select! {
        biased;
        connected = timeout(left(attempt), connecting) => {
            let late = |_| Err(timed_out(attempt, attempt.timeouts.total));
            connected.unwrap_or_else(late).map_err(Lost::Failed)
        }
        () = waiting.gone() => Err(Lost::ClientGone),
    }
}

/// The same for nobody, up to the first bytes of a stream: its head alone does not say that the model speaks.
pub async fn begin(dialer: &Dialer, attempt: &Attempt, outgoing: &Outgoing) -> Result<Answered, Lost> {
    let mut answered = send(dialer, Waiting::Nobody, attempt, outgoing).await?;
    if (200..300).contains(&answered.status) && answered.is_stream(outgoing.plan) {
        let connected = &mut answered.connected;
        match next(connected, attempt, &mut Silence::begin(true)).await {
            Ok(first) => connected.ahead = Some(Ok(first)),
            Err(error) => {
                let error = lost(attempt, connected, &error);
                dialer.abort(answered.connected).await;
                return Err(Lost::Failed(error));
            }
        }
    }
    Ok(answered)
}

enum Transfer {
    Broken {
        why: String,
        /// As far as the error says, the provider did not begin with the request.
        unbegun: bool,
    },
    TimedOut,
    ClientGone,
}

async fn transfer(
    waiting: &mut Waiting<'_>,
    attempt: &Attempt,
    outgoing: &Outgoing,
    connected: &mut Connected,
) -> Result<u16, Transfer> {
    connected.limit = attempt.timeouts.first_token;
    let up = &mut connected.session;
    // The limit is on the whole, or a head could drip in for ever.
    up.set_read_timeout(None);
    let exchange = timeout(attempt.timeouts.first_token.min(left(attempt)), async {
        put(up, outgoing).await.map_err(unsent)?;
        outgoing.sent.store(true, Ordering::Relaxed);
        loop {
            up.read_response_header().await?;
            let status = up.response_header().map_or(0, |h| h.status.as_u16());
            if status >= 200 || status == 101 {
                return Ok(status);
            }
        }
    });
    tokio::pin!(exchange);
    loop {
        tokio::select! {
            biased;
            done = &mut exchange => {
                let done = done.map_err(|_| Transfer::TimedOut)?;
                return done.map_err(|error: Box<pingora::Error>| sort(&error));
            }
            meanwhile = waiting.meanwhile() => match meanwhile {
                Meanwhile::Gone => return Err(Transfer::ClientGone),
                Meanwhile::Tick => waiting.keep_alive().await?,
            },
        }
    }
}

/// Sends the request, over HTTP/1 in one piece.
async fn put(up: &mut HttpSession, outgoing: &Outgoing) -> pingora::Result<()> {
    let head = timeout(SEND_TIMEOUT, up.write_request_header(outgoing.head.clone()));
    head.await.map_err(|_| pingora::Error::new(ErrorType::WriteTimedout))??;
    if matches!(up, HttpSession::H1(_)) && goes_with_head(&outgoing.body) {
        return Ok(());
    }
    up.set_write_timeout(Some(SEND_TIMEOUT));
    for piece in &outgoing.body {
        up.write_request_body(piece.clone(), false).await?;
    }
    up.finish_request_body().await
}

/// Nobody begins with half a request.
fn unsent(mut error: Box<pingora::Error>) -> Box<pingora::Error> {
    error.retry = RetryType::ReusedOnly;
    error
}

fn sort(error: &pingora::Error) -> Transfer {
    match error.etype() {
        ErrorType::ReadTimedout | ErrorType::WriteTimedout => Transfer::TimedOut,
        _ => Transfer::Broken { why: error.to_string(), unbegun: error.retry != RetryType::Decided(false) },
    }
}

/// Resolves when the client closes its side or sends what nobody asked for. Cancel safe; only to be called when the
/// request body has been read.
pub async fn client_gone(down: &mut ServerSession) {
    let _closed = down.read_body_or_idle(true).await;
}

/// The next piece of the answer's body, within what its limits leave of the silence so far. `Ok(None)` is its end. Cancel
/// safe: a read that is begun again gets no new limit.
pub async fn read(
    connected: &mut Connected,
    attempt: &Attempt,
    silence: &mut Silence,
) -> Result<Option<Bytes>, ApiError> {
    match next(connected, attempt, silence).await {
        Ok(Some(first)) => Ok(Some(drained(connected, first))),
        Ok(None) => Ok(None),
        Err(error) => Err(lost(attempt, connected, &error)),
    }
}

fn lost(attempt: &Attempt, connected: &Connected, error: &pingora::Error) -> ApiError {
    match sort(error) {
        Transfer::TimedOut => timed_out(attempt, connected.limit),
        _ => broken(attempt, &error.to_string()),
    }
}

async fn next(
    connected: &mut Connected,
    attempt: &Attempt,
    silence: &mut Silence,
) -> pingora::Result<Option<Bytes>> {
    if let Some(next) = at_hand(connected) {
        return next;
    }
    // Also where this task has had its share: others are served before it reads on.
    set_limit(connected, attempt, silence);
    connected.session.read_response_body().await
}

/// Reads the rest of a body that nobody needs. Whether its end came within this time, whatever came before it.
pub async fn exhaust(connected: &mut Connected, within: Duration) -> bool {
    let until = Instant::now() + within;
    loop {
        let next = match at_hand(connected) {
            Some(next) => next,
            None => {
                let left = until.saturating_duration_since(Instant::now());
                connected.session.set_read_timeout(Some(left.max(Duration::from_millis(1))));
                connected.session.read_response_body().await
            }
        };
        match next {
            Ok(Some(_)) if Instant::now() < until => {}
            Ok(Some(_)) => return false,
            end => return end.is_ok(),
        }
    }
}

/// What is ready is sent in one write: on bursts that saves a third of the work.
const DRAIN_LIMIT: usize = 16 * 1024;

fn drained(connected: &mut Connected, first: Bytes) -> Bytes {
    let Some(second) = ready(connected) else { return first };
    // Where two are ready there are mostly more.
    let mut all = bytes::BytesMut::with_capacity(4 * (first.len() + second.len()));
    all.extend_from_slice(&first);
    let mut more = Some(second);
    while let Some(next) = more {
        all.extend_from_slice(&next);
        more = if all.len() < DRAIN_LIMIT { ready(connected) } else { None };
    }
    all.freeze()
}

/// What can be had without waiting. The end, or an error, is kept for the next read: it is told only once.
fn ready(connected: &mut Connected) -> Option<Bytes> {
    match at_hand(connected)? {
        Ok(Some(bytes)) => Some(bytes),
        end => {
            connected.ahead = Some(end);
            None
        }
    }
}

/// What a read would give without waiting. No timer is set for it, and no clock read.
fn at_hand(connected: &mut Connected) -> Option<pingora::Result<Option<Bytes>>> {
    if let Some(ahead) = connected.ahead.take() {
        return Some(ahead);
    }
    connected.session.set_read_timeout(None);
    connected.session.read_response_body().now_or_never()
}

/// How long a provider is silent: since it was first waited for.
pub struct Silence {
    since: Option<Instant>,
    /// Whether it has sent nothing of the body yet.
    first: bool,
}

impl Silence {
    pub fn begin(first: bool) -> Self {
        Self { since: None, first }
    }
}

/// Sets how long the next read may take: what is left of the idle limit, of the wait for the first token, or of the
/// whole time.
fn set_limit(connected: &mut Connected, attempt: &Attempt, silence: &mut Silence) {
    let (limits, now) = (&attempt.timeouts, Instant::now());
    let since = *silence.since.get_or_insert(now);
    let (silent, all) = (now.duration_since(since), now.duration_since(attempt.started));
    let mut next = (limits.idle.saturating_sub(silent), limits.idle);
    next = next.min((limits.total.saturating_sub(all), limits.total));
    if silence.first {
        next = next.min((limits.first_token.saturating_sub(all), limits.first_token));
    }
    connected.limit = next.1;
    connected.session.set_read_timeout(Some(next.0.max(Duration::from_millis(1))));
}

/// Of the time that the attempt has in all.
fn left(attempt: &Attempt) -> Duration {
    attempt.timeouts.total.saturating_sub(attempt.started.elapsed()).max(Duration::from_millis(1))
}

pub fn timed_out(attempt: &Attempt, limit: Duration) -> ApiError {
    // What others left of the time for all attempts is not told to the microsecond.
    let limit = (limit.as_secs_f64() * 100.0).round() / 100.0;
    let message = format!(
        "litellm.Timeout: APITimeoutError - Request timed out. Error_str: Request timed out. - timeout value={limit:?}"
    );
    ApiError::new(Kind::UpstreamTimeout, message).because(&attempt.deployment.wire.api_base)
}

pub fn broken(attempt: &Attempt, why: &str) -> ApiError {
    let message = format!(
        "litellm.BadGatewayError: {}Exception - The provider closed the connection before its answer was whole.",
        attempt.deployment.provider.name
    );
    ApiError::new(Kind::UpstreamBroken, message).because(why)
}
