//! Lists of keys.

use super::table::{self, INFO, TABLE, VIEW};
use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::fields;
use crate::input::Params;
use crate::page;
use axum::Json;
use std::collections::{BTreeSet, HashMap};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Kept, Member, Record, Team, TeamRole, User};
use weir_core::ports::records::{self, Page, get_all};
use weir_core::ports::{Condition, RecordQuery, Sort, SpendScope};

const PAGE: u32 = 10;
const LARGEST: u32 = 100;

/// A page of hashes, or of whole keys. Whoever sees not all sees its own.
pub(super) async fn list(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let page = params.positive("page")?.unwrap_or(1);
    let size = params.positive("size")?.unwrap_or(PAGE).min(LARGEST);
    let query = RecordQuery {
        conditions: conditions(&context, &params).await?,
        sort: sort(&params),
        descending: params.get("sort_order") != Some("asc"),
        limit: size,
        offset: (page - 1).saturating_mul(size),
    };
    let found = records::list::<KeyRecord>(context.directory(), &query).await?;
    let keys = match params.flag("return_full_object")?.unwrap_or(false) {
        true => whole(&context, &found).await?,
        false => found.records.iter().map(|key| raw(&key.id())).collect(),
    };
    let pages = found.total.div_ceil(u64::from(size));
    Ok(Json(Object(vec![
        ("keys", raw(&keys)),
        ("total_count", raw(&found.total)),
        ("current_page", raw(&page)),
        ("total_pages", raw(&pages)),
    ])))
}

async fn conditions(context: &Context, params: &Params) -> Result<Vec<Condition>, Refusal> {
    let one = |column, value: Option<String>| value.map(|value| Condition::In(column, vec![value]));
    let hash = params.get("key_hash").map(|key| KeyHash::from_key_or_hash(key).hex());
    let mut all: Vec<Condition> = [
        one("user_id", params.text("user_id")),
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
        let teams = if of_teams { led(context, &own).await? } else { Vec::new() };
        let seen = vec![Condition::In("user_id", vec![own]), Condition::In("team_id", teams)];
        all.push(Condition::Any(seen));
    }
    Ok(all)
}

/// The teams that a user leads.
async fn led(context: &Context, user: &str) -> Result<Vec<String>, Refusal> {
    let places = context.all::<Member>(vec![Condition::In("user_id", vec![user.to_owned()])]).await?;
    let led = places.into_iter().filter(|place| place.role == TeamRole::Admin);
    Ok(led.map(|place| place.record.team_id).collect())
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

async fn whole(context: &Context, found: &Page<KeyRecord>) -> Result<Vec<Raw>, Refusal> {
    let spent = spent(context, &found.records).await?;
    let owners = Owners::of(context, &found.records).await?;
    let told = found.records.iter().zip(spent).map(|(kept, spend)| {
        let beside = |name: &str| owners.told(kept, name).or_else(|| table::beside(kept, spend, name));
        raw(&fields::show(TABLE, VIEW, &kept.record, beside))
    });
    Ok(told.collect())
}

/// How those are called whom the keys of a page belong to.
struct Owners {
    teams: HashMap<String, Option<String>>,
    emails: HashMap<String, Option<String>>,
}

impl Owners {
    /// Two questions to the ledger for all of them.
    async fn of(context: &Context, keys: &[Kept<KeyRecord>]) -> Result<Self, Refusal> {
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
    let owners = Owners::of(context, &found.records).await?;
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
