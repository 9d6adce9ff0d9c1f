//! What the crates ask of each other. Storage ports are implemented by `ledger`; the gateway hands them to
//! plugins and admin. Every method may be called from any task and never blocks a worker.

use crate::domain::ids::KeyHash;
use crate::domain::key::KeyRecord;
use crate::domain::money::NanoUsd;
use crate::domain::response::ResponseRecord;
use crate::domain::spend::{Begin, Entry};
use crate::time::Micros;
use async_trait::async_trait;
use std::sync::Arc;

/// Why a ledger call failed. The text is for logs, never for a client.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database cannot be reached, or did not answer in time. Worth trying again.
    #[error("ledger unavailable: {0}")]
    Unavailable(String),
    /// Something with this name or hash is there already.
    #[error("already exists: {0}")]
    Conflict(String),
    /// A statement or a stored value is wrong: a defect, or a database of another version.
    #[error("ledger: {0}")]
    Broken(String),
}

pub type LedgerResult<T> = Result<T, LedgerError>;

/// Virtual keys, straight from the database.
#[async_trait]
pub trait KeyStore: Send + Sync {
    async fn key(&self, hash: &KeyHash) -> LedgerResult<Option<KeyRecord>>;
    /// Fails with `Conflict` when the hash or a non-null alias exists.
    async fn insert_key(&self, key: &KeyRecord) -> LedgerResult<()>;
    /// Deletes by hash or alias; answers the hashes that were there.
    async fn delete_keys(&self, hashes: &[KeyHash], aliases: &[String]) -> LedgerResult<Vec<KeyHash>>;
    /// All that was booked under this key since the beginning.
    async fn key_spend(&self, hash: &KeyHash) -> LedgerResult<NanoUsd>;
}

/// Keys as the data plane sees them: cached, single-flight, bounded.
#[async_trait]
pub trait KeyLookup: Send + Sync {
    /// `Ok(None)`: no such key. `Unavailable`: not cached and the ledger is away, or too many lookups at once.
    async fn lookup(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<KeyRecord>>>;
    /// Forgets a key here; other replicas follow the ledger's notifications.
    async fn forget(&self, hash: &KeyHash);
}

/// Which entries to list. All given fields must match.
#[derive(Clone, Debug, Default)]
pub struct SpendFilter {
    pub key_hash: Option<KeyHash>,
    pub user_id: Option<String>,
    pub team_id: Option<String>,
    /// Matches the entry id, the call id or the provider's id.
    pub request_id: Option<String>,
    pub from: Option<Micros>,
    /// Exclusive.
    pub until: Option<Micros>,
    /// At most this many, newest first. The store caps it at 10,000.
    pub limit: u32,
    pub offset: u32,
}

/// What one batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows that were new. Replayed ones are not counted and change no total.
    pub inserted: u64,
    pub cost: NanoUsd,
}

/// Booked entries.
#[async_trait]
pub trait SpendStore: Send + Sync {
    /// Inserts entries and raises totals by exactly those that were new, in one transaction.
    async fn write(&self, entries: &[Entry]) -> LedgerResult<Written>;
    async fn entries(&self, filter: &SpendFilter) -> LedgerResult<Vec<Entry>>;
    /// Total of everything booked.
    async fn total_spend(&self) -> LedgerResult<NanoUsd>;
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
    /// Before the first byte of an attempt goes upstream.
    fn begin(&self, begin: &Begin) -> Result<(), JournalFull>;
    /// Before the client gets its last byte. Never refused for an entry whose `begin` was taken: room for it was
    /// set aside then.
    fn end(&self, entry: &Entry) -> Result<(), JournalFull>;
}

/// The journal's byte cap is reached because the ledger does not take entries. Requests are refused (503), so
/// that nothing is served unbooked.
#[derive(Debug, thiserror::Error)]
#[error("journal full")]
pub struct JournalFull;
