//! `/model/deployments/state`: which deployments get requests, and since when, until when and why others do not; where
//! they are asked in the background whether they are well, also what they answered last.

use crate::context::Context;
use crate::error::Refusal;
use crate::input::Params;
use axum::Json;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::{Config, ModelEntry};
use weir_core::ports::control::Checked;
use weir_core::ports::cooldowns::{Cooling, Failure};
use weir_core::time::{self, Micros};

/// Deployments in one answer: those that are cooled come first.
const MOST: usize = 10_000;

/// `?model=` tells of one group, `?model_id=` of one deployment, `?state=` of those that are `cooled` or `healthy`, or
/// that were asked in the background (`checked`).
pub(super) async fn state(context: Context, params: Params) -> Result<Json<Value>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    let (name, id, state) = (params.get("model"), params.get("model_id"), params.get("state"));
    let checks = context.services.control.checks().unwrap_or_default();
    let coolings = context.services.control.coolings().await;
    let known: HashMap<&str, &Cooling> =
        coolings.all.iter().map(|cooling| (cooling.deployment.as_str(), cooling)).collect();
    let wanted = |entry: &&ModelEntry| {
        name.is_none_or(|name| entry.name == name) && id.is_none_or(|id| entry.id == id)
    };
    let found =
        config.models.iter().filter(wanted).map(|entry| (entry, known.get(entry.id.as_str()).copied()));
    let is = |state: &str, entry: &ModelEntry, cooling: Option<&Cooling>| match state {
        "checked" => checks.contains_key(&entry.id),
        _ => state == word(cooling),
    };
    let mut rows: Vec<(&ModelEntry, Option<&Cooling>)> =
        found.filter(|&(entry, cooling)| state.is_none_or(|state| is(state, entry, cooling))).collect();
    rows.sort_by_key(|(_, cooling)| cooling.is_none());
    let (total, now) = (rows.len(), time::now());
    let row = |(entry, cooling): (&ModelEntry, Option<&Cooling>)| {
        let mut row = told(entry, cooling, now);
        row["check"] = checks.get(&entry.id).map_or(Value::Null, check);
        row
    };
    let data: Vec<Value> = rows.into_iter().take(MOST).map(row).collect();
    let scope = if coolings.shared { "shared" } else { "replica" };
    Ok(Json(json!({ "scope": scope, "total": total, "data": data })))
}

fn word(cooling: Option<&Cooling>) -> &'static str {
    if cooling.is_some() { "cooled" } else { "healthy" }
}

fn told(entry: &ModelEntry, cooling: Option<&Cooling>, now: Micros) -> Value {
    let until = cooling.map(|cooling| after(now, cooling.left).rfc3339());
    let since = cooling.and_then(|cooling| cooling.been).map(|been| before(now, been).rfc3339());
    let failure = cooling.and_then(|cooling| cooling.failure.as_ref()).map(error);
    json!({
        "model_id": entry.id,
        "model_name": entry.name,
        "state": word(cooling),
        "since": since,
        "until": until,
        "error": failure,
    })
}

fn check(of: &Checked) -> Value {
    let error = Some(&of.probe.error).filter(|error| !error.is_empty());
    json!({
        "at": of.at.rfc3339(),
        "response_time_ms": of.probe.millis(),
        "status": of.probe.status,
        "error": error,
    })
}

fn error(failure: &Failure) -> Value {
    json!({ "status": failure.status, "class": failure.class, "message": failure.message })
}

fn after(now: Micros, wait: Duration) -> Micros {
    Micros(now.0.saturating_add(micros(wait)))
}

fn before(now: Micros, wait: Duration) -> Micros {
    Micros(now.0.saturating_sub(micros(wait)))
}

fn micros(wait: Duration) -> i64 {
    i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)
}
