//! Requests as they go: slow ones, hanging ones, deployments that fail again and again.

use super::{Alerts, Level, named};
use crate::exchange::Exchange;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use weir_core::config::AlertSettings;
use weir_core::domain::ids::EntryId;
use weir_core::domain::spend::{AttemptRecord, Status};

/// Requests that are watched at once. Beyond that new ones are not.
pub const MAX_OPEN: usize = 20_000;
/// Deployments whose failures are counted.
const MAX_FAILING: usize = 1_000;

#[derive(Default)]
pub(super) struct Requests {
    open: Mutex<HashMap<EntryId, Open>>,
    failing: Mutex<HashMap<String, Failures>>,
}

struct Open {
    since: Instant,
    model: String,
}

/// Failures of a deployment, since the first of them.
struct Failures {
    since: Instant,
    count: u32,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Requests {
    /// Counts one more failure. Answers how many there are within the time.
    fn failed(&self, deployment: &str, within: Duration) -> u32 {
        let mut failing = locked(&self.failing);
        if failing.len() >= MAX_FAILING {
            failing.retain(|_, failures| failures.since.elapsed() <= within);
        }
        if failing.len() >= MAX_FAILING && !failing.contains_key(deployment) {
            return 0;
        }
        let fresh = || Failures { since: Instant::now(), count: 0 };
        let failures = failing.entry(deployment.to_owned()).or_insert_with(fresh);
        if failures.since.elapsed() > within {
            *failures = fresh();
        }
        failures.count = failures.count.saturating_add(1);
        failures.count
    }
}

impl Alerts {
    /// A request has begun.
    pub fn begin(&self, x: &Exchange) {
        if !self.is_on() || !x.snapshot.config.general.alerts.tells("llm_requests_hanging") {
            return;
        }
        let mut open = locked(&self.requests.open);
        if open.len() < MAX_OPEN {
            let model = named(&x.target.requested).to_owned();
            open.insert(x.id, Open { since: x.clock.started, model });
        }
    }

    /// It is over.
    pub fn finished(&self, x: &Exchange) {
        if !self.is_on() {
            return;
        }
        locked(&self.requests.open).remove(&x.id);
        let settings = &x.snapshot.config.general.alerts;
        self.slow(x, settings);
        for (deployment, status) in &x.target.cooled {
            let text = format!(
                "Deployment {} of {} is cooled down after status {status}. Requests go to the others of its group.",
                deployment.id, deployment.group
            );
            let name = format!("cooled:{}", named(&deployment.id));
            self.notice(settings, "cooldown_deployment", Level::Medium, name, text);
        }
        for attempt in x.attempts.iter().filter(|attempt| attempt.is_outage()) {
            self.failed(attempt, settings);
        }
    }

    fn slow(&self, x: &Exchange, settings: &AlertSettings) {
        let took = x.clock.started.elapsed();
        if x.answer.outcome != Some(Status::Success) || took <= settings.threshold {
            return;
        }
        let model = named(x.group_name());
        let text = format!(
            "An answer of {model} took {} s, more than {} s (request {}).",
            took.as_secs(),
            settings.threshold.as_secs(),
            named(&x.request.call_id)
        );
        self.notice(settings, "llm_too_slow", Level::Low, format!("slow:{model}"), text);
    }

    fn failed(&self, attempt: &AttemptRecord, settings: &AlertSettings) {
        let count = self.requests.failed(&attempt.deployment_id, settings.outage_ttl);
        let (level, word) = match count {
            count if count >= settings.major_outage => (Level::High, "major"),
            count if count >= settings.minor_outage => (Level::Medium, "minor"),
            _ => return,
        };
        let text = format!(
            "A {word} outage: {count} calls of deployment {} ({}) failed within {} s, the last with {}.",
            attempt.deployment_id,
            attempt.model_group,
            settings.outage_ttl.as_secs(),
            attempt.error
        );
        let name = format!("outage:{word}:{}", named(&attempt.deployment_id));
        self.notice(settings, "outage_alerts", level, name, text);
    }

    /// Looks for requests that go on for too long.
    pub fn look_for_hanging(&self, settings: &AlertSettings) {
        let mut hanging: HashMap<String, (usize, Duration)> = HashMap::new();
        for open in locked(&self.requests.open).values() {
            let goes_on = open.since.elapsed();
            if goes_on > settings.threshold {
                let (count, longest) = hanging.entry(open.model.clone()).or_default();
                (*count, *longest) = (*count + 1, goes_on.max(*longest));
            }
        }
        for (model, (count, longest)) in hanging {
            let text = format!(
                "Requests to {model} hang: {count} go on for more than {} s, the longest for {} s.",
                settings.threshold.as_secs(),
                longest.as_secs()
            );
            self.notice(settings, "llm_requests_hanging", Level::Medium, format!("hanging:{model}"), text);
        }
    }

    /// Nobody is told of what was open before.
    pub fn forget_requests(&self) {
        locked(&self.requests.open).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_within_a_time() {
        let requests = Requests::default();
        let hour = Duration::from_secs(3_600);
        assert_eq!((1..=3).map(|_| requests.failed("a", hour)).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(requests.failed("b", hour), 1);
        assert_eq!(requests.failed("a", Duration::ZERO), 1, "the time is over");
        for other in 0..MAX_FAILING {
            requests.failed(&format!("d{other}"), hour);
        }
        assert!(locked(&requests.failing).len() <= MAX_FAILING);
    }
}
