//! Making users, each with a first key unless that is not wanted.

use super::password;
use super::table::TABLE;
use crate::answer::{Object, Raw, raw};
use crate::budgets;
use crate::context::Context;
use crate::error::{Problem, Refusal};
use crate::fields::{self, moment};
use crate::input::{Fields, Shape};
use crate::keys::{self, NewKey};
use crate::organizations;
use crate::teams;
use crate::work::Work;
use axum::Json;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use weir_core::config::LitellmSettings;
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Member, Organization, OrganizationMember, Role, Team, User};
use weir_core::ports::records::get_all;
use weir_core::ports::{Condition, SpendScope};
use weir_core::time::Micros;

/// Roles that a user may be given.
pub(super) static ROLES: &[(Role, &str)] = &[
    (Role::ProxyAdmin, "LitellmUserRoles.PROXY_ADMIN"),
    (Role::ProxyAdminViewer, "LitellmUserRoles.PROXY_ADMIN_VIEW_ONLY"),
    (Role::InternalUser, "LitellmUserRoles.INTERNAL_USER"),
    (Role::InternalUserViewer, "LitellmUserRoles.INTERNAL_USER_VIEW_ONLY"),
];

pub(super) async fn new(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.text("user_id").filter(|id| !id.is_empty());
    let role = role(&mut sent)?;
    let with_key = sent.flag("auto_create_key").unwrap_or(true);
    let password = sent.text("password");
    fill_in(&(context.services.config)().litellm, role, &mut sent);
    let places = Places::sent(&mut sent);
    let spend = sent.money("spend").filter(|_| context.is_admin());
    let mut user = User { metadata: "{}".to_owned(), role, ..User::default() };
    fields::read(TABLE, &mut sent, &mut user);
    let mut key = keys::of_user(&mut sent, with_key)?;
    sent.finish()?;
    budgets::checked(&user.limits)?;
    user.id = id.unwrap_or_else(|| new_entry_id().to_string());
    may_make(&context, &user)?;
    free(&context, &user).await?;
    if let Some(key) = &key {
        keys::may_give(&context, key).await?;
    }
    if let Some(password) = password {
        user.password_hash = Some(password::hashed(password).await?);
    }
    let mut work = Work::new(&context);
    budgets::begin(&context, &mut user.limits, work.now)?;
    work.insert(&user)?;
    let now = work.now;
    places.enter(&context, &mut work, &user).await?;
    if let Some(spend) = spend {
        work.spent(SpendScope::User, Some(user.id.clone()), spend);
    }
    if let Some(key) = &mut key {
        key.record.user_id = Some(user.id.clone());
        keys::bound_lasting(&context, &mut key.record, now).await?;
        work.insert(&key.record)?;
    }
    work.commit().await?;
    Ok(Json(told(&user, key.as_ref(), spend, now)))
}

fn told(user: &User, key: Option<&NewKey>, spend: Option<NanoUsd>, now: Micros) -> Object {
    keys::told_new(key, &|name| match (name, key) {
        ("created_at" | "updated_at", Some(_)) => Some(moment(now)),
        ("model_max_budget" | "router_settings", None) => Some(raw(&Value::Null)),
        ("key", None) => Some(raw("")),
        ("teams", _) => Some(raw(&Value::Null)),
        ("spend", _) => spend.map(NanoUsd::json),
        (name, _) => of_user(user, name),
    })
}

/// What the answer says of the user, by the names of a key's fields.
fn of_user(user: &User, name: &str) -> Option<Raw> {
    let alone = [
        "user_id",
        "user_email",
        "user_role",
        "user_alias",
        "models",
        "max_budget",
        "metadata",
        "tpm_limit",
        "rpm_limit",
        "budget_duration",
        "max_parallel_requests",
    ];
    let name = alone.into_iter().find(|known| *known == name)?;
    fields::show(TABLE, &[name], user, |_| None).0.pop().map(|(_, value)| value)
}

/// Proxy admins make anybody; others nobody who may do more than they.
fn may_make(context: &Context, user: &User) -> Result<(), Refusal> {
    let admin = matches!(user.role, Some(Role::ProxyAdmin | Role::ProxyAdminViewer));
    if context.is_admin() || !admin {
        return Ok(());
    }
    let message = "Only proxy admins can make proxy admins and their viewers.";
    Err(Refusal::told(403, "auth_error", "user_role", message))
}

async fn free(context: &Context, user: &User) -> Result<(), Refusal> {
    if context.get::<User>(&user.id).await?.is_some() {
        return Err(Refusal::wrapped(409, &format!("User with id {} already exists", user.id)));
    }
    let Some(email) = &user.email else { return Ok(()) };
    let there = context.all::<User>(vec![Condition::In("email", vec![email.clone()])]).await?;
    if there.is_empty() {
        return Ok(());
    }
    Err(Refusal::wrapped(409, &format!("User with email {email} already exists")))
}

pub(super) fn role(sent: &mut Fields) -> Result<Option<Role>, Refusal> {
    let Some(given) = sent.text("user_role") else { return Ok(None) };
    let known = Role::parse(&given).filter(|role| ROLES.iter().any(|(known, _)| known == role));
    known.map(Some).ok_or_else(|| no_role(&given))
}

