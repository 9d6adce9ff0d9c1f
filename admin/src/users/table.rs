//! What a user holds, field by field, and which of it each answer shows.

use crate::answer::raw;
use crate::fields::{Field, Lens, field, moment};
use crate::input::Shape;
use weir_core::domain::records::{Role, User};

#[rustfmt::skip]
pub(super) static TABLE: &[Field<User>] = &[
    field("user_alias", Lens::Text(|u| &mut u.alias), "null"),
    field("user_email", Lens::Text(|u| &mut u.email), "null"),
    field("sso_user_id", Lens::Text(|u| &mut u.sso_id), "null"),
    field("models", Lens::Texts(|u| &mut u.models), "[]"),
    field("max_budget", Lens::Money(|u| &mut u.limits.max_budget), "null"),
    field("soft_budget", Lens::Money(|u| &mut u.limits.soft_budget), "null"),
    field("budget_duration", Lens::Text(|u| &mut u.limits.budget_duration), "null"),
    field("budget_reset_at", Lens::Shown(|u| u.limits.budget_reset_at.map(moment)), "null"),
    field("tpm_limit", Lens::Count(|u| &mut u.limits.tpm_limit), "null"),
    field("rpm_limit", Lens::Count(|u| &mut u.limits.rpm_limit), "null"),
    field("max_parallel_requests", Lens::Count(|u| &mut u.limits.max_parallel_requests), "null"),
    field("blocked", Lens::Flag(|u| &mut u.blocked), "null"),
    field("metadata", Lens::Json(|u| &mut u.metadata), "{}"),
    field("guardrails", Lens::Meta(Shape::Texts, |u| &mut u.metadata), "null"),
    field("model_rpm_limit", Lens::Meta(Shape::Object, |u| &mut u.metadata), "null"),
    field("model_tpm_limit", Lens::Meta(Shape::Object, |u| &mut u.metadata), "null"),
    field("allowed_cache_controls", Lens::Extra(Shape::List, |u| &mut u.extra), "[]"),
    field("model_max_budget", Lens::Extra(Shape::Object, |u| &mut u.extra), "{}"),
    field("object_permission", Lens::Extra(Shape::Object, |u| &mut u.extra), "null"),
    field("user_id", Lens::Shown(|u| Some(raw(&u.id))), "null"),
    field("user_role", Lens::Shown(|u| u.role.map(|role: Role| raw(role.as_str()))), "null"),
    field("teams", Lens::Shown(|_| None), "[]"),
    field("model_spend", Lens::Shown(|_| None), "{}"),
];

/// A user in lists.
#[rustfmt::skip]
pub(super) static LISTED: &[&str] = &[
    "user_id", "max_budget", "spend", "model_max_budget", "model_spend", "user_email", "user_alias", "models",
    "tpm_limit", "rpm_limit", "user_role", "organization_memberships", "teams", "sso_user_id", "budget_duration",
    "budget_reset_at", "metadata", "created_at", "updated_at", "object_permission",
];

/// A user alone. Nothing is told of a password.
#[rustfmt::skip]
pub(super) static ROW: &[&str] = &[
    "user_id", "user_alias", "team_id", "sso_user_id", "organization_id", "object_permission_id", "password",
    "teams", "user_role", "max_budget", "spend", "user_email", "models", "metadata", "max_parallel_requests",
    "tpm_limit", "rpm_limit", "budget_duration", "budget_reset_at", "allowed_cache_controls", "model_spend",
    "model_max_budget", "created_at", "updated_at", "litellm_organization_table", "organization_memberships",
    "invitations_created", "invitations_updated", "invitations_user", "object_permission",
];
