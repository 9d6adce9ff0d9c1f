//! Entries of exchanges and the sums over them: `write.rs` books, `read.rs`, `rollup.rs` and `latency.rs` tell, `spent.rs` is
//! what counts against budgets.

mod brief;
mod detail;
mod latency;
mod read;
mod reprice;
mod retention;
mod rollup;
mod said;
pub(crate) mod spent;
pub(crate) mod sums;
pub(crate) mod write;

pub use reprice::Repriced;
