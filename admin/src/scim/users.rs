//! Users. Whoever is not active is blocked: no key of theirs is taken, no token, and no session is left.

use super::answer::{Answer, Fault, Told, done, found};
use super::etag::Conditions;
use super::filter::Filter;
use super::patch::patched;
use super::person::{self, Person};
use super::view::{Page, Sent, View};
use crate::context::Context;
use crate::signon;
use crate::teams;
use crate::users;
use crate::work::Work;
use axum::extract::Path;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use weir_core::domain::records::{Kept, Member, Role, Team, User};
use weir_core::ports::records::{self, get_all};
use weir_core::ports::{Condition, RecordQuery};

// --- reading ---

pub(super) async fn list(context: Context, view: View, page: Page) -> Answer {
    if let Some(filter) = &page.filter {
        let found = told_all(&context, &view, meant(&context, filter).await?).await?;
        let found = found.into_iter().filter(|user| holds(filter, user));
        return Ok(page.cut(found.map(|user| view.shown(user)).collect()));
    }
    let query = RecordQuery { limit: page.count, offset: page.offset(), ..RecordQuery::default() };
    let found = records::list::<User>(context.directory(), &query).await?;
    let told = told_all(&context, &view, found.records).await?;
    Ok(Told::list(found.total, page.start, told.into_iter().map(|user| view.shown(user)).collect()))
}

pub(super) async fn tell(
    context: Context,
    view: View,
    conditions: Conditions,
    Path(id): Path<String>,
) -> Answer {
    Ok(conditions.told(answer(&context, &view, &id, 200).await?))
}

/// The user as it is now.
async fn answer(context: &Context, view: &View, id: &str, status: u16) -> Answer {
    let kept = found::<User>(context, id).await?;
    let groups = groups_of(context, view, &kept).await?;
    Ok(Told(status, view.shown(person::told(view, &kept, Some(groups)))))
}

async fn told_all(context: &Context, view: &View, users: Vec<Kept<User>>) -> Result<Vec<Value>, Fault> {
    let mut groups = match view.shows("groups") {
        true => Some(groups(context, view, &users).await?),
        false => None,
    };
    let told = users.iter().map(|user| {
        let groups = groups.as_mut().map(|groups| groups.remove(&user.id).unwrap_or_default());
        person::told(view, user, groups)
    });
    Ok(told.collect())
}

async fn groups_of(context: &Context, view: &View, user: &Kept<User>) -> Result<Vec<Value>, Fault> {
    Ok(groups(context, view, std::slice::from_ref(user)).await?.remove(&user.id).unwrap_or_default())
}

/// Whether the user is the version that the client has, where it says one.
async fn unchanged(
    context: &Context,
    view: &View,
    conditions: &Conditions,
    user: &Kept<User>,
) -> Result<(), Fault> {
    if !conditions.depend() {
        return Ok(());
    }
    conditions.met_by(&person::version(user, &groups_of(context, view, user).await?))
}

/// Groups of users, as they are told.
async fn groups(
    context: &Context,
    view: &View,
    users: &[Kept<User>],
) -> Result<HashMap<String, Vec<Value>>, Fault> {
    let ids = users.iter().map(|user| user.id.clone()).collect();
    let members = context.all::<Member>(vec![Condition::In("user_id", ids)]).await?;
    let teams: HashSet<String> = members.iter().map(|member| member.team_id.clone()).collect();
    let teams: Vec<String> = teams.into_iter().collect();
    let teams = get_all::<Team>(context.directory(), &teams).await?;
    let names: HashMap<&str, &Option<String>> =
        teams.iter().map(|team| (team.id.as_str(), &team.alias)).collect();
    let mut found: HashMap<String, Vec<Value>> = HashMap::new();
    for member in &members {
        let id = &member.team_id;
        let told = json!({ "value": id, "display": names.get(id.as_str()), "type": "direct",
            "$ref": view.location("Group", id) });
        found.entry(member.user_id.clone()).or_default().push(told);
    }
    Ok(found)
}

// --- filters ---

/// Users whom the first equality that there is a way to look for finds.
async fn meant(context: &Context, filter: &Filter) -> Result<Vec<Kept<User>>, Fault> {
    for term in &filter.0 {
        let Some(text) = term.value.as_str() else { continue };
        let column = match term.path.as_str() {
            "username" => return named(context, text).await,
            "id" => "id",
            "externalid" => "external_id",
            "displayname" => "alias",
            "emails" | "emails.value" => return by_email(context, text).await,
            _ => continue,
        };
        return Ok(context.all(vec![Condition::In(column, vec![text.to_owned()])]).await?);
    }
    let ways = "userName, externalId, id, displayName or emails.value";
    Err(Fault::bad("invalidFilter", format!("users are found by {ways}")))
}

/// What was looked for as a name may be the id, or the address, of somebody who was never provisioned.
fn holds(filter: &Filter, user: &Value) -> bool {
    filter.0.iter().filter(|term| term.path != "username").all(|term| term.holds(user))
}

