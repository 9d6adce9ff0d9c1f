//! Batches of entries and the sums over them, in one transaction.

use super::detail::Detail;
use super::latency;
use super::spent;
use super::sums::{self, Anew, Keyed, Place, Raised, keys};
use crate::leases::LeaseBook;
use crate::store::{Engine, Ledger};
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::fmt::Write as _;
use weir_core::config::KeepingSettings;
use weir_core::domain::latency::Latency;
use weir_core::domain::spend::Entry;
use weir_core::ports::{LedgerError, LedgerResult, Sums, Written};
use weir_core::time::Micros;

/// Rows per statement: few sizes keep the number of prepared statements small, halves the number of statements that a batch
/// takes (each is a journey to the engine and back). 256 × 51 values stay below every engine's limit.
static SIZES: &[usize] = &[256, 128, 64, 32, 16, 8, 4, 2, 1];

const INSERT: &str = "INSERT INTO spend_entry (started_at, id, call_id, provider_id, status, key_hash, user_id, \
    team_id, organization_id, session_id, end_user, model_group, cost, detail) ";

/// Columns of `INSERT`.
const COLUMNS: usize = 14;

const ONCE: &str = " ON CONFLICT (started_at, id) DO NOTHING";

pub(crate) const DAILY: Sum = Sum {
    table: "spend_daily",
    dimensions: &[
        "key_hash",
        "user_id",
        "team_id",
        "organization_id",
        "model_group",
        "model",
        "provider",
        "call_type",
    ],
    measures: MEASURES,
};
pub(crate) const TAGS: Sum = Sum {
    table: "spend_daily_tag",
    dimensions: &["tag", "key_hash", "model_group", "provider"],
    measures: MEASURES,
};
pub(crate) const CUSTOMERS: Sum = Sum {
    table: "spend_daily_customer",
    dimensions: &["customer", "key_hash", "model_group", "provider"],
    measures: MEASURES,
};
const LATENCY: Sum =
    Sum { table: latency::TABLE, dimensions: &["model_group", "provider"], measures: latency::MEASURES };

/// In the order of [`Sums::measures`].
const MEASURES: &[&str] = &[
    "cost",
    "requests",
    "failures",
    "input_tokens",
    "output_tokens",
    "cache_read",
    "cache_write",
    "timed",
    "took_us",
    "streamed",
    "first_token_us",
];

/// Whether a batch counts against budgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    Now,
    /// Nobody is held to budgets (`disable_spend_updates`): only days are added up.
    Nowhere,
    /// It is history from elsewhere, where it has counted already: `total` is raised and `base` with it, so that what is
    /// told as spent since the last reset stays what it is. In reports, which are sums of days, it is like any other.
    Before,
}

impl Counts {
    /// What is booked now, as the operator has it.
    pub(crate) fn by(keeping: &KeepingSettings) -> Self {
        if keeping.without_budgets { Counts::Nowhere } else { Counts::Now }
    }
}

/// How `spent` is raised. The amount is bound once for each of the columns after the id.
struct Spent {
    begin: &'static str,
    amounts: usize,
    conflict: &'static str,
}

const SPENT_NOW: Spent = Spent {
    begin: "INSERT INTO spent (scope, id, total) ",
    amounts: 1,
    conflict: " ON CONFLICT (scope, id) DO UPDATE SET total = spent.total + excluded.total",
};
const SPENT_BEFORE: Spent = Spent {
    begin: "INSERT INTO spent (scope, id, total, base) ",
    amounts: 2,
    conflict: " ON CONFLICT (scope, id) DO UPDATE SET total = spent.total + excluded.total, \
        base = spent.base + excluded.base",
};

/// How often a batch is tried that another writer got in the way of.
const TRIES: u32 = 5;

/// A table of sums by day.
pub(crate) struct Sum {
    pub(crate) table: &'static str,
    dimensions: &'static [&'static str],
    measures: &'static [&'static str],
}

/// What a row of a sum is raised by.
pub(crate) trait Measured {
    /// In the order of the sum's columns.
    fn measures(&self) -> Vec<i64>;
}

/// `leases`: what this process holds of budgets, which its entries are paid out of.
pub(crate) async fn write(
    ledger: &Ledger,
    entries: &[Entry],
    counts: Counts,
    leases: Option<&LeaseBook>,
) -> LedgerResult<Written> {
    let (mut tries, mut sort) = (1, false);
    loop {
        match write_once(ledger, entries, counts, leases, sort).await {
            // Two batches that need each other's rows: one of them is told to begin again.
            Err(LedgerError::Busy(_)) if tries < TRIES => tries += 1,
            Ok(None) => sort = true,
            Ok(Some(written)) => return Ok(written),
            Err(error) => return Err(error),
        }
    }
}

