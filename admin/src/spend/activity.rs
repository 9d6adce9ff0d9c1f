//! `/user/daily/activity` and its like: days, each broken down by model, provider, key and whoever it is about.

use super::day_text;
use super::global::{known_keys, team_names};
use super::latency::{self, Latencies};
use super::scope::{Days, complete, of_caller, only};
use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::Params;
use crate::page::{Bounds, Page};
use crate::routes::{Access, route};
use crate::teams;
use axum::Json;
use axum::http::Method;
use axum::routing::get;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use weir_core::access::{Grant, RouteClass};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::latency::Latency;
use weir_core::domain::operation::OPERATIONS;
use weir_core::ports::{
    Dimension, LatencyRow, MAX_ROLLUP_ROWS, Rollup, RollupOrder, RollupQuery, RollupRow, Sums,
};

/// Whom a day is about.
struct Kind {
    of: Rollup,
    entity: Dimension,
    /// How people call its days.
    name: &'static str,
    /// Parameter that leaves some out.
    without: &'static str,
}

static USERS: Kind = Kind { of: Rollup::Keys, entity: Dimension::User, name: "users", without: "" };
static TEAMS: Kind =
    Kind { of: Rollup::Keys, entity: Dimension::Team, name: "teams", without: "exclude_team_ids" };
static ORGANIZATIONS: Kind = Kind {
    of: Rollup::Keys,
    entity: Dimension::Organization,
    name: "organizations",
    without: "exclude_organization_ids",
};
static CUSTOMERS: Kind = Kind {
    of: Rollup::Customers,
    entity: Dimension::Customer,
    name: "customers",
    without: "exclude_end_user_ids",
};
static TAGS: Kind = Kind { of: Rollup::Tags, entity: Dimension::Tag, name: "tags", without: "" };

/// Parameters that narrow days, each to one or several of a kind; all that are given must hold. Days of users, teams and
/// organisations know all of them but tags and customers; days of these know themselves, keys, models and providers.
static ONLY: &[(&str, Dimension)] = &[
    ("user_id", Dimension::User),
    ("team_id", Dimension::Team),
    ("team_ids", Dimension::Team),
    ("organization_id", Dimension::Organization),
    ("organization_ids", Dimension::Organization),
    ("end_user_ids", Dimension::Customer),
    ("tag", Dimension::Tag),
    ("tags", Dimension::Tag),
    ("model", Dimension::ModelGroup),
    ("provider", Dimension::Provider),
    ("api_key", Dimension::Key),
];

const VIEW: Grant = Grant::VIEWER.and(Grant::ORG_ADMIN);

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/user/daily/activity", RouteClass::Info, Grant::ANY, || get(|c, p| tell(c, p, &USERS))),
    route(Method::GET, "/user/daily/activity/aggregated", RouteClass::Spend, Grant::ADMIN, || get(|c, p| tell(c, p, &USERS))),
    route(Method::GET, "/team/daily/activity", RouteClass::Spend, Grant::ANY, || get(|c, p| tell(c, p, &TEAMS))),
    route(Method::GET, "/organization/daily/activity", RouteClass::Spend, VIEW, || get(|c, p| tell(c, p, &ORGANIZATIONS))),
    route(Method::GET, "/customer/daily/activity", RouteClass::Spend, Grant::ADMIN, || get(|c, p| tell(c, p, &CUSTOMERS))),
    route(Method::GET, "/end_user/daily/activity", RouteClass::Spend, Grant::ADMIN, || get(|c, p| tell(c, p, &CUSTOMERS))),
    route(Method::GET, "/tag/daily/activity", RouteClass::Spend, VIEW, || get(|c, p| tell(c, p, &TAGS))),
];

/// What every row is told apart by, after the day and whom it is about.
static OF_KEYS: &[Dimension] =
    &[Dimension::Key, Dimension::ModelGroup, Dimension::Provider, Dimension::Model, Dimension::CallType];
