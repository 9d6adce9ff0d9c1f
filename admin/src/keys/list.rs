//! Lists of keys.

use super::table::{self, INFO, TABLE, VIEW};
use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::deleted;
use crate::error::Refusal;
use crate::fields;
use crate::input::Params;
use crate::page::{self, Bounds};
use crate::users::show::Told;
use axum::Json;
use std::collections::{BTreeSet, HashMap};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Kept, Member, Record, Team, TeamRole, User};
use weir_core::ports::records::{self, Page, get_all};
use weir_core::ports::{Condition, RecordQuery, Sort, SpendScope};

static PAGES: Bounds = Bounds { size: "size", usual: 10, longest: 100 };

/// A page of hashes, or of whole keys. Whoever sees not all sees its own.
pub(super) async fn list(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let page = page::Page::asked_or_first(&params, &PAGES)?;
    let form = Form::asked(&params)?;
    let gone = deleted::asked(&params)?;
    let query = page.records(conditions(&context, &params).await?, sort(&params), &params);
    let (keys, total) = if gone {
        former(&context, &query, form).await?
    } else {
        let found = records::list::<KeyRecord>(context.directory(), &query).await?;
        (told(&context, &found, form).await?, found.total)
    };
    let mut answer = Object(vec![("keys", raw(&keys))]);
    answer.0.extend(page.place(total));
    Ok(Json(answer))
}

/// What is told of each key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Hash,
    Whole,
    /// With its user (`expand=user`).
    WithUser,
}

impl Form {
    fn asked(params: &Params) -> Result<Self, Refusal> {
        let is_whole = params.flag("return_full_object")?.unwrap_or(false);
        Ok(match params.all("expand").contains(&"user") {
            true => Form::WithUser,
            false if is_whole => Form::Whole,
            false => Form::Hash,
        })
    }
}

async fn conditions(context: &Context, params: &Params) -> Result<Vec<Condition>, Refusal> {
    let one = |column, value: Option<String>| value.map(|value| Condition::In(column, vec![value]));
    let hash = params.get("key_hash").map(|key| KeyHash::from_key_or_hash(key).hex());
    let made = params.flag("include_created_by_keys")?.unwrap_or(false);
    let mut all: Vec<Condition> = [
        params.text("user_id").map(|user| of_user(user, made)),
        one("team_id", params.text("team_id")),
        one("organization_id", params.text("organization_id")),
        one("alias", params.text("key_alias")),
        one("id", hash),
        params.get("search").map(searched),
    ]
    .into_iter()
    .flatten()
    .collect();
    let of_teams = params.flag("include_team_keys")?.unwrap_or(false);
    if !context.sees_all() {
        let own =
            context.caller.principal().and_then(|known| known.key.user_id.clone()).ok_or_else(nobody)?;
        all.push(Condition::Any(seen(context, own, of_teams, made).await?));
    }
    Ok(all)
}

/// A user's keys; with `made` also those that the user made for others.
fn of_user(user: String, made: bool) -> Condition {
    let own = Condition::In("user_id", vec![user.clone()]);
    if made { Condition::Any(vec![own, Condition::In("created_by", vec![user])]) } else { own }
}

/// What a user sees who sees not all: the own keys; those of teams that the user leads; and those that the user made, but
/// for keys of teams that the user has left.
async fn seen(context: &Context, own: String, of_teams: bool, made: bool) -> Result<Vec<Condition>, Refusal> {
    let places = match of_teams || made {
        true => context.all::<Member>(vec![Condition::In("user_id", vec![own.clone()])]).await?,
        false => Vec::new(),
    };
    let mut seen = vec![Condition::In("user_id", vec![own.clone()])];
    if of_teams {
        let led = places.iter().filter(|place| place.role == TeamRole::Admin);
        seen.push(Condition::In("team_id", led.map(|place| place.team_id.clone()).collect()));
    }
    if made {
        let teams = places.iter().map(|place| place.team_id.clone()).collect();
        let here = Condition::Any(vec![Condition::Empty("team_id"), Condition::In("team_id", teams)]);
        seen.push(Condition::All(vec![Condition::In("created_by", vec![own]), here]));
    }
    Ok(seen)
}

