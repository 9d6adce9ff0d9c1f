//! Telling about teams.

use super::show::Told;
use super::{rights, show};
use crate::answer::{Object, Raw, raw};
use crate::budgets;
use crate::context::Context;
use crate::deleted;
use crate::error::{Refusal, detail};
use crate::input::Params;
use crate::keys;
use crate::page::{self, Bounds, Page, RECORDS};
use axum::Json;
use serde_json::json;
use weir_core::domain::records::{Budget, Member, Team};
use weir_core::ports::records::{self, get_all};
use weir_core::ports::{Condition, RecordQuery, Sort};

static PAGES: Bounds = page::of_usual(10);

// --- one ---

pub(super) async fn info(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let page = Page::asked(&params, &RECORDS)?;
    let Some(id) = params.get("team_id") else {
        let message = "{'message': 'Malformed request. No team id passed in.'}";
        return Err(Refusal::told(422, "auth_error", "None", message));
    };
    let Some(team) = context.get::<Team>(id).await? else {
        let message = format!("{{'message': 'Team not found, passed team id: {id}.'}}");
        return Err(Refusal::told(404, "auth_error", "None", message));
    };
    rights::may_see(&context, &team).await?;
    let told = Told::load(&context, team).await?;
    let mut info = told.team();
    let budget = match &told.team.member_budget_id {
        Some(budget) => context.get::<Budget>(budget).await?,
        None => None,
    };
    info.0.push(("team_member_budget_table", raw(&budget.map(|budget| budgets::told(&budget)))));
    let mut answer = Object(vec![("team_id", raw(id)), ("team_info", raw(&info))]);
    answer.0.extend(keys_of(&context, page, id).await?);
    answer.0.push(("team_memberships", raw(&told.memberships(&context).await?)));
    Ok(Json(answer))
}

async fn keys_of(
    context: &Context,
    page: Option<Page>,
    team: &str,
) -> Result<Vec<(&'static str, Raw)>, Refusal> {
    keys::told_of(context, page, Condition::In("team_id", vec![team.to_owned()])).await
}

// --- many ---

/// Teams of a user, or all for who may see all. An array, oldest first.
pub(super) async fn list(context: Context, params: Params) -> Result<Json<Vec<Object>>, Refusal> {
    let own = context.by().map(str::to_owned);
    let user = params.text("user_id");
    let asks_own = user.is_some() && user == own;
    let organization = params.text("organization_id");
    if !context.sees_all() && !asks_own && !context.administers(organization.as_deref()) {
        let role = context.caller.role().map_or("unknown", |role| role.as_str());
        let message = format!("Only admin users can query all teams/other teams. Your user role={role}");
        return Err(detail(401, &json!({ "error": message })));
    }
    let mut conditions = Vec::new();
    if let Some(organization) = organization {
        conditions.push(Condition::In("organization_id", vec![organization]));
    }
    if let Some(user) = user {
        conditions.push(Condition::In("id", teams_of(&context, user).await?));
    }
    let told = Told::load_all(&context, context.all::<Team>(conditions).await?).await?;
    whole(&context, &told, None).await.map(Json)
}

/// Teams with their memberships and keys; with `page`, that page of the keys of each.
pub(crate) async fn whole(
    context: &Context,
    told: &[Told],
    page: Option<Page>,
) -> Result<Vec<Object>, Refusal> {
    let mut teams = Vec::new();
    for told in told {
        let mut team = told.team();
        team.0.push(("team_memberships", raw(&told.memberships(context).await?)));
        team.0.extend(keys_of(context, page, &told.team.id).await?);
        teams.push(team);
    }
    Ok(teams)
}

/// Ids of the teams that a user is a member of.
pub(crate) async fn teams_of(context: &Context, user: String) -> Result<Vec<String>, Refusal> {
    let members = context.all::<Member>(vec![Condition::In("user_id", vec![user])]).await?;
    Ok(members.into_iter().map(|member| member.record.team_id).collect())
}

/// The same in pages.
pub(super) async fn pages(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let page = Page::asked_or_first(&params, &PAGES)?;
    let gone = deleted::asked(&params)?;
    let mut conditions = Vec::new();
    if let Some(alias) = params.text("team_alias") {
        conditions.push(Condition::Contains("alias", alias));
    }
    for (name, column) in [("team_id", "id"), ("organization_id", "organization_id")] {
        conditions.extend(params.text(name).map(|value| Condition::In(column, vec![value])));
    }
    let user = match context.sees_all() {
        true => params.text("user_id"),
        false => Some(context.by().unwrap_or_default().to_owned()),
    };
    if let Some(user) = user {
        conditions.push(Condition::In("id", teams_of(&context, user).await?));
    }
    let query = page.records(conditions, sort(&params), &params);
    let (teams, total) =
        if gone { former(&context, &query).await? } else { living(&context, &query).await? };
    let mut answer = Object(vec![("teams", raw(&teams))]);
    answer.0.extend(page.sized_place(total));
    Ok(Json(answer))
}

async fn living(context: &Context, query: &RecordQuery) -> Result<(Vec<Object>, u64), Refusal> {
    let found = records::list::<Team>(context.directory(), query).await?;
    let teams = Told::load_all(context, found.records).await?;
    Ok((teams.iter().map(Told::team).collect(), found.total))
}

/// Teams that are gone: their members went with them.
async fn former(context: &Context, query: &RecordQuery) -> Result<(Vec<Object>, u64), Refusal> {
    let gone = deleted::all::<Team>(context, &query.conditions).await?;
    let page = gone.iter().skip(query.offset as usize).take(query.limit as usize);
    Ok((page.map(show::former).collect(), gone.len() as u64))
}

fn sort(params: &Params) -> Sort {
    match params.get("sort_by") {
        Some("team_alias") => Sort::Column("alias"),
        Some("team_id") => Sort::Id,
        Some("spend") => Sort::Spend,
        _ => Sort::CreatedAt,
    }
}

/// Teams that anybody may join: none unless the operator names some.
pub(super) async fn available(context: Context) -> Result<Json<Vec<Object>>, Refusal> {
    let named = (context.services.config)().litellm.available_teams.clone();
    if named.is_empty() {
        let message = "No available teams for user to join: litellm_settings.default_internal_user_params.available_teams names none.";
        return Err(detail(400, &json!({ "error": message })));
    }
    let own = teams_of(&context, context.by().unwrap_or_default().to_owned()).await?;
    let teams = get_all::<Team>(context.directory(), &named).await?;
    let free = teams.into_iter().filter(|team| !own.contains(&team.id)).collect();
    Ok(Json(Told::load_all(&context, free).await?.iter().map(Told::team).collect()))
}