static OF_OTHERS: &[Dimension] = &[Dimension::Key, Dimension::ModelGroup, Dimension::Provider];

/// Names of a breakdown, and where its dimension stands in a row.
static PARTS: &[(&str, usize)] = &[
    ("model_groups", 3),
    ("providers", 4),
    ("models", 5),
    ("endpoints", 6),
    ("api_keys", 2),
    ("entities", 1),
];

async fn tell(context: Context, params: Params, kind: &'static Kind) -> Result<Json<Object>, Refusal> {
    let only = narrowed(&params, kind)?;
    let Some(days) = Days::asked(&params)? else {
        return Err(detail(400, &json!({ "error": "Please provide start_date and end_date" })));
    };
    let page = Page::asked(&params, &SUMS)?;
    let Found { rows, total, latencies } = found(&context, &params, kind, (days, only), page).await?;
    let ids = rows.iter().map(|row| row.name(2).to_owned()).collect();
    let told = Teller {
        keys: known_keys(&context, ids).await?,
        teams: if kind.entity == Dimension::Team {
            team_names(&context, &rows, 1).await?
        } else {
            HashMap::new()
        },
        latencies,
    };
    let mut by_day: BTreeMap<&str, Vec<&RollupRow>> = BTreeMap::new();
    for row in &rows {
        by_day.entry(row.name(0)).or_default().push(row);
    }
    let results: Vec<Object> = by_day.iter().rev().map(|(day, rows)| told.day(day, rows)).collect();
    Ok(Json(Object(vec![("results", raw(&results)), ("metadata", raw(&told.totals(&rows, page, total)))])))
}

/// LiteLLM's bounds of a page of sums.
static SUMS: Bounds = Bounds { size: "page_size", usual: 50, longest: 1_000 };

/// A page's rows.
#[derive(Default)]
struct Found {
    rows: Vec<RollupRow>,
    /// How many there are of all pages.
    total: u64,
    latencies: Latencies,
}

async fn found(
    context: &Context,
    params: &Params,
    kind: &Kind,
    narrowed: (Days, Narrowed),
    page: Option<Page>,
) -> Result<Found, Refusal> {
    let Some(query) = query(context, params, kind, narrowed).await? else { return Ok(Found::default()) };
    let spend = &context.services.spend;
    let (rows, total) = match page {
        None => {
            let rows = complete(context, &query).await?;
            let total = rows.len() as u64;
            (rows, total)
        }
        Some(page) => {
            let order = RollupOrder::Latest;
            let part = RollupQuery { order, limit: page.size, skip: page.skip(), ..query.clone() };
            (spend.rollup(&part).await?, spend.rollup_rows(&query).await?)
        }
    };
    // Counts are of whole days: they would not fit to a part of one.
    let is_all = rows.len() as u64 == total;
    let latencies = if is_all { spend.latencies(&query).await? } else { Vec::new() };
    Ok(Found { rows, total, latencies: Latencies::of(latencies) })
}

/// Values that each of these dimensions must have one of.
type Narrowed = Vec<(Dimension, Vec<String>)>;

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(|one| one.trim().to_owned()).collect()
}

/// # Errors
/// 400 for what these days are not summed by: to leave it out would tell more than was asked for.
fn narrowed(params: &Params, kind: &Kind) -> Result<Narrowed, Refusal> {
    let mut only = Narrowed::new();
    for (name, dimension) in ONLY {
        let Some(text) = params.get(name) else { continue };
        if !kind.of.has(*dimension) {
            let message = format!("Days of {} are not summed by {name}.", kind.name);
            return Err(detail(400, &json!({ "error": message })));
        }
        let values = match dimension {
            Dimension::Key => vec![KeyHash::from_key_or_hash(text).hex()],
            // Names of models may hold commas.
            Dimension::ModelGroup => vec![text.to_owned()],
            _ => listed(text),
        };
        only.push((*dimension, values));
    }
    Ok(only)
}

