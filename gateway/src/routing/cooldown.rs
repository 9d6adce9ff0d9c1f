//! Deployments that are left alone for a while after failing. Kept by deployment id, outside the configuration, so
//! that a reload forgets nothing.

use std::time::{Duration, Instant};
use weir_plugins::deployment::Deployment;

/// Bounded by the number of deployments ever seen; ids of expired ones leave by themselves.
pub struct Cooldowns {
    until: moka::sync::Cache<String, Instant>,
}

const MAX_COOLED: u64 = 10_000;
const LONGEST: Duration = Duration::from_secs(3_600);

impl Cooldowns {
    pub fn new() -> Self {
        let until = moka::sync::Cache::builder().max_capacity(MAX_COOLED).time_to_live(LONGEST).build();
        Self { until }
    }

    pub fn start(&self, deployment: &Deployment, wait: Duration) {
        self.until.insert(deployment.id.clone(), Instant::now() + wait.min(LONGEST));
    }

    pub fn is_cooled(&self, deployment: &Deployment) -> bool {
        // Most of the time nothing is cooled, and nothing is looked up.
        self.until.entry_count() > 0
            && self.until.get(&deployment.id).is_some_and(|until| until > Instant::now())
    }
}

/// Whether a failure says something about the deployment rather than about the request: quota, credentials, a model
/// that is not there, time-outs and server errors.
pub fn qualifies(status: u16) -> bool {
    matches!(status, 401 | 404 | 408 | 429) || status >= 500
}
