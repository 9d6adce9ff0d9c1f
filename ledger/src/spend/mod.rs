//! Entries of exchanges and the sums over them.
//!
//! `write.rs` books a batch, with `sums.rs` (what it adds), `detail.rs` and `brief.rs` (the JSON of an entry).
//! `read.rs`, `rollup.rs` and `latency.rs` answer reports, `spent.rs` is what counts against budgets, `said.rs` keeps prompts and
//! answers. `reprice.rs` and `retention.rs` change what is booked, or delete it.

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