fn no_role(given: &str) -> Refusal {
    let names: Vec<String> =
        ROLES.iter().map(|(role, name)| format!("<{name}: '{}'>", role.as_str())).collect();
    let (last, first) =
        names.split_last().map_or((String::new(), String::new()), |(l, f)| (l.clone(), f.join(", ")));
    let expected = format!("{first} or {last}");
    let at = vec!["body".into(), "user_role".into()];
    Problem::new("literal_error", at, format!("Input should be {expected}"), given.into())
        .with_context(json!({ "expected": expected }))
        .into()
}

/// Of the defaults for users, what is not a field of the user.
static APART: &[&str] = &["user_role", "teams", "available_teams"];

/// What internal users get where nothing is said of it: `default_internal_user_params`, then `max_internal_user_budget` and
/// `internal_user_budget_duration`.
fn fill_in(settings: &LitellmSettings, role: Option<Role>, sent: &mut Fields) {
    if !matches!(role, Some(Role::InternalUser | Role::InternalUserViewer)) {
        return;
    }
    for (name, value) in settings.default_user.iter().filter(|(name, _)| !APART.contains(name)) {
        sent.fill(name, value);
    }
    if let Some(amount) = settings.internal_user_budget {
        sent.fill("max_budget", amount.json().get());
    }
    if let Some(duration) = &settings.internal_user_budget_duration {
        sent.fill("budget_duration", raw(duration).get());
    }
}

/// A user who is made by signing in, with what the operator gives such users, and the teams to join.
pub(crate) fn with_defaults(context: &Context, mut user: User) -> Result<(User, Vec<String>), Refusal> {
    let config = (context.services.config)();
    let given = config.litellm.default_user.iter();
    let members: Vec<String> = given.map(|(name, json)| format!("{}:{json}", raw(name).get())).collect();
    let mut sent = Fields::parse(format!("{{{}}}", members.join(",")).as_bytes())?;
    user.role = role(&mut sent)?.or(user.role);
    fill_in(&config.litellm, user.role, &mut sent);
    let teams = teams(&mut sent);
    fields::read(TABLE, &mut sent, &mut user);
    sent.finish()?;
    budgets::checked(&user.limits)?;
    budgets::begin_kept(context, &mut user.limits, weir_core::time::now());
    Ok((user, teams))
}

/// Ids of teams, given as texts or as objects with a `team_id`.
fn teams(sent: &mut Fields) -> Vec<String> {
    let given =
        sent.take("teams", Shape::List).and_then(|list| serde_json::from_str::<Vec<Value>>(list.get()).ok());
    let id = |team: Value| team.as_str().or(team["team_id"].as_str()).map(str::to_owned);
    given.into_iter().flatten().filter_map(id).collect()
}

/// Where a new user becomes a member.
struct Places {
    teams: Vec<String>,
    /// The team of the first key (`team_id`).
    team: Option<String>,
    organizations: Vec<String>,
}

impl Places {
    fn sent(sent: &mut Fields) -> Self {
        let team = sent.peek("team_id").filter(|id| !id.is_empty());
        let mut teams = teams(sent);
        teams.extend(team.clone());
        Self { teams: distinct(teams), team, organizations: distinct(sent.texts("organizations")) }
    }

    /// Of teams and organisations that are not there nothing is said, as with LiteLLM, but for that of the first key.
    async fn enter(&self, context: &Context, work: &mut Work<'_>, user: &User) -> Result<(), Refusal> {
        let teams = get_all::<Team>(context.directory(), &self.teams).await?;
        if let Some(id) = self.team.as_ref().filter(|id| !teams.iter().any(|team| team.id == **id)) {
            return Err(Refusal::wrapped(404, &format!("Team not found, passed team_id={id}")));
        }
        for team in &teams {
            teams::may_change(context, team).await?;
            work.insert(&Member { email: user.email.clone(), ..Member::of(team, &user.id) })?;
        }
        for organization in get_all::<Organization>(context.directory(), &self.organizations).await? {
            organizations::may_change(context, &organization.id)?;
            work.insert(&OrganizationMember {
                organization_id: organization.record.id,
                user_id: user.id.clone(),
                role: Role::InternalUser,
                budget_id: None,
            })?;
        }
        Ok(())
    }
}

fn distinct(ids: Vec<String>) -> Vec<String> {
    ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Sees to it that there is a user of this id: the master's is made when it is first needed.
pub(crate) async fn known(context: &Context, work: &mut Work<'_>, id: &str) -> Result<(), Refusal> {
    if context.get::<User>(id).await?.is_some() {
        return Ok(());
    }
    let role = context.caller.role();
    work.insert(&User { id: id.to_owned(), role, metadata: "{}".to_owned(), ..User::default() })
}

/// The user with this id or e-mail, else a new one who is still to be kept: then the second is true.
pub(crate) async fn wanted(
    context: &Context,
    id: Option<&str>,
    email: Option<&str>,
) -> Result<(User, bool), Refusal> {
    if let Some(id) = id {
        if let Some(there) = context.get::<User>(id).await? {
            return Ok((there.record, false));
        }
    } else if let Some(email) = email {
        let there = context.all::<User>(vec![Condition::In("email", vec![email.to_owned()])]).await?;
        if let Some(there) = there.into_iter().next() {
            return Ok((there.record, false));
        }
    }
    let user = User {
        id: id.map_or_else(|| new_entry_id().to_string(), str::to_owned),
        email: email.map(str::to_owned),
        role: Some(Role::InternalUser),
        metadata: "{}".to_owned(),
        ..User::default()
    };
    Ok((user, true))
}
