//! A look at the database from outside: is it there, how far, is its schema whole, is its clock right.

use crate::store::{Ledger, LedgerOptions, sort};
use sqlx::{Executor, Row};
use std::time::{Duration, Instant};
use weir_core::ports::LedgerResult;
use weir_core::time;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    pub postgres: bool,
    /// From a question to its answer, over a connection that is there.
    pub took: Duration,
    /// Migrations that the schema lacks.
    pub missing: usize,
    /// Microseconds that the database's clock is ahead of ours, give or take half of `took`. SQLite has our clock.
    pub ahead: i64,
}

const CLOCK: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS at";

/// Connects and looks, without changing a table. For SQLite the file must be there, or it is made.
///
/// # Errors
/// The database cannot be reached, refuses us, or has nothing that can be read.
pub async fn examine(options: &LedgerOptions) -> LedgerResult<Examined> {
    let ledger = Ledger::unprepared(options).await?;
    ledger.reader.execute("SELECT 1").await.map_err(sort)?;
    let (asked, begun) = (time::now(), Instant::now());
    let ahead = match ledger.is_postgres() {
        true => {
            let row = ledger.reader.fetch_one(sqlx::query(CLOCK)).await.map_err(sort)?;
            let at: i64 = row.try_get("at").map_err(sort)?;
            at - middle(asked.0, time::now().0)
        }
        false => {
            ledger.reader.execute("SELECT 1").await.map_err(sort)?;
            0
        }
    };
    let took = begun.elapsed();
    Ok(Examined { postgres: ledger.is_postgres(), took, missing: ledger.missing().await?, ahead })
}

/// When the database looked at its clock, most likely.
fn middle(from: i64, to: i64) -> i64 {
    from + (to - from) / 2
}
