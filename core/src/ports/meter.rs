//! How long calls of services beside the gateway take, and jobs of its own, for whoever measures it.

use std::time::Duration;

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Ledger,
    Redis,
    /// Budgets that are over begin again.
    Resets,
}

/// The operation that books entries.
pub const WRITE: &str = "write";

/// One call that is over.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub service: Service,
    /// What it was for: a word of the program's, never a caller's.
    pub operation: &'static str,
    pub took: Duration,
    /// What kind of failure it was, if it was one.
    pub error: Option<&'static str>,
}

/// Hears of every call. Returns at once.
pub trait Meter: Send + Sync {
    fn took(&self, call: &Call);
}
