//! Sums and reports.

use super::{Described, Member, NO_MOMENT, NO_TEXT, Named, OBJECT, Of, SPAN, TEXTS};

const REPORT_ROW: Named = Named {
    name: "ReportRow",
    members: &[&[
        member!("total_spend", Of::Number),
        member!(
            "metadata",
            Of::List(&Of::Members(&[&[
                member!("model", Of::Text),
                member!("spend", Of::Number),
                member!("total_tokens", Of::Integer),
                member!("api_key", Of::Text),
            ]])),
        ),
        optional!("team_name", Of::Text),
        optional!("customer", Of::Text),
        optional!("api_key", Of::Text),
        optional!("user_id", Of::Text),
        optional!("organization_id", Of::Text),
        optional!("tag", Of::Text),
        optional!("model", Of::Text),
        optional!("provider", Of::Text),
    ]],
};

const REPORT_ROWS: Of = Of::List(&Of::Named("ReportRow"));

/// One list, of what the report is grouped by.
const REPORT_DAY: Named = Named {
    name: "ReportDay",
    members: &[&[
        member!("group_by_day", Of::Moment),
        optional!("teams", REPORT_ROWS),
        optional!("customers", REPORT_ROWS),
        optional!("api_keys", REPORT_ROWS),
        optional!("users", REPORT_ROWS),
        optional!("organizations", REPORT_ROWS),
        optional!("tags", REPORT_ROWS),
        optional!("models", REPORT_ROWS),
        optional!("providers", REPORT_ROWS),
    ]],
};

const REPORT: &[(&str, Of)] = &[
    ("start_date", Of::Day),
    ("end_date", Of::Day),
    (
        "group_by",
        Of::OneOf(&["team", "customer", "api_key", "user", "organization", "tag", "model", "provider"]),
    ),
    ("team_id", Of::Text),
    ("customer_id", Of::Text),
    ("internal_user_id", Of::Text),
    ("api_key", Of::Text),
    ("organization_id", Of::Text),
    ("model", Of::Text),
    ("provider", Of::Text),
    ("tag", Of::Text),
    ("format", Of::OneOf(&["csv", "focus"])),
];

const CACHE_HITS: Named = Named {
    name: "CacheHits",
    members: &[&[
        member!("api_key", Of::Text),
        member!("call_type", Of::Text),
        member!("model", Of::Text),
        member!("total_rows", Of::Integer),
        member!("cache_hit_true_rows", Of::Integer),
        member!("cached_completion_tokens", Of::Integer),
        member!("generated_completion_tokens", Of::Integer),
    ]],
};

/// Requests and tokens of a day, whose date is written short.
const REQUESTS: &[Member] = &[
    member!(
        "daily_data",
        Of::List(&Of::Members(&[&[
            member!("date", Of::Text),
            member!("api_requests", Of::Integer),
            member!("total_tokens", Of::Integer),
        ]])),
    ),
    member!("sum_api_requests", Of::Integer),
    member!("sum_total_tokens", Of::Integer),
];

const REFUSALS: &[Member] = &[
    member!(
        "daily_data",
        Of::List(&Of::Members(&[&[
            member!("date", Of::Text),
            member!("num_rate_limit_exceptions", Of::Integer),
        ]])),
    ),
    member!("sum_num_rate_limit_exceptions", Of::Integer),
];

const WINDOW: Named = Named {
    name: "PeriodBudget",
    members: &[&[
        member!("budget_limit", Of::Number),
        member!("time_period", NO_TEXT),
        member!("spend", Of::Number),
        member!("budget_reset_at", NO_MOMENT),
    ]],
};

const WINDOWS: Of = Of::Map(&Of::Named("PeriodBudget"));

pub(super) static NAMED: &[Named] = &[REPORT_ROW, REPORT_DAY, CACHE_HITS, WINDOW];

