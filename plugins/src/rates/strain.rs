//! Models that fail now: while one does, limits that are dynamic count. Of this process only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
/// Groups that are remembered.
const MOST: u64 = 10_000;

/// Failed attempts by the group, for a minute from the first on.
pub(super) struct Strain(moka::sync::Cache<String, Arc<AtomicU32>>);

impl Default for Strain {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(MOST).time_to_live(MINUTE).build())
    }
}

impl Strain {
    pub(super) fn note(&self, group: &str) {
        self.0.get_with_by_ref(group, Default::default).fetch_add(1, Ordering::Relaxed);
    }

    /// `usual`: failures in a minute that are nothing to worry about.
    pub(super) fn is_on(&self, group: &str, usual: u64) -> bool {
        self.0.get(group).is_some_and(|failed| u64::from(failed.load(Ordering::Relaxed)) > usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p18_a_model_fails_that_fails_more_often_than_usual() {
        let strain = Strain::default();
        (0..3).for_each(|_| strain.note("m"));
        assert!(strain.is_on("m", 1) && strain.is_on("m", 2));
        assert!(!strain.is_on("m", 3) && !strain.is_on("other", 0));
    }
}
