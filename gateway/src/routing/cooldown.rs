//! Deployments that are left alone for a while after failing. Kept by deployment id, outside the configuration, so
//! that a reload forgets nothing.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use weir_core::config::RouterSettings;
use weir_core::error::ApiError;
use weir_core::ports::cooldowns::{Cooled, Cooling, Coolings, Failure, SharedCooldowns};
use weir_plugins::deployment::Deployment;

/// Bounded by the number of deployments ever seen; ids of expired ones leave by themselves.
pub struct Cooldowns {
    until: moka::sync::Cache<String, Instant>,
    /// Of those that failed here, for people who ask.
    reasons: moka::sync::Cache<String, Reason>,
    /// Of deployments that have failed lately.
    minutes: moka::sync::Cache<String, Arc<Mutex<Minute>>>,
    /// So that nothing is looked up while there is nothing. The caches' own counts lag behind.
    cooled: Latest,
    failing: Latest,
    /// Other processes, where they want to know.
    shared: Option<Arc<dyn SharedCooldowns>>,
}

/// Since when a deployment is left alone, and for what it is now.
#[derive(Clone)]
struct Reason {
    since: Instant,
    failure: Arc<Failure>,
}

/// The latest of several moments, in milliseconds since the first of them could be.
struct Latest {
    since: Instant,
    millis: AtomicU64,
}

impl Latest {
    fn new() -> Self {
        Self { since: Instant::now(), millis: AtomicU64::new(0) }
    }

    fn learn(&self, wait: Duration) {
        let at = (self.since.elapsed() + wait).as_millis();
        self.millis.fetch_max(u64::try_from(at).unwrap_or(u64::MAX), Ordering::AcqRel);
    }

    fn is_over(&self) -> bool {
        let latest = self.millis.load(Ordering::Acquire);
        latest == 0 || self.since.elapsed().as_millis() > u128::from(latest)
    }
}

/// What became of a deployment's attempts since its first failure of the minute.
#[derive(Default)]
struct Minute {
    served: u32,
    failed: u32,
}

const MAX_COOLED: u64 = 10_000;
const LONGEST: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

/// So many attempts say something about a deployment; when more than half of them fail, it is left alone. LiteLLM's
/// figures.
const ENOUGH: u32 = 5;

impl Cooldowns {
    pub fn new(shared: Option<Arc<dyn SharedCooldowns>>) -> Self {
        let until = moka::sync::Cache::builder().max_capacity(MAX_COOLED).time_to_live(LONGEST).build();
        let reasons = moka::sync::Cache::builder().max_capacity(MAX_COOLED).time_to_live(LONGEST).build();
        let minutes = moka::sync::Cache::builder().max_capacity(MAX_COOLED).time_to_live(MINUTE).build();
        Self { until, reasons, minutes, cooled: Latest::new(), failing: Latest::new(), shared }
    }

    /// It failed here: it is left alone here at once, and soon elsewhere.
    pub fn start(&self, deployment: &Deployment, wait: Duration, error: &ApiError) {
        let wait = wait.min(LONGEST);
        let failure = Failure::of(error);
        self.note(deployment, &failure);
        self.until.insert(deployment.id.clone(), Instant::now() + wait);
        self.cooled.learn(wait);
        if let Some(shared) = &self.shared {
            shared.tell(Cooled { deployment: deployment.id.clone(), left: wait }, failure);
        }
    }

    /// One that is left alone already may fail for those who had asked before.
    fn note(&self, deployment: &Deployment, failure: &Failure) {
        let before = self.reasons.get(&deployment.id).filter(|_| self.is_cooled(deployment));
        let since = before.map_or_else(Instant::now, |reason| reason.since);
        self.reasons.insert(deployment.id.clone(), Reason { since, failure: Arc::new(failure.clone()) });
    }

