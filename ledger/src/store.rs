//! One set of statements over two engines: `sqlx::Any` carries them, since all our columns are text and integers.
//! What differs between the engines is here and nowhere else.

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, Executor};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use weir_core::ports::meter::{Call, Meter, Service};
use weir_core::ports::{LedgerError, LedgerHealth, LedgerResult, LedgerState};
use weir_core::{ExposeSecret, SecretString};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Postgres,
    Sqlite,
}

/// The database of record. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) engine: Engine,
    /// SQLite has one writer at a time; Postgres uses the same pool for both.
    pub(crate) writer: AnyPool,
    pub(crate) reader: AnyPool,
    /// Of admins and of reports.
    others: [Pools; 2],
    url: SecretString,
    migrates: bool,
    state: Arc<AtomicU8>,
    /// Who wants to know how long it takes.
    meter: Option<Arc<dyn Meter>>,
}

/// Who asks. Each has connections of its own, so that nobody waits behind a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    Admin,
    Reports,
}

#[derive(Clone)]
struct Pools {
    writer: AnyPool,
    reader: AnyPool,
}

/// How the ledger is reached.
#[derive(Clone, Debug)]
pub struct LedgerOptions {
    /// `postgres://…`; `None`: SQLite in the data directory.
    pub url: Option<SecretString>,
    pub data_dir: PathBuf,
    /// Connections at most (Postgres), of all who ask together.
    pub pool: u32,
    /// How long a statement may wait for a connection.
    pub acquire: Duration,
    /// Whether the schema is brought up to date here; else it must be, and `weir migrate` does it.
    pub migrate: bool,
}

const SQLITE_READERS: u32 = 4;
/// With fewer connections than this everybody shares them.
const DIVIDED: u32 = 4;
/// What takes longer is no report that anybody waits for.
const REPORT_TIMEOUT: &str = "SET statement_timeout TO '60s'";
const RETRY: Duration = Duration::from_secs(1);
static PRAGMAS: &[&str] = &[
    // Rows are about a kilobyte: with larger pages fewer are split and fewer are written to the log.
    "PRAGMA page_size = 16384",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
    // Entries come in batches: fewer, larger checkpoints.
    "PRAGMA wal_autocheckpoint = 1000",
];
/// KiB of pages that a connection keeps: the indexes' upper pages stay in the writer's memory. What readers keep beside
/// the system's own cache would be there once for each of them.
const WRITER_CACHE: &str = "PRAGMA cache_size = -8000";
const READER_CACHE: &str = "PRAGMA cache_size = -2000";
/// Tables with a part for each month.
pub(crate) static BY_MONTH: &[&str] = &["spend_entry", "spend_said"];
/// Seconds.
const SHORTEST_MONTH: i64 = 28 * 86_400;
const MOST_MONTHS: i32 = 120;
const SCHEMA: &str = "CREATE SCHEMA IF NOT EXISTS weir";

// --- opening ---

impl Ledger {
    /// Connects, and migrates where it may. With Postgres away this still answers: the ledger is `Starting` and keeps
    /// trying. Fails when the URL is none, or the SQLite file cannot be used.
    pub async fn open(options: LedgerOptions) -> LedgerResult<Ledger> {
        let ledger = Self::unprepared(&options).await?;
        match ledger.prepare().await {
            Ok(()) => ledger.set(LedgerState::Connected),
            Err(error) if ledger.engine == Engine::Sqlite => return Err(error),
            Err(error) => {
                tracing::warn!("the ledger is not there yet: {error}");
                tokio::spawn(keep_trying(ledger.clone()));
            }
        }
        Ok(ledger)
    }

    /// With whatever schema there is. Nothing is connected to yet.
    pub(crate) async fn unprepared(options: &LedgerOptions) -> LedgerResult<Ledger> {
        sqlx::any::install_default_drivers();
        match &options.url {
            Some(url) => Self::postgres(url, options),
            None => Self::sqlite(options).await,
        }
    }