/// What is asked for, as far as the caller may see it; `None`: nothing.
async fn query(
    context: &Context,
    params: &Params,
    kind: &Kind,
    (days, only_these): (Days, Narrowed),
) -> Result<Option<RollupQuery>, Refusal> {
    let rest = if kind.of == Rollup::Keys { OF_KEYS } else { OF_OTHERS };
    let mut query = RollupQuery {
        of: kind.of,
        by: [Dimension::Day, kind.entity].iter().chain(rest).copied().collect(),
        from: days.from,
        until: days.until,
        limit: MAX_ROLLUP_ROWS,
        only: only_these,
        ..RollupQuery::default()
    };
    match kind.entity {
        Dimension::Team if !context.sees_all() => {
            query.only.push((Dimension::Team, own_teams(context).await?));
        }
        Dimension::Organization if !context.sees_all() => {
            let known = context.caller.principal();
            let own =
                known.map(|known| known.memberships.iter().map(|m| m.organization_id.clone()).collect());
            query.only.push((Dimension::Organization, own.unwrap_or_default()));
        }
        // Whose key belongs to nobody sees nothing.
        _ if !context.sees_all() && only(context).is_err() => return Ok(None),
        _ => query = of_caller(context, query).await?,
    }
    query.except.extend(params.get(kind.without).map(|ids| (kind.entity, listed(ids))));
    // Sums of nobody are of users only: no team, no organisation is none.
    if matches!(kind.entity, Dimension::Team | Dimension::Organization) {
        query.except.push((kind.entity, vec![String::new()]));
    }
    Ok(Some(query))
}

async fn own_teams(context: &Context) -> Result<Vec<String>, Refusal> {
    let known = context.caller.principal();
    let mut teams: Vec<String> = known.and_then(|known| known.key.team_id.clone()).into_iter().collect();
    if let Some(user) = context.by() {
        teams.extend(teams::teams_of(context, user.to_owned()).await?);
    }
    Ok(teams)
}

/// Names of ids in the rows.
struct Teller {
    keys: HashMap<String, KeyRecord>,
    teams: HashMap<String, String>,
    latencies: Latencies,
}

/// Sums of one name, and of each key under it.
#[derive(Default)]
struct Part {
    sums: Sums,
    latency: Option<Latency>,
    keys: BTreeMap<String, Sums>,
}

impl Teller {
    fn day(&self, day: &str, rows: &[&RollupRow]) -> Object {
        let mut all = Sums::default();
        rows.iter().for_each(|row| all.add(&row.sums));
        let latencies = self.latencies.on(day);
        let mut breakdown = vec![("mcp_servers", raw(&json!({})))];
        for (name, at) in PARTS {
            breakdown.push((name, self.part(name, *at, rows, latencies)));
        }
        Object(vec![
            ("date", raw(&day_text(day))),
            ("metrics", raw(&metrics(&all, latency::sum(latencies).as_ref()))),
            ("breakdown", raw(&Object(breakdown))),
        ])
    }

    fn part(&self, name: &str, at: usize, rows: &[&RollupRow], latencies: &[LatencyRow]) -> Raw {
        let by_name = latency::by_name(name, latencies);
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        for row in rows {
            let Some(of) = row.names.get(at) else { continue };
            let part = parts.entry(called(name, of)).or_default();
            part.sums.add(&row.sums);
            part.latency = by_name.get(of.as_str()).copied();
            part.keys.entry(row.name(2).to_owned()).or_default().add(&row.sums);
        }
        let told: BTreeMap<&String, Object> =
            parts.iter().map(|(of, part)| (of, self.told(name, of, part))).collect();
        raw(&told)
    }

