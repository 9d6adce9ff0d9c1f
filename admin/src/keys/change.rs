//! Changing and deleting keys.

use super::table::{self, BLOCKED, INFO, TABLE};
use super::temporary::Temporary;
use super::{bounds, generate, lasting, rights, rotate, show};
use crate::answer::{Object, Raw, raw};
use crate::budgets;
use crate::context::Context;
use crate::duration;
use crate::error::{Problem, Refusal};
use crate::fields;
use crate::input::{Fields, Shape};
use crate::throughput;
use crate::work::Work;
use axum::Json;
use serde_json::{Value, json};
use std::collections::HashSet;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Kept, Record};
use weir_core::ports::records::get_all;
use weir_core::ports::{Condition, SpendScope};
use weir_core::time;

/// Keys and aliases in one deletion.
const MAX_DELETED: usize = 1_000;

// --- update ---

/// Fields that are absent stay, fields that are null become empty.
pub(super) async fn update(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    update_one(&context, sent).await.map(Json)
}

pub(super) async fn update_one(context: &Context, mut sent: Fields) -> Result<Object, Refusal> {
    bounds::of_changed(&(context.services.config)().litellm, &mut sent)?;
    let name = sent.required_text("key");
    let duration = sent.given("duration", Shape::Text);
    let spend = sent.money("spend");
    let temporary = Temporary::sent(&mut sent);
    let resets = sent.has("budget_duration");
    let hash = KeyHash::from_key_or_hash(&name);
    let kept = context.get::<KeyRecord>(&hash.hex()).await?;
    let mut record = kept.as_ref().map_or_else(|| KeyRecord::new(""), |kept| kept.record.clone());
    fields::read(TABLE, &mut sent, &mut record);
    sent.finish()?;
    let kept = kept.ok_or_else(|| unknown(&name))?;
    temporary.put(&mut record.metadata)?;
    generate::checked(&record)?;
    rights::may_change(context, &kept).await?;
    rights::may_make(context, Some(&kept), &record, "/key/update").await?;
    throughput::of_key(context, Some(&kept), &record).await?;
    if let Some(text) = duration {
        record.expires_at = expiry(text)?;
    }
    lasting::bound_changed(context, &kept, &mut record, time::now()).await?;
    if resets {
        budgets::begin(context, &mut record.limits, time::now())?;
    }
    if (record.rotation.auto, &record.rotation.interval) != (kept.rotation.auto, &kept.rotation.interval) {
        record.rotation.next_at = rotate::next_rotation(&record, time::now())?;
    }
    if let Some(alias) = record.alias.as_deref().filter(|alias| kept.alias.as_deref() != Some(alias)) {
        generate::free_alias(context, alias, &record).await?;
    }
    let changed = store_spent(context, &kept, record, "updated", spend).await?;
    show::updated(context, &name, &changed).await
}

/// `-1` and null: never.
pub(super) fn expiry(text: Option<Raw>) -> Result<Option<weir_core::time::Micros>, Refusal> {
    let text = text.and_then(|text| serde_json::from_str::<String>(text.get()).ok());
    let Some(text) = text.filter(|text| !text.is_empty() && text != "-1") else { return Ok(None) };
    duration::after(time::now(), &text).map(Some).map_err(Refusal::internal)
}

fn unknown(name: &str) -> Refusal {
    let shown = if name.len() > 20 { weir_core::domain::key::mask(name) } else { name.to_owned() };
    let message =
        format!("Authentication Error: invalid user key - user key does not exist in db. User Key={shown}");
    Refusal::told(401, "auth_error", "None", message)
}

pub(super) async fn store(
    context: &Context,
    kept: &Kept<KeyRecord>,
    record: KeyRecord,
    action: &'static str,
) -> Result<Kept<KeyRecord>, Refusal> {
    store_spent(context, kept, record, action, None).await
}

