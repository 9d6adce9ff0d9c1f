//! A realtime session: a WebSocket to the provider, relayed byte for byte in both directions and watched for usage. One
//! session is one entry, booked when it ends with the sum over all its responses.

use crate::exchange::Flight;
use crate::response::head;
use crate::response::outlet::Outlet;
use crate::upstream::connect::Connected;
use crate::upstream::request::Outgoing;
use crate::upstream::session::{self, Answered, Lost, Waiting};
use bytes::Bytes;
use http::Method;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::client::HttpSession;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use weir_core::domain::spend::Status;
use weir_core::domain::usage::UsageSource;
use weir_core::error::{ApiError, Kind};
use weir_plugins::exchange::Attempt;
use weir_plugins::realtime::{self, FAILED, Watch};

/// What the status of a session is, once it has begun.
const SWITCHED: u16 = 101;

/// OpenAI ends a session after an hour; nobody has to end one of ours sooner.
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);
/// Without a byte from either side. Providers send pings.
const SILENT: Duration = Duration::from_secs(15 * 60);
/// How long a side may refuse to take bytes.
const STUCK: Duration = Duration::from_secs(60);

/// Opens the session and relays it to its end.
pub async fn answer(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    attempt: &Attempt,
) -> Result<(), Lost> {
    let answered = open(flight, down, out, attempt).await?;
    let mut session = Session::begin(flight, down, attempt, answered.connected).await?;
    let ended = session.relay(down).await;
    session.book(down, ended).await;
    Ok(())
}

async fn open(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    attempt: &Attempt,
) -> Result<Answered, Lost> {
    let query = down.req_header().uri.query().unwrap_or_default();
    let made = realtime::outgoing(&flight.x, &attempt.deployment, query).map_err(Lost::Failed)?;
    let plan = made.plan;
    let sealed = Outgoing::seal_as(Method::GET, made, &attempt.deployment).await;
    let outgoing = sealed.map_err(Lost::Failed)?;
    flight.app.chain.on_attempt(&mut flight.x, attempt).map_err(Lost::Failed)?;
    let answered =
        Box::pin(session::send(&flight.app.dialer, Waiting::Client(down, out), attempt, &outgoing)).await?;
    match answered.status {
        SWITCHED => Ok(answered),
        status if status < 400 => {
            flight.app.dialer.abort(answered.connected).await;
            Err(Lost::Failed(session::broken(attempt, &format!("status {status} instead of a session"))))
        }
        _ => Err(Box::pin(flight.refused(down, answered, attempt, plan)).await),
    }
}

/// Who ended a session.
enum End {
    Client,
    Provider,
    /// The provider's connection broke.
    Broken(String),
    /// Nobody said anything for too long, or both for longer than allowed.
    Late,
}

struct Session<'r, 'f> {
    flight: &'r mut Flight<'f>,
    attempt: &'r Attempt,
    connected: Connected,
    watch: Watch,
}

impl<'r, 'f> Session<'r, 'f> {
    /// Tells the client that the session has begun.
    async fn begin(
        flight: &'r mut Flight<'f>,
        down: &mut ServerSession,
        attempt: &'r Attempt,
        mut connected: Connected,
    ) -> Result<Self, Lost> {
        let headers = connected.session.response_header().map(|h| h.headers.clone()).unwrap_or_default();
        let head = head::session(&flight.x, attempt, &headers);
        if let HttpSession::H1(up) = &mut connected.session {
            up.maybe_upgrade_body_writer();
        }
        connected.session.set_read_timeout(None);
        connected.session.set_write_timeout(Some(STUCK));
        down.set_write_timeout(Some(STUCK));
        if down.write_response_header(Box::new(head)).await.is_err() {
            flight.app.dialer.abort(connected).await;
            return Err(Lost::ClientGone);
        }
        Ok(Self { flight, attempt, connected, watch: Watch::default() })
    }

    /// A write stops reading the other way meanwhile: a side that does not read is not listened to, for [`STUCK`].
    async fn relay(&mut self, down: &mut ServerSession) -> End {
        let last = Instant::now() + LONGEST;
        loop {
            let late = sleep_until(last.min(Instant::now() + SILENT));
            tokio::select! {
                from = self.connected.session.read_response_body() => match from {
                    Ok(Some(bytes)) => {
                        self.watch.see(&bytes);
                        if down.write_response_body(bytes, false).await.is_err() {
                            return End::Client;
                        }
                    }
                    Ok(None) if self.watch.is_closed() => return End::Provider,
                    Ok(None) => return End::Broken("closed without a close frame".to_owned()),
                    Err(error) => return End::Broken(error.to_string()),
                },
                from = down.read_request_body() => match from {
                    Ok(Some(bytes)) => if let Err(error) = self.send(bytes).await {
                        return End::Broken(error.to_string());
                    },
                    Ok(None) | Err(_) => return End::Client,
                },
                () = late => return End::Late,
            }
        }
    }

    async fn send(&mut self, bytes: Bytes) -> pingora::Result<()> {
        self.connected.session.write_request_body(bytes, false).await
    }

    /// Books before either side is let go.
    async fn book(self, down: &mut ServerSession, end: End) {
        let Session { flight, attempt, connected, watch } = self;
        let whole = watch.at_boundary();
        let (id, usage) = watch.learned();
        let answer = &mut flight.x.answer;
        answer.provider_time = attempt.started.elapsed();
        answer.provider_id = id;
        if let Some(usage) = usage {
            (answer.usage, answer.usage_source) = (usage, UsageSource::Reported);
        }
        let error = failure(attempt, end);
        let (status, outcome) = match &error {
            None => (SWITCHED, Status::Success),
            Some(error) => (error.status(), Status::Failure),
        };
        flight.attempt_ended(attempt, status, error.as_ref().map(ApiError::class));
        let tells = error.is_some() && whole;
        flight.finish(status, outcome, error);
        if tells {
            // Told or not, the session is over.
            let _ = down.write_response_body(Bytes::from_static(FAILED), false).await;
        }
        flight.app.dialer.abort(connected).await;
        down.shutdown().await;
    }
}

fn failure(attempt: &Attempt, end: End) -> Option<ApiError> {
    match end {
        End::Client | End::Provider => None,
        End::Broken(why) => Some(session::broken(attempt, &why)),
        End::Late => {
            let message = "The realtime session was ended: too long, or silent for too long.";
            Some(ApiError::new(Kind::UpstreamTimeout, message))
        }
    }
}
