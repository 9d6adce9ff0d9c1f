//! What filters may use of the rest of the process.

use crate::alerts::Alerts;
use crate::budgets::Watched;
use crate::callbacks::Desk;
use crate::metrics::Metrics;
use std::sync::Arc;
use weir_core::ports::cache::AnswerCache;
use weir_core::ports::identity::Bearers;
use weir_core::ports::{Holders, Journal, KeyLookup, ResponseStore};

use crate::budgets::Budgets;
use crate::rates::RateLimits;
use crate::said::Scribe;
use crate::strangers::Strangers;

/// Injected once, at composition.
#[derive(Clone)]
pub struct Services {
    pub keys: Arc<dyn KeyLookup>,
    /// Callers without a key of ours.
    pub bearers: Arc<dyn Bearers>,
    /// How often those come whom nobody knows.
    pub strangers: Arc<Strangers>,
    pub journal: Arc<dyn Journal>,
    pub metrics: Arc<Metrics>,
    pub alerts: Arc<Alerts>,
    /// Whose budgets are looked at, for metrics and alerts.
    pub watched: Arc<Watched>,
    pub responses: Arc<dyn ResponseStore>,
    pub scribe: Arc<dyn Scribe>,
    /// Where callbacks are told.
    pub desk: Arc<Desk>,
    pub budgets: Arc<Budgets>,
    pub holders: Arc<dyn Holders>,
    pub rates: Arc<RateLimits>,
    /// `None`: answers are not cached.
    pub answers: Option<Arc<dyn AnswerCache>>,
}
