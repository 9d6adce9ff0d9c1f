//! What is kept: keys, teams and other records, every spend entry and bridged responses, in Postgres or SQLite, and the journal that an entry reaches first.
//!
//! Start at `store.rs` (one set of statements over both engines), then `directory/`, `spend/` and
//! `responses.rs` (what is asked of them).
//! `journal/` is the local file that survives this process; `writer.rs` carries it into the store. `cache.rs` is how
//! the data plane sees keys, `leases.rs` the slices of budgets that it spends, `notify.rs` how other replicas hear of changes. `redis/` counts and keeps what processes share and is no money. `told.rs` is what replicas tell once together. `examine.rs` looks whether the database is there and well. `litellm/` moves in from LiteLLM, and out
//! again. Only this crate speaks SQL.

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
