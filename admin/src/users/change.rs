//! Changing and deleting users.

use super::show::Told;
use super::table::TABLE;
use super::{new, password};
use crate::answer::{Object, raw};
use crate::budgets;
use crate::context::Context;
use crate::error::{Problem, Refusal, detail};
use crate::fields;
use crate::input::{Fields, Shape};
use crate::signon;
use crate::work::Work;
use axum::Json;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Kept, Member, OrganizationMember, Role, User};
use weir_core::ports::records::get_all;
use weir_core::ports::{Condition, SpendScope};

/// Users in one request.
const MAX_USERS: usize = 500;

pub(super) async fn update(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    change(&context, sent).await.map(Json)
}

async fn change(context: &Context, mut sent: Fields) -> Result<Object, Refusal> {
    let (id, email) = (sent.text("user_id"), sent.text("user_email"));
    if id.is_none() && email.is_none() {
        return Err(nobody(&sent));
    }
    let has_role = sent.has("user_role");
    let resets = sent.has("budget_duration");
    let role = new::role(&mut sent)?;
    let password = sent.text("password");
    let kept = find(context, id.as_deref(), email.as_deref()).await?;
    let mut user = match (&kept, &id) {
        (Some(kept), _) => kept.record.clone(),
        // An id that nobody has: LiteLLM makes the user.
        (None, Some(id)) => User { id: id.clone(), metadata: "{}".to_owned(), ..User::default() },
        (None, None) => return Err(not_found(email.as_deref().unwrap_or_default())),
    };
    only_own(context, &sent, &user, password.is_some())?;
    let spend = sent.money("spend").filter(|_| context.is_admin());
    fields::read(TABLE, &mut sent, &mut user);
    sent.finish()?;
    // An e-mail that found the user was taken out of the body with that.
    user.email = email.or_else(|| kept.as_ref().and_then(|kept| kept.email.clone()));
    if has_role {
        user.role = role;
    }
    may_change(context, kept.as_ref().map(|kept| &kept.record), &user, password.is_some()).await?;
    budgets::checked(&user.limits)?;
    let has_password = password.is_some();
    if let Some(password) = password {
        user.password_hash = Some(password::hashed(password).await?);
    }
    let mut work = Work::new(context);
    if resets {
        budgets::begin(context, &mut user.limits, work.now)?;
    }
    match &kept {
        Some(kept) => work.update(kept, &user, "updated")?,
        None => work.insert(&user)?,
    }
    if let Some(spend) = spend {
        work.spent(SpendScope::User, Some(user.id.clone()), spend);
    }
    work.commit().await?;
    if has_password {
        // Whoever is signed in with the old one is not any more.
        signon::end_all(context, Some(&user.id)).await?;
    }
    let now = context.get::<User>(&user.id).await?.ok_or_else(|| Refusal::internal("the user is gone"))?;
    let told = Told::load(context, now).await?;
    Ok(Object(vec![("user_id", raw(&user.id)), ("data", raw(&told.row()))]))
}

fn nobody(sent: &Fields) -> Refusal {
    let message = "Value error, Either user id or user email must be provided";
    Problem::new("value_error", vec!["body".into()], message, sent.shown())
        .with_context(json!({ "error": {} }))
        .into()
}

async fn find(
    context: &Context,
    id: Option<&str>,
    email: Option<&str>,
) -> Result<Option<Kept<User>>, Refusal> {
    if let Some(id) = id {
        return Ok(context.get::<User>(id).await?);
    }
    let email = email.unwrap_or_default().to_owned();
    Ok(context.all::<User>(vec![Condition::In("email", vec![email])]).await?.into_iter().next())
}

fn not_found(name: &str) -> Refusal {
    Refusal::told(404, "internal_server_error", "None", format!("User {name} not found"))
}

/// Of themselves, others than proxy admins change e-mail and password, and nothing else.
fn only_own(context: &Context, sent: &Fields, user: &User, password: bool) -> Result<(), Refusal> {
    let own = context.by() == Some(&user.id);
    let viewer = context.caller.role() == Some(Role::ProxyAdminViewer);
    if context.is_admin() || !own && !viewer {
        return Ok(());
    }
    let other = sent.names().next().map(str::to_owned);
    if other.is_none() && own && (password || user.email.is_some()) {
        return Ok(());
    }
    let role = context.caller.role().map_or("unknown", Role::as_str);
    let message = format!(
        "user not allowed to access this route, role= {role}. Trying to access: /user/update and updating \
         invalid param: {}. only user_email and password can be updated",
        other.as_deref().unwrap_or("user_id")
    );
    Err(Refusal::told(403, "auth_error", "None", message))
}

fn is_high(user: &User) -> bool {
    matches!(user.role, Some(Role::ProxyAdmin | Role::ProxyAdminViewer))
}

