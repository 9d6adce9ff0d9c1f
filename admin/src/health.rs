//! `/health`: real calls to the deployments, when somebody asks for them. One round at a time: who asks meanwhile waits
//! for its result. Where they are asked in the background, that is told, and nobody is asked. `/health/replica`: how the
//! process that answers is doing itself.

use crate::callbacks;
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::Params;
use crate::models::{shown_params, test_connection};
use crate::routes::{Access, route};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use weir_core::access::{Grant, RouteClass};
use weir_core::config::{Config, ModelEntry};
use weir_core::ports::LedgerState;
use weir_core::ports::control::{Checked, Probe};
use weir_core::time;

const O: RouteClass = RouteClass::Operation;

pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/health", O, Grant::VIEWER, || get(health)),
    route(Method::GET, "/health/services", O, Grant::ADMIN, || get(callbacks::test)),
    route(Method::GET, "/health/callbacks", O, Grant::VIEWER, || get(callbacks::states)),
    route(Method::GET, "/health/replica", O, Grant::VIEWER, || get(replica)),
    route(Method::GET, "/test", RouteClass::Public, Grant::ANY, || get(test)),
    route(Method::GET, "/robots.txt", RouteClass::Public, Grant::ANY, || get(robots)),
    route(Method::POST, "/health/test_connection", O, Grant::ADMIN, || post(test_connection)),
];

/// Calls at once.
const AT_ONCE: usize = 8;
/// A result this young answers whoever asks for the same.
const FRESH: Duration = Duration::from_secs(5);
/// More deployments than this are not asked in one round.
const MOST: usize = 500;

/// The last round: who was asked, when it was done, and what came of it.
#[derive(Clone, Default)]
pub(crate) struct Rounds(Arc<Mutex<Option<Round>>>);

struct Round {
    ids: Vec<String>,
    done: Instant,
    results: Vec<Option<Checked>>,
}

/// For scripts of LiteLLM's early days.
async fn test() -> Json<Value> {
    Json(json!({ "route": "/test" }))
}

/// Nothing here is for search engines, where the operator says so (`block_robots`).
async fn robots(context: Context) -> Response {
    match (context.services.config)().general.block_robots {
        true => "User-agent: *\nDisallow: /".into_response(),
        false => StatusCode::NOT_FOUND.into_response(),
    }
}

/// From memory. Behind a balancer each process answers for itself.
async fn replica(context: Context) -> Json<Value> {
    let state = context.services.control.replica();
    let ledger = match state.ledger {
        LedgerState::Starting => "starting",
        LedgerState::Connected => "connected",
        LedgerState::Degraded => "degraded",
    };
    Json(json!({
        "replica": state.name,
        "ledger": ledger,
        "ledger_failures": state.ledger_failures,
        "journal_waiting_entries": state.waiting,
        "journal_lag_seconds": state.lag.as_secs_f64(),
        "journal_bytes": state.journal_bytes,
        "journal_max_bytes": state.journal_max_bytes,
        "shed_requests": state.shed,
        "unpriced_requests": state.unpriced,
        "callbacks_dropped": state.callbacks_dropped,
        "alerts_dropped": state.alerts_dropped,
    }))
}

/// `?model=` asks one group, `?model_id=` one deployment.
async fn health(
    context: Context,
    Extension(rounds): Extension<Rounds>,
    params: Params,
) -> Result<Json<Value>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    let (name, id) = (params.get("model"), params.get("model_id"));
    let wanted = |entry: &&ModelEntry| {
        name.is_none_or(|name| entry.name == name || entry.model_as_written == name)
            && id.is_none_or(|id| entry.id == id)
    };
    let entries: Vec<&ModelEntry> = config.models.iter().filter(wanted).take(MOST).collect();
    if entries.is_empty() && (name.or(id)).is_some() {
        return Err(detail(400, &json!({ "error": "No such model." })));
    }
    let results: Vec<Option<Checked>> = match context.services.control.checks() {
        Some(checks) => entries.iter().map(|entry| checks.get(&entry.id).cloned()).collect(),
        None => rounds.of(&context, entries.iter().map(|entry| entry.id.clone()).collect()).await,
    };
    let details = config.general.health.details;
    let (mut healthy, mut unhealthy) = (Vec::new(), Vec::new());
    for (entry, checked) in entries.into_iter().zip(results) {
        let Some(checked) = checked else { continue };
        let list = if checked.probe.error.is_empty() { &mut healthy } else { &mut unhealthy };
        list.push(told(entry, &checked, details));
    }
    Ok(Json(json!({
        "healthy_count": healthy.len(),
        "unhealthy_count": unhealthy.len(),
        "healthy_endpoints": healthy,
        "unhealthy_endpoints": unhealthy,
    })))
}

impl Rounds {
    async fn of(&self, context: &Context, ids: Vec<String>) -> Vec<Option<Checked>> {
        let mut last = self.0.lock().await;
        if let Some(round) = last.as_ref().filter(|round| round.ids == ids && round.done.elapsed() < FRESH) {
            return round.results.clone();
        }
        let results = ask(context, &ids).await;
        *last = Some(Round { ids, done: Instant::now(), results: results.clone() });
        results
    }
}

/// In the order of `ids`.
async fn ask(context: &Context, ids: &[String]) -> Vec<Option<Checked>> {
    let probe = Probe { took: Duration::ZERO, error: "the check broke off".to_owned(), status: 0 };
    let mut results = vec![Some(Checked { at: time::now(), probe }); ids.len()];
    let mut running = JoinSet::new();
    for (at, id) in ids.iter().enumerate() {
        if running.len() >= AT_ONCE {
            note(&mut results, running.join_next().await);
        }
        let (control, id) = (Arc::clone(&context.services.control), id.clone());
        running.spawn(async move { (at, control.probe(&id).await) });
    }
    while !running.is_empty() {
        note(&mut results, running.join_next().await);
    }
    results
}

type Joined = Option<Result<(usize, Probe), tokio::task::JoinError>>;

fn note(results: &mut [Option<Checked>], joined: Joined) {
    if let Some(Ok((at, probe))) = joined {
        results[at] = Some(Checked { at: time::now(), probe });
    }
}

/// `details`: with parameters and errors (`health_check_details`).
fn told(entry: &ModelEntry, checked: &Checked, details: bool) -> Value {
    let mut told = shown_params(entry);
    if !details {
        told.retain(|name, _| name == "model");
    }
    told.insert("model_id".to_owned(), entry.id.clone().into());
    told.insert("model_name".to_owned(), entry.name.clone().into());
    let probe = &checked.probe;
    told.insert("response_time_ms".to_owned(), probe.millis().into());
    told.insert("checked_at".to_owned(), checked.at.rfc3339().into());
    if !probe.error.is_empty() {
        told.insert("status".to_owned(), probe.status.into());
        if details {
            told.insert("error".to_owned(), probe.error.clone().into());
        }
    }
    Value::Object(told)
}
