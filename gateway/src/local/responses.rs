//! Questions about a response: to the provider that keeps it, or to the ledger.

use super::Reply;
use crate::endpoints::ResponseCall;
use crate::response::outlet::Outlet;
use crate::state::App;
use crate::upstream::request::Outgoing;
use crate::upstream::session::{self, Answered, Lost};
use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use pingora::protocols::http::ServerSession;
use std::sync::Arc;
use std::time::Instant;
use weir_core::chat::Dialect;
use weir_core::domain::key::Caller;
use weir_core::domain::response::ResponseRecord;
use weir_core::error::{ApiError, Kind};
use weir_core::time;
use weir_plugins::deployment::Deployment;
use weir_plugins::dialects::ResponsePlan;
use weir_plugins::dialects::upstream_error;
use weir_plugins::exchange::Attempt;
use weir_plugins::outgoing;
use weir_plugins::responses::{self, Kept, Names, Origin, may_read, not_found};
use weir_plugins::snapshot::Snapshot;

/// Larger answers are refused.
const LARGEST: usize = 64 * 1024 * 1024;

/// Of a request's body, which nobody reads.
const LARGEST_BODY: usize = 64 * 1024;

/// Answers for the owner of the response; to anybody else there is none.
pub async fn serve(
    app: &App,
    down: &mut ServerSession,
    id: &str,
    call: ResponseCall,
) -> Result<Reply, ApiError> {
    let snapshot = app.snapshot.load_full();
    let caller = super::models::caller(app, &snapshot, down).await?;
    let Some(origin) = Origin::open(&snapshot.sealer, id) else {
        let query = down.req_header().uri.query().unwrap_or_default();
        return kept(app, &snapshot, &caller, id, call, query).await;
    };
    if !may_read(&caller, &origin.owner) {
        return Err(not_found(id));
    }
    let maker = snapshot.models.made(&origin.deployment, &origin.group).ok_or_else(|| not_found(id))?;
    native(app, down, &snapshot, maker, origin, call).await
}

// --- the ledger's ---

async fn kept(
    app: &App,
    snapshot: &Snapshot,
    caller: &Caller,
    id: &str,
    call: ResponseCall,
    query: &str,
) -> Result<Reply, ApiError> {
    let found = app.responses.response(id, time::now()).await.map_err(responses::unavailable)?;
    let readable = |record: &ResponseRecord| may_read(caller, &record.owner);
    let record = found.filter(readable).ok_or_else(|| not_found(id))?;
    if call == ResponseCall::Delete {
        app.responses.delete_response(id).await.map_err(responses::unavailable)?;
        return Ok(Reply::json(&responses::deleted(id)));
    }
    let kept = Kept::open(&snapshot.sealer, &record).ok_or_else(|| not_found(id))?;
    match call {
        ResponseCall::Cancel => Err(ApiError::new(Kind::BadRequest, "Cannot cancel a synchronous response.")),
        ResponseCall::InputItems => responses::input_list(kept, query).map(|list| Reply::json(&list)),
        _ => Ok(Reply::json(&kept.response)),
    }
}

// --- a provider's ---

async fn native(
    app: &App,
    down: &mut ServerSession,
    snapshot: &Snapshot,
    maker: Arc<Deployment>,
    origin: Origin,
    call: ResponseCall,
) -> Result<Reply, ApiError> {
    let mut place = app.limits.enter()?;
    skip_body(down).await?;
    maker.ready()?;
    let query = down.req_header().uri.query().unwrap_or_default();
    let uri = outgoing::about(&maker, &origin.upstream, call.path(), query)?;
    let made = outgoing::Outgoing {
        uri,
        headers: maker.wire.headers.clone(),
        body: weir_core::body::Pieces::new(),
        more: Vec::new(),
        plan: ResponsePlan::Relay(Dialect::OpenAiResponses),
    };
    let outgoing = Outgoing::seal_as(call.method(), made, &maker).await?;
    let attempt = Attempt {
        number: 1,
        timeouts: maker.timeouts,
        deployment: Arc::clone(&maker),
        started_at: time::now(),
        started: Instant::now(),
    };
    let mut out = Outlet::new(None, b"");
    let sent = Box::pin(session::send(&app.dialer, down, &mut out, &attempt, &outgoing)).await;
    let mut answered = sent.map_err(failed)?;
    let body = read(&mut place, &mut answered, &attempt).await;
    let status = answered.status;
    let streamed = is_stream(&answered);
    match &body {
        Ok(_) => app.dialer.release(answered.connected).await,
        Err(_) => app.dialer.abort(answered.connected).await,
    }
    let body = body?;
    if !(200..300).contains(&status) {
        return Err(upstream_error(&maker, &outgoing.plan.read_error(status, &body)));
    }
    let names = Names { sealer: Arc::clone(&snapshot.sealer), origin };
    Ok(Reply {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
        content_type: if streamed { "text/event-stream; charset=utf-8" } else { "application/json" },
        body: if streamed { names.events(body) } else { names.whole(body) },
    })
}

/// The body of a cancellation says nothing, but has to be read.
async fn skip_body(down: &mut ServerSession) -> Result<(), ApiError> {
    let mut left = LARGEST_BODY;
    while let Some(piece) = down.read_request_body().await.map_err(|e| gone().because(e))? {
        let too_large = || ApiError::new(Kind::BodyTooLarge, "This request takes no body.");
        left = left.checked_sub(piece.len()).ok_or_else(too_large)?;
    }
    Ok(())
}

fn gone() -> ApiError {
    ApiError::new(Kind::ClientGone, "The client closed the connection.")
}

pub(super) fn failed(lost: Lost) -> ApiError {
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

pub(super) async fn read(
    place: &mut crate::limits::Place,
    answered: &mut Answered,
    attempt: &Attempt,
) -> Result<Bytes, ApiError> {
    let mut whole = BytesMut::new();
    loop {
        session::set_limit(&mut answered.connected, attempt, session::Silence::begin(false));
        let Some(piece) = session::read(&mut answered.connected, attempt).await? else { break };
        place.hold(piece.len())?;
        whole.extend_from_slice(&piece);
        if whole.len() > LARGEST {
            return Err(session::broken(attempt, "the answer is too long"));
        }
    }
    Ok(whole.freeze())
}

impl ResponseCall {
    fn method(self) -> Method {
        match self {
            ResponseCall::Get | ResponseCall::InputItems => Method::GET,
            ResponseCall::Delete => Method::DELETE,
            ResponseCall::Cancel => Method::POST,
        }
    }

    fn path(self) -> &'static str {
        match self {
            ResponseCall::Get | ResponseCall::Delete => "",
            ResponseCall::Cancel => "/cancel",
            ResponseCall::InputItems => "/input_items",
        }
    }
}