/// By the name, by what is shown of the text, by how the hash begins, or by the whole text.
fn searched(text: &str) -> Condition {
    let text = text.trim();
    let whole = text.starts_with("sk-").then(|| Condition::In("id", vec![KeyHash::of(text).hex()]));
    let parts = [
        Condition::Contains("alias", text.to_owned()),
        Condition::Contains("masked", text.to_owned()),
        Condition::Begins("id", text.to_owned()),
    ];
    Condition::Any(parts.into_iter().chain(whole).collect())
}

fn nobody() -> Refusal {
    let message =
        "You are not authorized to access this endpoint. No 'user_id' is associated with your API key.";
    Refusal::told(403, "bad_request_error", "user_id", message)
}

fn sort(params: &Params) -> Sort {
    match params.get("sort_by") {
        Some("spend") => Sort::Spend,
        Some("updated_at") => Sort::UpdatedAt,
        Some("key_alias") => Sort::Column("alias"),
        Some("user_id") => Sort::Column("user_id"),
        Some("team_id") => Sort::Column("team_id"),
        Some("token") => Sort::Id,
        _ => Sort::CreatedAt,
    }
}

async fn told(context: &Context, found: &Page<KeyRecord>, form: Form) -> Result<Vec<Raw>, Refusal> {
    match form {
        Form::Hash => Ok(found.records.iter().map(|key| raw(&key.id())).collect()),
        Form::Whole => Ok(whole(context, found).await?.iter().map(raw).collect()),
        Form::WithUser => with_users(context, found).await,
    }
}

async fn whole(context: &Context, found: &Page<KeyRecord>) -> Result<Vec<Object>, Refusal> {
    let spent = spent(context, &found.records).await?;
    let owners = Owners::of(context, &bare(&found.records)).await?;
    let told = found.records.iter().zip(spent).map(|(kept, spend)| {
        let beside = |name: &str| owners.told(kept, name).or_else(|| table::beside(kept, spend, name));
        fields::show(TABLE, VIEW, &kept.record, beside)
    });
    Ok(told.collect())
}

/// The keys that are gone, in the same forms. Their users may be gone as well, and are not told.
async fn former(context: &Context, query: &RecordQuery, form: Form) -> Result<(Vec<Raw>, u64), Refusal> {
    let gone = deleted::all::<KeyRecord>(context, &query.conditions).await?;
    let page: Vec<_> = gone.iter().skip(query.offset as usize).take(query.limit as usize).collect();
    let keys: Vec<&KeyRecord> = page.iter().map(|gone| &gone.record).collect();
    let owners = Owners::of(context, &keys).await?;
    let told = page.into_iter().map(|gone| {
        if form == Form::Hash {
            return raw(&gone.record.id());
        }
        let beside = |name: &str| owners.told(&gone.record, name).or_else(|| gone.beside(name));
        let mut told = fields::show(TABLE, VIEW, &gone.record, beside);
        gone.sign(&mut told);
        raw(&told)
    });
    Ok((told.collect(), gone.len() as u64))
}

/// Each key with its user, and with the name of who made it, as far as the caller may see users.
async fn with_users(context: &Context, found: &Page<KeyRecord>) -> Result<Vec<Raw>, Refusal> {
    let users = get_all::<User>(context.directory(), &seen_users(context, &found.records)).await?;
    let users = Told::load_all(context, users).await?;
    let keys = whole(context, found).await?;
    let user = |id: Option<&String>| users.iter().find(|told| Some(&told.user.id) == id);
    let told = keys.into_iter().zip(&found.records).map(|(mut told, key)| {
        told.0.retain(|(name, _)| *name != "user");
        told.0.push(("user", raw(&user(key.user_id.as_ref()).map(Told::row))));
        let maker = user(key.created_by.as_ref());
        told.0.extend(maker.map(|maker| ("created_by_user", raw(&called(&maker.user)))));
        raw(&told)
    });
    Ok(told.collect())
}

/// Whose these keys are, and who made them.
fn seen_users(context: &Context, keys: &[Kept<KeyRecord>]) -> Vec<String> {
    let all = keys.iter().flat_map(|key| [key.user_id.clone(), key.created_by.clone()]).flatten();
    distinct(all.filter(|id| context.sees_all() || context.by() == Some(id.as_str())))
}

