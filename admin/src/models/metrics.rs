//! `/model/metrics*`: how quick and how reliable deployments were, in LiteLLM's shapes. Taken from the newest entries of
//! the time that is asked for, as many as one look reads; Prometheus has all of them.

use crate::context::Context;
use crate::error::Refusal;
use crate::input::Params;
use crate::spend::{day_text, label, moment};
use axum::Json;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::spend::{Entry, Status};
use weir_core::ports::SpendFilter;
use weir_core::time::{self, Micros};

/// Entries that one answer looks at.
const LOOKED_AT: u32 = 10_000;
/// LiteLLM looks back so far where nobody says how far.
const LAST: Micros = Micros(30 * 86_400 * 1_000_000);
const TODAY: Micros = Micros(86_400 * 1_000_000);
/// Seconds, where `alerting_threshold` says nothing.
const SLOW: f64 = 300.0;

/// Entries of a group in a time, by `startTime`, `endTime`, `api_key` and `customer`.
async fn looked_at(
    context: &Context,
    params: &Params,
    status: Option<Status>,
    last: Micros,
) -> Result<Vec<Entry>, Refusal> {
    let at = |name: &str, end| params.get(name).map(|text| moment(text, end)).transpose();
    let from = at("startTime", false)?.unwrap_or(Micros(time::now().0 - last.0));
    let filter = SpendFilter {
        model: params.text("_selected_model_group").filter(|group| !group.is_empty()),
        key_hash: params.text("api_key").map(|key| KeyHash::from_key_or_hash(&key)),
        end_user: params.text("customer"),
        status,
        from: Some(from),
        until: at("endTime", true)?,
        limit: LOOKED_AT,
        ..SpendFilter::default()
    };
    Ok(context.services.spend.entries(&filter).await?)
}

fn seconds(from: Micros, until: Micros) -> f64 {
    (until.0 - from.0) as f64 / 1e6
}

/// Mean seconds per output token, by day and deployment.
pub(super) async fn latency(context: Context, params: Params) -> Result<Json<Value>, Refusal> {
    let entries = looked_at(&context, &params, Some(Status::Success), LAST).await?;
    let mut days: BTreeMap<i64, BTreeMap<String, (f64, u32)>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.usage.output > 0 && !entry.cache_hit) {
        let of_day = days.entry(entry.started_at.day()).or_default();
        let (sum, number) = of_day.entry(label(entry)).or_default();
        *sum += seconds(entry.started_at, entry.ended_at) / entry.usage.output as f64;
        *number += 1;
    }
    let names: BTreeSet<&String> = days.values().flat_map(BTreeMap::keys).collect();
    let data: Vec<Value> = days
        .iter()
        .map(|(day, models)| {
            let means = models.iter().map(|(name, (sum, n))| (name.clone(), json!(sum / f64::from(*n))));
            let dated = Map::from_iter([(String::from("date"), json!(day_text(&day.to_string())))]);
            Value::Object(dated.into_iter().chain(means).collect())
        })
        .collect();
    Ok(Json(json!({ "data": data, "all_api_bases": names })))
}

/// Seconds to the first token of each stream, of today where nothing else is asked for.
pub(super) async fn first_token(context: Context, params: Params) -> Result<Json<Value>, Refusal> {
    let entries = looked_at(&context, &params, Some(Status::Success), TODAY).await?;
    let mut names = BTreeSet::new();
    let mut data = Vec::new();
    for entry in entries.iter().rev().filter(|entry| entry.stream) {
        let Some(first) = entry.first_token_at else { continue };
        let name = label(entry);
        data.push(json!({ "date": entry.started_at.rfc3339(), &name: seconds(entry.started_at, first) }));
        names.insert(name);
    }
    Ok(Json(json!({ "data": data, "all_api_bases": names })))
}

/// How many answers took longer than `alerting_threshold`.
pub(super) async fn slow(context: Context, params: Params) -> Result<Json<Vec<Value>>, Refusal> {
    let threshold = (context.services.config)().general.alerting_threshold.map_or(SLOW, |s| s.as_secs_f64());
    let entries = looked_at(&context, &params, None, LAST).await?;
    let mut names: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.cache_hit) {
        let (all, slow) = names.entry(label(entry)).or_default();
        *all += 1;
        *slow += u64::from(seconds(entry.started_at, entry.ended_at) >= threshold);
    }
    let told = names
        .into_iter()
        .map(|(name, (all, slow))| json!({ "api_base": name, "total_count": all, "slow_count": slow }));
    Ok(Json(told.collect()))
}

/// Failures by deployment and kind.
pub(super) async fn exceptions(context: Context, params: Params) -> Result<Json<Value>, Refusal> {
    let entries = looked_at(&context, &params, Some(Status::Failure), LAST).await?;
    let mut names: BTreeMap<String, BTreeMap<&str, u64>> = BTreeMap::new();
    for entry in &entries {
        *names.entry(label(entry)).or_default().entry(&entry.error).or_default() += 1;
    }
    let kinds: BTreeSet<&&str> = names.values().flat_map(BTreeMap::keys).collect();
    let data: Vec<Value> = names
        .iter()
        .map(|(name, kinds)| {
            let counts = kinds.iter().map(|(kind, n)| ((*kind).to_owned(), json!(n)));
            Value::Object([(String::from("model"), json!(name))].into_iter().chain(counts).collect())
        })
        .collect();
    Ok(Json(json!({ "data": data, "exception_types": kinds })))
}
