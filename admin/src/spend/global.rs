//! `/global/spend/*`, `/global/activity*` and `/spend/tags keys users`: sums, in LiteLLM's shapes.

use super::day_text;
use super::scope::{Days, only, sums};
use crate::answer::{Object, Raw, parsed, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::input::{Fields, Params};
use crate::keys;
use crate::users;
use axum::Json;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Record, Team, User};
use weir_core::domain::spend::{Entry, Status};
use weir_core::ports::records::{get_all, list};
use weir_core::ports::{
    Condition, Dimension, RecordQuery, Rollup, RollupOrder, RollupQuery, RollupRow, Sort, SpendFilter,
    SpendScope,
};
use weir_core::time::Micros;

type Answer<T> = Result<Json<T>, Refusal>;

/// Rows of lists without a limit.
const TOP: u32 = 10;

pub(super) fn over(days: Days, of: Rollup, by: &[Dimension]) -> RollupQuery {
    RollupQuery { of, by: by.to_vec(), from: days.from, until: days.until, ..RollupQuery::default() }
}

fn dearest(query: RollupQuery) -> RollupQuery {
    RollupQuery { order: RollupOrder::Cost, ..query }
}

fn first(rows: Vec<RollupRow>, params: &Params) -> Result<Vec<RollupRow>, Refusal> {
    let limit = params.positive("limit")?.unwrap_or(TOP) as usize;
    Ok(rows.into_iter().take(limit).collect())
}

// --- the last thirty days ---

/// Everything that was booked, and the budget of the whole gateway; 0.0 is none.
pub(super) async fn all(context: Context) -> Answer<Object> {
    let spend = match only(&context)? {
        None => context.services.spend.total_spend().await?,
        Some(_) => sums(&context, over(Days { from: 0, until: i64::MAX }, Rollup::Keys, &[]))
            .await?
            .iter()
            .map(|row| row.sums.cost)
            .sum(),
    };
    let budget = (context.services.config)().litellm.budget.as_ref().map(|budget| budget.cap);
    let budget = parsed(&budget.unwrap_or_default().told(), "0.0");
    Ok(Json(Object(vec![("spend", spend.json()), ("max_budget", budget)])))
}

pub(super) async fn keys(context: Context, params: Params) -> Answer<Vec<Object>> {
    let rows = sums(&context, dearest(over(Days::last(), Rollup::Keys, &[Dimension::Key]))).await?;
    let rows = first(rows, &params)?;
    let known = known_keys(&context, rows.iter().map(|row| row.name(0).to_owned()).collect()).await?;
    let told = rows.iter().map(|row| {
        let key = known.get(row.name(0));
        Object(vec![
            ("api_key", raw(row.name(0))),
            ("key_alias", raw(&key.and_then(|key| key.alias.as_ref()))),
            ("key_name", raw(&key.map(|key| &key.masked))),
            ("total_spend", row.sums.cost.json()),
        ])
    });
    Ok(Json(told.collect()))
}

pub(super) async fn known_keys(
    context: &Context,
    ids: Vec<String>,
) -> Result<HashMap<String, KeyRecord>, Refusal> {
    let keys = get_all::<KeyRecord>(context.directory(), &ids).await?;
    Ok(keys.into_iter().map(|key| (key.id(), key.record)).collect())
}

pub(super) async fn models(context: Context, params: Params) -> Answer<Vec<Object>> {
    let rows = sums(&context, dearest(over(Days::last(), Rollup::Keys, &[Dimension::Model]))).await?;
    let told = first(rows, &params)?;
    let told = told
        .iter()
        .map(|row| Object(vec![("model", raw(row.name(0))), ("total_spend", row.sums.cost.json())]));
    Ok(Json(told.collect()))
}

