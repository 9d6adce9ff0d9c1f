//! Models that fail now: while one does, limits that are dynamic count. Of this process only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Failures in a minute that are nothing to worry about, as LiteLLM has it.
const USUAL: u32 = 1;
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

    pub(super) fn is_on(&self, group: &str) -> bool {
        self.0.get(group).is_some_and(|failed| failed.load(Ordering::Relaxed) > USUAL)
    }
}
