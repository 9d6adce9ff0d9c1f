//! Members of teams.

use super::show::Told;
use super::{change, rights};
use crate::answer::{Object, Raw, raw};
use crate::budgets;
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::{Fields, Shape};
use crate::users;
use crate::work::Work;
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Kept, Member, Team, TeamRole, User, member_id};
use weir_core::ports::Condition;
use weir_core::ports::records::get_all;

/// Members in one request.
const MAX_MEMBERS: usize = 500;

/// Members whose keys are asked for in one question to the ledger.
const AT_ONCE: usize = 500;

/// Who is to be a member: by id, or by e-mail.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    role: TeamRole,
    #[serde(default)]
    pub(crate) user_id: Option<String>,
    #[serde(default)]
    pub(crate) user_email: Option<String>,
}

/// Who has become one.
pub(super) struct Joined {
    pub(super) member: Member,
    pub(super) user: User,
}

/// One, or a list of them. The error is told by whoever has read all fields.
pub(super) fn wanted(sent: &mut Fields, name: &'static str) -> Result<Vec<Wanted>, Refusal> {
    let Some(given) = sent.take(name, Shape::Any) else { return Ok(Vec::new()) };
    read(&given, name)
}

fn read(given: &Raw, name: &'static str) -> Result<Vec<Wanted>, Refusal> {
    let list = serde_json::from_str::<Vec<Wanted>>(given.get());
    let wanted = list.or_else(|_| serde_json::from_str(given.get()).map(|one| vec![one]));
    let wanted = wanted.map_err(|_| unfit(name, "Input should be a member: {role, user_id, user_email}"))?;
    if wanted.len() > MAX_MEMBERS {
        return Err(unfit(name, "List has too many members"));
    }
    match wanted.iter().any(|one| one.user_id.is_none() && one.user_email.is_none()) {
        true => Err(unfit(name, "Value error, Either user_id or user_email must be provided")),
        false => Ok(wanted),
    }
}

fn unfit(name: &'static str, message: &str) -> Refusal {
    let at = vec!["body".into(), name.into()];
    crate::error::Problem::new("value_error", at, message, Value::Null).into()
}

/// Makes somebody a member, and a user where there is none yet. `joined`: who has become one in the same work; `own`: what
/// this member may spend, beside what all may.
pub(super) async fn join(
    context: &Context,
    work: &mut Work<'_>,
    team: &Team,
    wanted: &Wanted,
    joined: &[Member],
    own: Option<NanoUsd>,
) -> Result<Joined, Refusal> {
    let (user, new) = users::wanted(context, wanted.user_id.as_deref(), wanted.user_email.as_deref()).await?;
    if new && !joined.iter().any(|member| member.user_id == user.id) {
        work.insert(&user)?;
    }
    let mut member = Member {
        role: wanted.role,
        email: wanted.user_email.clone().or_else(|| user.email.clone()),
        ..Member::of(team, &user.id)
    };
    if joined.iter().any(|other| other.user_id == member.user_id) {
        return Ok(Joined { member, user });
    }
    if let Some(amount) = own {
        let budget = budgets::own(amount, team.limits.budget_duration.clone(), work.now, context);
        work.insert(&budget)?;
        member.budget_id = Some(budget.id);
    }
    work.insert(&member)?;
    Ok(Joined { member, user })
}

/// Puts a user who is in none of these teams into those of them that there are.
pub(crate) async fn place(
    context: &Context,
    work: &mut Work<'_>,
    user: &User,
    teams: Vec<String>,
) -> Result<(), Refusal> {
    let unique: HashSet<String> = teams.into_iter().collect();
    let unique: Vec<String> = unique.into_iter().collect();
    for team in get_all::<Team>(context.directory(), &unique).await? {
        work.insert(&Member { email: user.email.clone(), ..Member::of(&team, &user.id) })?;
    }
    Ok(())
}

// --- add ---

pub(super) async fn add(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("team_id");
    let member = sent.required("member", Shape::Any);
    let budget = sent.money("max_budget_in_team");
    sent.finish()?;
    let wanted = member.map_or_else(|| Ok(Vec::new()), |given| read(&given, "member"))?;
    let team = change::found(&context, &id).await?;
    rights::may_change(&context, &team).await?;
    let users = take_in(&context, &team, &wanted, budget).await?;
    let told = change::told(&context, &id).await?;
    let mut answer = told.team();
    answer.0.push(("updated_users", raw(&users::told_all(&context, users).await?)));
    answer.0.push(("updated_team_memberships", raw(&memberships(&context, &told, &wanted).await?)));
    Ok(Json(answer))
}

