//! `/key/*`: virtual keys. The key text leaves once, in the answer that made it.

use crate::duration;
use crate::error::Refusal;
use crate::service::Services;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Query, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{Caller, KeyRecord, MASTER_USER, mask};
use weir_core::domain::money::NanoUsd;
use weir_core::error::{ApiError, Kind};
use weir_core::ports::LedgerError;
use weir_core::time::{self, Micros};

/// What a key may be made with. Fields that are not here are echoed, and not used yet.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    key: Option<String>,
    key_alias: Option<String>,
    models: Option<Vec<String>>,
    duration: Option<String>,
    metadata: Option<Map<String, Value>>,
    max_budget: Option<Box<RawValue>>,
    user_id: Option<String>,
    team_id: Option<String>,
}

/// Fields of LiteLLM's answer that hold nothing yet.
static EMPTY: &[(&str, &str)] = &[
    ("max_parallel_requests", "null"),
    ("tpm_limit", "null"),
    ("rpm_limit", "null"),
    ("budget_duration", "null"),
    ("allowed_cache_controls", "[]"),
    ("config", "{}"),
    ("permissions", "{}"),
    ("model_max_budget", "{}"),
    ("model_rpm_limit", "null"),
    ("model_tpm_limit", "null"),
    ("guardrails", "null"),
    ("prompts", "null"),
    ("blocked", "null"),
    ("aliases", "{}"),
    ("object_permission", "null"),
    ("budget_id", "null"),
    ("tags", "null"),
    ("enforced_params", "null"),
    ("allowed_routes", "[]"),
    ("allowed_passthrough_routes", "null"),
    ("allowed_vector_store_indexes", "null"),
    ("rpm_limit_type", "null"),
    ("tpm_limit_type", "null"),
    ("router_settings", "{}"),
    ("organization_id", "null"),
    ("litellm_budget_table", "null"),
];

/// Fields of `/key/info` that hold nothing yet.
static INFO_EMPTY: &[(&str, &str)] = &[
    ("soft_budget_cooldown", "false"),
    ("aliases", "{}"),
    ("config", "{}"),
    ("router_settings", "{}"),
    ("permissions", "{}"),
    ("max_parallel_requests", "null"),
    ("tpm_limit", "null"),
    ("rpm_limit", "null"),
    ("budget_duration", "null"),
    ("budget_reset_at", "null"),
    ("allowed_cache_controls", "[]"),
    ("allowed_routes", "[]"),
    ("model_spend", "{}"),
    ("model_max_budget", "{}"),
    ("budget_id", "null"),
    ("organization_id", "null"),
    ("object_permission_id", "null"),
    ("rotation_count", "0"),
    ("auto_rotate", "false"),
    ("rotation_interval", "null"),
    ("last_rotation_at", "null"),
    ("key_rotation_at", "null"),
    ("litellm_budget_table", "null"),
    ("litellm_organization_table", "null"),
    ("object_permission", "null"),
];