fn called(user: &User) -> Object {
    Object(vec![
        ("user_id", raw(&user.id)),
        ("user_email", raw(&user.email)),
        ("user_alias", raw(&user.alias)),
    ])
}

/// How those are called whom the keys of a page belong to.
struct Owners {
    teams: HashMap<String, Option<String>>,
    emails: HashMap<String, Option<String>>,
}

impl Owners {
    /// Two questions to the ledger for all of them.
    async fn of(context: &Context, keys: &[&KeyRecord]) -> Result<Self, Refusal> {
        let teams = distinct(keys.iter().filter_map(|key| key.team_id.clone()));
        let users = distinct(keys.iter().filter_map(|key| key.user_id.clone()));
        let teams = get_all::<Team>(context.directory(), &teams).await?;
        let users = get_all::<User>(context.directory(), &users).await?;
        Ok(Self {
            teams: teams.into_iter().map(|team| (team.record.id, team.record.alias)).collect(),
            emails: users.into_iter().map(|user| (user.record.id, user.record.email)).collect(),
        })
    }

    fn told(&self, key: &KeyRecord, name: &str) -> Option<Raw> {
        let called = match name {
            "team_alias" => self.teams.get(key.team_id.as_ref()?)?,
            "user_email" => self.emails.get(key.user_id.as_ref()?)?,
            _ => return None,
        };
        called.as_ref().map(raw)
    }
}

fn bare(keys: &[Kept<KeyRecord>]) -> Vec<&KeyRecord> {
    keys.iter().map(|key| &key.record).collect()
}

fn distinct(ids: impl Iterator<Item = String>) -> Vec<String> {
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}

async fn spent(context: &Context, keys: &[Kept<KeyRecord>]) -> Result<Vec<NanoUsd>, Refusal> {
    let ids: Vec<String> = keys.iter().map(|key| key.id()).collect();
    let spent = context.services.spend.spent(SpendScope::Key, &ids).await?;
    Ok(ids.iter().map(|id| spent.get(id).copied().unwrap_or_default()).collect())
}

/// The keys of a team as it tells of them: all, as far as one answer holds them, or a page, with its place.
pub(crate) async fn told_of(
    context: &Context,
    page: Option<page::Page>,
    of: Condition,
) -> Result<Vec<(&'static str, Raw)>, Refusal> {
    let found = records::list::<KeyRecord>(context.directory(), &page::query(page, vec![of])).await?;
    Ok(placed(&told_all(context, &found.records).await?, page, found.total))
}

/// The same of a user, who may have keys in several teams: each tells the name of its team. Of a key in no team it is the
/// text `None`, as with LiteLLM.
pub(crate) async fn told_of_user(
    context: &Context,
    page: Option<page::Page>,
    of: Condition,
) -> Result<Vec<(&'static str, Raw)>, Refusal> {
    let found = records::list::<KeyRecord>(context.directory(), &page::query(page, vec![of])).await?;
    let owners = Owners::of(context, &bare(&found.records)).await?;
    let mut keys = told_all(context, &found.records).await?;
    for (told, kept) in keys.iter_mut().zip(&found.records) {
        let team = owners.told(kept, "team_alias").unwrap_or_else(|| raw("None"));
        told.0.push(("team_alias", team));
    }
    Ok(placed(&keys, page, found.total))
}

fn placed(keys: &[Object], page: Option<page::Page>, total: u64) -> Vec<(&'static str, Raw)> {
    let mut told = vec![("keys", raw(keys))];
    told.extend(page.into_iter().flat_map(|page| page.place(total)));
    told
}

/// Keys as other resources tell of them: `/key/info` with the hash.
pub(crate) async fn told_all(context: &Context, keys: &[Kept<KeyRecord>]) -> Result<Vec<Object>, Refusal> {
    let spent = spent(context, keys).await?;
    let names: Vec<&'static str> = ["token"].into_iter().chain(INFO.iter().copied()).collect();
    let told = keys.iter().zip(spent).map(|(kept, spend)| {
        fields::show(TABLE, &names, &kept.record, |name| table::beside(kept, spend, name))
    });
    Ok(told.collect())
}
