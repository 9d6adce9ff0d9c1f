//! Keys, teams, users, and who changed what.

use super::{
    Described, Member, NO_INTEGER, NO_MOMENT, NO_NUMBER, NO_TEXT, Named, OBJECT, ORDER, Of, PAGED, TEXTS,
};

const KEYS: Of = Of::List(&Of::Named("Key"));
const TEAM_OF: Of = Of::Named("Team");

/// Of everybody who is limited.
const LIMITS: &[Member] = &[
    member!("max_budget", NO_NUMBER),
    member!("budget_duration", NO_TEXT),
    member!("budget_reset_at", NO_MOMENT),
    member!("tpm_limit", NO_INTEGER),
    member!("rpm_limit", NO_INTEGER),
    member!("spend", Of::Number),
];

const TIMES: &[Member] = &[member!("created_at", Of::Moment), member!("updated_at", Of::Moment)];

// --- keys ---

const TOKEN: &[Member] = &[member!("token", Of::Text)];

/// What all answers tell of a key.
const OF_KEYS: &[Member] = &[
    member!("key_name", Of::Text),
    member!("key_alias", NO_TEXT),
    member!("expires", NO_MOMENT),
    member!("models", TEXTS),
    member!("aliases", OBJECT),
    member!("config", OBJECT),
    member!("router_settings", OBJECT),
    member!("user_id", NO_TEXT),
    member!("team_id", NO_TEXT),
    member!("permissions", OBJECT),
    member!("max_parallel_requests", NO_INTEGER),
    member!("metadata", OBJECT),
    member!("blocked", Of::Maybe(&Of::Flag)),
    member!("allowed_cache_controls", Of::List(&Of::Any)),
    member!("allowed_routes", TEXTS),
    member!("model_spend", OBJECT),
    member!("model_max_budget", OBJECT),
    member!("created_by", NO_TEXT),
    member!("updated_by", NO_TEXT),
    member!("rotation_count", Of::Integer),
    member!("auto_rotate", Of::Flag),
    member!("rotation_interval", NO_TEXT),
    member!("last_rotation_at", NO_MOMENT),
    member!("key_rotation_at", NO_MOMENT),
];

const PLACE: &[Member] = &[member!("budget_id", NO_TEXT), member!("organization_id", NO_TEXT)];

const KEY_INFO: Named = Named { name: "KeyInfo", members: &[OF_KEYS, LIMITS, TIMES, PLACE] };

/// A key as other resources tell of it.
const KEY: Named = Named { name: "Key", members: &[TOKEN, OF_KEYS, LIMITS, TIMES, PLACE] };

const VIEWED: &[Member] = &[
    member!("org_id", NO_TEXT),
    member!("soft_budget", NO_NUMBER),
    member!("team_alias", NO_TEXT),
    member!("user_email", NO_TEXT),
    optional!("user", Of::Maybe(&Of::Named("User"))),
    optional!("created_by_user", OBJECT),
    optional!("deleted_at", Of::Moment),
    optional!("deleted_by", Of::Text),
    optional!("deleted_by_api_key", Of::Text),
];

/// A key with what stands behind it.
const KEY_VIEW: Named = Named { name: "KeyView", members: &[TOKEN, OF_KEYS, LIMITS, TIMES, VIEWED] };

// --- teams ---

const TEAM_MEMBER: Named = Named {
    name: "TeamMember",
    members: &[&[
        member!("user_id", Of::Text),
        member!("user_email", NO_TEXT),
        member!("role", Of::OneOf(&["admin", "user"])),
    ]],
};

const OF_TEAMS: &[Member] = &[
    member!("team_id", Of::Text),
    member!("team_alias", NO_TEXT),
    member!("organization_id", NO_TEXT),
    member!("members_with_roles", Of::List(&Of::Named("TeamMember"))),
    member!("team_member_permissions", TEXTS),
    member!("metadata", OBJECT),
    member!("models", TEXTS),
    member!("blocked", Of::Flag),
    member!("router_settings", OBJECT),
    member!("max_parallel_requests", NO_INTEGER),
];

const TEAM: Named = Named { name: "Team", members: &[OF_TEAMS, LIMITS, TIMES] };

/// A budget as other resources show it.
const BUDGET: Named = Named {
    name: "BudgetShort",
    members: &[&[
        member!("budget_id", Of::Text),
        member!("soft_budget", NO_NUMBER),
        member!("max_budget", NO_NUMBER),
        member!("max_parallel_requests", NO_INTEGER),
        member!("tpm_limit", NO_INTEGER),
        member!("rpm_limit", NO_INTEGER),
        member!("model_max_budget", Of::Maybe(&OBJECT)),
        member!("budget_duration", NO_TEXT),
    ]],
};

const MEMBERSHIP: Named = Named {
    name: "TeamMembership",
    members: &[&[
        member!("user_id", Of::Text),
        member!("team_id", Of::Text),
        member!("budget_id", Of::Text),
        member!("spend", Of::Number),
        member!("litellm_budget_table", Of::Maybe(&Of::Named("BudgetShort"))),
    ]],
};

