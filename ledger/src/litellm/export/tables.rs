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
    pub(super) columns: &'static [(&'static str, From)],
    /// Which rows `r` may be written, as SQL; empty: all.
    pub(super) only: &'static str,
}

/// Where a column's value comes from. Names are those of the record's document.
pub(super) enum From {
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

use From as F;

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
        ("budget_id", F::Id),
        ("max_budget", F::Money("max_budget")),
        ("soft_budget", F::Money("soft_budget")),
        ("max_parallel_requests", F::Same("max_parallel_requests")),
        ("tpm_limit", F::Same("tpm_limit")),
        ("rpm_limit", F::Same("rpm_limit")),
        ("model_max_budget", F::Same("model_max_budget")),
        ("budget_duration", F::Same("budget_duration")),
        ("budget_reset_at", F::Moment("budget_reset_at")),
        ("created_at", F::CreatedAt),
        ("created_by", F::CreatedBy),
        ("updated_at", F::UpdatedAt),
        ("updated_by", F::UpdatedBy),
    ],
    only: "",
};

const ORGANIZATIONS: Out = Out {
    kind: RecordKind::Organization,
    table: "LiteLLM_OrganizationTable",
    key: &["organization_id"],
    scope: Some(SpendScope::Organization),
    columns: &[
        ("organization_id", F::Id),
        ("organization_alias", F::Or("alias", "\"\"")),
        ("budget_id", F::Beside("budget_id")),
        ("metadata", F::Json("metadata")),
        ("models", F::Or("models", "[]")),
        ("spend", F::Spend),
        ("created_at", F::CreatedAt),
        ("created_by", F::CreatedBy),
        ("updated_at", F::UpdatedAt),
        ("updated_by", F::UpdatedBy),
        ("object_permission_id", F::Beside("object_permission_id")),
        ("model_spend", F::Or("", "{}")),
    ],
    only: "",
};

const USERS: Out = Out {
    kind: RecordKind::User,
    table: "LiteLLM_UserTable",
    key: &["user_id"],
    scope: Some(SpendScope::User),
    columns: &[
        ("user_id", F::Id),
        ("user_alias", F::Same("alias")),
        ("sso_user_id", F::Same("sso_id")),
        ("teams", F::Beside("teams")),
        ("user_role", F::Same("role")),
        ("max_budget", F::Money("max_budget")),
        ("spend", F::Spend),
        ("user_email", F::Same("email")),
        ("models", F::Or("models", "[]")),
        ("metadata", F::Json("metadata")),
        ("max_parallel_requests", F::Same("max_parallel_requests")),
        ("tpm_limit", F::Same("tpm_limit")),
        ("rpm_limit", F::Same("rpm_limit")),
        ("budget_duration", F::Same("budget_duration")),
        ("budget_reset_at", F::Moment("budget_reset_at")),
        ("allowed_cache_controls", F::Or("allowed_cache_controls", "[]")),
        ("model_spend", F::Or("", "{}")),
        ("model_max_budget", F::Or("model_max_budget", "{}")),
        ("created_at", F::CreatedAt),
        ("updated_at", F::UpdatedAt),
        ("object_permission_id", F::Beside("object_permission_id")),
    ],
    only: "",
};

const ORGANIZATION_MEMBERS: Out = Out {
    kind: RecordKind::OrganizationMember,
    table: "LiteLLM_OrganizationMembership",
    key: &["user_id", "organization_id"],
    scope: None,
    columns: &[
        ("user_id", F::Same("user_id")),
        ("organization_id", F::Same("organization_id")),
        ("user_role", F::Same("role")),
        ("budget_id", F::Same("budget_id")),
        ("created_at", F::CreatedAt),
        ("updated_at", F::UpdatedAt),
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
        ("team_id", F::Id),
        ("team_alias", F::Same("alias")),
        ("organization_id", F::Same("organization_id")),
        ("members_with_roles", F::Beside("members_with_roles")),
        ("metadata", F::Json("metadata")),
        ("max_budget", F::Money("max_budget")),
        ("spend", F::Spend),
        ("models", F::Or("models", "[]")),
        ("max_parallel_requests", F::Same("max_parallel_requests")),
        ("tpm_limit", F::Same("tpm_limit")),
        ("rpm_limit", F::Same("rpm_limit")),
        ("budget_duration", F::Same("budget_duration")),
        ("budget_reset_at", F::Moment("budget_reset_at")),
        ("blocked", F::Or("blocked", "false")),
        ("created_at", F::CreatedAt),
        ("updated_at", F::UpdatedAt),
        ("model_spend", F::Or("", "{}")),
        ("model_max_budget", F::Or("model_max_budget", "{}")),
        ("team_member_permissions", F::Or("member_permissions", "[]")),
        ("object_permission_id", F::Beside("object_permission_id")),
        ("router_settings", F::Or("router_settings", "{}")),
    ],
    only: "",
};

