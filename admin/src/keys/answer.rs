//! A key as LiteLLM's clients read it.

use super::fields::FIELDS;
use crate::answer::{Object, Raw, parsed, raw};
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::time::Micros;

/// Fields of `info`, in LiteLLM's order, with what they show while nothing stands behind them.
static INFO: &[(&str, &str)] = &[
    ("key_name", "null"),
    ("key_alias", "null"),
    ("soft_budget_cooldown", "false"),
    ("spend", "0.0"),
    ("expires", "null"),
    ("models", "[]"),
    ("aliases", "{}"),
    ("config", "{}"),
    ("router_settings", "{}"),
    ("user_id", "null"),
    ("team_id", "null"),
    ("permissions", "{}"),
    ("max_parallel_requests", "null"),
    ("metadata", "{}"),
    ("blocked", "null"),
    ("tpm_limit", "null"),
    ("rpm_limit", "null"),
    ("max_budget", "null"),
    ("budget_duration", "null"),
    ("budget_reset_at", "null"),
    ("allowed_cache_controls", "[]"),
    ("allowed_routes", "[]"),
    ("model_spend", "{}"),
    ("model_max_budget", "{}"),
    ("budget_id", "null"),
    ("organization_id", "null"),
    ("object_permission_id", "null"),
    ("created_at", "null"),
    ("created_by", "null"),
    ("updated_at", "null"),
    ("updated_by", "null"),
    ("rotation_count", "0"),
    ("auto_rotate", "false"),
    ("rotation_interval", "null"),
    ("last_rotation_at", "null"),
    ("key_rotation_at", "null"),
    ("litellm_budget_table", "null"),
    ("litellm_organization_table", "null"),
    ("object_permission", "null"),
];

/// What `/key/generate` adds to the fields of its request.
static ADDED: &[&str] = &[
    "key_name",
    "expires",
    "token_id",
    "litellm_budget_table",
    "token",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
];

/// The answer to `/key/generate`, the only one that tells the key.
pub(super) fn generated(key: &str, record: &KeyRecord, echoed: &[(&'static str, Raw)]) -> Object {
    let sent = |name: &str| echoed.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone());
    let field = |(name, empty): (&'static str, &str)| {
        let value = if name == "key" { Some(raw(key)) } else { stored(record, name).or_else(|| sent(name)) };
        (name, value.unwrap_or_else(|| parsed(empty, "null")))
    };
    let asked = FIELDS.iter().filter_map(|field| Some((field.name, field.empty?)));
    Object(asked.chain(ADDED.iter().map(|name| (*name, "null"))).map(field).collect())
}

/// The `info` of `/key/info`.
pub(super) fn info(record: &KeyRecord, spend: NanoUsd) -> Object {
    let field = |(name, empty): &(&'static str, &str)| {
        let value = if *name == "spend" { Some(spend.json()) } else { stored(record, name) };
        (*name, value.unwrap_or_else(|| parsed(empty, "null")))
    };
    Object(INFO.iter().map(field).collect())
}

/// What the record says of a field; `None` where it has nothing to say. Nothing can be changed yet, so the
/// times and authors of making and changing are the same.
fn stored(record: &KeyRecord, name: &str) -> Option<Raw> {
    match name {
        "key_name" => Some(raw(&record.masked)),
        "token" | "token_id" => Some(raw(&record.hash.hex())),
        "key_alias" => record.alias.as_ref().map(raw),
        "expires" => record.expires_at.map(Micros::rfc3339).as_ref().map(raw),
        "models" => Some(raw(&record.models)),
        "user_id" => record.user_id.as_ref().map(raw),
        "team_id" => record.team_id.as_ref().map(raw),
        "metadata" => Some(parsed(&record.metadata, "{}")),
        "blocked" => record.blocked.then(|| raw(&true)),
        "max_budget" => record.max_budget.map(NanoUsd::json),
        "created_at" | "updated_at" => Some(raw(&record.created_at.rfc3339())),
        "created_by" | "updated_by" => record.created_by.as_ref().map(raw),
        _ => None,
    }
}
