//! What a key holds, field by field, and which of it each answer shows.

use crate::answer::{Raw, raw};
use crate::fields::{Field, Lens, field, moment};
use crate::input::Shape;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::Kept;

const LIMIT_TYPES: Shape = Shape::OneOf(&["guaranteed_throughput", "best_effort_throughput", "dynamic"]);

/// LiteLLM shows these even where none is set.
const ROUTER_SETTINGS: &str = concat!(
    r#"{"routing_strategy_args":null,"routing_strategy":null,"model_group_retry_policy":null,"#,
    r#""allowed_fails":null,"cooldown_time":null,"num_retries":null,"timeout":null,"max_retries":null,"#,
    r#""retry_after":null,"fallbacks":null,"context_window_fallbacks":null,"model_group_alias":{}}"#,
);

/// Whatever may be set. `metadata` stands before what is kept inside of it.
#[rustfmt::skip]
pub(super) static TABLE: &[Field<KeyRecord>] = &[
    field("key_alias", Lens::Text(|k| &mut k.alias), "null"),
    field("models", Lens::Texts(|k| &mut k.models), "[]"),
    field("max_budget", Lens::Money(|k| &mut k.limits.max_budget), "null"),
    field("soft_budget", Lens::Money(|k| &mut k.limits.soft_budget), "null"),
    field("user_id", Lens::Text(|k| &mut k.user_id), "null"),
    field("team_id", Lens::Text(|k| &mut k.team_id), "null"),
    field("organization_id", Lens::Text(|k| &mut k.organization_id), "null"),
    field("budget_id", Lens::Text(|k| &mut k.budget_id), "null"),
    field("max_parallel_requests", Lens::Count(|k| &mut k.limits.max_parallel_requests), "null"),
    field("metadata", Lens::Json(|k| &mut k.metadata), "{}"),
    field("tpm_limit", Lens::Count(|k| &mut k.limits.tpm_limit), "null"),
    field("rpm_limit", Lens::Count(|k| &mut k.limits.rpm_limit), "null"),
    field("budget_duration", Lens::Text(|k| &mut k.limits.budget_duration), "null"),
    field("budget_reset_at", Lens::Shown(|k| k.limits.budget_reset_at.map(moment)), "null"),
    field("allowed_cache_controls", Lens::Extra(Shape::List, |k| &mut k.extra), "[]"),
    field("config", Lens::Extra(Shape::Object, |k| &mut k.extra), "{}"),
    field("permissions", Lens::Map(|k| &mut k.permissions), "{}"),
    field("model_max_budget", Lens::Extra(Shape::Object, |k| &mut k.extra), "{}"),
    field("model_rpm_limit", Lens::Meta(Shape::Object, |k| &mut k.metadata), "null"),
    field("model_tpm_limit", Lens::Meta(Shape::Object, |k| &mut k.metadata), "null"),
    field("guardrails", Lens::Meta(Shape::Texts, |k| &mut k.metadata), "null"),
    field("prompts", Lens::Meta(Shape::Texts, |k| &mut k.metadata), "null"),
    field("tags", Lens::Meta(Shape::Texts, |k| &mut k.metadata), "null"),
    field("enforced_params", Lens::Meta(Shape::Texts, |k| &mut k.metadata), "null"),
    field("allowed_passthrough_routes", Lens::Meta(Shape::List, |k| &mut k.metadata), "null"),
    field("allowed_vector_store_indexes", Lens::Meta(Shape::List, |k| &mut k.metadata), "null"),
    field("rpm_limit_type", Lens::Meta(LIMIT_TYPES, |k| &mut k.metadata), "null"),
    field("tpm_limit_type", Lens::Meta(LIMIT_TYPES, |k| &mut k.metadata), "null"),
    field("blocked", Lens::Flag(|k| &mut k.blocked), "null"),
    field("aliases", Lens::Map(|k| &mut k.aliases), "{}"),
    field("object_permission", Lens::Extra(Shape::Object, |k| &mut k.extra), "null"),
    field("allowed_routes", Lens::Texts(|k| &mut k.allowed_routes), "[]"),
    field("router_settings", Lens::Extra(Shape::Object, |k| &mut k.extra), ROUTER_SETTINGS),
    field("auto_rotate", Lens::Flag(|k| &mut k.rotation.auto), "false"),
    field("rotation_interval", Lens::Text(|k| &mut k.rotation.interval), "null"),
    field("key_rotation_at", Lens::Shown(|k| k.rotation.next_at.map(moment)), "null"),
    field("last_rotation_at", Lens::Shown(|k| k.rotation.last_at.map(moment)), "null"),
    field("rotation_count", Lens::Shown(|k| Some(raw(&k.rotation.count))), "0"),
    field("expires", Lens::Shown(|k| k.expires_at.map(moment)), "null"),
    field("key_name", Lens::Shown(|k| Some(raw(&k.masked))), "null"),
    field("token", Lens::Shown(|k| Some(raw(&k.hash.hex()))), "null"),
    field("token_id", Lens::Shown(|k| Some(raw(&k.hash.hex()))), "null"),
    field("org_id", Lens::Shown(|k| k.organization_id.as_ref().map(raw)), "null"),
    field("soft_budget_cooldown", Lens::Shown(|_| None), "false"),
    field("model_spend", Lens::Shown(|_| None), "{}"),
    field("team_models", Lens::Shown(|_| None), "[]"),
    field("team_blocked", Lens::Shown(|_| None), "false"),
];