/// What both answers say of a key, money as exact decimal text.
#[derive(Serialize)]
struct Shown {
    key_name: String,
    key_alias: Option<String>,
    spend: Box<RawValue>,
    max_budget: Option<Box<RawValue>>,
    expires: Option<String>,
    models: Vec<String>,
    user_id: Option<String>,
    team_id: Option<String>,
    metadata: Value,
    blocked: Option<bool>,
    created_at: String,
    updated_at: String,
    created_by: Option<String>,
    updated_by: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Shown {
    fn of(key: &KeyRecord, spend: NanoUsd, empty: &[(&str, &str)]) -> Self {
        let parsed = |text: &str| serde_json::from_str(text).unwrap_or_default();
        let own = ["blocked"];
        let rest = empty.iter().filter(|(name, _)| !own.contains(name));
        Self {
            key_name: key.masked.clone(),
            key_alias: key.alias.clone(),
            spend: spend.json(),
            max_budget: key.max_budget.map(NanoUsd::json),
            expires: key.expires_at.map(Micros::rfc3339),
            models: key.models.clone(),
            user_id: key.user_id.clone(),
            team_id: key.team_id.clone(),
            metadata: parsed(&key.metadata),
            blocked: key.blocked.then_some(true),
            created_at: key.created_at.rfc3339(),
            updated_at: key.created_at.rfc3339(),
            created_by: key.created_by.clone(),
            updated_by: key.created_by.clone(),
            rest: rest.map(|(name, value)| ((*name).to_owned(), parsed(value))).collect(),
        }
    }
}

// --- generate ---

#[derive(Serialize)]
pub(crate) struct Generated {
    key: String,
    token: String,
    token_id: String,
    duration: Option<String>,
    #[serde(flatten)]
    shown: Shown,
}

pub(crate) async fn generate(
    State(services): State<Arc<Services>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Json<Generated>, Refusal> {
    let sent = object(&body)?;
    let wanted = wanted(&body)?;
    let key = text(&wanted)?;
    let record = record(&wanted, &key, &caller)?;
    services.keys.insert_key(&record).await.map_err(|error| conflict(error, &wanted))?;
    // An unknown key may have been looked up, and remembered, a moment ago.
    services.lookup.forget(&record.hash).await;
    let mut shown = Shown::of(&record, NanoUsd::ZERO, EMPTY);
    for (name, value) in sent {
        if let Some(field) = shown.rest.get_mut(&name) {
            *field = value;
        }
    }
    let token = record.hash.hex();
    Ok(Json(Generated { key, token: token.clone(), token_id: token, duration: wanted.duration, shown }))
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.is_empty() {
        return Err(Refusal::invalid("missing", None, "Field required", Value::Null));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(Refusal::invalid("model_attributes_type", None, "Input should be a valid object", other)),
        Err(_) => Err(Refusal::invalid("json_invalid", None, "JSON decode error", json!({}))),
    }
}

fn wanted(body: &[u8]) -> Result<Wanted, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::invalid("type_error", None, error.to_string(), Value::Null))
}

fn text(wanted: &Wanted) -> Result<String, Refusal> {
    match &wanted.key {
        None => fresh(),
        Some(key) if key.starts_with("sk-") && key.len() <= 512 => Ok(key.clone()),
        // Not repeated: it may be a real secret of something else.
        Some(_) => Err(Refusal::wrapped(400, "Invalid key format. LiteLLM Virtual Key must start with 'sk-'.")),
    }
}

