//! Questions about a response: to the provider that keeps it, or to the ledger.

use super::once::gone;
use super::{Reply, once};
use crate::endpoints::ResponseCall;
use crate::state::App;
use crate::upstream::request::Outgoing;
use http::{Method, StatusCode};
use pingora::protocols::http::ServerSession;
use std::sync::Arc;
use weir_core::chat::Dialect;
use weir_core::domain::key::Caller;
use weir_core::domain::response::ResponseRecord;
use weir_core::error::{ApiError, Kind};
use weir_core::time;
use weir_plugins::deployment::Deployment;
use weir_plugins::dialects::ResponsePlan;
use weir_plugins::dialects::upstream_error;
use weir_plugins::outgoing;
use weir_plugins::responses::{self, Kept, Names, Origin, may_read, not_found};
use weir_plugins::snapshot::Snapshot;

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
    if !may_read(&snapshot.config, &caller, &origin.owner) {
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
    let readable = |record: &ResponseRecord| may_read(&snapshot.config, caller, &record.owner);
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
    let told = once::send(app, Some(down), Some(&mut place), &maker, &outgoing).await?;
    let body = told.body?;
    if !(200..300).contains(&told.status) {
        return Err(upstream_error(&maker, &outgoing.plan.read_error(told.status, &body)));
    }
    let names = Names { sealer: Arc::clone(&snapshot.sealer), origin };
    Ok(Reply {
        status: StatusCode::from_u16(told.status).unwrap_or(StatusCode::OK),
        content_type: if told.streams { "text/event-stream; charset=utf-8" } else { "application/json" },
        body: if told.streams { names.events(body) } else { names.whole(body) },
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