    fn postgres(url: &SecretString, options: &LedgerOptions) -> LedgerResult<Ledger> {
        let connect = AnyConnectOptions::from_str(url.expose_secret()).map_err(|_| bad_url())?;
        let [requests, admin, reports] = divided(options.pool.max(2));
        let pool = |size: u32, setup: &'static str| {
            AnyPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(options.acquire)
                .after_connect(move |connection, _| Box::pin(use_schema(connection, setup)))
                .connect_lazy_with(connect.clone())
        };
        let all = Pools::both(pool(requests, ""));
        let others = match (admin, reports) {
            (0, _) | (_, 0) => [all.clone(), all.clone()],
            _ => [Pools::both(pool(admin, "")), Pools::both(pool(reports, REPORT_TIMEOUT))],
        };
        Ok(Self::of(Engine::Postgres, all, others, url.clone(), options.migrate))
    }

    async fn sqlite(options: &LedgerOptions) -> LedgerResult<Ledger> {
        let path = options.data_dir.join("ledger.db");
        create_private(&path).map_err(|e| LedgerError::Unavailable(format!("{}: {e}", path.display())))?;
        let url = format!("sqlite://{}?mode=rwc", path.display());
        let connect = AnyConnectOptions::from_str(&url).map_err(|_| bad_url())?;
        let pool = |size, cache: &'static str| {
            AnyPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(options.acquire)
                .after_connect(move |connection, _| Box::pin(pragmas(connection, cache)))
                .connect_lazy_with(connect.clone())
        };
        let url = SecretString::from(url);
        let writer = pool(1, WRITER_CACHE);
        let of = |readers| Pools { writer: writer.clone(), reader: pool(readers, READER_CACHE) };
        let others = [of(SQLITE_READERS / 2), of(SQLITE_READERS / 2)];
        Ok(Self::of(Engine::Sqlite, of(SQLITE_READERS), others, url, options.migrate))
    }

    fn of(engine: Engine, of: Pools, others: [Pools; 2], url: SecretString, migrates: bool) -> Ledger {
        let Pools { writer, reader } = of;
        let state = Arc::new(AtomicU8::new(0));
        Ledger { engine, writer, reader, others, url, migrates, state, meter: None }
    }

    /// The same ledger over connections of their own.
    #[must_use]
    pub fn share(&self, asker: Asker) -> Ledger {
        let [admin, reports] = self.others.clone();
        let Pools { writer, reader } = if asker == Asker::Admin { admin } else { reports };
        Ledger { writer, reader, ..self.clone() }
    }

    /// The same ledger, which tells how long it takes.
    #[must_use]
    pub fn metered(self, meter: Arc<dyn Meter>) -> Ledger {
        Ledger { meter: Some(meter), ..self }
    }

    /// Waits for a call, and tells how long it took. `operation`: what it is for.
    pub(crate) async fn timed<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = LedgerResult<T>>,
    ) -> LedgerResult<T> {
        let Some(meter) = &self.meter else { return call.await };
        let begun = Instant::now();
        let done = call.await;
        let error = done.as_ref().err().and_then(LedgerError::class);
        meter.took(&Call { service: Service::Ledger, operation, took: begun.elapsed(), error });
        done
    }

    /// A schema that this program can use: made here, or waited for.
    async fn prepare(&self) -> LedgerResult<()> {
        if self.migrates {
            return self.migrate().await;
        }
        let missing = self.missing().await?;
        if missing == 0 {
            return self.partitions().await;
        }
        let message =
            format!("{missing} migrations are missing, and none are made at start: run `weir migrate`");
        Err(LedgerError::Unavailable(message))
    }

    /// Brings the schema up to date; sqlx holds an advisory lock on Postgres meanwhile. What a later version has added
    /// is left alone, for migrations only add.
    ///
    /// # Errors
    /// The database is away, or a migration cannot be made.
    pub async fn migrate(&self) -> LedgerResult<()> {
        let migrated = self.migrations().run(&self.writer).await;
        migrated.map_err(|e| LedgerError::Unavailable(e.to_string()))?;
        self.partitions().await
    }

    fn migrations(&self) -> sqlx::migrate::Migrator {
        let mut migrations = match self.engine {
            Engine::Postgres => sqlx::migrate!("../migrations/postgres"),
            Engine::Sqlite => sqlx::migrate!("../migrations/sqlite"),
        };
        migrations.set_ignore_missing(true);
        migrations
    }

    /// How many migrations the schema lacks.
    pub(crate) async fn missing(&self) -> LedgerResult<usize> {
        let all = self.migrations().iter().count();
        let done =
            sqlx::query("SELECT CAST(version AS BIGINT) AS version FROM _sqlx_migrations WHERE success");
        match self.reader.fetch_all(done).await {
            Ok(rows) => Ok(all.saturating_sub(rows.len())),
            // There is no table yet.
            Err(sqlx::Error::Database(_)) => Ok(all),
            Err(error) => Err(sort(error)),
        }
    }

    /// Partitions for this month and the next. Entries of a month without one go to the default partition.
    pub(crate) async fn partitions(&self) -> LedgerResult<()> {
        self.partitions_of(0..=1).await
    }

    /// The same for all months since then (seconds since 1970), for as many years as anybody keeps entries.
    pub(crate) async fn partitions_since(&self, then: i64) -> LedgerResult<()> {
        let passed = weir_core::time::now().seconds().saturating_sub(then) / SHORTEST_MONTH;
        let months = i32::try_from(passed).unwrap_or(MOST_MONTHS).clamp(0, MOST_MONTHS);
        self.partitions_of(-months..=1).await
    }

    async fn partitions_of(&self, months: RangeInclusive<i32>) -> LedgerResult<()> {
        if self.engine == Engine::Sqlite {
            return Ok(());
        }
        let now = weir_core::time::now().seconds();
        for month in months {
            for table in BY_MONTH {
                let Some(statement) = partition(table, now, month) else { continue };
                if let Err(error) = self.writer.execute(sqlx::AssertSqlSafe(statement)).await {
                    tracing::warn!("a month's partition could not be made: {error}");
                }
            }
        }
        Ok(())
    }

    pub(crate) fn url(&self) -> &SecretString {
        &self.url
    }

    pub fn is_postgres(&self) -> bool {
        self.engine == Engine::Postgres
    }

    // --- state ---

    pub(crate) fn set(&self, state: LedgerState) {
        let number = match state {
            LedgerState::Starting => 0,
            LedgerState::Connected => 1,
            LedgerState::Degraded => 2,
        };
        if self.state.swap(number, Ordering::Relaxed) != number {
            tracing::info!("ledger: {state:?}");
        }
    }

    /// Notes what an operation says about the ledger, and passes it on.
    pub(crate) fn noted<T>(&self, result: Result<T, sqlx::Error>) -> LedgerResult<T> {
        let result = result.map_err(sort);
        match &result {
            Ok(_) if self.state() == LedgerState::Degraded => self.set(LedgerState::Connected),
            Err(LedgerError::Unavailable(_)) if self.state() == LedgerState::Connected => {
                self.set(LedgerState::Degraded)
            }
            _ => {}
        }
        result
    }

    /// Looks whether the ledger is there, once.
    pub async fn probe(&self) {
        if self.state() != LedgerState::Starting {
            // `noted` keeps the state.
            let _known = self.noted(self.reader.execute("SELECT 1").await);
        }
    }
}