/// Days, each with what every team spent. Teams go by their names; "Unassigned" is what no team spent.
pub(super) async fn teams(context: Context) -> Answer<Object> {
    let rows = sums(&context, over(Days::last(), Rollup::Keys, &[Dimension::Day, Dimension::Team])).await?;
    let names = team_names(&context, &rows, 1).await?;
    let mut days: BTreeMap<String, BTreeMap<String, Raw>> = BTreeMap::new();
    let mut totals: BTreeMap<String, NanoUsd> = BTreeMap::new();
    for row in &rows {
        let team = names.get(row.name(1)).cloned().unwrap_or_else(|| "Unassigned".to_owned());
        let day = day_text(row.name(0));
        days.entry(day).or_default().insert(team.clone(), row.sums.cost.json());
        *totals.entry(team).or_default() += row.sums.cost;
    }
    let daily = days.into_iter().map(|(day, mut teams)| {
        teams.insert("date".to_owned(), raw(&day));
        teams
    });
    let mut per_team: Vec<(&String, &NanoUsd)> = totals.iter().collect();
    per_team.sort_by_key(|(_, cost)| std::cmp::Reverse(**cost));
    let per_team: Vec<Object> = per_team
        .into_iter()
        .map(|(team, cost)| Object(vec![("team_id", raw(team)), ("total_spend", cost.json())]))
        .collect();
    Ok(Json(Object(vec![
        ("daily_spend", raw(&daily.collect::<Vec<_>>())),
        ("teams", raw(&totals.keys().collect::<Vec<_>>())),
        ("total_spend_per_team", raw(&per_team)),
    ])))
}

/// Aliases of the teams in a column of the sums; a team that is gone keeps its id.
pub(super) async fn team_names(
    context: &Context,
    rows: &[RollupRow],
    at: usize,
) -> Result<HashMap<String, String>, Refusal> {
    let mut ids: Vec<String> =
        rows.iter().map(|row| row.name(at).to_owned()).filter(|id| !id.is_empty()).collect();
    ids.sort();
    ids.dedup();
    let mut names: HashMap<String, String> = ids.iter().map(|id| (id.clone(), id.clone())).collect();
    for team in get_all::<Team>(context.directory(), &ids).await? {
        if let Some(alias) = &team.alias {
            names.insert(team.id.clone(), alias.clone());
        }
    }
    Ok(names)
}

pub(super) async fn days(context: Context, params: Params) -> Answer<Vec<Object>> {
    let mut query = over(Days::last(), Rollup::Keys, &[Dimension::Day]);
    let key = params.get("api_key").map(|key| KeyHash::from_key_or_hash(key).hex());
    query.only.extend(key.clone().map(|key| (Dimension::Key, vec![key])));
    let rows = sums(&context, query).await?;
    let told = rows.iter().map(|row| {
        let mut day = vec![("date", raw(&day_text(row.name(0)))), ("spend", row.sums.cost.json())];
        day.extend(key.as_ref().map(|key| ("api_key", raw(key))));
        Object(day)
    });
    Ok(Json(told.collect()))
}

// --- tags, customers, providers ---

/// Between two dates, which must be given.
pub(super) async fn tags(context: Context, params: Params) -> Answer<Object> {
    let Some(days) = Days::asked(&params)? else {
        return Err(Refusal::told(400, "bad_request", "None", "Please provide start_date and end_date"));
    };
    let mut query = dearest(over(days, Rollup::Tags, &[Dimension::Tag]));
    let named =
        params.get("tags").map(|tags| tags.split(',').map(|tag| tag.trim().to_owned()).collect::<Vec<_>>());
    query.only.extend(
        named.filter(|tags| !tags.iter().any(|t| t == "all-tags")).map(|tags| (Dimension::Tag, tags)),
    );
    let rows = sums(&context, query).await?;
    let told: Vec<Object> = rows
        .iter()
        .map(|row| {
            Object(vec![
                ("name", raw(row.name(0))),
                ("spend", row.sums.cost.json()),
                ("log_count", raw(&row.sums.requests)),
            ])
        })
        .collect();
    Ok(Json(Object(vec![("spend_per_tag", raw(&told))])))
}

