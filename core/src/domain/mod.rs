//! Who calls, for what, and what it cost.
//!
//! - `key.rs`, `records/`: virtual keys, callers and whatever else admins keep.
//! - `operation.rs`: what a client asks a model to do.
//! - `usage.rs`, `money.rs`, `markup.rs`, `breakdown.rs`: tokens, integers of money, discounts and margins, the parts
//!   of a cost.
//! - `spend.rs`: the ledger entry, one per exchange.
//! - `period.rs`, `cron.rs`, `rates.rs`: periods of budgets, times of the clock, windows of rate limits.
//! - `cached.rs`, `response.rs`: answers that are kept.
//! - `ids.rs`: identifiers, and hashes of keys.

pub mod breakdown;
pub mod cached;
pub mod cron;
pub mod ids;
pub mod key;
pub mod latency;
pub mod markup;
pub mod money;
pub mod operation;
pub mod period;
pub mod rates;
pub mod records;
pub mod response;
pub mod routed;
pub mod spend;
pub mod usage;