pub(super) static ROUTES: &[Described] = &[
    route!(
        "/spend/tags",
        SPAN,
        Of::List(&Of::Members(&[&[
            member!("individual_request_tag", Of::Text),
            member!("log_count", Of::Integer),
            member!("total_spend", Of::Number),
        ]])),
    ),
    route!(
        "/global/spend",
        &[],
        Of::Members(&[&[member!("spend", Of::Number), member!("max_budget", Of::Number)]]),
    ),
    route!(
        "/global/spend/logs",
        &[],
        Of::List(&Of::Members(&[&[
            member!("date", Of::Day),
            member!("spend", Of::Number),
            optional!("api_key", Of::Text),
        ]])),
    ),
    route!(
        "/global/spend/teams",
        &[],
        Of::Members(&[&[
            member!("daily_spend", Of::List(&OBJECT)),
            member!("teams", TEXTS),
            member!(
                "total_spend_per_team",
                Of::List(&Of::Members(&[&[
                    member!("team_id", Of::Text),
                    member!("total_spend", Of::Number)
                ]])),
            ),
        ]]),
    ),
    route!(
        "/global/spend/keys",
        &[],
        Of::List(&Of::Members(&[&[
            member!("api_key", Of::Text),
            member!("key_alias", NO_TEXT),
            member!("key_name", NO_TEXT),
            member!("total_spend", Of::Number),
        ]])),
    ),
    route!(
        "/global/spend/models",
        &[],
        Of::List(&Of::Members(&[&[member!("model", Of::Text), member!("total_spend", Of::Number)]])),
    ),
    route!(
        "/global/spend/provider",
        SPAN,
        Of::List(&Of::Members(&[&[member!("provider", Of::Text), member!("spend", Of::Number)]])),
    ),
    route!(
        "/global/spend/tags",
        &[("start_date", Of::Day), ("end_date", Of::Day), ("tags", Of::Text)],
        Of::Members(&[&[member!(
            "spend_per_tag",
            Of::List(&Of::Members(&[&[
                member!("name", Of::Text),
                member!("spend", Of::Number),
                member!("log_count", Of::Integer),
            ]])),
        )]]),
    ),
    route!("/global/spend/all_tag_names", &[], Of::Members(&[&[member!("tag_names", TEXTS)]])),
    route!("/global/all_end_users", &[], Of::Members(&[&[member!("end_users", TEXTS)]])),
    route!("/global/spend/report", REPORT, Of::List(&Of::Named("ReportDay"))),
    route!("/global/activity", SPAN, Of::Members(&[REQUESTS])),
    route!(
        "/global/activity/model",
        SPAN,
        Of::List(&Of::Members(&[&[member!("model", Of::Text)], REQUESTS])),
    ),
    route!("/global/activity/exceptions", SPAN, Of::Members(&[REFUSALS])),
    route!(
        "/global/activity/exceptions/deployment",
        SPAN,
        Of::List(&Of::Members(&[&[member!("api_base", Of::Text)], REFUSALS])),
    ),
    route!("/global/activity/cache_hits", SPAN, Of::List(&Of::Named("CacheHits"))),
    route!(
        "/tag/summary",
        &[("start_date", Of::Day), ("end_date", Of::Day), ("tag_filter", Of::Text), ("tag_filters", TEXTS),],
        Of::Members(&[&[member!(
            "results",
            Of::List(&Of::Members(&[&[
                member!("tag", Of::Text),
                member!("unique_users", Of::Integer),
                member!("total_requests", Of::Integer),
                member!("successful_requests", Of::Integer),
                member!("failed_requests", Of::Integer),
                member!("total_tokens", Of::Integer),
                member!("total_spend", Of::Number),
            ]])),
        )]]),
    ),
    route!(
        "/tag/dau",
        &[("tag_filter", Of::Text), ("tag_filters", TEXTS)],
        Of::Members(&[&[member!(
            "results",
            Of::List(&Of::Members(&[&[
                member!("tag", Of::Text),
                member!("active_users", Of::Integer),
                member!("date", Of::Day),
            ]])),
        )]]),
    ),
    route!(
        "/provider/budgets",
        &[],
        Of::Members(&[&[
            member!("providers", WINDOWS),
            member!("deployments", WINDOWS),
            member!(
                "gateway",
                Of::Maybe(&Of::Named("PeriodBudget")),
                "All keys together (`litellm_settings.max_budget`); null where that has no limit.",
            ),
        ]]),
    ),
];