/// `/spend/tags`: the same in another form, of all days unless dates are given.
pub(super) async fn spend_tags(context: Context, params: Params) -> Answer<Vec<Object>> {
    let days = Days::asked(&params)?.unwrap_or(Days { from: 0, until: i64::MAX });
    let rows = sums(&context, over(days, Rollup::Tags, &[Dimension::Tag])).await?;
    let told = rows.iter().map(|row| {
        Object(vec![
            ("individual_request_tag", raw(row.name(0))),
            ("log_count", raw(&row.sums.requests)),
            ("total_spend", row.sums.cost.json()),
        ])
    });
    Ok(Json(told.collect()))
}

pub(super) async fn tag_names(context: Context) -> Answer<Value> {
    let rows =
        sums(&context, over(Days { from: 0, until: i64::MAX }, Rollup::Tags, &[Dimension::Tag])).await?;
    let names: Vec<&str> = rows.iter().map(|row| row.name(0)).collect();
    Ok(Json(json!({ "tag_names": names })))
}

pub(super) async fn customers(context: Context) -> Answer<Value> {
    let days = Days { from: 0, until: i64::MAX };
    let rows = sums(&context, over(days, Rollup::Customers, &[Dimension::Customer])).await?;
    let names: Vec<&str> = rows.iter().map(|row| row.name(0)).collect();
    Ok(Json(json!({ "end_users": names })))
}

pub(super) async fn spend_of_customers(context: Context, mut sent: Fields) -> Answer<Vec<Object>> {
    let key = sent.text("api_key").map(|key| KeyHash::from_key_or_hash(&key).hex());
    let (from, until) = (sent.text("startTime"), sent.text("endTime"));
    sent.finish()?;
    let day = |text: Option<String>, end| -> Result<Option<i64>, Refusal> {
        let at = text.map(|text| super::moment(&text, end)).transpose()?;
        Ok(at.map(|at| at.day()))
    };
    let days = Days { from: day(from, false)?.unwrap_or(0), until: day(until, true)?.unwrap_or(i64::MAX) };
    let mut query = dearest(over(days, Rollup::Customers, &[Dimension::Customer]));
    query.only.extend(key.map(|key| (Dimension::Key, vec![key])));
    let rows = sums(&context, query).await?;
    let told = rows.iter().take(100).map(|row| {
        Object(vec![
            ("end_user", raw(row.name(0))),
            ("total_count", raw(&row.sums.requests)),
            ("total_spend", row.sums.cost.json()),
        ])
    });
    Ok(Json(told.collect()))
}

pub(super) async fn providers(context: Context, params: Params) -> Answer<Vec<Object>> {
    let days = Days::asked(&params)?.unwrap_or_else(Days::last);
    let rows = sums(&context, dearest(over(days, Rollup::Keys, &[Dimension::Provider]))).await?;
    let named = rows.iter().filter(|row| !row.name(0).is_empty());
    let told = named.map(|row| Object(vec![("provider", raw(row.name(0))), ("spend", row.sums.cost.json())]));
    Ok(Json(told.collect()))
}

// --- records by spend ---

async fn by_spend<T: Record>(
    context: &Context,
    params: &Params,
    conditions: Vec<Condition>,
) -> Result<Vec<weir_core::domain::records::Kept<T>>, Refusal> {
    let limit = params.positive("limit")?.unwrap_or(10_000);
    let query = RecordQuery { conditions, sort: Sort::Spend, descending: true, limit, offset: 0 };
    Ok(list::<T>(context.directory(), &query).await?.records)
}

pub(super) async fn spend_keys(context: Context, params: Params) -> Answer<Vec<Object>> {
    let own = only(&context)?.map(|user| Condition::In("user_id", vec![user]));
    let keys = by_spend::<KeyRecord>(&context, &params, own.into_iter().collect()).await?;
    keys::told_all(&context, &keys).await.map(Json)
}

pub(super) async fn spend_users(context: Context, params: Params) -> Answer<Vec<Object>> {
    let user = only(&context)?.or_else(|| params.text("user_id"));
    let conditions = user.map(|user| Condition::In("id", vec![user])).into_iter().collect();
    let kept = by_spend::<User>(&context, &params, conditions).await?;
    let told = users::show::Told::load_all(&context, kept).await?;
    Ok(Json(told.iter().map(users::show::Told::row).collect()))
}

