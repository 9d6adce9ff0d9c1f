//! How each callback of the configuration is doing, for people. By its name: a reload makes other callbacks, and begins
//! nothing anew.

use super::{Callback, Callbacks};
use crate::auth::hosts_only;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use weir_core::ports::control::CallbackState;
use weir_core::time::{self, Micros};

/// All of a process.
#[derive(Default)]
pub(super) struct Tallies(Mutex<HashMap<String, Arc<Tally>>>);

/// One callback's. Counts are records.
#[derive(Default)]
pub(super) struct Tally {
    delivered: AtomicU64,
    dropped: AtomicU64,
    trouble: Mutex<Trouble>,
    /// What waits in each of its lanes. A reload leaves the old one to its rest.
    waiting: Mutex<Vec<Weak<AtomicUsize>>>,
}

#[derive(Clone, Default)]
struct Trouble {
    /// `None`: the last request was taken.
    since: Option<Micros>,
    last: String,
    last_at: Option<Micros>,
}

/// Names that are remembered. Configurations have few; many reloads may have more.
const MOST: usize = 1_024;

impl Tallies {
    /// Those of keys and teams are not kept: they may have the name of the gateway's, and another address.
    pub(super) fn of(&self, callback: &Callback) -> Arc<Tally> {
        if callback.own {
            return Arc::default();
        }
        let mut all = locked(&self.0);
        if let Some(known) = all.get(&callback.name) {
            return Arc::clone(known);
        }
        let tally = Arc::<Tally>::default();
        if all.len() < MOST {
            all.insert(callback.name.clone(), Arc::clone(&tally));
        }
        tally
    }

    /// In the order of the configuration, each name once; those that could not be set up come last.
    pub(super) fn states(&self, callbacks: &Callbacks) -> Vec<CallbackState> {
        let mut states: Vec<CallbackState> = Vec::new();
        let told = callbacks.all.iter().map(|callback| (callback, callback.events.names()));
        let audited = callbacks.audits.iter().map(|callback| (callback, vec!["audit"]));
        for (callback, told_of) in told.chain(audited) {
            match states.iter_mut().find(|state| state.name == callback.name) {
                Some(known) => known.told_of.extend(told_of),
                None => {
                    let name = callback.name.clone();
                    states.push(CallbackState { name, told_of, ..self.of(callback).state() });
                }
            }
        }
        for (name, why) in &callbacks.unusable {
            if states.iter().all(|state| state.name != *name) {
                let (name, unusable) = (name.clone(), why.clone());
                states.push(CallbackState { name, unusable, ..CallbackState::default() });
            }
        }
        states
    }
}

impl Tally {
    pub(super) fn delivered(&self, records: usize) {
        self.delivered.fetch_add(records as u64, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self, records: usize) {
        self.dropped.fetch_add(records as u64, Ordering::Relaxed);
    }

    /// All that was sent was taken.
    pub(super) fn well(&self) {
        locked(&self.trouble).since = None;
    }

    /// Something was not.
    pub(super) fn failed(&self, why: &str) {
        let (last, now) = (hosts_only(why), time::now());
        let mut trouble = locked(&self.trouble);
        let since = trouble.since.or(Some(now));
        *trouble = Trouble { since, last, last_at: Some(now) };
    }

    /// A lane has begun, in which so many bytes wait.
    pub(super) fn opened(&self, waiting: &Arc<AtomicUsize>) {
        let mut lanes = locked(&self.waiting);
        lanes.retain(|lane| lane.strong_count() > 0);
        lanes.push(Arc::downgrade(waiting));
    }

    /// Without its name, and what it is told of.
    pub(super) fn state(&self) -> CallbackState {
        let trouble = locked(&self.trouble).clone();
        let lanes = locked(&self.waiting);
        let bytes = lanes.iter().filter_map(Weak::upgrade).map(|bytes| bytes.load(Ordering::Relaxed) as u64);
        CallbackState {
            delivered: self.delivered.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            failing_since: trouble.since,
            last_error: trouble.last,
            last_error_at: trouble.last_at,
            waiting_bytes: bytes.sum(),
            ..CallbackState::default()
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_begins_once_and_ends_with_what_is_taken() {
        let tally = Tally::default();
        assert_eq!(tally.state(), CallbackState::default());
        tally.failed("it answered 503");
        let first = tally.state();
        tally.failed("connection to https://user:s3cr3t@hooks.test/T0/s3cr3t was refused");
        let second = tally.state();
        assert!(first.failing_since.is_some() && second.failing_since == first.failing_since);
        assert!(!second.last_error.contains("s3cr3t"), "{}", second.last_error);
        tally.delivered(3);
        tally.well();
        let well = tally.state();
        assert_eq!((well.failing_since, well.delivered), (None, 3));
        assert_eq!(well.last_error, second.last_error, "what was wrong can still be read");
    }

    #[test]
    fn what_waits_is_the_sum_of_the_lanes_that_are_there() {
        let tally = Tally::default();
        let (old, new) = (Arc::new(AtomicUsize::new(5)), Arc::new(AtomicUsize::new(7)));
        tally.opened(&old);
        tally.opened(&new);
        assert_eq!(tally.state().waiting_bytes, 12);
        drop(old);
        assert_eq!(tally.state().waiting_bytes, 7);
    }
}
