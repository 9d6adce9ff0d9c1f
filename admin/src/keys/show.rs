//! Telling about a key.

use super::table::{self, INFO, TABLE};
use super::{budget, rights, rotate};
use crate::answer::{Object, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::fields;
use crate::input::Params;
use axum::Json;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::Kept;
use weir_core::error::{ApiError, Kind};
use weir_core::ports::SpendScope;

/// What was found by a name.
struct Found {
    kept: Kept<KeyRecord>,
    /// What the answer calls it.
    name: String,
    /// Its text, for whoever came with the one before it.
    text: Option<String>,
}

/// Any caller may ask about its own key, or one of the same user's; the master about all.
pub(super) async fn info(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let (name, hash) = match params.get("key") {
        Some(key) => (key.to_owned(), KeyHash::from_key_or_hash(key)),
        None => context.caller.hash().map(|hash| (hash.hex(), hash)).ok_or_else(not_found)?,
    };
    let Found { kept, name, text } = match context.get::<KeyRecord>(&hash.hex()).await? {
        Some(kept) => Found { kept, name, text: None },
        None => rotated(&context, name).await?.ok_or_else(not_found)?,
    };
    if !rights::may_see(&context, &kept).await? {
        let role = context.caller.role().map_or("unknown", |role| role.as_str());
        let message = format!("You are not allowed to access this key's info. Your role={role}");
        return Err(ApiError::new(Kind::RouteDenied, message).with_status(403).into());
    }
    let spend = spent(&context, &kept.hash).await?;
    let budget = budget::told(&context, &kept.record).await?;
    let info = fields::show(TABLE, INFO, &kept.record, |name| match name {
        budget::NAME => budget.clone(),
        name => table::beside(&kept, spend, name),
    });
    let mut told = Object(vec![("key", raw(&name)), ("info", raw(&info))]);
    told.0.extend(text.map(|text| ("rotated_key", raw(&text))));
    Ok(Json(told))
}

/// The key as it is now, of which this is a former text, or the hash of one. Entries keep the hash that they were booked
/// under; who follows it from there finds the key by the hash that it has now.
async fn rotated(context: &Context, name: String) -> Result<Option<Found>, Refusal> {
    if let Some((current, text)) = rotate::successor(context, &name).await? {
        let kept = context.get::<KeyRecord>(&current.hex()).await?;
        return Ok(kept.map(|kept| Found { kept, name, text: Some(text) }));
    }
    let Some(former) = KeyHash::from_hex(&name) else { return Ok(None) };
    let heir = context.services.spend.heir(SpendScope::Key, &former.hex()).await?;
    let Some(current) = heir else { return Ok(None) };
    let kept = context.get::<KeyRecord>(&current).await?;
    Ok(kept.map(|kept| Found { kept, name: current, text: None }))
}

pub(super) async fn spent(context: &Context, hash: &KeyHash) -> Result<NanoUsd, Refusal> {
    let id = hash.hex();
    let spent = context.services.spend.spent(SpendScope::Key, std::slice::from_ref(&id)).await?;
    Ok(spent.get(&id).copied().unwrap_or_default())
}

/// `INFO` with the key's name before it, as updates answer.
pub(super) async fn updated(
    context: &Context,
    name: &str,
    kept: &Kept<KeyRecord>,
) -> Result<Object, Refusal> {
    let spend = spent(context, &kept.hash).await?;
    let names: Vec<&'static str> = ["token"].into_iter().chain(INFO.iter().copied()).collect();
    let mut told = fields::show(TABLE, &names, &kept.record, |name| table::beside(kept, spend, name));
    told.0.insert(0, ("key", raw(name)));
    Ok(told)
}

pub(super) fn not_found() -> Refusal {
    Refusal::told(404, "not_found_error", "key", "Key not found in database")
}