// --- activity ---

/// `Nov 23`, as LiteLLM's older charts want it.
fn short_day(day: &str) -> String {
    let date: Option<jiff::civil::Date> = day_text(day).parse().ok();
    date.map(|date| date.strftime("%b %d").to_string()).unwrap_or_default()
}

pub(super) async fn requests(context: Context, params: Params) -> Answer<Value> {
    let days = Days::asked(&params)?.unwrap_or_else(Days::last);
    let rows = sums(&context, over(days, Rollup::Keys, &[Dimension::Day])).await?;
    let tokens = |row: &RollupRow| row.sums.input.saturating_add(row.sums.output);
    let daily: Vec<Value> = rows
        .iter()
        .map(|row| json!({ "date": short_day(row.name(0)), "api_requests": row.sums.requests, "total_tokens": tokens(row) }))
        .collect();
    let requests: i64 = rows.iter().map(|row| row.sums.requests).sum();
    let all: i64 = rows.iter().map(tokens).sum();
    Ok(Json(json!({ "daily_data": daily, "sum_api_requests": requests, "sum_total_tokens": all })))
}

pub(super) async fn requests_by_model(context: Context, params: Params) -> Answer<Vec<Value>> {
    let days = Days::asked(&params)?.unwrap_or_else(Days::last);
    let rows = sums(&context, over(days, Rollup::Keys, &[Dimension::ModelGroup, Dimension::Day])).await?;
    let mut models: Vec<(String, Vec<Value>, i64, i64)> = Vec::new();
    for row in &rows {
        let (model, tokens) = (row.name(0), row.sums.input.saturating_add(row.sums.output));
        if models.last().is_none_or(|(last, ..)| last != model) {
            models.push((model.to_owned(), Vec::new(), 0, 0));
        }
        if let Some((_, daily, requests, all)) = models.last_mut() {
            daily.push(json!({ "model_group": model, "date": short_day(row.name(1)),
                "api_requests": row.sums.requests, "total_tokens": tokens }));
            *requests += row.sums.requests;
            *all += tokens;
        }
    }
    models.sort_by_key(|(_, _, requests, _)| std::cmp::Reverse(*requests));
    let told = models.into_iter().map(|(model, daily, requests, tokens)| {
        json!({ "model": model, "daily_data": daily, "sum_api_requests": requests, "sum_total_tokens": tokens })
    });
    Ok(Json(told.collect()))
}

// --- reset ---

/// What keys and teams have spent counts from zero again; entries and days stay.
pub(super) async fn reset(context: Context) -> Answer<Value> {
    let mut work = crate::work::Work::new(&context);
    for scope in [SpendScope::Key, SpendScope::Team, SpendScope::Member] {
        work.spent(scope, None, NanoUsd::ZERO);
    }
    work.commit().await?;
    Ok(Json(json!({ "message": "Spend for all API Keys and Teams reset successfully", "status": "success" })))
}

// --- what went wrong ---

/// Entries that are looked at for one answer.
const LOOKED_AT: u32 = 10_000;

/// Refusals for too many requests, newest first, as far as one answer holds them.
async fn rate_limited(context: &Context, params: &Params) -> Result<Vec<Entry>, Refusal> {
    let days = Days::asked(params)?.unwrap_or_else(Days::last);
    let filter = SpendFilter {
        model: params.text("model_group"),
        status: Some(Status::Failure),
        user_id: only(context)?,
        from: Some(Micros::of_day(days.from)),
        until: Some(Micros::of_day(days.until.saturating_add(1))),
        limit: LOOKED_AT,
        ..SpendFilter::default()
    };
    let entries = context.services.spend.entries(&filter).await?;
    Ok(entries.into_iter().filter(|entry| entry.http_status == 429).collect())
}

fn by_day(entries: &[&Entry]) -> Vec<Value> {
    let mut days: BTreeMap<i64, u64> = BTreeMap::new();
    for entry in entries {
        *days.entry(entry.started_at.day()).or_default() += 1;
    }
    let told = days.into_iter().map(
        |(day, number)| json!({ "date": short_day(&day.to_string()), "num_rate_limit_exceptions": number }),
    );
    told.collect()
}

