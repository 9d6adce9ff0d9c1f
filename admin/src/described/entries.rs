//! Entries, and pages of them.

use super::{Described, Member, NO_INTEGER, NO_MOMENT, NO_TEXT, Named, OBJECT, Of, PAGED, TEXTS};

const ATTEMPT: Named = Named {
    name: "Attempt",
    members: &[&[
        member!("number", Of::Integer),
        member!("model_group", Of::Text),
        member!("model_id", Of::Text),
        member!("status", Of::Integer),
        member!("error", Of::Text),
        member!("started_at", Of::Moment),
        member!("ended_at", Of::Moment),
    ]],
};

const CHARGE: Named = Named {
    name: "Charge",
    members: &[&[
        member!("label", Of::Text),
        member!("quantity", Of::Integer),
        member!("price", Of::Number),
        member!("per", Of::Integer),
        member!("cost", Of::Number),
    ]],
};

const BUDGET_SEEN: Named = Named {
    name: "BudgetSeen",
    members: &[&[
        member!("scope", Of::Text),
        member!("id", Of::Text),
        member!("cap", Of::Number),
        member!("before", Of::Number),
        member!("after", Of::Number),
        member!("reset_at", NO_MOMENT),
        member!("refused", Of::Flag),
    ]],
};

const EXPLAINED: &[Member] = &[
    member!("entry_id", Of::Text),
    member!("call_id", Of::Text),
    member!("status", STATUS),
    member!("http_status", Of::Integer),
    member!("stream", Of::Flag),
    member!("model_requested", Of::Text),
    member!("usage_source", Of::OneOf(&["none", "reported", "estimated"])),
    member!("unpriced", Of::Flag),
    member!("price_version", Of::Text),
    member!("service_tier", Of::OneOf(&["standard", "flex", "priority", "batch", "ultrafast"])),
    member!("user_agent", Of::Text),
    member!("attempts", Of::List(&Of::Named("Attempt"))),
    member!("considered", TEXTS),
    member!("charges", Of::List(&Of::Named("Charge"))),
    member!("budgets", Of::List(&Of::Named("BudgetSeen"))),
];

const TOKENS: Of = Of::Maybe(&Of::Map(&NO_INTEGER));

const USAGE: Named = Named {
    name: "UsageObject",
    members: &[&[
        member!("total_tokens", Of::Integer),
        member!("prompt_tokens", Of::Integer),
        member!("completion_tokens", Of::Integer),
        member!("prompt_tokens_details", TOKENS),
        member!("completion_tokens_details", TOKENS),
        optional!("cache_creation_input_tokens", Of::Integer),
        optional!("cache_read_input_tokens", Of::Integer),
    ]],
};

const FAILURE: &[Member] = &[
    member!("error_code", Of::Text),
    member!("error_class", Of::Text),
    member!("error_message", Of::Text),
    member!("llm_provider", Of::Text),
];

const METADATA: &[Member] = &[
    member!("usage_object", Of::Maybe(&Of::Named("UsageObject"))),
    member!("cost_breakdown", Of::Maybe(&OBJECT)),
    member!("user_api_key", Of::Text),
    member!("user_api_key_alias", NO_TEXT),
    member!("user_api_key_user_id", NO_TEXT),
    member!("user_api_key_team_id", NO_TEXT),
    member!("user_api_key_team_alias", NO_TEXT),
    optional!("requester_metadata", OBJECT),
    optional!("error_information", Of::Members(&[FAILURE])),
    member!("weir", Of::Members(&[EXPLAINED])),
];

/// What was said is null where it is not kept.
const SAID: &[Member] =
    &[member!("messages", Of::Any), member!("response", Of::Any), member!("proxy_server_request", Of::Any)];

const ENTRY: Named = Named {
    name: "Entry",
    members: &[
        &[
            member!("request_id", Of::Text),
            member!("call_type", Of::Text),
            member!("api_key", Of::Text),
            member!("spend", Of::Number),
            member!("total_tokens", Of::Integer),
            member!("prompt_tokens", Of::Integer),
            member!("completion_tokens", Of::Integer),
            member!("startTime", Of::Moment),
            member!("endTime", Of::Moment),
            member!("completionStartTime", Of::Moment),
            member!("model", Of::Text),
            member!("model_id", Of::Text),
            member!("model_group", Of::Text),
            member!("custom_llm_provider", Of::Text),
            member!("api_base", Of::Text),
            member!("user", Of::Text),
            member!("cache_hit", Of::OneOf(&["True", "False", "None"])),
            member!("request_tags", TEXTS),
            member!("team_id", Of::Text),
            member!("organization_id", Of::Text),
            member!("end_user", Of::Text),
            member!("requester_ip_address", Of::Text),
            member!("session_id", Of::Text),
            member!("status", Of::OneOf(&["success", "failure"])),
            member!("metadata", Of::Members(&[METADATA])),
        ],
        SAID,
    ],
};

const STATUS: Of = Of::OneOf(&["success", "failure", "cancelled", "interrupted"]);
const ENTRIES: Of = Of::List(&Of::Named("Entry"));
const PAGE_OF_ENTRIES: Of = Of::Members(&[&[member!("data", ENTRIES)], PAGED]);

/// Sums of a day, with the hash of every key beside them.
const DAY_OF_ENTRIES: Named = Named {
    name: "SpendOfDay",
    members: &[&[
        member!("startTime", Of::Day),
        member!("spend", Of::Number),
        member!("users", Of::Map(&Of::Number)),
        member!("models", Of::Map(&Of::Number)),
    ]],
};

/// What entries are chosen by.
const CHOSEN: &[(&str, Of)] = &[
    ("start_date", Of::Day),
    ("end_date", Of::Day),
    ("status_filter", STATUS),
    ("key_alias", Of::Text),
    ("error_code", Of::Text),
    ("min_spend", Of::Number),
    ("max_spend", Of::Number),
];

const LOGS: &[(&str, Of)] = &[
    ("start_date", Of::Day),
    ("end_date", Of::Day),
    ("status_filter", STATUS),
    ("min_spend", Of::Number),
    ("max_spend", Of::Number),
    ("summarize", Of::Flag),
];

pub(super) static NAMED: &[Named] = &[ATTEMPT, CHARGE, BUDGET_SEEN, USAGE, ENTRY, DAY_OF_ENTRIES];

pub(super) static ROUTES: &[Described] = &[
    route!("/spend/logs", LOGS, Of::Either(&[ENTRIES, Of::List(&Of::Named("SpendOfDay"))])),
    route!("/spend/logs/v2", CHOSEN, PAGE_OF_ENTRIES),
    route!("/spend/logs/ui", CHOSEN, PAGE_OF_ENTRIES),
    route!("/ui/entries", CHOSEN, PAGE_OF_ENTRIES),
    route!("/spend/logs/session/ui", CHOSEN, PAGE_OF_ENTRIES),
    route!("/spend/logs/ui/{request_id}", &[], Of::Maybe(&Of::Members(&[SAID]))),
];
