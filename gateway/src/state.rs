//! What all requests of the process share.

use crate::cli::Half;
use crate::limits::Limits;
use crate::upstream::connect::Dialer;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use weir_core::metrics::Name;
use weir_core::ports::cache::AnswerCache;
use weir_core::ports::identity::Bearers;
use weir_core::ports::{KeyLookup, LedgerHealth, ResponseStore};
use weir_core::time;
use weir_ledger::FileJournal;
use weir_plugins::alerts::Alerts;
use weir_plugins::budgets::{Budgets, Watched};
use weir_plugins::chain::Chain;
use weir_plugins::metrics::Metrics;
use weir_plugins::rates::RateLimits;
use weir_plugins::snapshot::Snapshot;

/// Made once in `run.rs`.
pub struct App {
    pub snapshot: ArcSwap<Snapshot>,
    pub chain: Chain,
    pub dialer: Dialer,
    pub routing: crate::routing::Routing,
    pub limits: Limits,
    pub metrics: Arc<Metrics>,
    pub alerts: Arc<Alerts>,
    /// Whose budgets are looked at.
    pub watched: Arc<Watched>,
    pub keys: Arc<dyn KeyLookup>,
    /// Callers that are known by tokens of an identity provider.
    pub bearers: Arc<dyn Bearers>,
    pub ledger: Arc<dyn LedgerHealth>,
    pub journal: Arc<FileJournal>,
    pub responses: Arc<dyn ResponseStore>,
    pub rates: Arc<RateLimits>,
    pub budgets: Arc<Budgets>,
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
        let lag = journal.oldest.map_or(0, |oldest| time::now().since(oldest));
        let slices = self.budgets.slices();
        for (name, value) in [
            (Name::JournalBytes, journal.bytes as f64),
            (Name::JournalMaxBytes, journal.max_bytes as f64),
            (Name::JournalOpen, journal.open as f64),
            (Name::JournalWaiting, journal.waiting as f64),
            (Name::JournalLag, Duration::from_micros(lag.unsigned_abs()).as_secs_f64()),
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
        self.metrics.counted(Name::LeaseWaits, "").reach(slices.asked);
        self.metrics.counted(Name::LogLinesDropped, "").reach(crate::logging::dropped());
        if let Some(there) = self.rates.shared() {
            self.metrics.gauge(Name::RedisUp, f64::from(u8::from(there)));
        }
    }
}
