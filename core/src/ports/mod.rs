//! What the crates ask of each other. Storage ports are implemented by `ledger`; the gateway hands them to plugins and
//! admin. Every method may be called from any task and never blocks a worker.
//!
//! Here: the directory of records, keys and the journal. `records.rs` gives records their types, `spend.rs` is entries
//! and sums. Shared between processes: `leases.rs` (budgets), `rates.rs` (limits), `cooldowns.rs`, `cache.rs`
//! (answers), `told.rs` (what is told once). `control.rs` is the running gateway, `identity.rs` identity providers,
//! `meter.rs` how long all of that takes.

pub mod cache;
pub mod control;
pub mod cooldowns;
pub mod identity;
pub mod leases;
pub mod meter;
pub mod rates;
pub mod records;
mod spend;
pub mod told;

pub use crate::domain::spend::SpendScope;
pub use spend::{
    Dimension, LatencyRow, MAX_ROLLUP_ROWS, Rollup, RollupOrder, RollupQuery, RollupRow, SpendFilter,
    SpendStore, Sums, Written,
};

use crate::domain::ids::KeyHash;
use crate::domain::key::{KeyRecord, Principal};
use crate::domain::money::NanoUsd;
use crate::domain::records::{Limits, RecordKind, due};
use crate::domain::response::ResponseRecord;
use crate::domain::spend::Entry;
use crate::memo::Kept;
use crate::time::Micros;
use async_trait::async_trait;
use std::sync::Arc;

/// Why a ledger call failed. The text is for logs, never for a client.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database cannot be reached, or did not answer in time. Worth trying again.
    #[error("ledger unavailable: {0}")]
    Unavailable(String),
    /// Another transaction got in the way; the same one may be tried again at once.
    #[error("ledger busy: {0}")]
    Busy(String),
    /// Something with this name or hash is there already.
    #[error("already exists: {0}")]
    Conflict(String),
    /// A statement or a stored value is wrong: a defect, or a database of another version.
    #[error("ledger: {0}")]
    Broken(String),
}

/// What every call of the ledger answers.
pub type LedgerResult<T> = Result<T, LedgerError>;

impl LedgerError {
    /// What kind of failure it is, for metrics; `None`: of the ledger it is none.
    pub fn class(&self) -> Option<&'static str> {
        match self {
            LedgerError::Unavailable(_) => Some("Unavailable"),
            LedgerError::Busy(_) => Some("Busy"),
            LedgerError::Conflict(_) => None,
            LedgerError::Broken(_) => Some("Broken"),
        }
    }
}

/// Records, straight from the database. The typed face of it is [`records`].
#[async_trait]
pub trait Directory: Send + Sync {
    /// Those of `ids` that are there, in no order.
    async fn find(&self, kind: RecordKind, ids: &[String]) -> LedgerResult<Vec<StoredRecord>>;
    async fn list(&self, kind: RecordKind, query: &RecordQuery) -> LedgerResult<RecordPage>;
    /// Makes all changes or none, with their audit entries, and tells every replica.
    ///
    /// # Errors
    /// `Conflict`: an id or a unique column is taken, or a record was changed since it was read.
    async fn commit(&self, changes: &[Change], audit: &[AuditEntry]) -> LedgerResult<()>;
    /// What was changed by whom, newest first.
    async fn audit(&self, query: &AuditQuery) -> LedgerResult<AuditPage>;
}

/// A record as the ledger keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRecord {
    pub kind: RecordKind,
    pub id: String,
    pub columns: Vec<Option<String>>,
    pub document: String,
    pub version: i64,
    pub created_at: Micros,
    pub created_by: Option<String>,
    pub updated_at: Micros,
    pub updated_by: Option<String>,
}

/// One change of a commit.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// There is none yet.
    Insert(StoredRecord),
    /// There is one, of the version before this one's.
    Update(StoredRecord),
    /// Not being there is no error.
    Delete { kind: RecordKind, id: String },
    /// A key has a new text: what was spent under the old one counts on.
    Rename { kind: RecordKind, from: String, to: String },
    /// From now on `spent` tells this amount and what comes after. `None`: for all ids of the scope.
    Spent { scope: SpendScope, id: Option<String>, amount: NanoUsd },
    /// Counting begins anew at that moment, for one id or for all that have this budget.
    Reset { scope: SpendScope, of: ResetOf, at: Micros },
}

