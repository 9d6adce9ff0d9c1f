//! Asks a provider something beside the exchanges: one attempt, nothing booked.

use crate::gathered::Gathered;
use crate::limits::Place;
use crate::response::outlet::Outlet;
use crate::state::App;
use crate::upstream::request::Outgoing;
use crate::upstream::session::{self, Answered, Lost, Waiting};
use bytes::Bytes;
use pingora::protocols::http::ServerSession;
use std::sync::Arc;
use std::time::Instant;
use weir_core::error::{ApiError, Kind};
use weir_core::time;
use weir_plugins::deployment::Deployment;
use weir_plugins::exchange::Attempt;

/// The longest answer, in bytes, and the longest that no bytes are set aside for.
const LARGEST: usize = 64 * 1024 * 1024;
const UNHELD: usize = 2 * 1024 * 1024;

/// What the provider answered.
pub struct Told {
    pub status: u16,
    pub streams: bool,
    /// All of it, or why it could not be read.
    pub body: Result<Bytes, ApiError>,
}

/// `client`: who waits for it; `place`: where bytes are set aside for the answer. Sends it, and reads the answer within the
/// deployment's deadlines.
///
/// # Errors
/// The provider is not reached, or the client is gone.
pub async fn send(
    app: &App,
    client: Option<&mut ServerSession>,
    place: Option<&mut Place>,
    deployment: &Arc<Deployment>,
    outgoing: &Outgoing,
) -> Result<Told, ApiError> {
    let attempt = Attempt {
        number: 1,
        timeouts: deployment.timeouts,
        deployment: Arc::clone(deployment),
        started_at: time::now(),
        started: Instant::now(),
    };
    let mut out = Outlet::new(None, b"");
    let waiting = client.map_or(Waiting::Nobody, |down| Waiting::Client(down, &mut out));
    let sent = Box::pin(session::send(&app.dialer, waiting, &attempt, outgoing)).await;
    let mut answered = sent.map_err(failed)?;
    let body = read(place, &mut answered, &attempt).await;
    let (status, streams) = (answered.status, is_stream(&answered));
    match &body {
        Ok(_) => app.dialer.release(answered.connected).await,
        Err(_) => app.dialer.abort(answered.connected).await,
    }
    Ok(Told { status, streams, body })
}

pub(super) fn gone() -> ApiError {
    ApiError::new(Kind::ClientGone, "The client closed the connection.")
}

fn failed(lost: Lost) -> ApiError {
    match lost {
        Lost::Failed(error) => error,
        Lost::ClientGone => gone(),
    }
}

fn is_stream(answered: &Answered) -> bool {
    let head = answered.connected.session.response_header();
    let content_type = head.and_then(|h| h.headers.get(http::header::CONTENT_TYPE));
    content_type.is_some_and(|v| v.as_bytes().starts_with(b"text/event-stream"))
}

async fn read(
    mut place: Option<&mut Place>,
    answered: &mut Answered,
    attempt: &Attempt,
) -> Result<Bytes, ApiError> {
    let largest = if place.is_some() { LARGEST } else { UNHELD };
    let mut whole = Gathered::new(0);
    loop {
        let mut silence = session::Silence::begin(false);
        let Some(piece) = session::read(&mut answered.connected, attempt, &mut silence).await? else { break };
        if let Some(place) = &mut place {
            place.hold(piece.len())?;
        }
        whole.push(piece);
        if whole.len() > largest {
            return Err(session::broken(attempt, "the answer is too long"));
        }
    }
    Ok(whole.end())
}
