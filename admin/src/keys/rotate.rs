//! A new text for a key: at once, or with a time in which both are taken.

use super::generate::KeyType;
use super::show;
use super::table::{self, GENERATED, TABLE};
use super::{bounds, generate, lasting, rights, text};
use crate::answer::{Object, Raw, raw};
use crate::budgets;
use crate::context::Context;
use crate::duration;
use crate::error::Refusal;
use crate::fields;
use crate::input::{Fields, Params, Shape};
use crate::throughput;
use crate::work::Work;
use axum::Json;
use axum::extract::Path;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{KeyRecord, mask};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{FormerKey, Kept, Record, RecordKind};
use weir_core::ports::SpendScope;
use weir_core::ports::control::FORMER_KEY;
use weir_core::time::{self, Micros};

/// How long the old text of a rotated key is taken.
const GRACE: &str = "LITELLM_KEY_ROTATION_GRACE_PERIOD";
const DEFAULT_GRACE: &str = "24h";

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
    bounds::of_changed(&(context.services.config)().litellm, &mut sent)?;
    let hash = KeyHash::from_key_or_hash(name);
    let new = sent.text("new_key").map(text::chosen);
    let new_master = sent.text("new_master_key");
    let key_type = KeyType::sent(&mut sent);
    let spend = sent.money("spend").filter(|_| context.is_admin());
    let grace = sent.text("grace_period").filter(|grace| !grace.is_empty());
    let duration = sent.given("duration", Shape::Text);
    let resets = sent.has("budget_duration");
    let kept = context.get::<KeyRecord>(&hash.hex()).await?;
    let mut record = kept.as_ref().map_or_else(|| KeyRecord::new(""), |kept| kept.record.clone());
    fields::read(TABLE, &mut sent, &mut record);
    sent.finish()?;
    if new_master.is_some() {
        return Err(no_master());
    }
    key_type.change(&mut record.allowed_routes);
    let kept = kept.ok_or_else(|| {
        Refusal::told(404, "not_found_error", "key", format!("Key {} not found.", mask(name)))
    })?;
    rights::may_change(context, &kept).await?;
    rights::may_make(context, Some(&kept), &record, "/key/regenerate").await?;
    throughput::of_key(context, Some(&kept), &record).await?;
    generate::checked(&record)?;
    let new = new.unwrap_or_else(text::fresh)?;
    if let Some(text) = duration {
        record.expires_at = super::change::expiry(text)?;
    }
    lasting::bound_changed(context, &kept, &mut record, time::now()).await?;
    if resets {
        budgets::begin(context, &mut record.limits, time::now())?;
    }
    let old = Old { grace: grace.as_deref(), sealed: None, spend };
    let now = replace(context, &kept, record, &new, old).await?;
    let spend = show::spent(context, &now.hash).await?;
    let told = |name: &str| -> Option<Raw> {
        match name {
            "key" => Some(raw(&new)),
            name => table::beside(&now, spend, name),
        }
    };
    Ok(fields::show(TABLE, GENERATED, &now.record, told))
}

/// What becomes of the old text.
struct Old<'t> {
    /// How long it is still taken; `None`: no longer.
    grace: Option<&'t str>,
    /// The new text, for whoever comes with the old one.
    sealed: Option<String>,
    /// What is told as spent from now on; `None`: what was spent.
    spend: Option<NanoUsd>,
}

/// A request cannot change what every replica reads from its environment.
fn no_master() -> Refusal {
    let message = "The master key is read from the environment, and no request changes it. Put the new one into \
        LITELLM_MASTER_KEY and the old one into WEIR_MASTER_KEY_PREVIOUS, restart, then run `weir reseal --from-env \
        WEIR_MASTER_KEY_PREVIOUS`; deploy/RUNBOOKS.md has the steps (\"Rotate the master key\").";
    Refusal::told(400, "bad_request_error", "new_master_key", message)
}

/// Rotates a key whose time has come. Nobody is there to be told the new text: it is kept sealed as long as the old one
/// is taken, and told to whoever asks with the old one (`/key/info?key=`).
pub(crate) async fn rotate_due(context: &Context, kept: &Kept<KeyRecord>) -> Result<(), Refusal> {
    let new = text::fresh()?;
    let Some(sealed) = context.services.control.seal(FORMER_KEY, &new) else {
        return Err(Refusal::internal("no key to seal the new text with"));
    };
    let config = (context.services.config)();
    let grace = config.env.filled(GRACE).unwrap_or(DEFAULT_GRACE);
    let old = Old { grace: Some(grace), sealed: Some(sealed), spend: None };
    let now = replace(context, kept, kept.record.clone(), &new, old).await?;
    tracing::info!(key = now.masked, alias = now.alias, grace, "a key was rotated");
    Ok(())
}

/// The text that took the place of this one, as long as this one is taken.
pub(super) async fn successor(context: &Context, old: &str) -> Result<Option<(KeyHash, String)>, Refusal> {
    let Some(former) = context.get::<FormerKey>(&KeyHash::of(old).hex()).await? else { return Ok(None) };
    let sealed = former.record.sealed.clone().filter(|_| former.until > time::now());
    let told = sealed.and_then(|sealed| context.services.control.open(FORMER_KEY, &sealed));
    Ok(told.map(|text| (former.current, text)))
}

/// Everything about the key stays: who owns it, what it may do, what it has spent.
async fn replace(
    context: &Context,
    kept: &Kept<KeyRecord>,
    record: KeyRecord,
    new: &str,
    old: Old<'_>,
) -> Result<Kept<KeyRecord>, Refusal> {
    let mut work = Work::new(context);
    let mut next = KeyRecord { hash: KeyHash::of(new), masked: mask(new), ..record };
    if next.hash == kept.hash || context.get::<KeyRecord>(&next.id()).await?.is_some() {
        return Err(Refusal::told(400, "bad_request_error", "new_key", "This key exists already."));
    }
    next.rotation.first = Some(kept.first_hash());
    next.rotation.leave(kept.hash);
    next.rotation.count += 1;
    next.rotation.last_at = Some(work.now);
    next.rotation.next_at = next_rotation(&next, work.now)?;
    // The alias is unique: the old row goes before the new one comes.
    work.delete(&kept.record);
    work.insert(&next)?;
    work.rename(RecordKind::Key, &kept.id(), &next.id());
    if let Some(spend) = old.spend {
        work.spent(SpendScope::Key, Some(next.id()), spend);
    }
    if let Some(grace) = old.grace {
        let until = duration::after(work.now, grace).map_err(Refusal::internal)?;
        work.insert(&FormerKey { hash: kept.hash, current: next.hash, until, sealed: old.sealed })?;
    }
    work.commit().await?;
    context.get::<KeyRecord>(&next.id()).await?.ok_or_else(|| Refusal::internal("the key is gone"))
}

/// When the key is rotated next; `None`: never by itself.
pub(super) fn next_rotation(key: &KeyRecord, now: Micros) -> Result<Option<Micros>, Refusal> {
    let interval = key.rotation.interval.as_deref().filter(|_| key.rotation.auto);
    interval.map(|interval| duration::after(now, interval)).transpose().map_err(Refusal::internal)
}