impl LedgerHealth for Ledger {
    fn state(&self) -> LedgerState {
        match self.state.load(Ordering::Relaxed) {
            0 => LedgerState::Starting,
            1 => LedgerState::Connected,
            _ => LedgerState::Degraded,
        }
    }
}

/// Brings a schema up to date, waiting for the database as long as that.
///
/// # Errors
/// The database did not come in time, or a migration cannot be made.
pub async fn migrate(options: LedgerOptions, wait: Duration) -> LedgerResult<()> {
    let until = std::time::Instant::now() + wait;
    let ledger = Ledger::unprepared(&options).await?;
    loop {
        match ledger.migrate().await {
            Err(error) if std::time::Instant::now() < until => {
                tracing::info!("waiting for the database: {error}");
                tokio::time::sleep(RETRY).await;
            }
            done => return done,
        }
    }
}

async fn keep_trying(ledger: Ledger) {
    loop {
        tokio::time::sleep(RETRY).await;
        match ledger.prepare().await {
            Ok(()) => return ledger.set(LedgerState::Connected),
            Err(error) => tracing::debug!("the ledger is not there yet: {error}"),
        }
    }
}

impl Pools {
    fn both(pool: AnyPool) -> Self {
        Self { writer: pool.clone(), reader: pool }
    }
}