async fn take_in(
    context: &Context,
    team: &Kept<Team>,
    wanted: &[Wanted],
    budget: Option<NanoUsd>,
) -> Result<Vec<String>, Refusal> {
    let there = Told::load(context, team.clone()).await?;
    let mut work = Work::new(context);
    let (mut members, mut users) = (Vec::new(), Vec::new());
    for one in wanted {
        let joined = join(context, &mut work, team, one, &members, budget).await?;
        if there.members.iter().any(|member| member.user_id == joined.user.id) {
            return Err(already(one, &there));
        }
        users.push(joined.user.id);
        members.push(joined.member);
    }
    work.commit().await?;
    Ok(users)
}

fn already(wanted: &Wanted, there: &Told) -> Refusal {
    let none = || String::from("None");
    let quoted = |text: &Option<String>| text.as_ref().map_or_else(none, |text| format!("'{text}'"));
    let existing: Vec<String> = there
        .members
        .iter()
        .map(|m| {
            let role = if m.role == TeamRole::Admin { "admin" } else { "user" };
            format!("Member(user_id='{}', user_email={}, role='{role}')", m.user_id, quoted(&m.email))
        })
        .collect();
    let message = format!(
        "User already in team. Member: user_id={}, user_email={}. Existing members=[{}]",
        wanted.user_id.clone().unwrap_or_else(none),
        wanted.user_email.clone().unwrap_or_else(none),
        existing.join(", ")
    );
    Refusal::told(400, "team_member_already_in_team", "member", message)
}

/// Memberships with a budget of those who were asked for.
async fn memberships(context: &Context, told: &Told, wanted: &[Wanted]) -> Result<Vec<Object>, Refusal> {
    let named = |object: &Object| {
        let user = object.0.first().map(|(_, value)| value.get().trim_matches('"').to_owned());
        wanted.iter().any(|one| one.user_id == user || one.user_id.is_none())
    };
    Ok(told.memberships(context).await?.into_iter().filter(named).collect())
}

/// Each for itself: one who cannot be taken in does not keep out the others.
pub(super) async fn add_many(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("team_id");
    let all = sent.flag("all_users").unwrap_or_default();
    let budget = sent.money("max_budget_in_team");
    let wanted = wanted(&mut sent, "members");
    sent.finish()?;
    let team = change::found(&context, &id).await?;
    rights::may_change(&context, &team).await?;
    let wanted = if all { everybody(&context, &team).await? } else { wanted? };
    let (mut results, mut users) = (Vec::new(), Vec::new());
    for one in &wanted {
        match take_in(&context, &team, std::slice::from_ref(one), budget).await {
            Ok(joined) => {
                results.push(json!({ "user_id": one.user_id, "user_email": one.user_email, "success": true,
                    "error": null, "updated_user": users::told_all(&context, joined.clone()).await?.first(),
                    "updated_team_membership": null }));
                users.extend(joined);
            }
            Err(refusal) => results.push(json!({ "user_id": one.user_id, "user_email": one.user_email,
                "success": false, "error": refusal.message(), "updated_user": null, "updated_team_membership": null })),
        }
    }
    let done = users.len();
    let told = change::told(&context, &id).await?;
    let mut updated = told.team();
    updated.0.push(("updated_users", raw(&users::told_all(&context, users).await?)));
    updated.0.push(("updated_team_memberships", raw(&memberships(&context, &told, &wanted).await?)));
    Ok(Json(Object(vec![
        ("team_id", raw(&id)),
        ("results", raw(&results)),
        ("total_requested", raw(&wanted.len())),
        ("successful_additions", raw(&done)),
        ("failed_additions", raw(&(wanted.len() - done))),
        ("updated_team", raw(&updated)),
    ])))
}

async fn everybody(context: &Context, team: &Kept<Team>) -> Result<Vec<Wanted>, Refusal> {
    let there = Told::load(context, team.clone()).await?;
    let users = context.all::<User>(Vec::new()).await?;
    let missing = users.into_iter().filter(|user| !there.members.iter().any(|m| m.user_id == user.id));
    Ok(missing.map(|user| Wanted { user_id: Some(user.record.id), ..Wanted::default() }).collect())
}

// --- update and delete ---