    fn told(&self, name: &str, of: &str, part: &Part) -> Object {
        if name == "api_keys" {
            return Object(vec![("metrics", raw(&metrics(&part.sums, None))), ("metadata", self.key(of))]);
        }
        let keys: BTreeMap<&String, Object> = part
            .keys
            .iter()
            .map(|(key, sums)| {
                (key, Object(vec![("metrics", raw(&metrics(sums, None))), ("metadata", self.key(key))]))
            })
            .collect();
        let alias = (name == "entities").then(|| self.teams.get(of)).flatten();
        let metadata = alias.map_or_else(|| json!({}), |alias| json!({ "team_alias": alias }));
        Object(vec![
            ("metrics", raw(&metrics(&part.sums, part.latency.as_ref()))),
            ("metadata", raw(&metadata)),
            ("api_key_breakdown", raw(&keys)),
        ])
    }

    /// Sums of this page, and where it stands among the others.
    fn totals(&self, rows: &[RollupRow], page: Option<Page>, total: u64) -> Object {
        let number = page.map_or(1, |page| page.number);
        let pages = page.map_or(u64::from(total > 0), |page| page.of(total));
        let mut all = Sums::default();
        rows.iter().for_each(|row| all.add(&row.sums));
        let latency = self.latencies.all();
        let mut times = times(&all, latency.as_ref());
        times.extend(latency.map(|_| latency::bounds()));
        Object(vec![
            ("total_spend", all.cost.json()),
            ("total_prompt_tokens", raw(&all.input)),
            ("total_completion_tokens", raw(&all.output)),
            ("total_tokens", raw(&all.input.saturating_add(all.output))),
            ("total_api_requests", raw(&all.requests)),
            ("total_successful_requests", raw(&(all.requests - all.failures))),
            ("total_failed_requests", raw(&all.failures)),
            ("total_cache_read_input_tokens", raw(&all.cache_read)),
            ("total_cache_creation_input_tokens", raw(&all.cache_write)),
            ("weir", raw(&Object(times))),
            ("page", raw(&number)),
            ("total_pages", raw(&pages)),
            ("has_more", raw(&Value::from(u64::from(number) < pages))),
        ])
    }

    fn key(&self, id: &str) -> Raw {
        let key = self.keys.get(id);
        let (alias, team) =
            (key.and_then(|key| key.alias.as_ref()), key.and_then(|key| key.team_id.as_ref()));
        raw(&json!({ "key_alias": alias, "team_id": team }))
    }
}

/// What LiteLLM calls a name: an operation by its path, nobody by a word.
fn called(part: &str, of: &str) -> String {
    match (part, of) {
        ("endpoints", of) => {
            let row = OPERATIONS.iter().find(|row| row.call_type == of);
            row.map_or(of, |row| row.route.strip_prefix("/v1").unwrap_or(row.route)).to_owned()
        }
        ("providers", "") => "unknown".to_owned(),
        ("entities", "") => "Unassigned".to_owned(),
        (_, of) => of.to_owned(),
    }
}

fn metrics(sums: &Sums, latency: Option<&Latency>) -> Object {
    Object(vec![
        ("spend", sums.cost.json()),
        ("prompt_tokens", raw(&sums.input)),
        ("completion_tokens", raw(&sums.output)),
        ("cache_read_input_tokens", raw(&sums.cache_read)),
        ("cache_creation_input_tokens", raw(&sums.cache_write)),
        ("total_tokens", raw(&sums.input.saturating_add(sums.output))),
        ("successful_requests", raw(&(sums.requests - sums.failures))),
        ("failed_requests", raw(&sums.failures)),
        ("api_requests", raw(&sums.requests)),
        ("weir", raw(&Object(times(sums, latency)))),
    ])
}

/// Beside LiteLLM's: as sums, so that those of several days can be added before they are divided.
fn times(sums: &Sums, latency: Option<&Latency>) -> Vec<(&'static str, Raw)> {
    let mut told = vec![
        ("timed_requests", raw(&sums.timed)),
        ("duration_us", raw(&sums.took)),
        ("streamed_requests", raw(&sums.streamed)),
        ("time_to_first_token_us", raw(&sums.first_token)),
    ];
    told.extend(latency.into_iter().flat_map(latency::counts));
    told
}
