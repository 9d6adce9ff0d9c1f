//! `simple-shuffle`: a random deployment, weighed.

use rand::Rng;
use std::sync::Arc;
use weir_plugins::deployment::Deployment;

/// One of `candidates`, with a chance in proportion to its weight. `None` only for an empty list.
pub fn pick(candidates: &[&Arc<Deployment>]) -> Option<Arc<Deployment>> {
    if let [only] = candidates {
        return Some(Arc::clone(only));
    }
    let total: u64 = candidates.iter().map(|d| u64::from(d.weight)).sum();
    if total == 0 {
        return candidates.first().map(|d| Arc::clone(d));
    }
    let mut ticket = rand::rng().random_range(0..total);
    for deployment in candidates {
        let weight = u64::from(deployment.weight);
        if ticket < weight {
            return Some(Arc::clone(deployment));
        }
        ticket -= weight;
    }
    None
}
