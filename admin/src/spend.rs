//! `/spend/logs` and `/global/spend`: what was booked, in LiteLLM's fields.

use crate::error::Refusal;
use crate::service::Services;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::{Entry, Status};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::SpendFilter;
use weir_core::time::Micros;

#[derive(Deserialize)]
pub(crate) struct LogsQuery {
    api_key: Option<String>,
    user_id: Option<String>,
    team_id: Option<String>,
    request_id: Option<String>,
    start_date: Option<String>,
    end_date: Option<String>,
    summarize: Option<bool>,
    limit: Option<u32>,
    page: Option<u32>,
}

/// Rows without a limit would be everything; this is what one answer holds at most.
const MAX_ROWS: u32 = 10_000;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Rows newest first; with both dates, and unless `summarize=false`, sums by day.
pub(crate) async fn logs(
    State(services): State<Arc<Services>>,
    Query(query): Query<LogsQuery>,
) -> Result<Response, Refusal> {
    let filter = filter(&query)?;
    let entries = services.spend.entries(&filter).await?;
    if query.start_date.is_some() && query.end_date.is_some() && query.summarize.unwrap_or(true) {
        return Ok(Json(by_day(&filter, &entries)).into_response());
    }
    Ok(Json(entries.iter().map(Row::of).collect::<Vec<_>>()).into_response())
}

fn filter(query: &LogsQuery) -> Result<SpendFilter, Refusal> {
    let limit = query.limit.unwrap_or(MAX_ROWS).clamp(1, MAX_ROWS);
    Ok(SpendFilter {
        key_hash: query.api_key.as_deref().map(KeyHash::from_key_or_hash),
        user_id: query.user_id.clone(),
        team_id: query.team_id.clone(),
        request_id: query.request_id.clone(),
        from: query.start_date.as_deref().map(|text| date(text, false)).transpose()?,
        until: query.end_date.as_deref().map(|text| date(text, true)).transpose()?,
        limit,
        offset: query.page.unwrap_or(1).saturating_sub(1).saturating_mul(limit),
    })
}

/// `2026-11-25`, or the same with a time. A plain end date includes its day.
fn date(text: &str, end: bool) -> Result<Micros, Refusal> {
    let utc = |moment: jiff::civil::DateTime| moment.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
    let micros = |span: jiff::SignedDuration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(Micros(moment.as_microsecond()));
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        let start = micros(utc(day.at(0, 0, 0, 0)));
        return Ok(Micros(if end && text.len() <= 10 { start.saturating_add(MICROS_PER_DAY) } else { start }));
    }
    match text.replacen(' ', "T", 1).parse::<jiff::civil::DateTime>() {
        Ok(moment) => Ok(Micros(micros(utc(moment)))),
        Err(_) => {
            let message = format!("time data {text:?} does not match format '%Y-%m-%d'");
            Err(ApiError::new(Kind::BadRequest, message).into())
        }
    }
}

// --- rows ---

/// One row of LiteLLM's SpendLogs.
#[derive(Serialize)]
struct Row {
    request_id: String,
    call_type: &'static str,
    api_key: String,
    spend: Box<RawValue>,
    total_tokens: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    #[serde(rename = "startTime")]
    start_time: String,
    #[serde(rename = "endTime")]
    end_time: String,
    #[serde(rename = "completionStartTime")]
    completion_start_time: Option<String>,
    model: String,
    model_id: String,
    model_group: String,
    custom_llm_provider: String,
    api_base: String,
    user: String,
    metadata: Value,
    cache_hit: &'static str,
    cache_key: &'static str,
    request_tags: Vec<String>,
    team_id: Option<String>,
    end_user: String,
    requester_ip_address: String,
    messages: Value,
    response: Value,
    session_id: String,
    status: &'static str,
}

impl Row {
    fn of(entry: &Entry) -> Self {
        Self {
            request_id: entry.provider_id.clone().unwrap_or_else(|| entry.call_id.clone()),
            call_type: entry.operation.row().call_type,
            api_key: hash(entry),
            spend: entry.cost.json(),
            total_tokens: entry.usage.total(),
            prompt_tokens: entry.usage.input,
            completion_tokens: entry.usage.output,
            start_time: entry.started_at.rfc3339(),
            end_time: entry.ended_at.rfc3339(),
            completion_start_time: Some(entry.first_token_at.unwrap_or(entry.ended_at).rfc3339()),
            model: model(entry),
            model_id: entry.deployment_id.clone(),
            model_group: entry.model_group.clone(),
            custom_llm_provider: entry.provider.clone(),
            api_base: entry.api_base.clone(),
            user: entry.user_id.clone().unwrap_or_default(),
            metadata: metadata(entry),
            cache_hit: "False",
            cache_key: "Cache OFF",
            request_tags: entry.tags.clone(),
            team_id: entry.team_id.clone(),
            end_user: entry.end_user.clone().unwrap_or_default(),
            requester_ip_address: entry.client_ip.clone(),
            messages: json!({}),
            response: json!({}),
            session_id: entry.id.to_string(),
            status: if entry.status == Status::Success { "success" } else { "failure" },
        }
    }
}