/// Only proxy admins change proxy admins, make some, and set passwords of others: whoever knows it can sign in. Admins of
/// organisations change those who are in no other organisation.
async fn may_change(
    context: &Context,
    before: Option<&User>,
    after: &User,
    password: bool,
) -> Result<(), Refusal> {
    // What of it was looked at before.
    let own = before.is_some_and(|user| context.by() == Some(&user.id) && user.role == after.role);
    if context.is_admin() || own {
        return Ok(());
    }
    let refused = |message| Err(Refusal::told(403, "auth_error", "user_role", message));
    if is_high(after) || before.is_some_and(is_high) {
        return refused("Only proxy admins can change proxy admins and their viewers.");
    }
    if password {
        return refused("Only proxy admins can set the passwords of others.");
    }
    let Some(before) = before else { return Ok(()) };
    let theirs = vec![Condition::In("user_id", vec![before.id.clone()])];
    let places = context.all::<OrganizationMember>(theirs).await?;
    if !places.is_empty() && places.iter().all(|place| context.administers(Some(&place.organization_id))) {
        return Ok(());
    }
    refused("Admins of an organization can change users who are in it, and in no other one.")
}

/// Each for itself: one that cannot be changed does not keep the others.
pub(super) async fn update_many(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let all = sent.flag("all_users").unwrap_or_default();
    let updates = sent.take("user_updates", Shape::Object);
    let listed = sent.take("users", Shape::List);
    sent.finish()?;
    let bodies = match (all, updates) {
        (true, Some(updates)) => for_everybody(&context, &updates).await?,
        _ => listed
            .and_then(|list| serde_json::from_str::<Vec<Box<RawValue>>>(list.get()).ok())
            .unwrap_or_default(),
    };
    if bodies.len() > MAX_USERS {
        return Err(Refusal::wrapped(400, &format!("at most {MAX_USERS} users can be changed at once")));
    }
    let mut results = Vec::new();
    for body in &bodies {
        let named: Value = serde_json::from_str(body.get()).unwrap_or_default();
        let done = match Fields::parse(body.get().as_bytes()) {
            Ok(sent) => change(&context, sent).await,
            Err(refusal) => Err(refusal),
        };
        let (error, updated) = match done {
            Ok(updated) => (Value::Null, serde_json::to_value(&updated).unwrap_or_default()),
            Err(refusal) => (refusal.message().into(), Value::Null),
        };
        results.push(json!({ "user_id": named["user_id"], "user_email": named["user_email"],
            "success": error.is_null(), "error": error, "updated_user": updated }));
    }
    let done = results.iter().filter(|result| result["success"] == true).count();
    Ok(Json(Object(vec![
        ("results", raw(&results)),
        ("total_requested", raw(&bodies.len())),
        ("successful_updates", raw(&done)),
        ("failed_updates", raw(&(bodies.len() - done))),
    ])))
}

async fn for_everybody(context: &Context, updates: &RawValue) -> Result<Vec<Box<RawValue>>, Refusal> {
    // Amounts stay the text that was sent.
    let updates: BTreeMap<String, Box<RawValue>> = serde_json::from_str(updates.get()).unwrap_or_default();
    let users = context.all::<User>(Vec::new()).await?;
    let body = |user: &Kept<User>| {
        let mut body = updates.clone();
        body.insert("user_id".to_owned(), raw(&user.id));
        raw(&body)
    };
    Ok(users.iter().map(body).collect())
}

/// Deletes users with their keys and memberships.
pub(super) async fn delete(context: Context, mut sent: Fields) -> Result<Json<u64>, Refusal> {
    let ids = sent.texts("user_ids");
    sent.finish()?;
    if ids.is_empty() || ids.len() > MAX_USERS {
        return Err(Refusal::wrapped(400, &format!("between 1 and {MAX_USERS} user_ids are needed")));
    }
    let users = get_all::<User>(context.directory(), &ids).await?;
    if let Some(id) = ids.iter().find(|id| !users.iter().any(|user| user.id == **id)) {
        return Err(detail(404, &json!({ "error": format!("User not found, passed user_id={id}") })));
    }
    let mut work = Work::new(&context);
    for user in &users {
        may_change(&context, Some(user), user, false).await?;
    }
    remove(&context, &mut work, &users).await?;
    work.commit().await?;
    Ok(Json(users.len() as u64))
}

/// Users with their keys and memberships.
pub(crate) async fn remove(
    context: &Context,
    work: &mut Work<'_>,
    users: &[Kept<User>],
) -> Result<(), Refusal> {
    let theirs = || vec![Condition::In("user_id", users.iter().map(|user| user.id.clone()).collect())];
    users.iter().for_each(|user| work.delete(&user.record));
    for key in context.all::<KeyRecord>(theirs()).await? {
        work.delete(&key.record);
    }
    for member in context.all::<Member>(theirs()).await? {
        work.delete(&member.record);
    }
    for member in context.all::<OrganizationMember>(theirs()).await? {
        work.delete(&member.record);
    }
    Ok(())
}
