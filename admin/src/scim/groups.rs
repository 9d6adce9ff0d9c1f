//! Groups, which are teams. A member is a user; one who is not there keeps the whole change from being made.

use super::answer::{Answer, Fault, Told, done, found};
use super::etag::{self, Conditions};
use super::filter::Filter;
use super::patch::patched;
use super::view::{Page, Sent, View, texts};
use super::{GROUP_SCHEMA, fit, unfit};
use crate::context::Context;
use crate::input::{Fields, Shape};
use crate::teams;
use crate::work::Work;
use axum::extract::Path;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::records::{Kept, Member, Team, User};
use weir_core::ports::records::{self, get_all};
use weir_core::ports::{Condition, RecordQuery, Sort};

/// Members in one answer, of all its groups.
const MOST: usize = 100_000;
/// Members in one question to the ledger.
const AT_ONCE: u32 = 10_000;

/// Members by the id of their team.
type Members = HashMap<String, Vec<Kept<Member>>>;

/// A group as an identity provider describes one.
struct Group {
    /// As with LiteLLM, a client may choose it.
    id: Option<String>,
    name: String,
    external_id: Option<String>,
    /// Ids of users; `None`: nothing is said of them.
    members: Option<Vec<String>>,
}

impl Group {
    fn read(mut sent: Fields) -> Result<Self, Fault> {
        sent.texts("schemas");
        let id = sent.text("id").filter(|id| !id.is_empty());
        let name = sent.required_text("displayName");
        let external_id = sent.text("externalId").filter(|id| !id.is_empty());
        let members = sent.take("members", Shape::List);
        sent.finish()?;
        let members: Option<Vec<Value>> = members.and_then(|list| serde_json::from_str(list.get()).ok());
        let named = |one: &Value| one["value"].as_str().is_some_and(|id| !id.is_empty());
        if !members.iter().flatten().all(named) {
            return Err(Fault::value("members: each needs a value, the id of a user"));
        }
        let members = members.map(|members| texts(&members, "value"));
        if name.trim().is_empty() {
            return Err(Fault::value("displayName: it is empty"));
        }
        let named = [id.as_ref(), Some(&name), external_id.as_ref()].into_iter().flatten();
        if !fit(named.chain(members.iter().flatten())) {
            return Err(unfit());
        }
        Ok(Self { id, name, external_id, members })
    }

    fn onto(&self, team: &mut Team) {
        team.alias = Some(self.name.clone());
        team.external_id = self.external_id.clone();
    }
}

// --- reading ---

pub(super) async fn list(context: Context, view: View, page: Page) -> Answer {
    if let Some(filter) = &page.filter {
        let mut found = meant(&context, filter).await?;
        // A membership that was looked for was found, and needs no list of all the others.
        let rest =
            |team: &Value| filter.0.iter().filter(|term| !is_member(&term.path)).all(|term| term.holds(team));
        found.retain(|team| rest(&told(&view, team, None)));
        return Ok(page.cut(told_all(&context, &view, found).await?));
    }
    let query = RecordQuery { limit: page.count, offset: page.offset(), ..RecordQuery::default() };
    let found = records::list::<Team>(context.directory(), &query).await?;
    Ok(Told::list(found.total, page.start, told_all(&context, &view, found.records).await?))
}

pub(super) async fn tell(
    context: Context,
    view: View,
    conditions: Conditions,
    Path(id): Path<String>,
) -> Answer {
    Ok(conditions.told(answer(&context, &view, &id, 200).await?))
}

/// The group as it is now.
async fn answer(context: &Context, view: &View, id: &str, status: u16) -> Answer {
    let told = told_all(context, view, vec![found(context, id).await?]).await?;
    Ok(Told(status, told.into_iter().next().unwrap_or_default()))
}