fn hash(entry: &Entry) -> String {
    entry.key_hash.map(|hash| hash.hex()).unwrap_or_default()
}

fn model(entry: &Entry) -> String {
    if entry.provider.is_empty() { entry.model.clone() } else { format!("{}/{}", entry.provider, entry.model) }
}

/// LiteLLM's own members, and under `weir` what explains the entry.
fn metadata(entry: &Entry) -> Value {
    let client: Value = serde_json::from_str(&entry.metadata).unwrap_or_else(|_| json!({}));
    let failed = entry.status != Status::Success && !entry.error.is_empty();
    let error = failed.then(|| {
        json!({ "error_class": entry.error, "error_message": entry.error_message, "error_code": entry.http_status.to_string() })
    });
    json!({
        "status": if entry.status == Status::Success { "success" } else { "failure" },
        "user_api_key": hash(entry),
        "user_api_key_alias": entry.key_alias,
        "user_api_key_team_id": entry.team_id,
        "user_api_key_user_id": entry.user_id,
        "user_api_key_team_alias": null,
        "user_api_key_org_id": null,
        "requester_ip_address": entry.client_ip,
        "usage_object": {
            "prompt_tokens": entry.usage.input,
            "completion_tokens": entry.usage.output,
            "total_tokens": entry.usage.total(),
            "prompt_tokens_details": { "cached_tokens": entry.usage.cache_read, "audio_tokens": entry.usage.audio_input },
            "completion_tokens_details": {
                "reasoning_tokens": entry.usage.reasoning, "audio_tokens": entry.usage.audio_output,
            },
        },
        "requester_metadata": client,
        "error_information": error,
        "weir": weir(entry),
    })
}

fn weir(entry: &Entry) -> Value {
    let attempts: Vec<Value> = entry
        .attempts
        .iter()
        .map(|a| {
            json!({
                "number": a.number, "model_group": a.model_group, "model_id": a.deployment_id, "status": a.status,
                "error": a.error, "started_at": a.started_at.rfc3339(), "ended_at": a.ended_at.rfc3339(),
            })
        })
        .collect();
    json!({
        "entry_id": entry.id.to_string(),
        "call_id": entry.call_id,
        "status": entry.status.as_str(),
        "http_status": entry.http_status,
        "stream": entry.stream,
        "model_requested": entry.model_requested,
        "usage_source": format!("{:?}", entry.usage_source).to_lowercase(),
        "unpriced": entry.unpriced,
        "price_version": entry.price_version,
        "user_agent": entry.user_agent,
        "attempts": attempts,
    })
}

// --- days ---

/// One day's sums; days without entries stand there with zero.
#[derive(Serialize)]
struct Day {
    #[serde(rename = "startTime")]
    start_time: String,
    spend: Box<RawValue>,
    users: BTreeMap<String, Box<RawValue>>,
    models: BTreeMap<String, Box<RawValue>>,
    #[serde(flatten)]
    keys: BTreeMap<String, Box<RawValue>>,
}

type Sums = BTreeMap<String, NanoUsd>;

/// More days than this are not summed in one answer.
const MAX_DAYS: i64 = 400;

fn by_day(filter: &SpendFilter, entries: &[Entry]) -> Vec<Day> {
    let day_of = |at: Micros| at.0.div_euclid(MICROS_PER_DAY);
    let mut days: BTreeMap<i64, Vec<&Entry>> = BTreeMap::new();
    if let (Some(from), Some(until)) = (filter.from, filter.until) {
        let last = day_of(Micros(until.0 - 1)).min(day_of(from) + MAX_DAYS);
        days.extend((day_of(from)..=last).map(|day| (day, Vec::new())));
    }
    entries.iter().for_each(|entry| days.entry(day_of(entry.started_at)).or_default().push(entry));
    days.into_iter().map(|(day, entries)| sum(day, &entries)).collect()
}

fn sum(day: i64, entries: &[&Entry]) -> Day {
    let (mut users, mut models, mut keys) = (Sums::new(), Sums::new(), Sums::new());
    for entry in entries {
        *users.entry(entry.user_id.clone().unwrap_or_default()).or_default() += entry.cost;
        *models.entry(model(entry)).or_default() += entry.cost;
        *keys.entry(hash(entry)).or_default() += entry.cost;
    }
    let total: NanoUsd = entries.iter().map(|entry| entry.cost).sum();
    Day {
        start_time: Micros(day * MICROS_PER_DAY).rfc3339().chars().take(10).collect(),
        spend: total.json(),
        users: json_of(users),
        models: json_of(models),
        keys: json_of(keys),
    }
}

fn json_of(sums: Sums) -> BTreeMap<String, Box<RawValue>> {
    sums.into_iter().map(|(name, amount)| (name, amount.json())).collect()
}

// --- totals ---

#[derive(Serialize)]
pub(crate) struct Global {
    spend: Box<RawValue>,
    max_budget: f64,
}

/// Everything that was booked. There is no budget of the whole gateway yet.
pub(crate) async fn global(State(services): State<Arc<Services>>) -> Result<Json<Global>, Refusal> {
    let spend = services.spend.total_spend().await?;
    Ok(Json(Global { spend: spend.json(), max_budget: 0.0 }))
}
