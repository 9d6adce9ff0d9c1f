//! Which of our records go into which of LiteLLM's tables, column by column.

use weir_core::domain::records::RecordKind;
use weir_core::ports::SpendScope;

/// A kind of records, and the table that it goes into.
pub(super) struct Out {
    pub(super) kind: RecordKind,
    pub(super) table: &'static str,
    pub(super) key: &'static [&'static str],
    /// Under which what was spent is summed.
    pub(super) scope: Option<SpendScope>,
    pub(super) columns: &'static [(&'static str, Origin)],
    /// Which rows `r` may be written, as SQL; empty: all.
    pub(super) only: &'static str,
}

/// Where a column's value comes from. Names are those of the record's document.
pub(super) enum Origin {
    Id,
    /// As it is.
    Same(&'static str),
    /// As it is, or this JSON where it is absent.
    Or(&'static str, &'static str),
    /// A member of a member, or this JSON.
    In(&'static str, &'static str, &'static str),
    /// Nano-dollars, which become dollars.
    Money(&'static str),
    /// Microseconds, which become a time.
    Moment(&'static str),
    MomentIn(&'static str, &'static str),
    /// A text that is a JSON object.
    Json(&'static str),
    Spend,
    CreatedAt,
    CreatedBy,
    UpdatedAt,
    UpdatedBy,
    /// What stands elsewhere here.
    Beside(&'static str),
}

use Origin as O;

/// Columns that name rows of other tables, which must be there.
pub(super) static NAMED: &[(&str, &str)] = &[
    ("budget_id", "LiteLLM_BudgetTable"),
    ("organization_id", "LiteLLM_OrganizationTable"),
    ("object_permission_id", "LiteLLM_ObjectPermissionTable"),
];

/// In this order: what others name comes first.
pub(super) static OUT: &[Out] =
    &[BUDGETS, ORGANIZATIONS, USERS, ORGANIZATION_MEMBERS, TEAMS, MEMBERS, KEYS, CUSTOMERS, TAGS];

const BUDGETS: Out = Out {
    kind: RecordKind::Budget,
    table: "LiteLLM_BudgetTable",
    key: &["budget_id"],
    scope: None,
    columns: &[
        ("budget_id", O::Id),
        ("max_budget", O::Money("max_budget")),
        ("soft_budget", O::Money("soft_budget")),
        ("max_parallel_requests", O::Same("max_parallel_requests")),
        ("tpm_limit", O::Same("tpm_limit")),
        ("rpm_limit", O::Same("rpm_limit")),
        ("model_max_budget", O::Same("model_max_budget")),
        ("budget_duration", O::Same("budget_duration")),
        ("budget_reset_at", O::Moment("budget_reset_at")),
        ("created_at", O::CreatedAt),
        ("created_by", O::CreatedBy),
        ("updated_at", O::UpdatedAt),
        ("updated_by", O::UpdatedBy),
    ],
    only: "",
};

const ORGANIZATIONS: Out = Out {
    kind: RecordKind::Organization,
    table: "LiteLLM_OrganizationTable",
    key: &["organization_id"],
    scope: Some(SpendScope::Organization),
    columns: &[
        ("organization_id", O::Id),
        ("organization_alias", O::Or("alias", "\"\"")),
        ("budget_id", O::Beside("budget_id")),
        ("metadata", O::Json("metadata")),
        ("models", O::Or("models", "[]")),
        ("spend", O::Spend),
        ("created_at", O::CreatedAt),
        ("created_by", O::CreatedBy),
        ("updated_at", O::UpdatedAt),
        ("updated_by", O::UpdatedBy),
        ("object_permission_id", O::Beside("object_permission_id")),
        ("model_spend", O::Or("", "{}")),
    ],
    only: "",
};

const USERS: Out = Out {
    kind: RecordKind::User,
    table: "LiteLLM_UserTable",
    key: &["user_id"],
    scope: Some(SpendScope::User),
    columns: &[
        ("user_id", O::Id),
        ("user_alias", O::Same("alias")),
        ("sso_user_id", O::Same("sso_id")),
        ("teams", O::Beside("teams")),
        ("user_role", O::Same("role")),
        ("max_budget", O::Money("max_budget")),
        ("spend", O::Spend),
        ("user_email", O::Same("email")),
        ("models", O::Or("models", "[]")),
        ("metadata", O::Json("metadata")),
        ("max_parallel_requests", O::Same("max_parallel_requests")),
        ("tpm_limit", O::Same("tpm_limit")),
        ("rpm_limit", O::Same("rpm_limit")),
        ("budget_duration", O::Same("budget_duration")),
        ("budget_reset_at", O::Moment("budget_reset_at")),
        ("allowed_cache_controls", O::Or("allowed_cache_controls", "[]")),
        ("model_spend", O::Or("", "{}")),
        ("model_max_budget", O::Or("model_max_budget", "{}")),
        ("created_at", O::CreatedAt),
        ("updated_at", O::UpdatedAt),
        ("object_permission_id", O::Beside("object_permission_id")),
    ],
    only: "",
};

const ORGANIZATION_MEMBERS: Out = Out {
    kind: RecordKind::OrganizationMember,
    table: "LiteLLM_OrganizationMembership",
    key: &["user_id", "organization_id"],
    scope: None,
    columns: &[
        ("user_id", O::Same("user_id")),
        ("organization_id", O::Same("organization_id")),
        ("user_role", O::Same("role")),
        ("budget_id", O::Same("budget_id")),
        ("created_at", O::CreatedAt),
        ("updated_at", O::UpdatedAt),
    ],
    only: " WHERE EXISTS (SELECT FROM @LiteLLM_UserTable u WHERE u.user_id = r.user_id) \
        AND EXISTS (SELECT FROM @LiteLLM_OrganizationTable o WHERE o.organization_id = r.organization_id)",
};

const TEAMS: Out = Out {
    kind: RecordKind::Team,
    table: "LiteLLM_TeamTable",
    key: &["team_id"],
    scope: Some(SpendScope::Team),
    columns: &[
        ("team_id", O::Id),
        ("team_alias", O::Same("alias")),
        ("organization_id", O::Same("organization_id")),
        ("members_with_roles", O::Beside("members_with_roles")),
        ("metadata", O::Json("metadata")),
        ("max_budget", O::Money("max_budget")),
        ("spend", O::Spend),
        ("models", O::Or("models", "[]")),
        ("max_parallel_requests", O::Same("max_parallel_requests")),
        ("tpm_limit", O::Same("tpm_limit")),
        ("rpm_limit", O::Same("rpm_limit")),
        ("budget_duration", O::Same("budget_duration")),
        ("budget_reset_at", O::Moment("budget_reset_at")),
        ("blocked", O::Or("blocked", "false")),
        ("created_at", O::CreatedAt),
        ("updated_at", O::UpdatedAt),
        ("model_spend", O::Or("", "{}")),
        ("model_max_budget", O::Or("model_max_budget", "{}")),
        ("team_member_permissions", O::Or("member_permissions", "[]")),
        ("object_permission_id", O::Beside("object_permission_id")),
        ("router_settings", O::Or("router_settings", "{}")),
    ],
    only: "",
};

const MEMBERS: Out = Out {
    kind: RecordKind::Member,
    table: "LiteLLM_TeamMembership",
    key: &["user_id", "team_id"],
    scope: Some(SpendScope::Member),
    columns: &[
        ("user_id", O::Same("user_id")),
        ("team_id", O::Same("team_id")),
        ("spend", O::Spend),
        ("budget_id", O::Same("budget_id")),
    ],
    only: "",
};

const KEYS: Out = Out {
    kind: RecordKind::Key,
    table: "LiteLLM_VerificationToken",
    key: &["token"],
    scope: Some(SpendScope::Key),
    columns: &[
        ("token", O::Id),
        ("key_name", O::Same("masked")),
        ("key_alias", O::Same("alias")),
        ("soft_budget_cooldown", O::Or("", "false")),
        ("spend", O::Spend),
        ("expires", O::Moment("expires_at")),
        ("models", O::Or("models", "[]")),
        ("aliases", O::Or("aliases", "{}")),
        ("config", O::Or("config", "{}")),
        ("user_id", O::Same("user_id")),
        ("team_id", O::Same("team_id")),
        ("permissions", O::Or("permissions", "{}")),
        ("max_parallel_requests", O::Same("max_parallel_requests")),
        ("metadata", O::Json("metadata")),
        ("blocked", O::Same("blocked")),
        ("tpm_limit", O::Same("tpm_limit")),
        ("rpm_limit", O::Same("rpm_limit")),
        ("max_budget", O::Money("max_budget")),
        ("budget_duration", O::Same("budget_duration")),
        ("budget_reset_at", O::Moment("budget_reset_at")),
        ("allowed_cache_controls", O::Or("allowed_cache_controls", "[]")),
        ("model_spend", O::Or("", "{}")),
        ("model_max_budget", O::Or("model_max_budget", "{}")),
        ("budget_id", O::Same("budget_id")),
        ("organization_id", O::Same("organization_id")),
        ("created_at", O::CreatedAt),
        ("created_by", O::CreatedBy),
        ("updated_at", O::UpdatedAt),
        ("updated_by", O::UpdatedBy),
        ("allowed_routes", O::Or("allowed_routes", "[]")),
        ("object_permission_id", O::Beside("object_permission_id")),
        ("auto_rotate", O::In("rotation", "auto", "false")),
        ("key_rotation_at", O::MomentIn("rotation", "next_at")),
        ("last_rotation_at", O::MomentIn("rotation", "last_at")),
        ("rotation_count", O::In("rotation", "count", "0")),
        ("rotation_interval", O::In("rotation", "interval", "null")),
        ("router_settings", O::Or("router_settings", "{}")),
    ],
    only: "",
};

const CUSTOMERS: Out = Out {
    kind: RecordKind::Customer,
    table: "LiteLLM_EndUserTable",
    key: &["user_id"],
    scope: Some(SpendScope::Customer),
    columns: &[
        ("user_id", O::Id),
        ("alias", O::Same("alias")),
        ("spend", O::Spend),
        ("allowed_model_region", O::Same("allowed_model_region")),
        ("default_model", O::Same("default_model")),
        ("budget_id", O::Same("budget_id")),
        ("blocked", O::Or("blocked", "false")),
    ],
    only: "",
};

const TAGS: Out = Out {
    kind: RecordKind::Tag,
    table: "LiteLLM_TagTable",
    key: &["tag_name"],
    scope: Some(SpendScope::Tag),
    columns: &[
        ("tag_name", O::Id),
        ("description", O::Same("description")),
        ("models", O::Or("models", "[]")),
        ("model_info", O::Same("model_info")),
        ("spend", O::Spend),
        ("budget_id", O::Same("budget_id")),
        ("created_at", O::CreatedAt),
        ("created_by", O::CreatedBy),
        ("updated_at", O::UpdatedAt),
    ],
    only: "",
};