/// Whose name this is. Of those who were never provisioned it may be the id or the address.
async fn named(context: &Context, name: &str) -> Result<Vec<Kept<User>>, Fault> {
    let provisioned = Condition::In("user_name", vec![name.to_lowercase()]);
    let mut all: Vec<Kept<User>> = context.all(vec![provisioned]).await?;
    let mut others: Vec<Kept<User>> = context.all(vec![Condition::In("id", vec![name.to_owned()])]).await?;
    others.extend(by_email(context, name).await?);
    for other in others.into_iter().filter(|other| other.user_name.is_none()) {
        if !all.iter().any(|user| user.id == other.id) {
            all.push(other);
        }
    }
    Ok(all)
}

async fn by_email(context: &Context, email: &str) -> Result<Vec<Kept<User>>, Fault> {
    let either = vec![email.to_owned(), email.to_lowercase()];
    Ok(context.all(vec![Condition::In("email", either)]).await?)
}

// --- writing ---

pub(super) async fn create(context: Context, view: View, sent: Sent) -> Answer {
    let person = Person::read(sent.0)?;
    free(&context, None, &person).await?;
    if context.get::<User>(&person.user_name).await?.is_some() {
        return Err(Fault::taken("There is a user with this id."));
    }
    let fresh = User { id: person.user_name.clone(), metadata: String::from("{}"), ..User::default() };
    let (mut user, mut teams) = users::with_defaults(&context, fresh)?;
    teams.extend(person.groups.iter().cloned());
    user.role = user.role.or(Some(Role::InternalUserViewer));
    person.onto(&mut user);
    let mut work = Work::new(&context);
    work.insert(&user)?;
    // Groups that are no teams are none of ours.
    teams::place(&context, &mut work, &user, teams).await?;
    done(work).await?;
    answer(&context, &view, &user.id, 201).await
}

pub(super) async fn replace(
    context: Context,
    view: View,
    conditions: Conditions,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let person = Person::read(sent.0)?;
    let kept = found::<User>(&context, &id).await?;
    unchanged(&context, &view, &conditions, &kept).await?;
    conditions.judged(change(&context, &kept, person).await)?;
    answer(&context, &view, &id, 200).await
}

pub(super) async fn patch(
    context: Context,
    view: View,
    conditions: Conditions,
    Path(id): Path<String>,
    mut sent: Sent,
) -> Answer {
    sent.0.must_have("Operations");
    let kept = found::<User>(&context, &id).await?;
    unchanged(&context, &view, &conditions, &kept).await?;
    let whole = person::told(&view, &kept, Some(Vec::new()));
    let person = Person::read(patched(whole, sent.0)?)?;
    conditions.judged(change(&context, &kept, person).await)?;
    answer(&context, &view, &id, 200).await
}

async fn change(context: &Context, kept: &Kept<User>, person: Person) -> Result<(), Fault> {
    free(context, Some(kept), &person).await?;
    let mut user = kept.record.clone();
    person.onto(&mut user);
    if user == kept.record {
        return Ok(());
    }
    let action = match (kept.blocked, user.blocked) {
        (false, true) => "blocked",
        (true, false) => "unblocked",
        _ => "updated",
    };
    let mut work = Work::new(context);
    work.update(kept, &user, action)?;
    done(work).await?;
    if action == "blocked" {
        signon::end_all(context, Some(&user.id)).await?;
    }
    Ok(())
}

/// Whether nobody else has the name or the address that somebody is to have from now on.
async fn free(context: &Context, before: Option<&Kept<User>>, person: &Person) -> Result<(), Fault> {
    let other = |users: &[Kept<User>]| users.iter().any(|user| before.is_none_or(|kept| kept.id != user.id));
    let same = before.is_some_and(|kept| person::user_name(kept).eq_ignore_ascii_case(&person.user_name));
    if !same && other(&named(context, &person.user_name).await?) {
        return Err(Fault::taken("Somebody else has this userName."));
    }
    let email = person.email.as_ref().and_then(Option::as_ref);
    let Some(email) = email.filter(|email| before.is_none_or(|kept| kept.email.as_ref() != Some(*email)))
    else {
        return Ok(());
    };
    match other(&by_email(context, email).await?) {
        true => Err(Fault::taken("Somebody else has this e-mail address.")),
        false => Ok(()),
    }
}

/// With keys and memberships, as `/user/delete`.
pub(super) async fn delete(
    context: Context,
    view: View,
    conditions: Conditions,
    Path(id): Path<String>,
) -> Answer {
    let kept = found::<User>(&context, &id).await?;
    unchanged(&context, &view, &conditions, &kept).await?;
    let mut work = Work::new(&context);
    users::remove(&context, &mut work, std::slice::from_ref(&kept)).await?;
    done(work).await?;
    signon::end_all(&context, Some(&kept.id)).await?;
    Ok(Told(204, Value::Null))
}