pub(super) async fn update(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("team_id");
    let (user_id, email) = (sent.text("user_id"), sent.text("user_email"));
    let budget = sent.given("max_budget_in_team", Shape::Number);
    let duration = sent.given("budget_duration", Shape::Text);
    let (tpm, rpm) = (sent.take("tpm_limit", Shape::Integer), sent.take("rpm_limit", Shape::Integer));
    let role = sent.take("role", Shape::OneOf(&["admin", "user"]));
    sent.finish()?;
    let team = change::found(&context, &id).await?;
    rights::may_change(&context, &team).await?;
    let kept = member(&context, &team, user_id.as_deref(), email.as_deref()).await?;
    let mut changed = kept.record.clone();
    if let Some(role) = role {
        changed.role = serde_json::from_str(role.get()).unwrap_or_default();
    }
    let mut work = Work::new(&context);
    if budget.is_some() || duration.is_some() || tpm.is_some() || rpm.is_some() {
        let own = budgets::Own { budget: budgets::Said { amount: budget, duration }, tpm, rpm };
        changed.budget_id = budgets::change_own(&context, &mut work, &team, &kept, own).await?;
    }
    work.update(&kept, &changed, "updated")?;
    work.commit().await?;
    let budget = match &changed.budget_id {
        Some(budget) => {
            context.get(budget).await?.map(|b: Kept<weir_core::domain::records::Budget>| b.record.limits)
        }
        None => None,
    };
    let limits = budget.unwrap_or_default();
    Ok(Json(Object(vec![
        ("team_id", raw(&id)),
        ("user_id", raw(&changed.user_id)),
        ("user_email", raw(&changed.email)),
        ("max_budget_in_team", limits.max_budget.map_or_else(|| raw(&Value::Null), NanoUsd::json)),
        ("tpm_limit", raw(&limits.tpm_limit)),
        ("rpm_limit", raw(&limits.rpm_limit)),
    ])))
}

async fn member(
    context: &Context,
    team: &Kept<Team>,
    user_id: Option<&str>,
    email: Option<&str>,
) -> Result<Kept<Member>, Refusal> {
    let there = match (user_id, email) {
        (Some(user), _) => context.get::<Member>(&member_id(&team.id, user)).await?,
        (None, Some(email)) => {
            let told = Told::load(context, team.clone()).await?;
            told.members.into_iter().find(|member| member.email.as_deref() == Some(email))
        }
        (None, None) => {
            return Err(detail(
                400,
                &json!({ "error": "Either user_id or user_email needs to be passed in" }),
            ));
        }
    };
    there.ok_or_else(|| detail(400, &json!({ "error": "User not found in team" })))
}

pub(super) async fn delete(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("team_id");
    let (user_id, email) = (sent.text("user_id"), sent.text("user_email"));
    sent.finish()?;
    let team = change::found(&context, &id).await?;
    rights::may_change(&context, &team).await?;
    let kept = member(&context, &team, user_id.as_deref(), email.as_deref()).await?;
    let mut work = Work::new(&context);
    leave(&context, &mut work, &[&kept.record]).await?;
    work.commit().await?;
    change::told(&context, &id).await.map(|told| Json(told.team()))
}

/// Ends memberships, and with each the keys that this user has in this team, as LiteLLM does: a key of a team is for as
/// long as one belongs to it.
pub(crate) async fn leave(
    context: &Context,
    work: &mut Work<'_>,
    members: &[&Member],
) -> Result<(), Refusal> {
    for some in members.chunks(AT_ONCE) {
        for key in keys_in(context, some).await? {
            work.delete(&key.record);
        }
    }
    members.iter().for_each(|member| work.delete(*member));
    Ok(())
}

/// Keys that these members have in the teams that they are members of.
async fn keys_in(context: &Context, members: &[&Member]) -> Result<Vec<Kept<KeyRecord>>, Refusal> {
    let teams = members.iter().map(|member| member.team_id.clone()).collect();
    let users = members.iter().map(|member| member.user_id.clone()).collect();
    let conditions = vec![Condition::In("team_id", teams), Condition::In("user_id", users)];
    let mut keys = context.every::<KeyRecord>(conditions).await?;
    keys.retain(|key| {
        let is = |member: &&Member| {
            key.team_id.as_ref() == Some(&member.team_id) && key.user_id.as_ref() == Some(&member.user_id)
        };
        members.iter().any(is)
    });
    Ok(keys)
}