/// What a request for a user says of the user's first key.
#[rustfmt::skip]
pub(super) static FIRST: &[Field<KeyRecord>] = &[
    field("key_alias", Lens::Text(|k| &mut k.alias), "null"),
    field("team_id", Lens::Text(|k| &mut k.team_id), "null"),
    field("aliases", Lens::Map(|k| &mut k.aliases), "{}"),
    field("permissions", Lens::Map(|k| &mut k.permissions), "{}"),
];

/// The answer of `/key/generate`, in LiteLLM's order. `key` is told here and nowhere else.
#[rustfmt::skip]
pub(super) static GENERATED: &[&str] = &[
    "key_alias", "duration", "models", "spend", "max_budget", "user_id", "team_id", "max_parallel_requests",
    "metadata", "tpm_limit", "rpm_limit", "budget_duration", "allowed_cache_controls", "config", "permissions",
    "model_max_budget", "model_rpm_limit", "model_tpm_limit", "guardrails", "prompts", "blocked", "aliases",
    "object_permission", "key", "budget_id", "tags", "enforced_params", "allowed_routes",
    "allowed_passthrough_routes", "allowed_vector_store_indexes", "rpm_limit_type", "tpm_limit_type",
    "router_settings", "organization_id", "key_name", "expires", "token_id", "litellm_budget_table", "token",
    "created_by", "updated_by", "created_at", "updated_at",
];

/// The `info` of `/key/info`.
#[rustfmt::skip]
pub(super) static INFO: &[&str] = &[
    "key_name", "key_alias", "soft_budget_cooldown", "spend", "expires", "models", "aliases", "config",
    "router_settings", "user_id", "team_id", "permissions", "max_parallel_requests", "metadata", "blocked",
    "tpm_limit", "rpm_limit", "max_budget", "budget_duration", "budget_reset_at", "allowed_cache_controls",
    "allowed_routes", "model_spend", "model_max_budget", "budget_id", "organization_id", "object_permission_id",
    "created_at", "created_by", "updated_at", "updated_by", "rotation_count", "auto_rotate", "rotation_interval",
    "last_rotation_at", "key_rotation_at", "litellm_budget_table", "litellm_organization_table",
    "object_permission",
];

/// A key with what stands behind it, as full lists tell it.
#[rustfmt::skip]
pub(super) static VIEW: &[&str] = &[
    "token", "key_name", "key_alias", "spend", "max_budget", "expires", "models", "aliases", "config", "user_id",
    "team_id", "max_parallel_requests", "metadata", "tpm_limit", "rpm_limit", "budget_duration", "budget_reset_at",
    "allowed_cache_controls", "allowed_routes", "permissions", "model_spend", "model_max_budget",
    "soft_budget_cooldown", "blocked", "litellm_budget_table", "org_id", "created_at", "created_by", "updated_at",
    "updated_by", "object_permission_id", "object_permission", "rotation_count", "auto_rotate", "rotation_interval",
    "last_rotation_at", "key_rotation_at", "router_settings", "team_spend", "team_alias", "team_tpm_limit",
    "team_rpm_limit", "team_max_budget", "team_models", "team_blocked", "soft_budget", "team_model_aliases",
    "team_member", "team_metadata", "team_object_permission_id", "team_member_spend", "team_member_tpm_limit",
    "team_member_rpm_limit", "end_user_id", "end_user_tpm_limit", "end_user_rpm_limit", "end_user_max_budget",
    "organization_max_budget", "organization_tpm_limit", "organization_rpm_limit", "organization_metadata",
    "last_refreshed_at", "api_key", "user_role", "allowed_model_region", "parent_otel_span",
    "rpm_limit_per_model", "tpm_limit_per_model", "user_tpm_limit", "user_rpm_limit", "user_email", "user_spend",
    "user_max_budget", "request_route", "user",
];

/// What a block answers.
#[rustfmt::skip]
pub(super) static BLOCKED: &[&str] = &[
    "token", "key_name", "key_alias", "spend", "max_budget", "expires", "models", "aliases", "config", "user_id",
    "team_id", "max_parallel_requests", "metadata", "tpm_limit", "rpm_limit", "budget_duration", "budget_reset_at",
    "allowed_cache_controls", "allowed_routes", "permissions", "model_spend", "model_max_budget",
    "soft_budget_cooldown", "blocked", "litellm_budget_table", "org_id", "created_at", "created_by", "updated_at",
    "updated_by", "object_permission_id", "object_permission", "rotation_count", "auto_rotate", "rotation_interval",
    "last_rotation_at", "key_rotation_at", "router_settings",
];

/// What is kept beside a record, and what was spent under it.
pub(super) fn beside(kept: &Kept<KeyRecord>, spend: NanoUsd, name: &str) -> Option<Raw> {
    match name {
        "spend" => Some(spend.json()),
        "created_at" => Some(moment(kept.created_at)),
        "updated_at" => Some(moment(kept.updated_at)),
        "created_by" => kept.created_by.as_ref().map(raw),
        "updated_by" => kept.updated_by.as_ref().map(raw),
        // Where nothing is set, only the answer to making a key shows all names.
        "router_settings" if !kept.extra.contains_key(name) => Some(raw(&serde_json::json!({}))),
        _ => None,
    }
}

/// The same of a key that was just made.
pub(super) fn beside_new(kept: &Kept<KeyRecord>, spend: NanoUsd, name: &str) -> Option<Raw> {
    match name {
        "router_settings" => None,
        _ => beside(kept, spend, name),
    }
}
