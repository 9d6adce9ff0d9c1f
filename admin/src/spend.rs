//! `/spend/logs` and `/global/spend`: what was booked, in LiteLLM's fields.

mod days;
mod query;
mod row;

use crate::answer::{Object, parsed};
use crate::error::Refusal;
use crate::input::Params;
use crate::routes::{Access, route};
use crate::service::Services;
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use query::Asked;
pub(crate) use query::{day_text, moment};
use row::Rows;
use std::sync::Arc;
use tokio::sync::Semaphore;
use weir_core::access::{Grant, RouteClass};
use weir_core::error::{ApiError, Kind};

pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/spend/logs", RouteClass::Spend, Grant::ADMIN, || get(logs)),
    route(Method::GET, "/global/spend", RouteClass::Spend, Grant::VIEWER, || get(global)),
];

/// How many listings are made at one time: each may hold 10,000 entries.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(2)))
    }
}

/// Rows newest first, at most 10,000 in one answer (`limit`, `page`); with both dates, and unless
/// `summarize=false`, sums by day.
pub(crate) async fn logs(
    State(services): State<Arc<Services>>,
    Extension(turns): Extension<Turns>,
    params: Params,
) -> Result<Response, Refusal> {
    let asked = Asked::read(&params)?;
    let _turn = turns.0.acquire().await.map_err(|e| ApiError::new(Kind::Internal, "Closing.").because(e))?;
    if asked.by_day {
        return Ok(Json(days::sums(services.spend.as_ref(), asked.filter).await?).into_response());
    }
    let entries = services.spend.entries(&asked.filter).await?;
    Ok(Json(Rows(&entries)).into_response())
}

/// Everything that was booked. There is no budget of the whole gateway yet; LiteLLM shows 0.0 for none.
pub(crate) async fn global(State(services): State<Arc<Services>>) -> Result<Json<Object>, Refusal> {
    let spend = services.spend.total_spend().await?;
    Ok(Json(Object(vec![("spend", spend.json()), ("max_budget", parsed("0.0", "null"))])))
}
