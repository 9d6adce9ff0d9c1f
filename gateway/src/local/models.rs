//! `/v1/models`: what the caller's key may use.

use super::Reply;
use crate::intake;
use crate::state::App;
use http::Method;
use pingora::protocols::http::ServerSession;
use serde_json::{Value, json};
use std::sync::Arc;
use weir_core::access::{self, Door, Grant, RouteClass, RouteRule, presented};
use weir_core::config::env::Env;
use weir_core::domain::key::{Caller, Principal};
use weir_core::error::{ApiError, Kind};
use weir_plugins::filters::usable as usable_by;
use weir_plugins::snapshot::Snapshot;

/// The number LiteLLM gives for every model where nobody says another one.
const CREATED: i64 = 1_677_610_602;

/// All models of this key, patterns expanded.
pub async fn models(app: &App, down: &ServerSession) -> Result<Reply, ApiError> {
    let snapshot = app.snapshot.load_full();
    let caller = caller(app, &snapshot, down).await?;
    let names = snapshot.models.visible(true, &caller);
    let created = created(&snapshot.config.env);
    let data: Vec<Value> =
        names.iter().filter(|n| usable(&caller, n, &snapshot)).map(|n| object(n, created)).collect();
    Ok(Reply::json(&json!({ "data": data, "object": "list" })))
}

/// One model, if this key may use it.
pub async fn model(app: &App, down: &ServerSession, id: &str) -> Result<Reply, ApiError> {
    let snapshot = app.snapshot.load_full();
    let caller = caller(app, &snapshot, down).await?;
    if snapshot.models.find_for(id, &caller).is_some() && usable(&caller, id, &snapshot) {
        return Ok(Reply::json(&object(id, created(&snapshot.config.env))));
    }
    let id: String = id.chars().take(200).collect();
    Err(ApiError::new(Kind::NotFound, format!("The model `{id}` does not exist or is not accessible")))
}

fn usable(caller: &Caller, name: &str, snapshot: &Snapshot) -> bool {
    let may = |known: &Principal| usable_by(known, name, &snapshot.models).is_ok();
    let others =
        |known: &Principal| known.token.iter().flat_map(|token| &token.others).any(|other| may(other));
    caller.principal().is_none_or(|known| may(known) || others(known))
}

fn object(name: &str, created: i64) -> Value {
    json!({ "id": name, "object": "model", "created": created, "owned_by": "openai" })
}

/// When all models are said to have been made.
fn created(env: &Env) -> i64 {
    let said = env.filled("DEFAULT_MODEL_CREATED_AT_TIME").and_then(|seconds| seconds.parse().ok());
    said.unwrap_or(CREATED)
}

/// Who asks; refuses strangers.
pub async fn caller(app: &App, snapshot: &Arc<Snapshot>, down: &ServerSession) -> Result<Caller, ApiError> {
    let rule = RouteRule { path: "/v1/models", class: RouteClass::Llm, grant: Grant::ANY };
    caller_of(app, snapshot, down, &rule).await
}

/// Who asks on a route of a class; refuses those who may not.
pub async fn caller_of(
    app: &App,
    snapshot: &Arc<Snapshot>,
    down: &ServerSession,
    rule: &RouteRule,
) -> Result<Caller, ApiError> {
    let known = who(app, snapshot, down).await;
    access::admit(&snapshot.config.general.routes, known, rule, rule.path)
}

async fn who(app: &App, snapshot: &Snapshot, down: &ServerSession) -> Result<Caller, ApiError> {
    let (header, config) = (down.req_header(), &snapshot.config);
    let custom = config.general.litellm_key_header_name.as_deref();
    let (master, keys) = (snapshot.master.as_ref(), app.keys.as_ref());
    let bearers = Some(app.bearers.as_ref());
    let writes = !matches!(header.method, Method::GET | Method::HEAD);
    let from = intake::client_ip(down, &header.headers, &config.weir.trusted_proxies);
    let door = Door { custom, master, keys, bearers };
    let most = config.weir.unauthenticated_per_second;
    app.strangers.who(door, &header.headers, writes, from, most).await
}

/// Keeps floods of unknown keys from the admin service. Whoever shows none is looked up nowhere.
///
/// # Errors
/// 429.
pub async fn may_be_looked_up(app: &App, down: &ServerSession) -> Result<(), ApiError> {
    let snapshot = app.snapshot.load_full();
    let custom = snapshot.config.general.litellm_key_header_name.as_deref();
    let headers = &down.req_header().headers;
    if snapshot.config.weir.unauthenticated_per_second.is_none() || presented(headers, custom).is_err() {
        return Ok(());
    }
    match who(app, &snapshot, down).await {
        Err(error) if error.kind() == Kind::TooManyLookups => Err(error),
        // Whatever else is to be said the service says.
        _ => Ok(()),
    }
}
