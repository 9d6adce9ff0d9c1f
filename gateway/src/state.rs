//! What all requests of the process share.

use crate::limits::Limits;
use crate::upstream::connect::Dialer;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use weir_core::ports::{KeyLookup, LedgerHealth};
use weir_plugins::chain::Chain;
use weir_plugins::metrics::Metrics;
use weir_plugins::snapshot::Snapshot;

/// Made once in `run.rs`.
pub struct App {
    pub snapshot: ArcSwap<Snapshot>,
    pub chain: Chain,
    pub dialer: Dialer,
    pub cooldowns: crate::routing::cooldown::Cooldowns,
    pub limits: Limits,
    pub metrics: Arc<Metrics>,
    pub keys: Arc<dyn KeyLookup>,
    pub ledger: Arc<dyn LedgerHealth>,
    pub gauges: Box<dyn Fn(&Metrics) + Send + Sync>,
    pub draining: Draining,
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
