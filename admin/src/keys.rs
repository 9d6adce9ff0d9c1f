//! `/key/*`: virtual keys. The text of a new key leaves once, in the answer that made it; later answers
//! repeat only what the caller itself named a key by.

mod answer;
mod fields;

use crate::answer::{Object, Raw, raw};
use crate::error::{Problem, Refusal};
use crate::input::{Fields, Params};
use crate::service::Services;
use axum::Json;
use axum::extract::{Extension, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fields::Wanted;
use rand::TryRngCore;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{Caller, KeyRecord, mask};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::LedgerError;
use weir_core::time;

/// The longest key that may be chosen. Keys travel in headers.
const MAX_KEY: usize = 512;

/// Keys and aliases in one deletion.
const MAX_DELETED: usize = 1_000;

// --- generate ---

pub(crate) async fn generate(
    State(services): State<Arc<Services>>,
    Extension(caller): Extension<Caller>,
    sent: Fields,
) -> Result<Json<Object>, Refusal> {
    let wanted = Wanted::read(sent)?;
    wanted.warn();
    let key = wanted.key.clone().map_or_else(fresh, chosen)?;
    let record = wanted.record(&key, &caller, time::now())?;
    let kept = keep(&services, record).await?;
    Ok(Json(answer::generated(&key, &kept, &wanted.echoed)))
}

/// `sk-` and 16 random bytes of the operating system, in 22 characters.
fn fresh() -> Result<String, Refusal> {
    let mut bytes = [0_u8; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| {
        ApiError::new(Kind::Internal, "The system gives no random numbers.").because(error)
    })?;
    Ok(format!("sk-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// A key of the caller's choice, if it can be presented in a header afterwards.
fn chosen(key: String) -> Result<String, Refusal> {
    if !key.starts_with("sk-") {
        // Masked: it may be a real secret of something else.
        let hint = mask(&key).replacen("sk-", "", 1);
        let message =
            format!("Invalid key format. LiteLLM Virtual Key must start with 'sk-'. Received: {hint}");
        return Err(Refusal::wrapped(400, &message));
    }
    if key.len() > MAX_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message =
            format!("Invalid key format. At most {MAX_KEY} printable ASCII characters without spaces.");
        return Err(Refusal::wrapped(400, &message));
    }
    Ok(key)
}

/// Stores a key. A chosen key that is there already stays as it is and is answered as it is stored, unless an
/// alias was asked for: then the alias is in the way. LiteLLM does the same.
async fn keep(services: &Services, record: KeyRecord) -> Result<KeyRecord, Refusal> {
    let conflict = match services.keys.insert_key(&record).await {
        Ok(()) => {
            // The key may have been tried, and remembered as unknown, a moment ago.
            services.lookup.forget(&record.hash).await;
            return Ok(record);
        }
        Err(conflict @ LedgerError::Conflict(_)) => conflict,
        Err(error) => return Err(error.into()),
    };
    let stored = services.keys.key(&record.hash).await?;
    match (record.alias, stored) {
        (None, Some(stored)) => {
            tracing::warn!(key = %stored.masked, "this key exists already; nothing of it was changed");
            Ok(stored)
        }
        (Some(alias), stored) if stored.as_ref().is_none_or(|key| key.alias.as_ref() == Some(&alias)) => {
            Err(alias_taken(&alias))
        }
        (Some(_), _) => Err(Refusal::told(
            400,
            "bad_request_error",
            "key",
            "This key exists already under another alias.",
        )),
        // Deleted in between: the caller may try again.
        (None, None) => Err(conflict.into()),
    }
}

fn alias_taken(alias: &str) -> Refusal {
    let message =
        format!("Key with alias '{alias}' already exists. Unique key aliases across all keys are required.");
    Refusal::told(400, "bad_request_error", "key_alias", message)
}

// --- info ---

/// Any caller may ask about its own key, or one of the same user's; the master about all.
pub(crate) async fn info(
    State(services): State<Arc<Services>>,
    Extension(caller): Extension<Caller>,
    params: Params,
) -> Result<Json<Object>, Refusal> {
    let (name, hash) = match params.get("key") {
        Some(key) => (key.to_owned(), KeyHash::from_key_or_hash(key)),
        None => caller.hash().map(|hash| (hash.hex(), hash)).ok_or_else(not_found)?,
    };
    let record = services.keys.key(&hash).await?.ok_or_else(not_found)?;
    if !may_see(&caller, &record) {
        let message = "You are not allowed to access this key's info. Your role=unknown";
        return Err(ApiError::new(Kind::RouteDenied, message).with_status(403).into());
    }
    let spend = services.keys.key_spend(&hash).await?;
    Ok(Json(Object(vec![("key", raw(&name)), ("info", raw(&answer::info(&record, spend)))])))
}

fn may_see(caller: &Caller, record: &KeyRecord) -> bool {
    match caller {
        Caller::Anonymous => false,
        Caller::Master(_) => true,
        Caller::Key(own) => own.hash == record.hash || own.user_id.is_some() && own.user_id == record.user_id,
    }
}

fn not_found() -> Refusal {
    Refusal::told(404, "not_found_error", "key", "Key not found in database")
}

// --- delete ---

/// Deletes what is there of the named keys; an error only when nothing of it was.
pub(crate) async fn delete(
    State(services): State<Arc<Services>>,
    mut sent: Fields,
) -> Result<Json<Object>, Refusal> {
    let (keys, aliases) = (sent.texts("keys"), sent.texts("key_aliases"));
    sent.finish()?;
    countable(keys.len() + aliases.len())?;
    let hashes: Vec<KeyHash> = keys.iter().map(|key| KeyHash::from_key_or_hash(key)).collect();
    let gone = services.keys.delete_keys(&hashes, &aliases).await;
    // Also when it failed: some may be gone already, and a key that is still there is only read again.
    for hash in hashes.iter().chain(gone.iter().flatten()) {
        services.lookup.forget(hash).await;
    }
    let gone: HashSet<KeyHash> = gone?.into_iter().collect();
    if gone.is_empty() {
        return Err(Refusal::wrapped(404, "No keys found"));
    }
    Ok(Json(Object(vec![("deleted_keys", names(keys, &hashes, aliases, &gone))])))
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

/// What was deleted, by the names the caller used. The store tells hashes only; where it is not plain which
/// alias was there, the hash stands for it.
fn names(keys: Vec<String>, hashes: &[KeyHash], aliases: Vec<String>, gone: &HashSet<KeyHash>) -> Raw {
    let named = keys.into_iter().zip(hashes).filter(|(_, hash)| gone.contains(*hash)).map(|(key, _)| key);
    let rest: Vec<&KeyHash> = gone.iter().filter(|hash| !hashes.contains(*hash)).collect();
    let by_alias: Vec<String> =
        if rest.len() == aliases.len() { aliases } else { rest.into_iter().map(KeyHash::hex).collect() };
    raw(&named.chain(by_alias).collect::<Vec<_>>())
}
