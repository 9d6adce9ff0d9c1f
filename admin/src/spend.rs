//! What was booked, in LiteLLM's fields: entries (`query.rs`, `row.rs`, by day `days.rs`), sums (`global.rs`, `hits.rs`,
//! `report.rs`, for finance `focus.rs`) and days broken down (`activity.rs`, `latency.rs`). `scope.rs` is what of it a caller may see,
//! `calculate.rs` what something would cost.

mod activity;
mod calculate;
mod days;
mod focus;
mod global;
mod hits;
mod latency;
mod query;
mod report;
mod row;
mod scope;

use crate::answer::{Object, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::input::Params;
use crate::page::{self, Bounds, Page};
use crate::routes::{Access, route};
pub(crate) use activity::ROUTES as ACTIVITY;
use axum::Json;
use axum::extract::{Extension, Path};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use query::Asked;
pub(crate) use query::{day_text, moment};
use row::Rows;
pub(crate) use row::model as label;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Semaphore;
use weir_core::access::{Grant, RouteClass};
use weir_core::domain::spend::{Entry, Said};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::SpendFilter;

const S: RouteClass = RouteClass::Spend;
const OWN: Grant = Grant::INTERNAL.and(Grant::INTERNAL_VIEWER);
const VIEW: Grant = Grant::VIEWER.and(Grant::INTERNAL_VIEWER);
const ALL: Grant = OWN.and(Grant::VIEWER);

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/spend/logs", S, OWN, || get(logs)),
    route(Method::GET, "/spend/logs/v2", S, Grant::ADMIN, || get(pages)),
    route(Method::GET, "/spend/logs/ui", S, Grant::ADMIN, || get(pages)),
    route(Method::GET, "/spend/logs/ui/{request_id}", S, Grant::ADMIN, || get(bodies)),
    // The UI's own: LiteLLM refuses its routes to those who see everything else.
    route(Method::GET, "/ui/entries", S, Grant::VIEWER, || get(pages)),
    route(Method::GET, "/spend/logs/session/ui", S, Grant::ADMIN, || get(pages)),
    route(Method::GET, "/spend/tags", S, OWN, || get(global::spend_tags)),
    route(Method::GET, "/spend/keys", S, OWN, || get(global::spend_keys)),
    route(Method::GET, "/spend/users", S, OWN, || get(global::spend_users)),
    route(Method::POST, "/spend/calculate", S, Grant::ANY, || post(calculate::calculate)),
    route(Method::GET, "/global/spend", S, VIEW, || get(global::all)),
    route(Method::GET, "/global/spend/logs", S, VIEW, || get(global::days)),
    route(Method::GET, "/global/spend/teams", S, VIEW, || get(global::teams)),
    route(Method::GET, "/global/spend/keys", S, ALL, || get(global::keys)),
    route(Method::GET, "/global/spend/models", S, ALL, || get(global::models)),
    route(Method::GET, "/global/spend/provider", S, ALL, || get(global::providers)),
    route(Method::GET, "/global/spend/tags", S, ALL, || get(global::tags)),
    route(Method::GET, "/global/spend/all_tag_names", S, Grant::VIEWER, || get(global::tag_names)),
    route(Method::GET, "/global/all_end_users", S, Grant::ADMIN, || get(global::customers)),
    route(Method::POST, "/global/spend/end_users", S, ALL, || post(global::spend_of_customers)),
    route(Method::GET, "/global/spend/report", S, VIEW, || get(report::report)),
    route(Method::POST, "/global/spend/reset", S, Grant::MASTER, || post(global::reset)),
    route(Method::GET, "/global/activity", S, Grant::INTERNAL, || get(global::requests)),
    route(Method::GET, "/global/activity/model", S, Grant::INTERNAL, || get(global::requests_by_model)),
    route(Method::GET, "/global/activity/exceptions", S, Grant::ADMIN, || get(global::exceptions)),
    route(Method::GET, "/global/activity/exceptions/deployment", S, Grant::ADMIN, || get(global::exceptions_by_deployment)),
    route(Method::GET, "/global/activity/cache_hits", S, Grant::ADMIN, || get(hits::cache_hits)),
    route(Method::GET, "/tag/summary", S, Grant::ADMIN, || get(global::tag_summary)),
    route(Method::GET, "/tag/dau", S, Grant::ADMIN, || get(global::tag_daily_users)),
];

/// Entries in one page.
static PAGES: Bounds = page::of_usual(50);

/// Entries are counted as far as this: nobody turns more pages.
const COUNTED: u32 = 100_000;

/// How many listings are made at one time: each may hold 10,000 entries.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Turns {
    async fn take(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Refusal> {
        let turn = self.0.acquire().await;
        Ok(turn.map_err(|error| ApiError::new(Kind::Internal, "Closing.").because(error))?)
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(2)))
    }
}

/// Rows newest first, at most 10,000 in one answer (`limit`, `page`); with both dates, and unless
/// `summarize=false`, sums by day. Whoever may not see all sees its own.
async fn logs(
    context: Context,
    Extension(turns): Extension<Turns>,
    params: Params,
) -> Result<Response, Refusal> {
    let mut asked = Asked::read(&params)?;
    if let Some(user) = scope::only(&context)? {
        asked.filter.user_id = Some(user);
    }
    let _turn = turns.take().await?;
    let spend = context.services.spend.as_ref();
    if asked.by_day {
        return Ok(Json(days::sums(spend, asked.filter).await?).into_response());
    }
    let entries = spend.entries(&asked.filter).await?;
    let said = said(&context, &entries).await?;
    Ok(Json(Rows(&entries, &said)).into_response())
}

/// A page of entries, with everything that LiteLLM's UI filters by.
async fn pages(
    context: Context,
    Extension(turns): Extension<Turns>,
    params: Params,
) -> Result<Json<Object>, Refusal> {
    let page = Page::asked_or_first(&params, &PAGES)?;
    let asked = Asked::read(&params)?.filter;
    let mut filter = SpendFilter { limit: page.size, offset: page.skip(), ..asked };
    if let Some(alias) = params.get("key_alias") {
        filter.key_hash = Some(query::called(&context, alias, filter.key_hash).await?);
    }
    let _turn = turns.take().await?;
    let total = context.services.spend.count(&filter, COUNTED).await?;
    let entries = context.services.spend.entries(&filter).await?;
    let said = said(&context, &entries).await?;
    let mut answer = Object(vec![("data", raw(&Rows(&entries, &said)))]);
    answer.0.extend(page.sized_place(total));
    Ok(Json(answer))
}

/// What was said in so many exchanges as a page holds; a longer list is of costs.
async fn said(context: &Context, entries: &[Entry]) -> Result<Vec<Said>, Refusal> {
    if entries.len() > PAGES.longest as usize {
        return Ok(Vec::new());
    }
    Ok(context.services.spend.said(entries).await?)
}

/// What was said in one exchange; null where it is not kept, as LiteLLM answers.
async fn bodies(context: Context, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let filter = SpendFilter { request_id: Some(id), limit: 1, ..SpendFilter::default() };
    let entries = context.services.spend.entries(&filter).await?;
    let said = said(&context, &entries).await?;
    let told = said.first().map(|said| serde_json::to_value(row::bodies(said)));
    Ok(Json(told.transpose().map_err(Refusal::internal)?.unwrap_or_default()))
}
