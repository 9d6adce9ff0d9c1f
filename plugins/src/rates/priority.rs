//! Who goes first where a group is nearly full (`priority_reservation`), as LiteLLM's dynamic rate limiter of version 3
//! has it: a request counts against what its group may do in all, and against the part of it that is reserved for the
//! priority of its caller. That part limits nothing until the group is nearly full, so that nobody's part lies idle.

use super::RateLimits;
use super::scopes::{Descriptor, RateScope, Scopes};
use crate::deployment::Deployment;
use crate::models::Group;
use crate::policy::Policy;
use weir_core::config::Priorities;
use weir_core::domain::key::Principal;
use weir_core::domain::rates::{Count, Rates};
use weir_core::time::Micros;

/// Of callers whose priority has no part of its own.
const OTHERS: &str = "default_pool";

impl Scopes<'_> {
    /// Adds both counters, where anything limits the group.
    pub(crate) fn share(
        &mut self,
        priorities: &Priorities,
        group: &Group,
        known: Option<&Principal>,
        rates: &RateLimits,
        now: Micros,
    ) {
        let capacity = capacity(group);
        if !capacity.any() {
            return;
        }
        let policy = known.map(Policy::of);
        let own = known.zip(policy.as_ref()).and_then(|(known, policy)| policy.priority(known));
        let own = own.filter(|priority| priorities.has(priority));
        let whole = RateScope::new(Descriptor::Group, group.name.clone(), capacity);
        let limits = match is_nearly_full(&rates.counted(&whole, now), capacity, priorities.threshold) {
            true => priorities.reserved(own, capacity),
            // Counted, and not limited.
            false => Rates::default(),
        };
        let id = format!("{}:{}", group.name, own.unwrap_or(OTHERS));
        self.add_scope(whole);
        self.add_scope(RateScope::new(Descriptor::Priority, id, limits));
    }
}

/// What all deployments of a group may do together, as far as they say it.
fn capacity(group: &Group) -> Rates {
    let sum = |of: fn(&Deployment) -> Option<u64>| {
        let said = group.deployments.iter().filter_map(|deployment| of(deployment));
        let all = said.reduce(u64::saturating_add).filter(|all| *all > 0)?;
        Some(i64::try_from(all).unwrap_or(i64::MAX))
    };
    Rates { requests: sum(|d| d.shares.rpm), tokens: sum(|d| d.shares.tpm), parallel: None }
}

fn is_nearly_full(count: &Count, capacity: Rates, threshold: f64) -> bool {
    let part =
        |used: i64, limit: Option<i64>| limit.is_some_and(|limit| used as f64 >= limit as f64 * threshold);
    part(count.requests, capacity.requests) || part(count.tokens, capacity.tokens)
}

/// `priority` of a team's metadata, else of the key's.
pub(crate) fn in_metadata(known: &Principal) -> Option<Box<str>> {
    let of_team = known.team.as_ref().and_then(|team| said(&team.metadata));
    of_team.or_else(|| said(&known.key.metadata))
}

fn said(metadata: &str) -> Option<Box<str>> {
    #[derive(serde::Deserialize)]
    struct Said {
        priority: Option<Box<str>>,
    }
    if !metadata.contains("\"priority\"") {
        return None;
    }
    serde_json::from_str::<Said>(metadata).ok()?.priority
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::domain::key::KeyRecord;
    use weir_core::domain::records::Team;

    #[test]
    fn a_team_says_its_priority_before_its_keys_do() {
        let mut known = Principal::of(KeyRecord::new("sk-of-a-priority"));
        assert_eq!(in_metadata(&known), None);
        known.key.metadata = String::from(r#"{"priority":"dev"}"#);
        assert_eq!(in_metadata(&known).as_deref(), Some("dev"));
        let of_team = |metadata: &str| Team { metadata: metadata.to_owned(), ..Team::default() };
        known.team = Some(of_team(r#"{"priority":7}"#));
        assert_eq!(in_metadata(&known).as_deref(), Some("dev"), "what is no text says nothing");
        known.team = Some(of_team(r#"{"priority":"prod"}"#));
        assert_eq!(in_metadata(&known).as_deref(), Some("prod"));
    }

    #[test]
    fn a_group_is_nearly_full_by_whichever_limit_it_has() {
        let capacity = Rates { requests: Some(10), tokens: Some(1_000), parallel: None };
        let full =
            |requests, tokens| is_nearly_full(&Count { requests, tokens, ..Count::default() }, capacity, 0.5);
        assert_eq!([full(4, 499), full(5, 0), full(0, 500)], [false, true, true]);
    }
}
