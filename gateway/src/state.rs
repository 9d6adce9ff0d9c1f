//! What all requests of the process share.

use crate::cli::Half;
use crate::limits::Limits;
use crate::mirror::Mirrors;
use crate::upstream::connect::Dialer;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use weir_core::metrics::Name;
use weir_core::ports::cache::AnswerCache;
use weir_core::ports::identity::Bearers;
use weir_core::ports::{KeyLookup, LedgerHealth, ResponseStore};
use weir_ledger::FileJournal;
use weir_plugins::budgets::Budgets;
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
    pub metrics: Arc<Metrics>,
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

/// Whether the process has been told to stop.
#[derive(Default)]
pub struct Draining(AtomicBool);

impl Draining {
    pub fn start(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl App {
    /// Sets the gauges that are read rather than counted, for a scrape.
    pub fn read_gauges(&self) {
        let journal = self.journal.stats();
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        for (name, value) in [
            (Name::JournalBytes, number(journal.bytes)),
            (Name::JournalOpen, number(journal.open)),
            (Name::JournalWaiting, number(journal.waiting)),
            (Name::OpenExchanges, self.limits.open()),
            (Name::InflightBytes, self.limits.inflight()),
        ] {
            self.metrics.gauge(name, value);
        }
        if let Some(there) = self.rates.shared() {
            self.metrics.gauge(Name::RedisUp, i64::from(there));
        }
    }
}
