//! How the process that answers is doing.

use super::{Described, Member, Of};

const REPLICA: &[Member] = &[
    member!("replica", Of::Text, "The process that answers. Behind a balancer each answers for itself."),
    member!("ledger", Of::OneOf(&["starting", "connected", "degraded"])),
    member!("ledger_failures", Of::Integer, "Calls of the ledger that failed, since the start."),
    member!("journal_waiting_entries", Of::Integer, "Entries that the ledger does not have yet."),
    member!(
        "journal_lag_seconds",
        Of::Number,
        "How long ago the oldest of those ended that the ledger is being asked to take; 0 while it is asked for nothing.",
    ),
    member!("journal_bytes", Of::Integer),
    member!("journal_max_bytes", Of::Integer, "Bytes of the journal at which requests are refused."),
    member!(
        "shed_requests",
        Of::Integer,
        "Requests that were refused because a bound was reached, since the start.",
    ),
    member!("unpriced_requests", Of::Integer, "Requests served without a known price, since the start."),
    member!("callbacks_dropped", Of::Integer, "Records that callbacks were not told of, since the start."),
    member!("alerts_dropped", Of::Integer, "Alerts that reached nobody, since the start."),
];

pub(super) static ROUTES: &[Described] = &[route!("/health/replica", &[], Of::Members(&[REPLICA]))];
