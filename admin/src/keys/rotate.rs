//! A new text for a key: at once, or with a time in which both are taken.

use super::show;
use super::table::{self, GENERATED, TABLE};
use super::{generate, rights, text};
use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::duration;
use crate::error::Refusal;
use crate::fields;
use crate::input::{Fields, Params, Shape};
use crate::work::Work;
use axum::Json;
use axum::extract::Path;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{KeyRecord, mask};
use weir_core::domain::records::{FormerKey, Kept, Record, RecordKind};
use weir_core::time::Micros;

/// By the body, or by `?key=`.
pub(super) async fn regenerate(
    context: Context,
    params: Params,
    mut sent: Fields,
) -> Result<Json<Object>, Refusal> {
    let name = sent.text("key").or_else(|| params.text("key")).unwrap_or_default();
    change(&context, &name, sent).await.map(Json)
}

/// By the path.
pub(super) async fn regenerate_named(
    context: Context,
    Path(name): Path<String>,
    sent: Fields,
) -> Result<Json<Object>, Refusal> {
    change(&context, &name, sent).await.map(Json)
}

async fn change(context: &Context, name: &str, mut sent: Fields) -> Result<Object, Refusal> {
    let hash = KeyHash::from_key_or_hash(name);
    let new = sent.text("new_key").map(text::chosen);
    let grace = sent.text("grace_period").filter(|grace| !grace.is_empty());
    let duration = sent.given("duration", Shape::Text);
    let kept = context.get::<KeyRecord>(&hash.hex()).await?;
    let mut record = kept.as_ref().map_or_else(|| KeyRecord::new(""), |kept| kept.record.clone());
    fields::read(TABLE, &mut sent, &mut record);
    sent.finish()?;
    let kept = kept.ok_or_else(|| {
        Refusal::told(404, "not_found_error", "key", format!("Key {} not found.", mask(name)))
    })?;
    rights::may_change(context, &kept).await?;
    rights::may_make(context, Some(&kept), &record, "/key/regenerate").await?;
    generate::checked(&record)?;
    let new = new.unwrap_or_else(text::fresh)?;
    if let Some(text) = duration {
        record.expires_at = super::change::expiry(text)?;
    }
    let now = replace(context, &kept, record, &new, grace.as_deref()).await?;
    let spend = show::spent(context, &now.hash).await?;
    let told = |name: &str| -> Option<Raw> {
        match name {
            "key" => Some(raw(&new)),
            name => table::beside(&now, spend, name),
        }
    };
    Ok(fields::show(TABLE, GENERATED, &now.record, told))
}

/// Everything about the key stays: who owns it, what it may do, what it has spent.
async fn replace(
    context: &Context,
    kept: &Kept<KeyRecord>,
    record: KeyRecord,
    new: &str,
    grace: Option<&str>,
) -> Result<Kept<KeyRecord>, Refusal> {
    let mut work = Work::new(context);
    let mut next = KeyRecord { hash: KeyHash::of(new), masked: mask(new), ..record };
    if next.hash == kept.hash || context.get::<KeyRecord>(&next.id()).await?.is_some() {
        return Err(Refusal::told(400, "bad_request_error", "new_key", "This key exists already."));
    }
    next.rotation.count += 1;
    next.rotation.last_at = Some(work.now);
    next.rotation.next_at = next_rotation(&next, work.now)?;
    // The alias is unique: the old row goes before the new one comes.
    work.delete(&kept.record);
    work.insert(&next)?;
    work.rename(RecordKind::Key, &kept.id(), &next.id());
    if let Some(grace) = grace {
        let until = duration::after(work.now, grace).map_err(Refusal::internal)?;
        work.insert(&FormerKey { hash: kept.hash, current: next.hash, until })?;
    }
    work.commit().await?;
    context.get::<KeyRecord>(&next.id()).await?.ok_or_else(|| Refusal::internal("the key is gone"))
}

fn next_rotation(key: &KeyRecord, now: Micros) -> Result<Option<Micros>, Refusal> {
    let interval = key.rotation.interval.as_deref().filter(|_| key.rotation.auto);
    interval.map(|interval| duration::after(now, interval)).transpose().map_err(Refusal::internal)
}