/// `sk-` and 16 random bytes of the operating system.
fn fresh() -> Result<String, Refusal> {
    let mut bytes = [0_u8; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| {
        Refusal::Api(ApiError::new(Kind::Internal, "No random numbers can be had.").because(error))
    })?;
    Ok(format!("sk-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn record(wanted: &Wanted, key: &str, caller: &Caller) -> Result<KeyRecord, Refusal> {
    let now = time::now();
    let expires_at = wanted.duration.as_deref().map(|d| duration::after(now, d)).transpose();
    let metadata = wanted.metadata.as_ref().map_or_else(|| String::from("{}"), |m| Value::from(m.clone()).to_string());
    Ok(KeyRecord {
        hash: KeyHash::of(key),
        masked: mask(key),
        alias: wanted.key_alias.clone().filter(|alias| !alias.is_empty()),
        user_id: wanted.user_id.clone(),
        team_id: wanted.team_id.clone(),
        models: wanted.models.clone().unwrap_or_default(),
        metadata,
        max_budget: budget(wanted.max_budget.as_deref())?,
        expires_at: expires_at.map_err(Refusal::internal)?,
        blocked: false,
        created_at: now,
        created_by: Some(caller.user_id().unwrap_or(MASTER_USER).to_owned()),
    })
}

/// A JSON number, or a number as text; never through a float.
fn budget(raw: Option<&RawValue>) -> Result<Option<NanoUsd>, Refusal> {
    let Some(raw) = raw.map(RawValue::get).filter(|raw| *raw != "null") else { return Ok(None) };
    let text = raw.trim_matches('"');
    let amount = NanoUsd::parse(text).map_err(|_| {
        let message = "Input should be a valid number, unable to parse string as a number";
        Refusal::invalid("float_parsing", Some("max_budget"), message, text.into())
    })?;
    if amount < NanoUsd::ZERO {
        return Err(Refusal::wrapped(400, &format!("max_budget cannot be negative. Received: {text}")));
    }
    Ok(Some(amount))
}

fn conflict(error: LedgerError, wanted: &Wanted) -> Refusal {
    let LedgerError::Conflict(_) = error else { return Refusal::from(error) };
    let (message, param) = match &wanted.key_alias {
        Some(alias) => {
            (format!("Key with alias '{alias}' already exists. Unique key aliases across all keys are required."), "key_alias")
        }
        None => (String::from("This key already exists."), "key"),
    };
    Refusal::Api(ApiError::new(Kind::BadRequest, message).with_type("bad_request_error").with_param(param))
}

// --- info ---

#[derive(Deserialize)]
pub(crate) struct InfoQuery {
    key: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Info {
    key: String,
    info: Shown,
}

/// Any caller may ask about its own key; about others only the master.
pub(crate) async fn info(
    State(services): State<Arc<Services>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<InfoQuery>,
) -> Result<Json<Info>, Refusal> {
    let (name, hash) = match &query.key {
        Some(key) => (key.clone(), KeyHash::from_key_or_hash(key)),
        None => caller.hash().map(|hash| (hash.hex(), hash)).ok_or_else(not_found)?,
    };
    if caller.key().is_some_and(|own| own.hash != hash) {
        let message = "You are not allowed to access this key's info. Your role=unknown";
        return Err(ApiError::new(Kind::RouteDenied, message).with_status(403).into());
    }
    let record = services.keys.key(&hash).await?.ok_or_else(not_found)?;
    let spend = services.keys.key_spend(&hash).await?;
    Ok(Json(Info { key: name, info: Shown::of(&record, spend, INFO_EMPTY) }))
}

fn not_found() -> Refusal {
    let error = ApiError::new(Kind::BadRequest, "Key not found in database");
    Refusal::Api(error.with_status(404).with_type("not_found_error").with_param("key"))
}

// --- delete ---

#[derive(Default, Deserialize)]
#[serde(default)]
struct Doomed {
    keys: Vec<String>,
    key_aliases: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Deleted {
    deleted_keys: Vec<String>,
}

pub(crate) async fn delete(State(services): State<Arc<Services>>, body: Bytes) -> Result<Json<Deleted>, Refusal> {
    object(&body)?;
    let doomed: Doomed = serde_json::from_slice(&body)
        .map_err(|error| Refusal::invalid("type_error", None, error.to_string(), Value::Null))?;
    if doomed.keys.is_empty() && doomed.key_aliases.is_empty() {
        let message = "Value error, At least one of 'keys' or 'key_aliases' must be provided.";
        return Err(Refusal::invalid("value_error", None, message, json!({})));
    }
    let hashes: Vec<KeyHash> = doomed.keys.iter().map(|key| KeyHash::from_key_or_hash(key)).collect();
    let gone = services.keys.delete_keys(&hashes, &doomed.key_aliases).await?;
    for hash in &gone {
        services.lookup.forget(hash).await;
    }
    if gone.is_empty() {
        return Err(Refusal::wrapped(404, "No keys found"));
    }
    let named = doomed.keys.into_iter().zip(&hashes).filter(|(_, hash)| gone.contains(hash)).map(|(key, _)| key);
    Ok(Json(Deleted { deleted_keys: named.chain(doomed.key_aliases).collect() }))
}
