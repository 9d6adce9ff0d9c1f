//! Lists of keys.

use super::table::{self, INFO, TABLE, VIEW};
use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::fields;
use crate::input::Params;
use axum::Json;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Kept, Record};
use weir_core::ports::records::{self, Page};
use weir_core::ports::{Condition, RecordQuery, Sort, SpendScope};

const PAGE: u32 = 10;
const LARGEST: u32 = 100;

/// A page of hashes, or of whole keys. Whoever sees not all sees its own.
pub(super) async fn list(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let page = params.positive("page")?.unwrap_or(1);
    let size = params.positive("size")?.unwrap_or(PAGE).min(LARGEST);
    let query = RecordQuery {
        conditions: conditions(&context, &params)?,
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

fn conditions(context: &Context, params: &Params) -> Result<Vec<Condition>, Refusal> {
    let one = |column, value: Option<String>| value.map(|value| Condition::In(column, vec![value]));
    let hash = params.get("key_hash").map(|key| KeyHash::from_key_or_hash(key).hex());
    let mut all: Vec<Condition> = [
        one("user_id", params.text("user_id")),
        one("team_id", params.text("team_id")),
        one("organization_id", params.text("organization_id")),
        one("alias", params.text("key_alias")),
        one("id", hash),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !context.sees_all() {
        let own =
            context.caller.principal().and_then(|known| known.key.user_id.clone()).ok_or_else(nobody)?;
        all.push(Condition::In("user_id", vec![own]));
    }
    Ok(all)
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
    let told = found.records.iter().zip(spent).map(|(kept, spend)| {
        raw(&fields::show(TABLE, VIEW, &kept.record, |name| table::beside(kept, spend, name)))
    });
    Ok(told.collect())
}

async fn spent(context: &Context, keys: &[Kept<KeyRecord>]) -> Result<Vec<NanoUsd>, Refusal> {
    let ids: Vec<String> = keys.iter().map(|key| key.id()).collect();
    let spent = context.services.spend.spent(SpendScope::Key, &ids).await?;
    Ok(ids.iter().map(|id| spent.get(id).copied().unwrap_or_default()).collect())
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
