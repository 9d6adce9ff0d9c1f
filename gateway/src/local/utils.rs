//! `/utils/…`: what a model would count, take and be sent. No provider is asked, but to count where that is wished.

use super::{Reply, counted, explain, models};
use crate::endpoints::Utility;
use crate::intake::{self, Fault};
use crate::state::App;
use bytes::Bytes;
use pingora::protocols::http::ServerSession;
use std::sync::Arc;
use weir_core::access::{Grant, RouteClass, RouteRule};
use weir_core::body::JsonBody;
use weir_core::domain::key::Caller;
use weir_core::error::{ApiError, Kind};
use weir_plugins::deployment::Deployment;
use weir_plugins::dialects::{Params, upstream};
use weir_plugins::filters::usable;
use weir_plugins::providers::Call;
use weir_plugins::snapshot::Snapshot;
use weir_plugins::utils::{self, Destination, TokenCountRequest, TransformRequest};

/// Answers one of them.
pub async fn serve(app: &App, down: &mut ServerSession, utility: Utility) -> Result<Reply, ApiError> {
    let snapshot = app.snapshot.load_full();
    let (class, grant, path) = match utility {
        Utility::TokenCounter => (RouteClass::Llm, Grant::ANY, "/utils/token_counter"),
        Utility::TransformRequest => (RouteClass::Llm, Grant::ANY, "/utils/transform_request"),
        Utility::Explain => (RouteClass::Llm, Grant::ANY, "/utils/explain"),
        // As in LiteLLM, where keys are answered that only an admin may ask.
        Utility::SupportedParams => (RouteClass::Operation, Grant::ADMIN, "/utils/supported_openai_params"),
    };
    let caller = models::caller_of(app, &snapshot, down, &RouteRule { path, class, grant }).await?;
    let answer = match utility {
        Utility::TokenCounter => Box::pin(count(app, down, &snapshot, &caller)).await?,
        Utility::SupportedParams => supported(&snapshot, &caller, &query(down, "model"))?,
        Utility::TransformRequest => {
            let request: TransformRequest = utils::parsed(&read(app, down, &snapshot).await?)?;
            shown(&snapshot, &caller, &request)?
        }
        Utility::Explain => Box::pin(explain::explain(app, down, &snapshot, caller)).await?,
    };
    Ok(Reply::json(&answer))
}

// --- the request ---

pub(super) fn query(down: &ServerSession, name: &str) -> String {
    let query = down.req_header().uri.query().unwrap_or_default();
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let value = pairs.find(|(key, _)| *key == name).map(|(_, value)| value.replace('+', " "));
    let value = value.unwrap_or_default();
    percent_encoding::percent_decode_str(&value).decode_utf8_lossy().into_owned()
}

async fn read(app: &App, down: &mut ServerSession, snapshot: &Snapshot) -> Result<JsonBody, ApiError> {
    let mut place = app.limits.enter()?;
    let body = intake::whole(&snapshot.config, down, &mut place).await.map_err(refused)?;
    JsonBody::parse(body).map_err(|error| ApiError::new(Kind::BadJson, error.to_string()))
}

pub(super) fn refused(fault: Fault) -> ApiError {
    match fault {
        Fault::Refused(error) => error,
        Fault::Gone(error) => {
            ApiError::new(Kind::ClientGone, "The client closed the connection.").because(error)
        }
    }
}

// --- the model ---

fn may(snapshot: &Snapshot, caller: &Caller, model: &str) -> Result<(), ApiError> {
    caller.principal().map_or(Ok(()), |known| usable(known, model, &snapshot.models))
}

/// The first deployment of a name.
fn deployment(snapshot: &Snapshot, caller: &Caller, model: &str) -> Option<Arc<Deployment>> {
    snapshot.models.find_for(model, caller)?.deployments.first().cloned()
}

// --- the answers ---

async fn count(
    app: &App,
    down: &mut ServerSession,
    snapshot: &Snapshot,
    caller: &Caller,
) -> Result<serde_json::Value, ApiError> {
    let asks = query(down, "call_endpoint").eq_ignore_ascii_case("true");
    let request: TokenCountRequest = utils::parsed(&read(app, down, snapshot).await?)?;
    may(snapshot, caller, &request.model)?;
    let found = deployment(snapshot, caller, &request.model);
    if let Some(deployment) = found.as_ref().filter(|_| asks)
        && let Some(counted) = Box::pin(counted::ask(app, down, deployment, &request)).await?
    {
        return Ok(counted);
    }
    utils::token_counter(&request, found.as_ref().map_or(&request.model, |d| &d.model_label))
}

fn supported(snapshot: &Snapshot, caller: &Caller, model: &str) -> Result<serde_json::Value, ApiError> {
    if model.is_empty() {
        return Err(ApiError::new(Kind::BadRequest, "Field required: model").with_status(422));
    }
    let full =
        deployment(snapshot, caller, model).map(|d| format!("{}/{}", d.provider.prefix, d.model_label));
    utils::supported_openai_params(full.as_deref().unwrap_or(model), &snapshot.catalogue)
}

fn shown(
    snapshot: &Snapshot,
    caller: &Caller,
    request: &TransformRequest,
) -> Result<serde_json::Value, ApiError> {
    let model = request.request_body.get("model").and_then(|m| m.as_str()).unwrap_or_default();
    may(snapshot, caller, model)?;
    let unlisted = || {
        let (provider, bare) = utils::owner(model, &snapshot.catalogue)?;
        snapshot.pass.imagined(provider, bare).map(Arc::new)
    };
    let nobodys =
        || ApiError::new(Kind::UnknownModel, format!("No provider is known for model {model:.200}"));
    let deployment = deployment(snapshot, caller, model).or_else(unlisted).ok_or_else(nobodys)?;
    let body = serde_json::to_vec(&request.request_body).map(Bytes::from);
    let body = body.ok().and_then(|body| JsonBody::parse(body).ok());
    let (from, wire) = (utils::dialect_of(&request.call_type), &deployment.wire);
    let to = from.and_then(|from| wire.speaks(from));
    let params = match (from, &body) {
        (Some(from), Some(body)) => deployment.rules.params_for(body, from),
        _ => Params::default(),
    };
    let uri = to.and_then(|to| wire.uri(Call::Chat(to), false));
    let url = uri.map_or_else(|| wire.api_base.clone(), |uri| format!("{}{uri}", wire.origin()));
    let destination = Destination {
        url: &url,
        headers: &wire.headers,
        dialect: upstream(to.unwrap_or(weir_core::chat::Dialect::OpenAiChat)),
        model: &deployment.model_label,
        provider: deployment.provider.prefix,
        params: &params,
    };
    Ok(utils::transform_request(request, &destination))
}