/// For whom counting begins anew.
#[derive(Clone, Debug, PartialEq)]
pub enum ResetOf {
    Id(String),
    /// All that this budget limits.
    Budget(String),
    /// All that no budget of their own limits, known or not.
    Rest,
}

/// Which records to list. All given conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct RecordQuery {
    pub conditions: Vec<Condition>,
    pub sort: Sort,
    pub descending: bool,
    /// At most this many. The store caps it at 10,000.
    pub limit: u32,
    pub offset: u32,
}

/// `column`: one of the kind's columns, `id`, or `created_by`.
#[derive(Clone, Debug)]
pub enum Condition {
    /// It is one of these. With none, nothing is found.
    In(&'static str, Vec<String>),
    /// It holds this text, in whatever case.
    Contains(&'static str, String),
    /// It begins with this text, in whatever case.
    Begins(&'static str, String),
    /// At least one of these holds. With none, nothing is found.
    Any(Vec<Condition>),
    /// All of these hold. With none, everything is found.
    All(Vec<Condition>),
    /// It is not set.
    Empty(&'static str),
    /// A moment that has come by then; no moment never comes.
    Due(&'static str, Micros),
}

impl Condition {
    /// Whether it holds of a record that is at hand, as it would in the ledger. `value`: what stands in a column.
    pub fn holds(&self, value: &dyn Fn(&str) -> Option<String>) -> bool {
        let lower = |name: &str| value(name).map(|value| value.to_lowercase());
        match self {
            Condition::In(name, values) => value(name).is_some_and(|value| values.contains(&value)),
            Condition::Contains(name, text) => {
                lower(name).is_some_and(|value| value.contains(&text.to_lowercase()))
            }
            Condition::Begins(name, text) => {
                lower(name).is_some_and(|value| value.starts_with(&text.to_lowercase()))
            }
            Condition::Any(several) => several.iter().any(|condition| condition.holds(value)),
            Condition::All(several) => several.iter().all(|condition| condition.holds(value)),
            Condition::Empty(name) => value(name).is_none(),
            Condition::Due(name, by) => value(name).is_some_and(|at| Some(at) <= due(Some(*by))),
        }
    }
}

/// By what records are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    CreatedAt,
    UpdatedAt,
    Id,
    /// One of the kind's columns.
    Column(&'static str),
    /// What was spent since the last reset.
    Spend,
}

/// Records of a query, and how many match it in all.
#[derive(Clone, Debug, Default)]
pub struct RecordPage {
    pub records: Vec<StoredRecord>,
    /// How many there are in all.
    pub total: u64,
}

/// Who changed what, when, from what to what. Secrets are gone before it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    pub id: String,
    pub at: Micros,
    /// The user; the master's where the master key was used.
    pub changed_by: String,
    /// The hash of the key that was used.
    pub key_hash: String,
    /// `created`, `updated`, `deleted`, `blocked`, `regenerated`, `spend_set`.
    pub action: &'static str,
    pub kind: RecordKind,
    pub object_id: String,
    /// JSON; empty for none.
    pub before: String,
    pub after: String,
}

/// Hears of audit entries once they are kept. Does not wait.
pub trait AuditListener: Send + Sync {
    fn kept(&self, entries: &[AuditEntry]);
}

/// Which audit entries to list.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    pub changed_by: Option<String>,
    pub key_hash: Option<String>,
    pub action: Option<String>,
    pub kind: Option<RecordKind>,
    pub object_id: Option<String>,
    pub id: Option<String>,
    pub from: Option<Micros>,
    /// Exclusive.
    pub until: Option<Micros>,
    pub sort: AuditSort,
    pub ascending: bool,
    pub limit: u32,
    pub offset: u32,
}

/// What audit entries are sorted by; of equal ones the time decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditSort {
    #[default]
    At,
    ChangedBy,
    Key,
    Action,
    Table,
    ObjectId,
}

/// Audit entries of a query, and how many match it in all.
#[derive(Clone, Debug, Default)]
pub struct AuditPage {
    pub entries: Vec<StoredAudit>,
    pub total: u64,
}

/// An audit entry as it was kept: names that this version does not know stay what they were.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAudit {
    pub id: String,
    pub at: Micros,
    pub changed_by: String,
    pub key_hash: String,
    pub action: String,
    /// LiteLLM's name of the table.
    pub table: String,
    pub object_id: String,
    pub before: String,
    pub after: String,
}

/// Callers as the data plane sees them: cached, single-flight, bounded.
#[async_trait]
pub trait KeyLookup: Send + Sync {
    /// `Ok(None)`: no such key. `Unavailable`: not cached and the ledger is away, or too many lookups at once.
    async fn lookup(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<Principal>>>;
    /// Who has signed in with the token that has this hash. `Ok(None)`: nobody, or it was signed out.
    async fn session(&self, _hash: &KeyHash) -> LedgerResult<Option<Arc<Principal>>> {
        Ok(None)
    }
    /// Whoever of both is known without asking anybody, as it was when it was last read.
    async fn remembered(&self, _hash: &KeyHash) -> Option<Arc<Principal>> {
        None
    }
    /// A key that is nowhere kept, with all that stands behind it.
    async fn behind(&self, key: KeyRecord) -> LedgerResult<Principal> {
        Ok(Principal::of(key))
    }
    /// Forgets what a change makes stale here; other replicas follow the ledger's notifications.
    async fn forget(&self, kind: RecordKind, id: &str);
}

/// A customer or a tag, as far as requests are limited by it.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    pub blocked: bool,
    pub limits: Limits,
    /// Where its requests may be computed; `None`: anywhere.
    pub region: Option<String>,
    /// It has a budget of its own, whatever that limits.
    pub budgeted: bool,
    /// What filters have found for earlier requests.
    pub kept: Kept,
}

/// Customers and tags, from memory where possible. `None`: nothing is known of it, so it is limited by nothing.
#[async_trait]
pub trait Holders: Send + Sync {
    async fn customer(&self, id: &str) -> Option<Arc<Holder>>;
    async fn tag(&self, name: &str) -> Option<Arc<Holder>>;
    /// What a budget limits each of those to who have it.
    async fn budget(&self, id: &str) -> Option<Arc<Holder>>;
    /// Whether it is worth asking for any.
    fn may_have_tags(&self) -> bool;
}

/// Responses that are kept for a provider that keeps none.
#[async_trait]
pub trait ResponseStore: Send + Sync {
    /// Fails with `Conflict` when the id exists.
    async fn keep_response(&self, record: &ResponseRecord) -> LedgerResult<()>;
    /// `None`: there is none, or it had expired at `now`.
    async fn response(&self, id: &str, now: Micros) -> LedgerResult<Option<ResponseRecord>>;
    /// Answers whether it was there.
    async fn delete_response(&self, id: &str) -> LedgerResult<bool>;
    /// Deletes what has expired; answers how many there were.
    async fn expire_responses(&self, now: Micros) -> LedgerResult<u64>;
}

/// Is the ledger there?
#[async_trait]
pub trait LedgerHealth: Send + Sync {
    /// Answers from memory: whether the ledger was ever reached, and whether it was at the last look.
    fn state(&self) -> LedgerState;
}

/// Whether the ledger can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerState {
    /// Never reached since start.
    Starting,
    Connected,
    /// Reached before, away now.
    Degraded,
}

/// The local, append-only file that an entry reaches before the client sees its last byte. Calls are short
/// memory copies; they do not wait for a disk.
pub trait Journal: Send + Sync {
    /// Before the first byte of an attempt goes upstream. `attempt`: 1 for the first; a later one's entry replaces an
    /// earlier one's. `entry`: as it would be booked if nothing more were heard, status `Interrupted`, usage estimated.
    fn begin(&self, attempt: u16, entry: &Entry) -> Result<(), JournalFull>;
    /// Before the client gets its last byte. Never refused for an entry whose `begin` was taken: room for it was
    /// set aside then.
    fn end(&self, entry: &Entry) -> Result<(), JournalFull>;
}

/// The journal's byte cap is reached because the ledger does not take entries. Requests are refused (503), so
/// that nothing is served unbooked.
#[derive(Debug, thiserror::Error)]
#[error("journal full")]
pub struct JournalFull;
