//! The price map: fetched anew when an admin says so, or as often as one wishes. The wish is a setting like others.

use super::writable;
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::Params;
use crate::settings::{Section, save};
use axum::Json;
use serde_json::{Value, json};
use std::time::Duration;
use weir_core::domain::records::Setting;
use weir_core::ports::control::PRICE_MAP;
use weir_core::time::{self, Micros};

const SECTION: &str = "weir_settings";
const REFRESH: &str = "price_map_refresh";
/// A year: who asks less often asks by hand.
const MOST_HOURS: u32 = 8_760;

/// The last good one stays where there is no other.
pub(super) async fn reload(context: Context) -> Result<Json<Value>, Refusal> {
    let fetched = context.services.control.fetch_prices().await;
    let models = fetched
        .map_err(|why| detail(502, &json!({ "error": format!("The price map stays as it is: {why}") })))?;
    Ok(Json(json!({
        "message": format!("Price data reloaded successfully! {models} models updated."),
        "status": "success",
        "models_count": models,
        "timestamp": time::now().rfc3339(),
    })))
}

pub(super) async fn schedule(context: Context, params: Params) -> Result<Json<Value>, Refusal> {
    let hours = params.positive("hours")?.filter(|hours| *hours <= MOST_HOURS).ok_or_else(|| {
        detail(400, &json!({ "error": format!("hours is needed, a whole number from 1 to {MOST_HOURS}") }))
    })?;
    wish(&context, Some(hours)).await?;
    Ok(Json(json!({
        "message": format!("Price data reload scheduled for every {hours} hours"),
        "status": "success",
        "interval_hours": hours,
        "timestamp": time::now().rfc3339(),
    })))
}

pub(super) async fn cancel(context: Context) -> Result<Json<Value>, Refusal> {
    wish(&context, None).await?;
    Ok(Json(json!({
        "message": "Price data reload schedule cancelled",
        "status": "success",
        "timestamp": time::now().rfc3339(),
    })))
}

async fn wish(context: &Context, hours: Option<u32>) -> Result<(), Refusal> {
    writable(context)?;
    let mut section = Section::read(context, SECTION).await?;
    match hours {
        Some(hours) => section.value.insert(REFRESH.to_owned(), json!(u64::from(hours) * 3_600)),
        None => section.value.shift_remove(REFRESH),
    };
    save(context, &[section]).await
}

pub(super) async fn status(context: Context) -> Result<Json<Value>, Refusal> {
    let every = (context.services.config)().weir.price_map_refresh;
    let last = context.get::<Setting>(PRICE_MAP).await?.map(|kept| kept.updated_at);
    let next = every.map(|every| after(last, every));
    Ok(Json(json!({
        "scheduled": every.is_some(),
        "interval_hours": every.map(|every| every.as_secs_f64() / 3_600.0),
        "last_run": last.map(Micros::rfc3339),
        "next_run": next.map(Micros::rfc3339),
    })))
}

/// At once, where there was no last time.
fn after(last: Option<Micros>, every: Duration) -> Micros {
    let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX);
    last.map_or_else(time::now, |last| Micros(last.0.saturating_add(every)))
}