/// `spend`: what is told as spent from now on. Only proxy admins may say.
async fn store_spent(
    context: &Context,
    kept: &Kept<KeyRecord>,
    record: KeyRecord,
    action: &'static str,
    spend: Option<NanoUsd>,
) -> Result<Kept<KeyRecord>, Refusal> {
    let mut work = Work::new(context);
    let now = work.now;
    if let Some(spend) = spend.filter(|_| context.is_admin()) {
        work.spent(SpendScope::Key, Some(record.id()), spend);
    }
    work.update(kept, &record, action)?;
    work.commit().await?;
    let by = context.by().map(str::to_owned);
    Ok(Kept { record, version: kept.version + 1, updated_at: now, updated_by: by, ..kept.clone() })
}

// --- block ---

pub(super) async fn block(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    switch(context, sent, true).await
}

pub(super) async fn unblock(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    switch(context, sent, false).await
}

async fn switch(context: Context, mut sent: Fields, blocked: bool) -> Result<Json<Object>, Refusal> {
    let name = sent.required_text("key");
    sent.finish()?;
    let hash = KeyHash::from_key_or_hash(&name);
    let Some(kept) = context.get::<KeyRecord>(&hash.hex()).await? else {
        return Err(Refusal::told(404, "bad_request_error", "key", format!("Key {name} not found")));
    };
    rights::may_change(&context, &kept).await?;
    if !blocked {
        rights::may_unblock(&context, &kept).await?;
    }
    let action = if blocked { "blocked" } else { "unblocked" };
    let changed = store(&context, &kept, KeyRecord { blocked, ..kept.record.clone() }, action).await?;
    let spend = show::spent(&context, &hash).await?;
    let told = |name: &str| match name {
        "blocked" => Some(raw(&blocked)),
        name => table::beside(&changed, spend, name),
    };
    let unblocked: Vec<&'static str> = ["token"].into_iter().chain(INFO.iter().copied()).collect();
    let names = if blocked { BLOCKED } else { unblocked.as_slice() };
    Ok(Json(fields::show(TABLE, names, &changed.record, told)))
}

// --- delete ---

/// Deletes what is there of the named keys; an error only when nothing of it was.
pub(super) async fn delete(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let (keys, aliases) = (sent.texts("keys"), sent.texts("key_aliases"));
    sent.finish()?;
    countable(keys.len() + aliases.len())?;
    let hashes: Vec<KeyHash> = keys.iter().map(|key| KeyHash::from_key_or_hash(key)).collect();
    let ids: Vec<String> = hashes.iter().map(KeyHash::hex).collect();
    let mut there = get_all::<KeyRecord>(context.directory(), &ids).await?;
    there.extend(context.all::<KeyRecord>(vec![Condition::In("alias", aliases.clone())]).await?);
    if there.is_empty() {
        return Err(Refusal::wrapped(404, "No keys found"));
    }
    let mut work = Work::new(&context);
    let mut gone = HashSet::new();
    for kept in &there {
        rights::may_change(&context, kept).await?;
        if gone.insert(kept.id()) {
            work.delete(&kept.record);
        }
    }
    work.commit().await?;
    let named = keys.into_iter().zip(ids).filter(|(_, id)| gone.contains(id)).map(|(key, _)| key);
    let has = |alias: &String| there.iter().any(|key| key.alias.as_ref() == Some(alias));
    let names: Vec<String> = named.chain(aliases.into_iter().filter(has)).collect();
    Ok(Json(Object(vec![("deleted_keys", raw(&names))])))
}

fn countable(named: usize) -> Result<(), Refusal> {
    let at = vec![Value::from("body")];
    if named == 0 {
        let message = "Value error, At least one of 'keys' or 'key_aliases' must be provided.";
        return Err(Problem::new("value_error", at, message, json!({}))
            .with_context(json!({ "error": {} }))
            .into());
    }
    if named > MAX_DELETED {
        let message = format!("List should have at most {MAX_DELETED} items");
        return Err(Problem::new("too_long", at, message, Value::Null).into());
    }
    Ok(())
}
