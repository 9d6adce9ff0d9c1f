//! Days, broken down by model, provider, key and whoever they are about.

use super::{Described, Member, NO_TEXT, Named, Of};

const METRICS: Named = Named {
    name: "Metrics",
    members: &[&[
        member!("spend", Of::Number),
        member!("prompt_tokens", Of::Integer),
        member!("completion_tokens", Of::Integer),
        member!("cache_read_input_tokens", Of::Integer),
        member!("cache_creation_input_tokens", Of::Integer),
        member!("total_tokens", Of::Integer),
        member!("successful_requests", Of::Integer),
        member!("failed_requests", Of::Integer),
        member!("api_requests", Of::Integer),
        member!("weir", Of::Named("Times"), "How long they took: Weir's own, beside LiteLLM's sums."),
    ]],
};

/// Sums and counts, so that those of several days can be added before they are divided.
const TIMES: Named = Named {
    name: "Times",
    members: &[&[
        member!(
            "timed_requests",
            Of::Integer,
            "Successful requests whose times are summed: all but answers from the cache, realtime sessions, and what was \
             summed by LiteLLM or by a version of Weir that kept no times.",
        ),
        member!(
            "duration_us",
            Of::Integer,
            "Microseconds that `timed_requests` took together, from the request to the end of the answer; divided by \
             their number it is the mean latency.",
        ),
        member!(
            "streamed_requests",
            Of::Integer,
            "Those of `timed_requests` that were streams and said something."
        ),
        member!(
            "time_to_first_token_us",
            Of::Integer,
            "Microseconds that `streamed_requests` took together to their first token; divided by their number it is \
             the mean time to first token.",
        ),
        optional!(
            "duration_counts",
            Of::List(&Of::Integer),
            "Of `timed_requests` how many took how long, by the spans that end at `count_bounds_us`; spans at the end \
             that hold none are left out. Told of days, model groups and providers, where nothing is narrowed by more \
             than these and all rows are in one answer; what was summed by LiteLLM, or by a version of Weir that \
             kept no counts, is not among them."
        ),
        optional!(
            "time_to_first_token_counts",
            Of::List(&Of::Integer),
            "The same of `streamed_requests`, to their first token.",
        ),
        optional!(
            "count_bounds_us",
            Of::List(&Of::Integer),
            "In `metadata` alone: at how many microseconds the spans of counts end; what takes longer than the last \
             is in one more.",
        ),
    ]],
};

/// Of whom sums are, as far as there is a name.
const WHOSE: &[Member] = &[
    member!("metrics", Of::Named("Metrics")),
    member!(
        "metadata",
        Of::Members(&[&[
            optional!("key_alias", NO_TEXT),
            optional!("team_id", NO_TEXT),
            optional!("team_alias", NO_TEXT),
        ]]),
    ),
];

const PART: Named = Named {
    name: "ActivityPart",
    members: &[WHOSE, &[optional!("api_key_breakdown", Of::Map(&Of::Members(&[WHOSE])))]],
};

const PARTS: Of = Of::Map(&Of::Named("ActivityPart"));

const ACTIVITY_DAY: Named = Named {
    name: "ActivityDay",
    members: &[&[
        member!("date", Of::Day),
        member!("metrics", Of::Named("Metrics")),
        member!(
            "breakdown",
            Of::Members(&[&[
                member!("model_groups", PARTS),
                member!("providers", PARTS),
                member!("models", PARTS),
                member!("endpoints", PARTS),
                member!("api_keys", PARTS),
                member!("entities", PARTS),
            ]]),
        ),
    ]],
};

const TOTALS: &[Member] = &[
    member!("total_spend", Of::Number),
    member!("total_prompt_tokens", Of::Integer),
    member!("total_completion_tokens", Of::Integer),
    member!("total_tokens", Of::Integer),
    member!("total_api_requests", Of::Integer),
    member!("total_successful_requests", Of::Integer),
    member!("total_failed_requests", Of::Integer),
    member!("total_cache_read_input_tokens", Of::Integer),
    member!("total_cache_creation_input_tokens", Of::Integer),
    member!("weir", Of::Named("Times")),
    member!("page", Of::Integer),
    member!("total_pages", Of::Integer),
    member!("has_more", Of::Flag),
];

const ACTIVITY: Named = Named {
    name: "Activity",
    members: &[&[
        member!("results", Of::List(&Of::Named("ActivityDay"))),
        member!("metadata", Of::Members(&[TOTALS])),
    ]],
};

/// Parameters of days: what all have, and by whom they are narrowed.
macro_rules! days {
    ($path:literal $(, $name:literal)*) => {
        route!(
            $path,
            &[
                ("start_date", Of::Day),
                ("end_date", Of::Day),
                ("page", Of::Integer),
                ("page_size", Of::Integer),
                ("model", Of::Text),
                ("api_key", Of::Text),
                $(($name, Of::Text)),*
            ],
            Of::Named("Activity"),
        )
    };
}

pub(super) static NAMED: &[Named] = &[METRICS, TIMES, PART, ACTIVITY_DAY, ACTIVITY];

pub(super) static ROUTES: &[Described] = &[
    days!("/user/daily/activity", "user_id"),
    days!("/user/daily/activity/aggregated", "user_id"),
    days!("/team/daily/activity", "team_ids", "exclude_team_ids"),
    days!("/organization/daily/activity", "organization_ids", "exclude_organization_ids"),
    days!("/customer/daily/activity", "end_user_ids", "exclude_end_user_ids"),
    days!("/end_user/daily/activity", "end_user_ids", "exclude_end_user_ids"),
    days!("/tag/daily/activity", "tags"),
];