async fn told_all(context: &Context, view: &View, teams: Vec<Kept<Team>>) -> Result<Vec<Value>, Fault> {
    let mut members = match view.shows("members") {
        true => Some(members(context, &teams).await?),
        false => None,
    };
    let mut told = Vec::with_capacity(teams.len());
    for team in &teams {
        let here = members.as_mut().map(|members| members.remove(&team.id).unwrap_or_default());
        told.push(view.shown(self::told(view, team, here.as_deref())));
    }
    Ok(told)
}

/// `members`: `None` where they were not looked for.
fn told(view: &View, team: &Kept<Team>, members: Option<&[Kept<Member>]>) -> Value {
    let one = |member: &Kept<Member>| {
        json!({ "value": member.user_id, "display": display(member), "type": "User",
            "$ref": view.location("User", &member.user_id) })
    };
    let version = members.map(|members| version(team, members));
    let members: Vec<Value> = members.unwrap_or_default().iter().map(one).collect();
    json!({
        "schemas": [GROUP_SCHEMA],
        "id": team.id,
        "externalId": team.external_id,
        "displayName": team.alias.as_ref().unwrap_or(&team.id),
        "members": members,
        "meta": view.meta("Group", &team.id, team, version),
    })
}

fn display(member: &Member) -> &str {
    member.email.as_ref().unwrap_or(&member.user_id)
}

fn version(team: &Kept<Team>, members: &[Kept<Member>]) -> String {
    etag::version(team, members.iter().map(|member| [member.user_id.as_str(), display(member)]))
}

async fn members(context: &Context, teams: &[Kept<Team>]) -> Result<Members, Fault> {
    let mut found = Members::new();
    let mut query = RecordQuery {
        conditions: vec![Condition::In("team_id", teams.iter().map(|team| team.id.clone()).collect())],
        sort: Sort::Id,
        limit: AT_ONCE,
        ..RecordQuery::default()
    };
    loop {
        let page = records::list::<Member>(context.directory(), &query).await?;
        if page.total > MOST as u64 {
            let detail = format!(
                "there are more than {MOST} members: use excludedAttributes=members, or fewer groups"
            );
            return Err(Fault::bad("tooMany", detail));
        }
        let last = page.records.len() < AT_ONCE as usize;
        for member in page.records {
            found.entry(member.team_id.clone()).or_default().push(member);
        }
        if last {
            return Ok(found);
        }
        query.offset += AT_ONCE;
    }
}

// --- filters ---

fn is_member(path: &str) -> bool {
    ["members", "members.value"].contains(&path)
}

/// Teams that meet the equalities that there is a way to look for.
async fn meant(context: &Context, filter: &Filter) -> Result<Vec<Kept<Team>>, Fault> {
    let mut conditions = Vec::new();
    for term in &filter.0 {
        let Some(text) = term.value.as_str() else { continue };
        let (column, values) = match term.path.as_str() {
            "id" => ("id", vec![text.to_owned()]),
            "externalid" => ("external_id", vec![text.to_owned()]),
            "displayname" => {
                conditions.push(Condition::In("id", by_name(context, text).await?));
                continue;
            }
            path if is_member(path) => ("id", teams::teams_of(context, text.to_owned()).await?),
            _ => continue,
        };
        conditions.push(Condition::In(column, values));
    }
    if conditions.is_empty() {
        let ways = "displayName, externalId, id or members.value";
        return Err(Fault::bad("invalidFilter", format!("groups are found by {ways}")));
    }
    Ok(context.all(conditions).await?)
}

/// A team without a name is told by its id.
async fn by_name(context: &Context, name: &str) -> Result<Vec<String>, Fault> {
    let named = context.all::<Team>(vec![Condition::In("alias", vec![name.to_owned()])]).await?;
    let nameless = context.get::<Team>(name).await?.filter(|team| team.alias.is_none());
    Ok(named.into_iter().chain(nameless).map(|team| team.record.id).collect())
}

// --- writing ---