    /// It failed elsewhere. What is known here already is not shortened.
    pub fn learn(&self, cooled: &Cooled) {
        let wait = cooled.left.min(LONGEST);
        let until = Instant::now() + wait;
        let known = self.until.get(&cooled.deployment);
        if known.is_none_or(|known| known <= Instant::now()) {
            // What was wrong when it failed here says nothing of this time.
            self.reasons.invalidate(&cooled.deployment);
        }
        if known.is_none_or(|known| known < until) {
            self.until.insert(cooled.deployment.clone(), until);
            self.cooled.learn(wait);
        }
    }

    pub fn is_cooled(&self, deployment: &Deployment) -> bool {
        self.left(deployment).is_some()
    }

    /// How long it is still left alone.
    pub fn left(&self, deployment: &Deployment) -> Option<Duration> {
        // What failed with the operator's credentials says nothing of a client's.
        if deployment.of_client { None } else { self.left_of(&deployment.id) }
    }

    /// The same by its id.
    pub fn left_of(&self, id: &str) -> Option<Duration> {
        if self.cooled.is_over() {
            return None;
        }
        let left = self.until.get(id)?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Who is left alone: as all processes know it together, and what this one has not heard of them yet.
    pub async fn coolings(&self) -> Coolings {
        let told = match &self.shared {
            Some(shared) => shared.coolings().await,
            None => None,
        };
        let shared = told.is_some();
        let mut all = told.unwrap_or_default();
        let known: HashSet<String> = all.iter().map(|cooling| cooling.deployment.clone()).collect();
        all.extend(self.own().into_iter().filter(|own| !known.contains(&own.deployment)));
        Coolings { shared, all }
    }

    /// As this process knows it.
    fn own(&self) -> Vec<Cooling> {
        let now = Instant::now();
        let one = |(id, until): (Arc<String>, Instant)| {
            let left = until.saturating_duration_since(now);
            let reason = self.reasons.get(id.as_str());
            (!left.is_zero()).then(|| Cooling {
                deployment: id.to_string(),
                left,
                been: reason.as_ref().map(|reason| now.saturating_duration_since(reason.since)),
                failure: reason.as_ref().map(|reason| reason.failure.as_ref().clone()),
            })
        };
        self.until.iter().filter_map(one).collect()
    }

    /// An attempt went well.
    pub fn served(&self, deployment: &Deployment) {
        if self.failing.is_over() || deployment.of_client {
            return;
        }
        if let Some(minute) = self.minutes.get(&deployment.id) {
            minute.lock().unwrap_or_else(PoisonError::into_inner).served += 1;
        }
    }

    /// An attempt failed in a way that says something about the deployment. Answers whether it is to be left alone:
    /// after more failures than `allowed_fails_policy` and `allowed_fails` say; where those are not set, at once where
    /// waiting is all that helps, else when most of its attempts fail. One that is alone in its group is left alone only
    /// where a setting says so.
    pub fn failed(
        &self,
        deployment: &Deployment,
        error: &ApiError,
        alone: bool,
        router: &RouterSettings,
    ) -> bool {
        let (served, failed) = self.count_failure(&deployment.id);
        if let Some(allowed) = router.allowed_fails_of(error.class()) {
            return failed > allowed;
        }
        let all = served + failed;
        !alone && (matches!(error.status(), 401 | 404 | 429) || all >= ENOUGH && failed * 2 > all)
    }

    fn count_failure(&self, id: &str) -> (u32, u32) {
        // The cache forgets it when the minute is over.
        let minute = self.minutes.get_with_by_ref(id, Default::default);
        let mut minute = minute.lock().unwrap_or_else(PoisonError::into_inner);
        minute.failed += 1;
        self.failing.learn(MINUTE);
        (minute.served, minute.failed)
    }
}

/// Whether a failure says something about the deployment rather than about the request: quota, credentials, a model
/// that is not there, time-outs and server errors.
pub fn qualifies(status: u16) -> bool {
    matches!(status, 401 | 404 | 408 | 429) || status >= 500
}
