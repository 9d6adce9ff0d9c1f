//! What all requests of the process share.

use crate::background::checks::Checks;
use crate::cli::Half;
use crate::limits::Limits;
use crate::mirror::Mirrors;
use crate::upstream::connect::Dialer;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use weir_core::metrics::Name;
use weir_core::ports::cache::AnswerCache;
use weir_core::ports::control::ReplicaState;
use weir_core::ports::identity::Bearers;
use weir_core::ports::{AuditEntry, AuditListener, KeyLookup, LedgerHealth, ResponseStore};
use weir_ledger::FileJournal;
use weir_plugins::alerts::Alerts;
use weir_plugins::budgets::{Budgets, Watched};
use weir_plugins::callbacks::Desk;
use weir_plugins::chain::Chain;
use weir_plugins::metrics::Metrics;
use weir_plugins::rates::RateLimits;
use weir_plugins::snapshot::Snapshot;
use weir_plugins::strangers::Strangers;
use weir_plugins::utils::Explainer;

/// Made once in `run.rs`.
pub struct App {
    pub snapshot: ArcSwap<Snapshot>,
    pub chain: Chain,
    pub dialer: Dialer,
    pub routing: crate::routing::Routing,
    pub limits: Limits,
    pub mirrors: Mirrors,
    /// How deployments are, where that is looked at.
    pub checks: Checks,
    pub metrics: Arc<Metrics>,
    pub alerts: Arc<Alerts>,
    /// Whose budgets are looked at.
    pub watched: Arc<Watched>,
    /// Where callbacks are told.
    pub desk: Arc<Desk>,
    pub keys: Arc<dyn KeyLookup>,
    /// Callers that are known by tokens of an identity provider.
    pub bearers: Arc<dyn Bearers>,
    pub strangers: Arc<Strangers>,
    pub ledger: Arc<dyn LedgerHealth>,
    pub journal: Arc<FileJournal>,
    pub responses: Arc<dyn ResponseStore>,
    pub rates: Arc<RateLimits>,
    pub budgets: Arc<Budgets>,
    pub explainer: Explainer,
    /// `None`: answers are not cached.
    pub answers: Option<Arc<dyn AnswerCache>>,
    pub draining: Draining,
    /// The half of the gateway that this process is; `None` for all of it.
    pub only: Option<Half>,
    /// The path that everything is mounted at, with a slash before and none behind; empty for none.
    pub root: String,
    /// Where the admin service listens.
    pub admin_socket: String,
}

/// Whether the process is about to stop, and who is told.
#[derive(Default)]
pub struct Draining {
    on: AtomicBool,
    /// Another process has the listeners.
    succeeded: AtomicBool,
}

impl Draining {
    /// Nobody else listens here: probes are told, so that requests are sent elsewhere.
    pub fn start(&self) {
        self.on.store(true, Ordering::Release);
    }

    /// Another process listens at the same addresses: probes must not take its place out of service.
    pub fn succeed(&self) {
        self.succeeded.store(true, Ordering::Release);
        self.start();
    }

    /// Connections are not kept.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    /// Readiness says so.
    pub fn is_told(&self) -> bool {
        self.is_on() && !self.is_succeeded()
    }

    pub fn is_succeeded(&self) -> bool {
        self.succeeded.load(Ordering::Acquire)
    }
}

/// What admins change is told to those callbacks that are named for it.
impl AuditListener for App {
    fn kept(&self, entries: &[AuditEntry]) {
        self.desk.tell_of_changes(entries, self.snapshot.load().callbacks.audits());
    }
}

impl App {
    /// For admins who have no Prometheus, and for the UI.
    pub fn replica(&self) -> ReplicaState {
        let (journal, total) = (self.journal.stats(), |name: Name| self.metrics.total(name));
        ReplicaState {
            name: self.journal.name(),
            ledger: self.ledger.state(),
            ledger_failures: total(Name::LedgerFailures),
            waiting: journal.waiting,
            lag: journal.lag(),
            journal_bytes: journal.bytes,
            journal_max_bytes: journal.max_bytes,
            shed: total(Name::ShedRequests),
            unpriced: total(Name::UnpricedRequests),
            callbacks_dropped: total(Name::CallbacksDropped),
            alerts_dropped: total(Name::AlertsDropped),
        }
    }

    /// Sets the gauges that are read rather than counted, for a scrape.
    pub fn read_gauges(&self) {
        let journal = self.journal.stats();
        let slices = self.budgets.slices();
        for (name, value) in [
            (Name::JournalBytes, journal.bytes as f64),
            (Name::JournalMaxBytes, journal.max_bytes as f64),
            (Name::JournalOpen, journal.open as f64),
            (Name::JournalWaiting, journal.waiting as f64),
            (Name::JournalLag, journal.lag().as_secs_f64()),
            (Name::LeaseUnspent, slices.free.0 as f64 / 1e9),
            (Name::LeaseHeld, slices.held.0 as f64 / 1e9),
            (Name::OpenExchanges, self.limits.open() as f64),
            (Name::InflightBytes, self.limits.inflight() as f64),
            (Name::SpendQueue, journal.waiting as f64),
            (Name::DailySpendQueue, journal.waiting as f64),
            (Name::RedisSpendQueue, 0.0),
            (Name::RedisDailySpendQueue, 0.0),
            (Name::PodLockManager, 0.0),
        ] {
            self.metrics.gauge(name, value);
        }
        self.metrics.cooled_now(|id| self.routing.cooldowns.left_of(id).is_some());
        self.metrics.counted(Name::LeaseWaits, "").reach(slices.asked);
        self.metrics.counted(Name::LogLinesDropped, "").reach(crate::logging::dropped());
        if let Some(there) = self.rates.shared() {
            self.metrics.gauge(Name::RedisUp, f64::from(u8::from(there)));
        }
    }
}
