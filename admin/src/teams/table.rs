//! What a team holds, field by field, and which of it each answer shows.

use crate::answer::raw;
use crate::fields::{Field, Lens, field, moment};
use crate::input::Shape;
use weir_core::domain::records::Team;

const LIMIT_TYPES: Shape = Shape::OneOf(&["guaranteed_throughput", "best_effort_throughput"]);

#[rustfmt::skip]
pub(super) static TABLE: &[Field<Team>] = &[
    field("team_alias", Lens::Text(|t| &mut t.alias), "null"),
    field("organization_id", Lens::Text(|t| &mut t.organization_id), "null"),
    field("models", Lens::Texts(|t| &mut t.models), "[]"),
    field("max_budget", Lens::Money(|t| &mut t.limits.max_budget), "null"),
    field("soft_budget", Lens::Money(|t| &mut t.limits.soft_budget), "null"),
    field("budget_duration", Lens::Text(|t| &mut t.limits.budget_duration), "null"),
    field("budget_reset_at", Lens::Shown(|t| t.limits.budget_reset_at.map(moment)), "null"),
    field("tpm_limit", Lens::Count(|t| &mut t.limits.tpm_limit), "null"),
    field("rpm_limit", Lens::Count(|t| &mut t.limits.rpm_limit), "null"),
    field("max_parallel_requests", Lens::Count(|t| &mut t.limits.max_parallel_requests), "null"),
    field("blocked", Lens::Flag(|t| &mut t.blocked), "false"),
    field("metadata", Lens::Json(|t| &mut t.metadata), "{}"),
    field("tags", Lens::Meta(Shape::Texts, |t| &mut t.metadata), "null"),
    field("guardrails", Lens::Meta(Shape::Texts, |t| &mut t.metadata), "null"),
    field("prompts", Lens::Meta(Shape::Texts, |t| &mut t.metadata), "null"),
    field("model_rpm_limit", Lens::Meta(Shape::Object, |t| &mut t.metadata), "null"),
    field("model_tpm_limit", Lens::Meta(Shape::Object, |t| &mut t.metadata), "null"),
    field("secret_manager_settings", Lens::Meta(Shape::Object, |t| &mut t.metadata), "null"),
    field("team_member_key_duration", Lens::Meta(Shape::Text, |t| &mut t.metadata), "null"),
    field("team_member_rpm_limit", Lens::Meta(Shape::Integer, |t| &mut t.metadata), "null"),
    field("team_member_tpm_limit", Lens::Meta(Shape::Integer, |t| &mut t.metadata), "null"),
    field("allowed_passthrough_routes", Lens::Meta(Shape::List, |t| &mut t.metadata), "null"),
    field("allowed_vector_store_indexes", Lens::Meta(Shape::List, |t| &mut t.metadata), "null"),
    field("rpm_limit_type", Lens::Meta(LIMIT_TYPES, |t| &mut t.metadata), "null"),
    field("tpm_limit_type", Lens::Meta(LIMIT_TYPES, |t| &mut t.metadata), "null"),
    field("model_aliases", Lens::Map(|t| &mut t.model_aliases), "{}"),
    field("team_member_permissions", Lens::Texts(|t| &mut t.member_permissions), "[]"),
    field("router_settings", Lens::Extra(Shape::Object, |t| &mut t.extra), "{}"),
    field("object_permission", Lens::Extra(Shape::Object, |t| &mut t.extra), "null"),
    field("model_max_budget", Lens::Extra(Shape::Object, |t| &mut t.extra), "{}"),
    field("team_id", Lens::Shown(|t| Some(raw(&t.id))), "null"),
    field("admins", Lens::Shown(|_| None), "[]"),
    field("members", Lens::Shown(|_| None), "[]"),
    field("model_spend", Lens::Shown(|_| None), "{}"),
];

/// A team as most answers tell it.
#[rustfmt::skip]
pub(super) static TEAM: &[&str] = &[
    "team_alias", "team_id", "organization_id", "admins", "members", "members_with_roles",
    "team_member_permissions", "metadata", "tpm_limit", "rpm_limit", "max_budget", "budget_duration", "models",
    "blocked", "router_settings", "spend", "max_parallel_requests", "budget_reset_at", "model_id",
    "litellm_model_table", "object_permission", "updated_at", "created_at", "object_permission_id",
];

/// A team as answers to changes tell it.
#[rustfmt::skip]
pub(super) static ROW: &[&str] = &[
    "team_id", "team_alias", "organization_id", "object_permission_id", "admins", "members", "members_with_roles",
    "metadata", "max_budget", "spend", "models", "max_parallel_requests", "tpm_limit", "rpm_limit",
    "budget_duration", "budget_reset_at", "blocked", "created_at", "updated_at", "model_spend", "model_max_budget",
    "router_settings", "team_member_permissions", "model_id", "litellm_organization_table", "litellm_model_table",
    "object_permission",
];
