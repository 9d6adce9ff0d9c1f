//! A later program has changed the schema, and this one is rolled back to: it serves on it (P32).

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

#[expect(dead_code, reason = "ledgers are opened twice here")]
mod common;

use common::{entry, fresh_database, in_ci, key, open};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::ports::records::{get, insert};
use weir_core::ports::{Directory, SpendFilter, SpendStore};
use weir_core::time::Micros;
use weir_ledger::Ledger;

/// Columns and a table of which this program knows nothing, and the note that a later one leaves of them. `bytes`: how
/// the engine calls them.
async fn changed_later(url: &str, before: &'static str, bytes: &str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    let note = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (999999, 'later', TRUE, CAST('a' AS {bytes}), 0)"
    );
    for statement in [
        before,
        "ALTER TABLE spend_entry ADD COLUMN of_later TEXT",
        "ALTER TABLE virtual_key ADD COLUMN of_later TEXT",
        "CREATE TABLE of_later (id TEXT PRIMARY KEY)",
    ] {
        connection.execute(statement).await.unwrap();
    }
    connection.execute(AssertSqlSafe(note)).await.unwrap();
    connection.close().await.unwrap();
}

async fn serves(ledger: Ledger) {
    let one = entry(5);
    ledger.write(std::slice::from_ref(&one)).await.unwrap();
    let all = SpendFilter { limit: 10, ..SpendFilter::default() };
    assert_eq!(ledger.entries(&all).await.unwrap(), [one]);
    let made = insert(&key("sk-later"), Micros(1), None).unwrap();
    ledger.commit(&[made], &[]).await.unwrap();
    let kept = get::<KeyRecord>(&ledger, &KeyHash::of("sk-later").hex()).await.unwrap().unwrap();
    assert!(kept.blocked);
}

#[tokio::test]
async fn p32_an_older_program_serves_on_the_schema_of_a_later_one() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(None, dir.path()).await);
    let file = format!("sqlite://{}", dir.path().join("ledger.db").display());
    changed_later(&file, "SELECT 1", "BLOB").await;
    serves(open(None, dir.path()).await).await;

    let Some(server) = std::env::var("WEIR_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        assert!(!in_ci(), "CI needs WEIR_TEST_POSTGRES_URL");
        println!("skipped: no WEIR_TEST_POSTGRES_URL, so only SQLite was tested");
        return;
    };
    let url = fresh_database(&server).await;
    drop(open(Some(url.clone()), dir.path()).await);
    changed_later(&url, "SET search_path TO weir, public", "BYTEA").await;
    serves(open(Some(url), dir.path()).await).await;
}
