//! The policy of the gateway: a table of filters, run top to bottom. A file each, but for `entry.rs`, the ledger entry
//! that several of them work on.

mod access;
mod access_log;
mod alerts;
mod auth;
mod budget;
mod cache;
mod callbacks;
mod client_fields;
mod entry;
mod guardrails;
mod journal;
mod metrics;
mod price;
mod rate;
mod responses;
mod said;
mod session;

pub(crate) use budget::{all_scopes as all_budgets, named, open as open_budgets};
pub(crate) use entry::{organization, tags};
pub(crate) use rate::{all_scopes as all_limits, relaxed};

pub use access::{aim, unknown as unknown_model, unpriced, usable};
pub use access_log::{ACCESS, wanted as access_log_wanted};
pub use entry::asked_tags;
pub use journal::{consumed_input, estimated_input};

use crate::plugin::{Phase, Plugin};
use crate::services::Services;
use std::sync::Arc;

/// One filter: its name, when it runs, how it is made.
pub struct FilterKind {
    pub name: &'static str,
    pub phases: &'static [Phase],
    pub build: fn(&Services) -> Arc<dyn Plugin>,
}

/// The order is the run order in every phase.
pub static FILTERS: &[&FilterKind] = &[
    &auth::KIND,
    &client_fields::KIND, // after auth: what is refused to strangers is not explained to them
    &access::KIND,
    &alerts::KIND,     // after access: it knows the model that hangs
    &responses::KIND,  // after access: may leave fewer deployments
    &price::KIND,      // before journal: the entry carries the cost
    &session::KIND,    // before budget: who is in a loop holds nothing
    &budget::KIND,     // after price: settled with the cost
    &rate::KIND,       // after budget: who has no money is told that first
    &guardrails::KIND, // after rate: what is refused anyway is told to no service
    &cache::KIND,      // after guardrails: what they let through, and changed, is what is looked up
    &journal::KIND,    // last to say yes: what it has begun is sent
    &metrics::KIND,
    &access_log::KIND, // after journal: what it tells is booked
    &callbacks::KIND,  // likewise; before said, which takes what was said
    &said::KIND,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_is_named_once_and_has_a_phase() {
        for (index, kind) in FILTERS.iter().enumerate() {
            assert!(!kind.phases.is_empty(), "{} is never asked", kind.name);
            assert!(FILTERS[..index].iter().all(|k| k.name != kind.name), "{} stands twice", kind.name);
        }
    }
}
