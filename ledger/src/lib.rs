//! What is kept, in Postgres or SQLite: keys, teams and other records, every spend entry, bridged responses; and the
//! journal that an entry reaches first. The only crate that speaks SQL.
//!
//! In reading order:
//!
//! - `store.rs`: one set of statements over both engines, and the migrations.
//! - `directory/`: records of every kind, with their audit log.
//! - `spend/`: entries, the sums over them, and reports.
//! - `journal/`: the local file that survives this process. `writer.rs` carries its entries into the store.
//! - `leases.rs`: the slices of budgets that this process spends from.
//! - `cache.rs`: keys, as the data plane sees them. `holders.rs` remembers which customers and tags have limits.
//!   `notify.rs` is how other replicas hear of a change.
//! - `redis/`: counters, answers and cooldowns that processes share. Never money.
//! - `responses.rs`: answers of the Responses API that are kept here for a provider that keeps none.
//! - `told.rs`: what is told to somebody outside, once over all replicas.
//! - `sweep.rs`: deletes what is past its retention. `examine.rs` checks the database for `weir doctor`.
//! - `litellm/`: moves in from LiteLLM, and out again.

mod cache;
mod directory;
mod examine;
mod holders;
mod journal;
mod leases;
pub mod litellm;
mod notify;
mod redis;
mod responses;
mod spend;
mod store;
mod sweep;
mod told;
mod writer;

pub use cache::{CacheOptions, KeyCache};
pub use examine::{Examined, examine};
pub use journal::{FileJournal, JournalOptions, JournalStats};
pub use leases::LeaseBook;
pub use notify::{Watcher, listen};
pub use redis::{CooldownList, Redis, SharedAnswers, SharedCounters};
pub use spend::Repriced;
pub use store::{Asker, Ledger, LedgerOptions, migrate};
pub use writer::{Writer, WriterOptions};