pub(super) async fn exceptions(context: Context, params: Params) -> Answer<Value> {
    let entries = rate_limited(&context, &params).await?;
    let all: Vec<&Entry> = entries.iter().collect();
    Ok(Json(json!({ "daily_data": by_day(&all), "sum_num_rate_limit_exceptions": all.len() })))
}

pub(super) async fn exceptions_by_deployment(context: Context, params: Params) -> Answer<Vec<Value>> {
    let entries = rate_limited(&context, &params).await?;
    let mut bases: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &entries {
        bases.entry(&entry.api_base).or_default().push(entry);
    }
    let told = bases.into_iter().map(|(base, entries)| {
        json!({ "api_base": base, "daily_data": by_day(&entries), "sum_num_rate_limit_exceptions": entries.len() })
    });
    Ok(Json(told.collect()))
}

// --- tags and who used them ---

/// Users of a tag on a day: those whose keys were used.
async fn tag_users(
    context: &Context,
    days: Days,
    params: &Params,
) -> Result<BTreeMap<(String, String), (weir_core::ports::Sums, BTreeSet<String>)>, Refusal> {
    let by = [Dimension::Day, Dimension::Tag, Dimension::Key];
    let mut query = over(days, Rollup::Tags, &by);
    query.only.extend(wanted_tags(params).map(|tags| (Dimension::Tag, tags)));
    let rows = sums(context, query).await?;
    let known = known_keys(context, rows.iter().map(|row| row.name(2).to_owned()).collect()).await?;
    let mut all: BTreeMap<(String, String), (weir_core::ports::Sums, BTreeSet<String>)> = BTreeMap::new();
    for row in &rows {
        let (sums, users) = all.entry((row.name(0).to_owned(), row.name(1).to_owned())).or_default();
        sums.add(&row.sums);
        users.extend(known.get(row.name(2)).and_then(|key| key.user_id.clone()));
    }
    Ok(all)
}

/// `tag_filters`, else `tag_filter`; `None`: all tags.
fn wanted_tags(params: &Params) -> Option<Vec<String>> {
    let (several, one) = (params.all("tag_filters"), params.text("tag_filter"));
    if several.is_empty() {
        one.map(|tag| vec![tag])
    } else {
        Some(several.into_iter().map(str::to_owned).collect())
    }
}

pub(super) async fn tag_summary(context: Context, params: Params) -> Answer<Object> {
    let days = Days::asked(&params)?.unwrap_or_else(Days::last);
    let mut tags: BTreeMap<String, (weir_core::ports::Sums, BTreeSet<String>)> = BTreeMap::new();
    for ((_, tag), (sums, users)) in tag_users(&context, days, &params).await? {
        let all = tags.entry(tag).or_default();
        all.0.add(&sums);
        all.1.extend(users);
    }
    let told: Vec<Object> = tags
        .iter()
        .map(|(tag, (sums, users))| {
            Object(vec![
                ("tag", raw(tag)),
                ("unique_users", raw(&users.len())),
                ("total_requests", raw(&sums.requests)),
                ("successful_requests", raw(&(sums.requests - sums.failures))),
                ("failed_requests", raw(&sums.failures)),
                ("total_tokens", raw(&sums.input.saturating_add(sums.output))),
                ("total_spend", sums.cost.json()),
            ])
        })
        .collect();
    Ok(Json(Object(vec![("results", raw(&told))])))
}

/// Users of every tag on each of the last days.
pub(super) async fn tag_daily_users(context: Context, params: Params) -> Answer<Value> {
    let today = Days::last();
    let week = Days { from: today.until - 6, until: today.until };
    let told: Vec<Value> = tag_users(&context, week, &params)
        .await?
        .into_iter()
        .map(|((day, tag), (_, users))| {
            json!({ "tag": tag, "active_users": users.len(), "date": day_text(&day), "period_start": null, "period_end": null })
        })
        .collect();
    Ok(Json(json!({ "results": told })))
}