const WITH_KEYS: &[Member] =
    &[member!("keys", KEYS), member!("team_memberships", Of::List(&Of::Named("TeamMembership")))];

const TEAM_WHOLE: Named = Named { name: "TeamWithKeys", members: &[OF_TEAMS, LIMITS, TIMES, WITH_KEYS] };

// --- users ---

const OF_USERS: &[Member] = &[
    member!("user_id", Of::Text),
    member!("user_email", NO_TEXT),
    member!("user_alias", NO_TEXT),
    member!("user_role", NO_TEXT),
    member!("sso_user_id", NO_TEXT),
    member!("models", TEXTS),
    member!("teams", TEXTS),
    member!("metadata", OBJECT),
    member!("model_spend", OBJECT),
    member!("model_max_budget", OBJECT),
];

const USER: Named = Named { name: "User", members: &[OF_USERS, LIMITS, TIMES] };

const KEY_COUNT: &[Member] = &[member!("key_count", Of::Integer)];

const USER_LISTED: Named = Named { name: "UserListed", members: &[OF_USERS, LIMITS, TIMES, KEY_COUNT] };

const USERS_LISTED: Of = Of::List(&Of::Named("UserListed"));

const ROLES: Of =
    Of::OneOf(&["proxy_admin", "proxy_admin_viewer", "org_admin", "internal_user", "internal_user_viewer"]);

// --- changes ---

const CHANGE: Named = Named {
    name: "Change",
    members: &[&[
        member!("id", Of::Text),
        member!("updated_at", Of::Moment),
        member!("changed_by", Of::Text),
        member!("changed_by_api_key", Of::Text),
        member!("action", Of::Text),
        member!("table_name", Of::Text),
        member!("object_id", Of::Text),
        member!("before_value", Of::Maybe(&OBJECT)),
        member!("updated_values", Of::Maybe(&OBJECT)),
    ]],
};

// --- all of them ---

pub(super) static NAMED: &[Named] =
    &[KEY_INFO, KEY, KEY_VIEW, TEAM_MEMBER, TEAM, BUDGET, MEMBERSHIP, TEAM_WHOLE, USER, USER_LISTED, CHANGE];

// --- routes ---

pub(super) static ROUTES: &[Described] = &[
    route!(
        "/key/list",
        &[
            (
                "sort_by",
                Of::OneOf(&["created_at", "updated_at", "spend", "key_alias", "user_id", "team_id", "token"]),
            ),
            ("sort_order", ORDER),
            ("status", Of::OneOf(&["deleted"])),
            ("expand", Of::List(&Of::OneOf(&["user"]))),
        ],
        Of::Members(&[&[
            member!("keys", Of::List(&Of::Either(&[Of::Text, Of::Named("KeyView")]))),
            member!("total_count", Of::Integer),
            member!("current_page", Of::Integer),
            member!("total_pages", Of::Integer),
        ]]),
    ),
    route!(
        "/key/info",
        &[],
        Of::Members(&[&[
            member!("key", Of::Text),
            member!("info", Of::Named("KeyInfo")),
            optional!("rotated_key", Of::Text),
        ]]),
    ),
    route!("/team/list", &[], Of::List(&Of::Named("TeamWithKeys"))),
    route!(
        "/v2/team/list",
        &[
            ("sort_by", Of::OneOf(&["created_at", "team_alias", "team_id", "spend"])),
            ("sort_order", ORDER),
            ("status", Of::OneOf(&["deleted"])),
        ],
        Of::Members(&[&[member!("teams", Of::List(&TEAM_OF))], PAGED]),
    ),
    route!(
        "/team/info",
        &[],
        Of::Members(&[&[member!("team_id", Of::Text), member!("team_info", TEAM_OF)], WITH_KEYS]),
    ),
    route!(
        "/user/list",
        &[
            ("role", ROLES),
            (
                "sort_by",
                Of::OneOf(&["created_at", "user_id", "user_email", "user_alias", "user_role", "spend"]),
            ),
            ("sort_order", ORDER),
            ("format", Of::OneOf(&["array"])),
        ],
        Of::Either(&[Of::Members(&[&[member!("users", USERS_LISTED)], PAGED]), USERS_LISTED]),
    ),
    route!(
        "/user/info",
        &[],
        Of::Members(&[&[
            member!("user_id", NO_TEXT),
            member!("user_info", Of::Maybe(&Of::Named("User"))),
            member!("keys", KEYS),
            member!("teams", Of::List(&Of::Named("TeamWithKeys"))),
        ]]),
    ),
    route!(
        "/audit",
        &[
            ("start_date", Of::Day),
            ("end_date", Of::Day),
            (
                "sort_by",
                Of::OneOf(&[
                    "updated_at",
                    "changed_by",
                    "changed_by_api_key",
                    "action",
                    "table_name",
                    "object_id",
                ]),
            ),
            ("sort_order", ORDER),
        ],
        Of::Members(&[&[member!("audit_logs", Of::List(&Of::Named("Change")))], PAGED]),
    ),
    route!("/audit/{id}", &[], Of::Named("Change")),
];
