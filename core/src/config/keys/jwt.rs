//! `general_settings.litellm_jwtauth`: what is read of tokens that an identity provider has signed.

use super::Kind::{Bool, List, Seconds, Text, Texts};
use super::{Key, moot, used};

pub(super) const KEYS: &[Key] = &[
    used("admin_allowed_routes", Texts),
    used("admin_jwt_scope", Text),
    used("end_user_id_jwt_field", Text),
    used("enforce_rbac", Bool),
    used("enforce_scope_based_access", Bool),
    used("jwt_litellm_role_map", List),
    used("object_id_jwt_field", Text),
    used("org_id_jwt_field", Text),
    used("public_key_ttl", Seconds),
    used("role_mappings", List),
    used("roles_jwt_field", Text),
    used("scope_mappings", List),
    used("sync_user_role_and_teams", Bool),
    used("team_allowed_routes", Texts),
    used("team_id_default", Text),
    used("team_id_jwt_field", Text),
    used("team_id_upsert", Bool),
    used("team_ids_jwt_field", Text),
    used("user_allowed_email_domain", Text),
    used("user_allowed_roles", Texts),
    used("user_email_jwt_field", Text),
    used("user_id_jwt_field", Text),
    used("user_id_upsert", Bool),
    used("user_roles_jwt_field", Text),
    moot(
        "custom_validate",
        Text,
        "Weir runs no Python; JWT_AUDIENCE, JWT_ISSUER, user_allowed_roles and user_allowed_email_domain say whose tokens count",
    ),
    used("enforce_team_based_model_access", Bool),
    used("oidc_userinfo_cache_ttl", Seconds),
    used("oidc_userinfo_enabled", Bool),
    used("oidc_userinfo_endpoint", Text),
    used("public_allowed_routes", Texts),
    moot(
        "upsert_sso_user_to_team",
        Bool,
        "whoever signs in is put into the teams that team_ids_jwt_field names in any case",
    ),
];