pub(super) async fn create(context: Context, view: View, sent: Sent) -> Answer {
    let group = Group::read(sent.0)?;
    let id = group.id.clone().unwrap_or_else(|| new_entry_id().to_string());
    if context.get::<Team>(&id).await?.is_some() {
        return Err(Fault::taken("There is a group with this id."));
    }
    let mut work = Work::new(&context);
    let config = (context.services.config)();
    let mut team = config.litellm.default_team.team(id, work.now, &config.litellm.zone());
    group.onto(&mut team);
    work.insert(&team)?;
    move_members(&context, &mut work, &team, &[], &group).await?;
    done(work).await?;
    answer(&context, &view, &team.id, 201).await
}

pub(super) async fn replace(
    context: Context,
    view: View,
    conditions: Conditions,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let group = Group::read(sent.0)?;
    let kept = found::<Team>(&context, &id).await?;
    let there = members_of(&context, &kept).await?;
    change(&context, &conditions, (&kept, there.as_slice()), &group).await?;
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
    let kept = found::<Team>(&context, &id).await?;
    let there = members_of(&context, &kept).await?;
    let group = Group::read(patched(told(&view, &kept, Some(&there)), sent.0)?)?;
    change(&context, &conditions, (&kept, there.as_slice()), &group).await?;
    answer(&context, &view, &id, 200).await
}

async fn members_of(context: &Context, team: &Kept<Team>) -> Result<Vec<Kept<Member>>, Fault> {
    Ok(members(context, std::slice::from_ref(team)).await?.remove(&team.id).unwrap_or_default())
}

async fn change(
    context: &Context,
    conditions: &Conditions,
    (kept, there): (&Kept<Team>, &[Kept<Member>]),
    group: &Group,
) -> Result<(), Fault> {
    conditions.met_by(&version(kept, there))?;
    let mut team = kept.record.clone();
    group.onto(&mut team);
    let mut work = Work::new(context);
    if team != kept.record {
        work.update(kept, &team, "updated")?;
    } else if conditions.depend() {
        // Memberships have no version in common: of two who began from this one, the later is to be told.
        work.goes_on(kept, &team)?;
    }
    move_members(context, &mut work, &team, there, group).await?;
    conditions.judged(done(work).await)
}

/// Who is to be a member and is none comes in, and who is one and is to be none leaves.
///
/// # Errors
/// 400 where one of them is no user.
async fn move_members(
    context: &Context,
    work: &mut Work<'_>,
    team: &Team,
    there: &[Kept<Member>],
    group: &Group,
) -> Result<(), Fault> {
    let Some(wanted) = &group.members else { return Ok(()) };
    let known: HashSet<&str> = there.iter().map(|member| member.user_id.as_str()).collect();
    let new: Vec<String> = wanted.iter().filter(|id| !known.contains(id.as_str())).cloned().collect();
    let users: HashMap<String, Option<String>> = get_all::<User>(context.directory(), &new)
        .await?
        .into_iter()
        .map(|user| (user.record.id, user.record.email))
        .collect();
    for id in &new {
        let email = users.get(id).ok_or_else(|| Fault::value(format!("members: there is no user {id:?}")))?;
        work.insert(&Member { email: email.clone(), ..Member::of(team, id) })?;
    }
    let wanted: HashSet<&str> = wanted.iter().map(String::as_str).collect();
    let leaves = there.iter().filter(|member| !wanted.contains(member.user_id.as_str()));
    let leaves: Vec<&Member> = leaves.map(|member| &member.record).collect();
    Ok(teams::leave(context, work, &leaves).await?)
}

/// With keys and memberships, as `/team/delete`.
pub(super) async fn delete(context: Context, conditions: Conditions, Path(id): Path<String>) -> Answer {
    let kept = found::<Team>(&context, &id).await?;
    if conditions.depend() {
        conditions.met_by(&version(&kept, &members_of(&context, &kept).await?))?;
    }
    let mut work = Work::new(&context);
    teams::remove(&context, &mut work, std::slice::from_ref(&kept)).await?;
    done(work).await?;
    Ok(Told(204, Value::Null))
}
