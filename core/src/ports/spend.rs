//! What was spent: entries, and the sums over them.

use super::LedgerResult;
use crate::domain::ids::{EntryId, KeyHash};
use crate::domain::latency::Latency;
use crate::domain::money::NanoUsd;
use crate::domain::spend::SpendScope;
use crate::domain::spend::{Entry, Said, Status};
use crate::time::Micros;
use async_trait::async_trait;
use std::collections::HashMap;

/// Which entries to list. All given fields must match.
#[derive(Clone, Debug, Default)]
pub struct SpendFilter {
    pub key_hash: Option<KeyHash>,
    pub user_id: Option<String>,
    pub team_id: Option<String>,
    pub organization_id: Option<String>,
    pub end_user: Option<String>,
    /// The model group.
    pub model: Option<String>,
    pub status: Option<Status>,
    /// What the client got.
    pub http_status: Option<u16>,
    pub session_id: Option<String>,
    /// Matches the entry id, the call id or the provider's id.
    pub request_id: Option<String>,
    pub from: Option<Micros>,
    /// Exclusive.
    pub until: Option<Micros>,
    pub min_cost: Option<NanoUsd>,
    pub max_cost: Option<NanoUsd>,
    /// Older than this entry: the last one of the page before.
    pub before: Option<(Micros, EntryId)>,
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

/// Sums by day that are kept beside the entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rollup {
    /// By key and all that follows from it. Every entry counts once.
    #[default]
    Keys,
    /// By tag: an entry counts once for each of its tags.
    Tags,
    /// By customer; entries without one are left out.
    Customers,
}

impl Rollup {
    /// Whether these sums are told apart by it.
    pub fn has(self, dimension: Dimension) -> bool {
        match dimension {
            Dimension::Day | Dimension::Key | Dimension::ModelGroup | Dimension::Provider => true,
            Dimension::Tag => self == Rollup::Tags,
            Dimension::Customer => self == Rollup::Customers,
            _ => self == Rollup::Keys,
        }
    }
}

/// What sums are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Days since 1970, UTC.
    Day,
    Key,
    User,
    Team,
    Organization,
    Tag,
    Customer,
    /// The name the client asked for.
    ModelGroup,
    /// The upstream's name.
    Model,
    Provider,
    /// LiteLLM's name of the operation.
    CallType,
}

/// Rows of sums in one answer.
pub const MAX_ROLLUP_ROWS: u32 = 100_000;

/// Sums over days, told apart by some dimensions.
#[derive(Clone, Debug, Default)]
pub struct RollupQuery {
    pub of: Rollup,
    /// Dimensions that the rollup has; the answer's names are in this order.
    pub by: Vec<Dimension>,
    /// Only where each of these dimensions has one of these values.
    pub only: Vec<(Dimension, Vec<String>)>,
    /// Only where none of these dimensions has one of these values.
    pub except: Vec<(Dimension, Vec<String>)>,
    /// Days since 1970, both included.
    pub from: i64,
    pub until: i64,
    pub order: RollupOrder,
    /// The store caps it at [`MAX_ROLLUP_ROWS`].
    pub limit: u32,
    /// Rows left out before the first.
    pub skip: u32,
}

/// The order of a rollup's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RollupOrder {
    /// By the dimensions, in their order.
    #[default]
    Names,
    /// The same, but the first of them from its end: of days, the latest first.
    Latest,
    /// The most expensive first.
    Cost,
}

/// One sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollupRow {
    /// Absent values are empty; a day is its number.
    pub names: Vec<String>,
    pub sums: Sums,
}

impl RollupRow {
    /// The name in this place of [`RollupQuery::by`]; empty where nobody is named.
    pub fn name(&self, at: usize) -> &str {
        self.names.get(at).map_or("", String::as_str)
    }
}

/// What is summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub cost: NanoUsd,
    pub requests: i64,
    pub failures: i64,
    pub input: i64,
    pub output: i64,
    pub cache_read: i64,
    pub cache_write: i64,
    /// Requests whose times are summed here: those that went well, but for answers from the cache and realtime sessions.
    /// Of days that an earlier program summed, or LiteLLM, there are none.
    pub timed: i64,
    /// Microseconds that these took, from the request to the end of the answer.
    pub took: i64,
    /// Those of them that were streams and said something.
    pub streamed: i64,
    /// Microseconds that these took to their first token.
    pub first_token: i64,
}

impl Sums {
    pub fn add(&mut self, other: &Sums) {
        self.cost += other.cost;
        for (sum, more) in [
            (&mut self.requests, other.requests),
            (&mut self.failures, other.failures),
            (&mut self.input, other.input),
            (&mut self.output, other.output),
            (&mut self.cache_read, other.cache_read),
            (&mut self.cache_write, other.cache_write),
            (&mut self.timed, other.timed),
            (&mut self.took, other.took),
            (&mut self.streamed, other.streamed),
            (&mut self.first_token, other.first_token),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// How long answers took on one day, of one model group at one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatencyRow {
    /// Days since 1970, UTC.
    pub day: i64,
    pub model_group: String,
    pub provider: String,
    pub latency: Latency,
}

/// Booked entries.
#[async_trait]
pub trait SpendStore: Send + Sync {
    /// Inserts entries and raises totals by exactly those that were new, in one transaction.
    async fn write(&self, entries: &[Entry]) -> LedgerResult<Written>;
    async fn entries(&self, filter: &SpendFilter) -> LedgerResult<Vec<Entry>>;
    /// How many entries a filter finds, without its limit; counted up to `most`.
    async fn count(&self, filter: &SpendFilter, most: u32) -> LedgerResult<u64>;
    /// Sums by day.
    async fn rollup(&self, query: &RollupQuery) -> LedgerResult<Vec<RollupRow>>;

    /// How long answers took on the days of a query. Nothing where it is narrowed by more than model groups and providers, for
    /// nothing finer is counted; days that an earlier program summed have none.
    async fn latencies(&self, query: &RollupQuery) -> LedgerResult<Vec<LatencyRow>>;

    /// How many rows there are, whatever `limit` and `skip` say.
    async fn rollup_rows(&self, query: &RollupQuery) -> LedgerResult<u64>;
    /// What was spent under each of `ids` since its last reset. Those of whom nothing is known are left out.
    async fn spent(&self, scope: SpendScope, ids: &[String]) -> LedgerResult<HashMap<String, NanoUsd>>;
    /// Under which id what was spent under this one counts now; `None`: under this one. Keys have former ids: the hashes of
    /// texts that they had before.
    async fn heir(&self, scope: SpendScope, id: &str) -> LedgerResult<Option<String>>;
    /// Total of everything booked.
    async fn total_spend(&self) -> LedgerResult<NanoUsd>;
    /// Keeps what was said; what is there already stays.
    async fn keep_said(&self, said: &[Said]) -> LedgerResult<()>;
    /// What was said in those of these exchanges of which it is kept.
    async fn said(&self, entries: &[Entry]) -> LedgerResult<Vec<Said>>;
}
