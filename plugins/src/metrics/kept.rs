//! What one worker has at hand: the series of successes, by what decides which they are. One look finds all of them.

use super::Metrics;
use super::custom::Own;
use super::roll::Roll;
use super::series::{Series, Shape};
use super::times::{Histograms, Times};
use crate::deployment::Deployment;
use crate::exchange::Exchange;
use crate::near::{Mixed, Near};
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::Caller;
use weir_core::domain::operation::Operation;

/// What decides which series a success counts in.
pub(super) struct Success<'x> {
    pub(super) x: &'x Exchange,
    pub(super) deployment: &'x Arc<Deployment>,
    pub(super) shape: Shape,
    pub(super) own: Own,
}

/// All that workers count for themselves.
#[derive(Default)]
pub(super) struct Workers {
    series: Roll<Series>,
    times: Roll<Times>,
    kept: AtomicUsize,
}

/// One worker's.
struct Kept {
    near: Near<Known>,
    /// Where hashes begin.
    from: Mixed,
    /// Times whose histograms have no labels of their own: many keys count in the same.
    shared: Vec<Arc<Times>>,
}

struct Known {
    identity: Identity,
    series: Arc<Series>,
}

/// What a set of series is for. Holding the deployment keeps its address from being given to another.
struct Identity {
    caller: Who,
    deployment: Arc<Deployment>,
    /// `None`: the name of the deployment's group.
    requested: Option<Box<str>>,
    operation: Operation,
    shape: Shape,
    own: Own,
}

/// Who calls. A key's record is not held: it is read again each minute, and there would be two of each in memory.
enum Who {
    Anonymous,
    Master(KeyHash),
    Key { hash: KeyHash, edition: u64 },
}

/// Sets of series that all workers together keep, and that each may keep in any case. Beyond that the eldest are let go.
const MOST: usize = 32_768;
const FEW: usize = 1_024;
/// Shared times that a worker keeps at hand: those of a plain answer, a stream, a hit, and of what settings make of them.
const MOST_SHARED: usize = 64;

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::new(Kept {
        near: Near::default(),
        from: Mixed::anywhere(),
        shared: Vec::new(),
    });
}

/// Counts a success.
pub(super) fn count(metrics: &Metrics, x: &Exchange, deployment: &Arc<Deployment>) {
    let success = Success { x, deployment, shape: Shape::of(x), own: metrics.own(x) };
    KEPT.with_borrow_mut(|kept| kept.count(metrics, success));
}

// --- Success ---

impl Success<'_> {
    fn requested(&self) -> Option<&str> {
        let requested = self.x.target.requested.as_str();
        (requested != self.deployment.group).then_some(requested)
    }

    fn place(&self, mut hash: Mixed) -> u64 {
        hash.write_u64(self.x.caller.hash().map_or(0, |hash| hash.short()));
        hash.write_usize(Arc::as_ptr(self.deployment).addr());
        self.x.request.operation.hash(&mut hash);
        self.shape.hash(&mut hash);
        self.requested().hash(&mut hash);
        self.own.hash(&mut hash);
        hash.finish()
    }

    fn identity(self) -> Identity {
        Identity {
            requested: self.requested().map(Box::from),
            caller: Who::of(&self.x.caller),
            deployment: Arc::clone(self.deployment),
            operation: self.x.request.operation,
            shape: self.shape,
            own: self.own,
        }
    }
}

// --- Identity ---

impl Identity {
    /// `series`: those that it is the identity of.
    fn is_of(&mut self, success: &Success<'_>, series: &Series) -> bool {
        Arc::ptr_eq(&self.deployment, success.deployment)
            && self.operation == success.x.request.operation
            && self.shape == success.shape
            && self.requested.as_deref() == success.requested()
            && self.own == success.own
            && self.caller.is(&success.x.caller, series)
    }
}

// --- Who ---

impl Who {
    fn of(caller: &Caller) -> Self {
        match caller {
            Caller::Anonymous => Self::Anonymous,
            Caller::Master(hash) => Self::Master(*hash),
            Caller::Key(known) => Self::Key { hash: known.key.hash, edition: known.edition.number() },
        }
    }

    /// A key that was read again is the same, as long as its labels are: they tell more of it than its hash.
    fn is(&mut self, caller: &Caller, series: &Series) -> bool {
        match (self, caller) {
            (Self::Key { hash, edition }, Caller::Key(known)) => {
                let now = known.edition.number();
                if *edition == now {
                    return true;
                }
                let same = *hash == known.key.hash && series.are_named(caller);
                if same {
                    *edition = now;
                }
                same
            }
            (Self::Master(mine), Caller::Master(theirs)) => *mine == *theirs,
            (Self::Anonymous, Caller::Anonymous) => true,
            _ => false,
        }
    }
}

// --- Kept ---

impl Kept {
    fn count(&mut self, metrics: &Metrics, success: Success<'_>) {
        let place = success.place(self.from);
        if let Some(known) = self.near.get_mut(place)
            && known.series.is_of(metrics)
            && known.identity.is_of(&success, &known.series)
        {
            return known.series.count(success.x);
        }
        let workers = metrics.workers();
        while self.near.len() >= FEW && workers.kept.load(Ordering::Relaxed) >= MOST {
            self.near.drop_eldest();
        }
        let times = |histograms| self.times(&workers, histograms);
        let series = Arc::new(Series::begin(metrics, &success, times));
        workers.kept.fetch_add(1, Ordering::Relaxed);
        workers.series.enter(&series);
        series.count(success.x);
        self.near.keep(place, Known { identity: success.identity(), series });
    }

    /// Those that are told to histograms with labels of their own are nobody else's.
    fn times(&mut self, workers: &Workers, histograms: Histograms) -> Arc<Times> {
        let labelled = histograms.iter().any(|histogram| histogram.is_labelled());
        let shared = self.shared.iter().find(|times| !labelled && times.are_for(&histograms));
        if let Some(times) = shared {
            return Arc::clone(times);
        }
        let times = Arc::new(Times::new(histograms));
        workers.times.enter(&times);
        if !labelled && self.shared.len() < MOST_SHARED {
            self.shared.push(Arc::clone(&times));
        }
        times
    }
}

// --- Workers ---

impl Workers {
    /// Tells all that was counted to the series that everybody shares.
    pub(super) fn tell(&self) {
        self.series.call(Series::tell);
        self.times.call(Times::tell);
    }

    pub(super) fn forget(&self, label: &str, gone: &dyn Fn(&str) -> bool) {
        self.series.call(|series| series.forget(label, gone));
    }

    pub(super) fn one_less(&self) {
        self.kept.fetch_sub(1, Ordering::Relaxed);
    }
}