/// Connections for requests and the writer, for admins, and for reports.
fn divided(all: u32) -> [u32; 3] {
    let other = if all < DIVIDED { 0 } else { all / 4 };
    [all - 2 * other, other, other]
}

async fn use_schema(connection: &mut AnyConnection, more: &'static str) -> Result<(), sqlx::Error> {
    connection.execute(SCHEMA).await?;
    connection.execute("SET search_path TO weir, public").await?;
    if !more.is_empty() {
        connection.execute(more).await?;
    }
    Ok(())
}

/// A crash of the machine may lose the last commits of SQLite, never the file; the journal has them still.
async fn pragmas(connection: &mut AnyConnection, cache: &'static str) -> Result<(), sqlx::Error> {
    for pragma in PRAGMAS.iter().chain([&cache]) {
        connection.execute(*pragma).await?;
    }
    Ok(())
}

/// Only the owner may read keys' hashes and spend.
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

fn bad_url() -> LedgerError {
    // The URL holds a password and is not repeated.
    LedgerError::Broken(String::from("DATABASE_URL is not a postgres:// URL"))
}

/// The statement that makes the partition of the month `ahead` months after `now` (seconds).
fn partition(table: &str, now: i64, ahead: i32) -> Option<String> {
    let today = jiff::Timestamp::from_second(now).ok()?.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let first = today.first_of_month().checked_add(jiff::Span::new().months(ahead)).ok()?;
    let next = first.checked_add(jiff::Span::new().months(1)).ok()?;
    let micros =
        |date: jiff::civil::Date| date.duration_since(jiff::civil::date(1970, 1, 1)).as_secs() * 1_000_000;
    Some(format!(
        "CREATE TABLE IF NOT EXISTS {table}_{:04}_{:02} PARTITION OF {table} FOR VALUES FROM ({}) TO ({})",
        first.year(),
        first.month(),
        micros(first),
        micros(next),
    ))
}

/// Another process has the file for longer than `busy_timeout`, or has written since a transaction began to read: worth
/// trying again. Postgres has no codes like these.
static SQLITE_BUSY: &[&str] = &["5", "261", "517"];

/// A value that is not what this version writes.
pub(crate) fn broken(error: impl std::fmt::Display) -> LedgerError {
    LedgerError::Broken(error.to_string())
}

/// Which of our errors a database error is.
pub(crate) fn sort(error: sqlx::Error) -> LedgerError {
    match &error {
        sqlx::Error::Database(db) if db.is_unique_violation() => {
            LedgerError::Conflict(db.message().to_owned())
        }
        // A deadlock, or a transaction that another one got in the way of.
        sqlx::Error::Database(db) if db.code().is_some_and(|c| c == "40P01" || c == "40001") => {
            LedgerError::Busy(error.to_string())
        }
        // Connection exceptions, insufficient resources and operator intervention are of the moment.
        sqlx::Error::Database(db)
            if db.code().is_some_and(|c| ["08", "53", "57"].iter().any(|p| c.starts_with(p))) =>
        {
            LedgerError::Unavailable(error.to_string())
        }
        sqlx::Error::Database(db) if db.code().is_some_and(|c| SQLITE_BUSY.iter().any(|busy| c == *busy)) => {
            LedgerError::Unavailable(error.to_string())
        }
        sqlx::Error::Database(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            LedgerError::Broken(error.to_string())
        }
        _ => LedgerError::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_connections_add_up() {
        assert_eq!([divided(2), divided(3)], [[2, 0, 0], [3, 0, 0]], "too few to divide");
        for all in 4..200 {
            let shares = divided(all);
            assert_eq!(shares.iter().sum::<u32>(), all);
            assert!(shares.iter().all(|share| *share > 0 && *share <= shares[0]), "{shares:?}");
        }
    }

    #[test]
    fn a_month_has_one_partition() {
        let statement = partition("spend_entry", 1_795_622_400, 1).unwrap(); // 2026-11-25
        assert!(
            statement.contains("spend_entry_2026_12") && statement.contains("FROM (1796083200000000)"),
            "{statement}"
        );
    }
}