const MEMBERS: Out = Out {
    kind: RecordKind::Member,
    table: "LiteLLM_TeamMembership",
    key: &["user_id", "team_id"],
    scope: Some(SpendScope::Member),
    columns: &[
        ("user_id", F::Same("user_id")),
        ("team_id", F::Same("team_id")),
        ("spend", F::Spend),
        ("budget_id", F::Same("budget_id")),
    ],
    only: "",
};

const KEYS: Out = Out {
    kind: RecordKind::Key,
    table: "LiteLLM_VerificationToken",
    key: &["token"],
    scope: Some(SpendScope::Key),
    columns: &[
        ("token", F::Id),
        ("key_name", F::Same("masked")),
        ("key_alias", F::Same("alias")),
        ("soft_budget_cooldown", F::Or("", "false")),
        ("spend", F::Spend),
        ("expires", F::Moment("expires_at")),
        ("models", F::Or("models", "[]")),
        ("aliases", F::Or("aliases", "{}")),
        ("config", F::Or("config", "{}")),
        ("user_id", F::Same("user_id")),
        ("team_id", F::Same("team_id")),
        ("permissions", F::Or("permissions", "{}")),
        ("max_parallel_requests", F::Same("max_parallel_requests")),
        ("metadata", F::Json("metadata")),
        ("blocked", F::Same("blocked")),
        ("tpm_limit", F::Same("tpm_limit")),
        ("rpm_limit", F::Same("rpm_limit")),
        ("max_budget", F::Money("max_budget")),
        ("budget_duration", F::Same("budget_duration")),
        ("budget_reset_at", F::Moment("budget_reset_at")),
        ("allowed_cache_controls", F::Or("allowed_cache_controls", "[]")),
        ("model_spend", F::Or("", "{}")),
        ("model_max_budget", F::Or("model_max_budget", "{}")),
        ("budget_id", F::Same("budget_id")),
        ("organization_id", F::Same("organization_id")),
        ("created_at", F::CreatedAt),
        ("created_by", F::CreatedBy),
        ("updated_at", F::UpdatedAt),
        ("updated_by", F::UpdatedBy),
        ("allowed_routes", F::Or("allowed_routes", "[]")),
        ("object_permission_id", F::Beside("object_permission_id")),
        ("auto_rotate", F::In("rotation", "auto", "false")),
        ("key_rotation_at", F::MomentIn("rotation", "next_at")),
        ("last_rotation_at", F::MomentIn("rotation", "last_at")),
        ("rotation_count", F::In("rotation", "count", "0")),
        ("rotation_interval", F::In("rotation", "interval", "null")),
        ("router_settings", F::Or("router_settings", "{}")),
    ],
    only: "",
};

const CUSTOMERS: Out = Out {
    kind: RecordKind::Customer,
    table: "LiteLLM_EndUserTable",
    key: &["user_id"],
    scope: Some(SpendScope::Customer),
    columns: &[
        ("user_id", F::Id),
        ("alias", F::Same("alias")),
        ("spend", F::Spend),
        ("allowed_model_region", F::Same("allowed_model_region")),
        ("default_model", F::Same("default_model")),
        ("budget_id", F::Same("budget_id")),
        ("blocked", F::Or("blocked", "false")),
    ],
    only: "",
};

const TAGS: Out = Out {
    kind: RecordKind::Tag,
    table: "LiteLLM_TagTable",
    key: &["tag_name"],
    scope: Some(SpendScope::Tag),
    columns: &[
        ("tag_name", F::Id),
        ("description", F::Same("description")),
        ("models", F::Or("models", "[]")),
        ("model_info", F::Same("model_info")),
        ("spend", F::Spend),
        ("budget_id", F::Same("budget_id")),
        ("created_at", F::CreatedAt),
        ("created_by", F::CreatedBy),
        ("updated_at", F::UpdatedAt),
    ],
    only: "",
};