/// `sort`: some may be there already. `None`: some are, and nothing was written; it is to be sorted out one by one, since
/// asking for every id back costs more than the insert.
async fn write_once(
    ledger: &Ledger,
    entries: &[Entry],
    counts: Counts,
    leases: Option<&LeaseBook>,
    sort: bool,
) -> LedgerResult<Option<Written>> {
    let keys = keys(entries.iter());
    let entries: Vec<Keyed<'_>> = entries.iter().zip(keys.iter().map(String::as_str)).collect();
    let mut transaction = ledger.noted(ledger.writer.begin().await)?;
    let mut inserted: Vec<Keyed<'_>> = Vec::with_capacity(entries.len());
    for chunk in if sort { entries.chunks(1) } else { entries.chunks(entries.len().max(1)) } {
        match insert_all(ledger, &mut transaction, chunk).await? {
            true => inserted.extend_from_slice(chunk),
            false if sort => {}
            false => {
                ledger.noted(transaction.rollback().await)?;
                return Ok(None);
            }
        }
    }
    let oldest = inserted.iter().map(|(entry, _)| entry.started_at).min();
    let anew = anew(ledger, &mut transaction, oldest).await?;
    let raised = Raised::by(&inserted, &anew);
    let spent = leases.map(|_| raised.all_spent()).unwrap_or_default();
    let paid = leases.map(|leases| leases.paid(&spent)).unwrap_or_default();
    raise_all(ledger, &mut transaction, raised, counts).await?;
    if let Some(leases) = leases.filter(|_| !paid.is_empty()) {
        leases.pay(&mut transaction, &paid).await?;
    }
    ledger.noted(transaction.commit().await)?;
    if let Some(leases) = leases {
        leases.settled(&spent, &paid);
    }
    let cost = inserted.iter().map(|(entry, _)| entry.cost).sum();
    Ok(Some(Written { inserted: inserted.len() as u64, cost }))
}

/// What began anew since the oldest of some entries was admitted; nearly always nothing.
pub(super) async fn anew(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    oldest: Option<Micros>,
) -> LedgerResult<Anew> {
    match oldest {
        Some(oldest) => spent::anew(ledger, transaction, oldest).await,
        None => Ok(Anew::new()),
    }
}

/// Raises every sum that entries are part of.
pub(super) async fn raise_all(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    raised: Raised<'_>,
    counts: Counts,
) -> LedgerResult<()> {
    for (sum, rows) in [DAILY, TAGS, CUSTOMERS].iter().zip(raised.days()) {
        raise(ledger, transaction, sum, &rows).await?;
    }
    raise(ledger, transaction, &LATENCY, &raised.latencies()).await?;
    if counts == Counts::Nowhere {
        return Ok(());
    }
    raise_spent(ledger, transaction, raised.spent, counts).await?;
    raise_spent(ledger, transaction, raised.past, Counts::Before).await
}

/// Pieces of the few sizes.
pub(crate) fn sized<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.iter().find(|size| **size <= rest.len())?;
        let (piece, more) = rest.split_at(*size);
        rest = more;
        Some(piece)
    })
}

/// What a condition compares with, in pieces of few sizes: the rest of a piece says its last once more. A statement for each
/// count of ids would be kept prepared by every connection.
pub(crate) fn filled(ids: &[String]) -> impl Iterator<Item = Vec<String>> {
    const SIZES: [usize; 4] = [1, 4, 16, 100];
    ids.chunks(SIZES[3]).map(|some| {
        let size = SIZES.into_iter().find(|size| *size >= some.len()).unwrap_or(some.len());
        let mut piece = some.to_vec();
        piece.resize(size, some.last().cloned().unwrap_or_default());
        piece
    })
}

// --- entries ---

