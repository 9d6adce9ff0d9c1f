//! Making, changing and deleting teams.

use super::show::Told;
use super::table::TABLE;
use super::{members, rights};
use crate::answer::{Object, raw};
use crate::budgets;
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::fields;
use crate::input::{Fields, Shape};
use crate::throughput;
use crate::users;
use crate::work::Work;
use axum::Json;
use serde_json::Value;
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Kept, Member, Team, TeamRole};
use weir_core::ports::Condition;
use weir_core::ports::records::get_all;

/// Teams in one deletion.
const MAX_DELETED: usize = 100;

// --- new ---

pub(super) async fn new(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.text("team_id").filter(|id| !id.is_empty());
    let wanted = members::wanted(&mut sent, "members_with_roles");
    let member_budget = sent.money("team_member_budget");
    let mut team = Team { metadata: "{}".to_owned(), ..Team::default() };
    fields::read(TABLE, &mut sent, &mut team);
    sent.finish()?;
    budgets::checked(&team.limits)?;
    team.id = id.unwrap_or_else(|| new_entry_id().to_string());
    if !context.is_admin() && !context.administers(team.organization_id.as_deref()) {
        let message = "Only proxy admins and admins of its organization can make a team.";
        return Err(Refusal::told(403, "auth_error", "organization_id", message));
    }
    if context.get::<Team>(&team.id).await?.is_some() {
        let message = format!("Team id = {} already exists. Please use a different team id.", team.id);
        return Err(Refusal::wrapped(400, &message));
    }
    throughput::of_team(&context, None, &team).await?;
    let mut work = Work::new(&context);
    budgets::begin(&context, &mut team.limits, work.now)?;
    if let Some(amount) = member_budget {
        let budget = budgets::of_members(&team, amount, work.now, &context);
        fields::put_member(&mut team.metadata, "team_member_budget_id", &budget.id);
        team.member_budget_id = Some(budget.id.clone());
        work.insert(&budget)?;
    }
    work.insert(&team)?;
    let mut joined = Vec::new();
    for member in &wanted? {
        joined.push(members::join(&context, &mut work, &team, member, &joined, None).await?.member);
    }
    if let Some(maker) = context.by().filter(|user| !joined.iter().any(|m: &Member| m.user_id == *user)) {
        users::known(&context, &mut work, maker).await?;
        let maker = Member { role: TeamRole::Admin, ..Member::of(&team, maker) };
        work.insert(&maker)?;
    }
    work.commit().await?;
    told(&context, &team.id).await.map(|told| Json(told.team()))
}

/// The team as it is now.
pub(super) async fn told(context: &Context, id: &str) -> Result<Told, Refusal> {
    let team = context.get::<Team>(id).await?.ok_or_else(|| Refusal::internal("the team is gone"))?;
    Told::load(context, team).await
}

// --- update ---

pub(super) async fn update(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("team_id");
    let resets = sent.has("budget_duration");
    let of_members = budgets::Said {
        amount: sent.given("team_member_budget", Shape::Number),
        duration: sent.given("team_member_budget_duration", Shape::Text),
    };
    let kept = context.get::<Team>(&id).await?;
    let mut team = kept.as_ref().map(|kept| kept.record.clone()).unwrap_or_default();
    fields::read(TABLE, &mut sent, &mut team);
    sent.finish()?;
    let kept = kept.ok_or_else(|| Refusal::wrapped(404, &format!("Team not found, passed team_id={id}")))?;
    rights::may_change(&context, &kept).await?;
    if team.organization_id != kept.organization_id && !context.is_admin() {
        let message = "Only proxy admins can move a team to another organization.";
        return Err(Refusal::told(403, "auth_error", "organization_id", message));
    }
    budgets::checked(&team.limits)?;
    throughput::of_team(&context, Some(&kept), &team).await?;
    let mut work = Work::new(&context);
    if resets {
        budgets::begin(&context, &mut team.limits, work.now)?;
    }
    budgets::change_of_members(&context, &mut work, &mut team, of_members).await?;
    work.update(&kept, &team, "updated")?;
    work.commit().await?;
    let told = told(&context, &id).await?;
    Ok(Json(Object(vec![("team_id", raw(&id)), ("data", raw(&told.row()))])))
}

// --- block ---

pub(super) async fn block(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    switch(context, sent, true).await
}

pub(super) async fn unblock(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    switch(context, sent, false).await
}

async fn switch(context: Context, mut sent: Fields, blocked: bool) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("team_id");
    sent.finish()?;
    let kept = found(&context, &id).await?;
    rights::may_change(&context, &kept).await?;
    let action = if blocked { "blocked" } else { "unblocked" };
    store(&context, &kept, Team { blocked, ..kept.record.clone() }, action).await?;
    told(&context, &id).await.map(|told| Json(told.row()))
}

pub(super) async fn store(
    context: &Context,
    kept: &Kept<Team>,
    team: Team,
    action: &'static str,
) -> Result<(), Refusal> {
    let mut work = Work::new(context);
    work.update(kept, &team, action)?;
    work.commit().await
}

/// # Errors
/// 404.
pub(super) async fn found(context: &Context, id: &str) -> Result<Kept<Team>, Refusal> {
    let team = context.get::<Team>(id).await?;
    team.ok_or_else(|| Refusal::wrapped(404, &format!("Team not found, passed team_id={id}")))
}

// --- delete ---

/// Deletes teams with their keys and memberships. Not one of them if one is not there.
pub(super) async fn delete(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let ids: Vec<String> = sent
        .required("team_ids", Shape::Texts)
        .and_then(|ids| serde_json::from_str(ids.get()).ok())
        .unwrap_or_default();
    sent.finish()?;
    if ids.len() > MAX_DELETED {
        return Err(Refusal::wrapped(400, &format!("at most {MAX_DELETED} teams can be deleted at once")));
    }
    let teams = get_all::<Team>(context.directory(), &ids).await?;
    if let Some(id) = ids.iter().find(|id| !teams.iter().any(|team| team.id == **id)) {
        return Err(detail(
            404,
            &serde_json::json!({ "error": format!("Team not found, passed team_id={id}") }),
        ));
    }
    let mut work = Work::new(&context);
    for team in &teams {
        rights::may_change(&context, team).await?;
    }
    remove(&context, &mut work, &teams).await?;
    work.commit().await?;
    Ok(Json(Object(vec![("deleted_teams", raw(&Value::from(ids)))])))
}

/// Teams with their keys and memberships.
pub(crate) async fn remove(
    context: &Context,
    work: &mut Work<'_>,
    teams: &[Kept<Team>],
) -> Result<(), Refusal> {
    let theirs = || vec![Condition::In("team_id", teams.iter().map(|team| team.id.clone()).collect())];
    teams.iter().for_each(|team| work.delete(&team.record));
    for member in context.all::<Member>(theirs()).await? {
        work.delete(&member.record);
    }
    for key in context.all::<KeyRecord>(theirs()).await? {
        work.delete(&key.record);
    }
    Ok(())
}
