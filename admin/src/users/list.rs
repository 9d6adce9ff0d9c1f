//! Telling about users.

use super::new::ROLES;
use super::show::Told;
use crate::answer::{Object, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::input::Params;
use crate::page::{self, Bounds, Page, RECORDS};
use crate::{keys, teams};
use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::HashMap;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Kept, Member, Role, Team, User};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::records::{self, get_all};
use weir_core::ports::{Condition, RecordQuery, Sort};

static PAGES: Bounds = page::of_usual(25);

// --- one ---

/// A user with keys and teams. Without an id: the caller; for the master, the keys of nobody.
pub(super) async fn info(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let page = Page::asked(&params, &RECORDS)?;
    let own = context.caller.principal().and_then(|known| known.key.user_id.clone());
    let id = match params.text("user_id").or_else(|| own.clone()) {
        Some(id) => id,
        None if context.is_admin() => return of_nobody(&context, page).await.map(Json),
        None => return Err(not_found("None")),
    };
    if !context.sees_all() && Some(&id) != own.as_ref() {
        let message = "key not allowed to access this user's info";
        return Err(ApiError::new(Kind::RouteDenied, message).with_status(403).into());
    }
    let user = context.get::<User>(&id).await?.ok_or_else(|| not_found(&id))?;
    let told = Told::load(&context, user).await?;
    let kept = get_all::<Team>(context.directory(), &told.teams).await?;
    let teams = teams::show::Told::load_all(&context, kept).await?;
    let mut answer = Object(vec![("user_id", raw(&id)), ("user_info", raw(&told.whole()))]);
    answer.0.extend(keys::told_of_user(&context, page, Condition::In("user_id", vec![id])).await?);
    answer.0.push(("teams", raw(&teams::whole(&context, &teams, first(page)).await?)));
    Ok(Json(answer))
}

/// Whoever turns the pages of a user's keys sees no more than the first ones of each team.
fn first(page: Option<Page>) -> Option<Page> {
    page.map(|page| Page { number: 1, ..page })
}

async fn of_nobody(context: &Context, page: Option<Page>) -> Result<Object, Refusal> {
    let teams = teams::show::Told::load_all(context, context.all::<Team>(Vec::new()).await?).await?;
    let mut answer = Object(vec![("user_id", raw(&Value::Null)), ("user_info", raw(&Value::Null))]);
    answer.0.extend(keys::told_of_user(context, page, Condition::Empty("user_id")).await?);
    answer.0.push(("teams", raw(&teams::whole(context, &teams, first(page)).await?)));
    Ok(answer)
}

fn not_found(id: &str) -> Refusal {
    Refusal::told(404, "internal_server_error", "None", format!("User {id} not found"))
}

// --- many ---

/// A page, as an object; `?format=array` gives the users alone.
pub(super) async fn list(context: Context, params: Params) -> Result<Response, Refusal> {
    let page = Page::asked_or_first(&params, &PAGES)?;
    let mut conditions = conditions(&params);
    if let Some(team) = params.text("team") {
        let members = context.all::<Member>(vec![Condition::In("team_id", vec![team])]).await?;
        let ids = members.into_iter().map(|member| member.record.user_id).collect();
        conditions.push(Condition::In("id", ids));
    }
    let query = page.records(conditions, sort(&params), &params);
    let found = records::list::<User>(context.directory(), &query).await?;
    let counts = key_counts(&context, &found.records).await?;
    let told = Told::load_all(&context, found.records).await?;
    let users: Vec<Object> = told
        .iter()
        .map(|told| {
            let mut user = told.listed();
            user.0.push(("key_count", raw(&counts.get(&told.user.id).copied().unwrap_or_default())));
            user
        })
        .collect();
    if params.get("format") == Some("array") {
        return Ok(Json(users).into_response());
    }
    let mut answer = Object(vec![("users", raw(&users))]);
    answer.0.extend(page.sized_place(found.total));
    Ok(Json(answer).into_response())
}

fn conditions(params: &Params) -> Vec<Condition> {
    let listed = |text: &str| text.split(',').map(|one| one.trim().to_owned()).collect();
    let mut all: Vec<Condition> = Vec::new();
    all.extend(params.get("role").map(|role| Condition::In("role", vec![role.to_owned()])));
    all.extend(params.get("user_ids").map(|ids| Condition::In("id", listed(ids))));
    all.extend(params.get("sso_user_ids").map(|ids| Condition::In("sso_id", listed(ids))));
    all.extend(params.text("user_email").map(|email| Condition::Contains("email", email)));
    all.extend(page::searched(params, &["id", "alias", "email"]));
    all
}

fn sort(params: &Params) -> Sort {
    match params.get("sort_by") {
        Some("spend") => Sort::Spend,
        Some("user_id") => Sort::Id,
        Some("user_email") => Sort::Column("email"),
        Some("user_alias") => Sort::Column("alias"),
        Some("user_role") => Sort::Column("role"),
        _ => Sort::CreatedAt,
    }
}

async fn key_counts(context: &Context, users: &[Kept<User>]) -> Result<HashMap<String, u64>, Refusal> {
    let ids = users.iter().map(|user| user.id.clone()).collect();
    let mut counts = HashMap::new();
    for key in context.all::<KeyRecord>(vec![Condition::In("user_id", ids)]).await? {
        *counts.entry(key.user_id.clone().unwrap_or_default()).or_default() += 1;
    }
    Ok(counts)
}

/// Roles with what they may do.
pub(super) async fn roles() -> Json<Value> {
    let words = |role: Role| match role {
        Role::ProxyAdmin => ("Admin (All Permissions)", "admin over litellm proxy, has all permissions"),
        Role::ProxyAdminViewer => ("Admin (View Only)", "view all keys, view all spend"),
        Role::InternalUser => {
            ("Internal User (Create/Delete/View)", "view/create/delete their own keys, view their own spend")
        }
        _ => ("Internal User (View Only)", "view their own keys, view their own spend"),
    };
    let told = ROLES.iter().map(|(role, _)| {
        let (label, description) = words(*role);
        (role.as_str().to_owned(), json!({ "ui_label": label, "description": description }))
    });
    Json(Value::Object(told.collect()))
}

/// How many there are. There is no licence, and no limit.
pub(super) async fn count(context: Context) -> Result<Json<Value>, Refusal> {
    let none = RecordQuery::default();
    let users = records::list::<User>(context.directory(), &none).await?.total;
    let teams = records::list::<Team>(context.directory(), &none).await?.total;
    Ok(Json(
        json!({ "total_users": null, "total_teams": null, "total_users_used": users, "total_teams_used": teams,
        "total_teams_remaining": null, "total_users_remaining": null }),
    ))
}
