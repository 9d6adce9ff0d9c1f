//! Who calls, for what, and what it cost.

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
pub mod spend;
pub mod usage;