/// Whether none of them was there before. The count of rows tells, as it nearly always does: only a replay meets some.
async fn insert_all(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    entries: &[Keyed<'_>],
) -> LedgerResult<bool> {
    for chunk in sized(entries) {
        if insert(ledger, transaction, chunk).await? != chunk.len() as u64 {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn insert(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    chunk: &[Keyed<'_>],
) -> LedgerResult<u64> {
    let text = format!("{}{ONCE}", values(ledger.engine, INSERT, chunk.len(), COLUMNS));
    let mut statement = sqlx::query(AssertSqlSafe(text));
    for (entry, key) in chunk.iter().copied() {
        // Texts are copied where they are bound; what is bound as an owned one that may be absent is copied twice.
        statement = statement
            .bind(entry.started_at.0)
            .bind(entry.id.to_string())
            .bind(entry.call_id.as_str())
            .bind(entry.provider_id.as_deref())
            .bind(entry.status.as_str())
            .bind(Some(key).filter(|key| !key.is_empty()))
            .bind(entry.user_id.as_deref())
            .bind(entry.team_id.as_deref())
            .bind(entry.organization_id.as_deref())
            .bind(entry.session_id.as_deref())
            .bind(entry.end_user.as_deref())
            .bind(entry.model_group.as_str())
            .bind(entry.cost.0)
            .bind(Detail::of(entry).text()?);
    }
    ledger.noted(statement.execute(&mut **transaction).await).map(|done| done.rows_affected())
}

/// `VALUES` for so many rows. SQLite looks up the name of each numbered placeholder in a list of all of them, which
/// took most of the time of a batch; nameless ones are not in that list.
fn values(engine: Engine, begin: &str, rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(begin.len() + (rows + 1) * columns * LONGEST_PLACE);
    text.push_str(begin);
    let nameless = vec!["?"; columns].join(", ");
    for row in 0..rows {
        text.push_str(if row == 0 { "VALUES (" } else { ", (" });
        match engine {
            Engine::Postgres => numbered(&mut text, row * columns, columns),
            Engine::Sqlite => text.push_str(&nameless),
        }
        text.push(')');
    }
    text
}

/// Bytes of `, $9999`.
const LONGEST_PLACE: usize = 7;

/// The placeholders of a row, behind so many of other rows.
fn numbered(text: &mut String, before: usize, columns: usize) {
    for column in 1..=columns {
        let comma = if column == 1 { "" } else { ", " };
        // Nothing fails to be written to memory.
        let _ = write!(text, "{comma}${}", before + column);
    }
}

pub(crate) fn placeholder(engine: Engine, number: usize) -> String {
    match engine {
        Engine::Postgres => format!("${number}"),
        Engine::Sqlite => String::from("?"),
    }
}

// --- sums ---

/// No place may be there twice.
pub(crate) async fn raise<M: Measured + Sync>(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    sum: &Sum,
    rows: &[(Place, M)],
) -> LedgerResult<()> {
    for chunk in sized(rows) {
        let mut statement = sqlx::query(AssertSqlSafe(sum.statement(ledger.engine, chunk.len())));
        for ((day, dimensions), measured) in chunk {
            statement = statement.bind(*day);
            statement = dimensions.iter().fold(statement, |statement, value| statement.bind(value.as_str()));
            let measures = measured.measures().into_iter();
            statement = measures.fold(statement, |statement, value| statement.bind(value));
        }
        ledger.noted(statement.execute(&mut **transaction).await)?;
    }
    Ok(())
}

impl Measured for Sums {
    fn measures(&self) -> Vec<i64> {
        vec![
            self.cost.0,
            self.requests,
            self.failures,
            self.input,
            self.output,
            self.cache_read,
            self.cache_write,
            self.timed,
            self.took,
            self.streamed,
            self.first_token,
        ]
    }
}

impl Measured for Latency {
    fn measures(&self) -> Vec<i64> {
        [self.took.0, self.first_token.0].concat()
    }
}

async fn raise_spent(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    spent: sums::Spent<'_>,
    counts: Counts,
) -> LedgerResult<()> {
    let how = match counts {
        Counts::Now => SPENT_NOW,
        Counts::Nowhere => return Ok(()),
        Counts::Before => SPENT_BEFORE,
    };
    let named = spent.into_iter().map(|((scope, id), cost)| (scope.as_str(), id, cost));
    let mut spent: Vec<_> = named.collect();
    // By name, as every version has it: writers that meet take locks in the same order.
    spent.sort_unstable();
    for chunk in sized(&spent) {
        let places = values(ledger.engine, how.begin, chunk.len(), 2 + how.amounts);
        let mut statement = sqlx::query(AssertSqlSafe(format!("{places}{}", how.conflict)));
        for (scope, id, cost) in chunk {
            statement = statement.bind(*scope).bind(&**id);
            statement = (0..how.amounts).fold(statement, |statement, _| statement.bind(cost.0));
        }
        ledger.noted(statement.execute(&mut **transaction).await)?;
    }
    Ok(())
}

impl Sum {
    fn statement(&self, engine: Engine, rows: usize) -> String {
        let (table, dimensions) = (self.table, self.dimensions.join(", "));
        let begin = format!("INSERT INTO {table} (day, {dimensions}, {}) ", self.measures.join(", "));
        let columns = 1 + self.dimensions.len() + self.measures.len();
        let set: Vec<String> =
            self.measures.iter().map(|m| format!("{m} = {table}.{m} + excluded.{m}")).collect();
        let conflict = format!(" ON CONFLICT (day, {dimensions}) DO UPDATE SET {}", set.join(", "));
        format!("{}{conflict}", values(engine, &begin, rows, columns))
    }
}
