//! A database of LiteLLM's, and what is asked of it.

use super::common::{fresh_database, in_ci, open};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;
use weir_core::SecretString;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::RecordKind;
use weir_core::ports::{Directory, RecordQuery, SpendScope, SpendStore};
use weir_ledger::Ledger;
use weir_ledger::litellm::{ImportOptions, Parts, Place, Report, Sealer, import};

pub const DDL: &str = include_str!("ddl.sql");
pub const FILL: &str = include_str!("fill.sql");

/// As migrations alone leave it: a later step adds the column.
const OLDER: &str = "ALTER TABLE \"LiteLLM_SpendLogs\" DROP COLUMN organization_id";

/// Seals so that tests can read it.
struct Plain;

impl Sealer for Plain {
    fn seal(&self, kind: RecordKind, id: &str, text: &str) -> Option<String> {
        Some(format!("{} {id} {text}", kind.row().table))
    }

    fn password(&self, text: &str) -> Option<String> {
        Some(format!("hash of {text}"))
    }
}

/// A database of LiteLLM's.
pub struct LiteLlm {
    pub url: String,
    pool: PgPool,
}

impl LiteLlm {
    pub async fn new(server: &str, statements: &[&'static str]) -> Self {
        let url = fresh_database(server).await;
        let pool = PgPoolOptions::new().max_connections(2).connect(&url).await.unwrap();
        for statement in statements {
            sqlx::raw_sql(*statement).execute(&pool).await.unwrap();
        }
        Self { url, pool }
    }

    pub fn place(&self) -> Place {
        Place { url: SecretString::from(self.url.as_str()), schema: None }
    }

    pub async fn import(&self, ledger: &Ledger, dry_run: bool) -> Report {
        let keys = vec![SecretString::from("sk-salt"), SecretString::from("sk-master")];
        let options = ImportOptions { from: self.place(), dry_run, keys, parts: Parts::All };
        import(ledger, &options, &Plain).await.unwrap()
    }

    pub async fn ask(&self, statement: &str) -> String {
        let row = sqlx::query(AssertSqlSafe(statement.to_owned())).fetch_one(&self.pool).await.unwrap();
        row.try_get::<Option<String>, _>(0).unwrap().unwrap_or_default()
    }

    /// Of every row of every table.
    pub async fn checksums(&self) -> BTreeMap<String, String> {
        let tables = "SELECT CAST(json_agg(tablename) AS TEXT) FROM pg_tables WHERE schemaname = 'public'";
        let tables: Vec<String> = serde_json::from_str(&self.ask(tables).await).unwrap();
        let mut sums = BTreeMap::new();
        for table in tables {
            let sum = format!(
                "SELECT md5(string_agg(CAST(t AS TEXT), '|' ORDER BY CAST(t AS TEXT))) FROM \"{table}\" t"
            );
            sums.insert(table, self.ask(&sum).await);
        }
        sums
    }

    /// Nano-dollars of all rows of a table that have an amount.
    pub async fn nanos(&self, table: &str, only: &str) -> NanoUsd {
        let sum = format!(
            "SELECT CAST(CAST(SUM(ROUND(CAST(CAST(spend AS TEXT) AS NUMERIC), 9)) * 1000000000 AS BIGINT) AS TEXT) \
             FROM \"{table}\" WHERE spend BETWEEN -1e9 AND 1e9 AND {only}"
        );
        NanoUsd(self.ask(&sum).await.parse().unwrap())
    }
}

/// Runs a test with both shapes of SpendLogs, into a ledger in the same database and into one in a file.
pub async fn all(test: impl AsyncFn(&LiteLlm, Ledger)) {
    let Some(server) = server() else { return };
    for statements in [&[DDL, FILL][..], &[DDL, FILL, OLDER]] {
        let litellm = LiteLlm::new(&server, statements).await;
        let dir = tempfile::tempdir().unwrap();
        test(&litellm, open(None, dir.path()).await).await;
        test(&litellm, open(Some(litellm.url.clone()), dir.path()).await).await;
    }
}

pub fn server() -> Option<String> {
    let server = std::env::var("WEIR_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty());
    assert!(server.is_some() || !in_ci(), "CI needs WEIR_TEST_POSTGRES_URL");
    if server.is_none() {
        println!("skipped: no WEIR_TEST_POSTGRES_URL, and LiteLLM keeps its records in Postgres only");
    }
    server
}

pub async fn total(ledger: &Ledger, kind: RecordKind) -> u64 {
    ledger.list(kind, &RecordQuery::default()).await.unwrap().total
}

pub async fn spent(ledger: &Ledger, scope: SpendScope, id: &str) -> NanoUsd {
    ledger.spent(scope, &[id.to_owned()]).await.unwrap().get(id).copied().unwrap_or_default()
}

/// The counts of a report, table by table.
pub fn counts(report: &Report) -> BTreeMap<&str, (u64, u64, u64, u64)> {
    let tables = report.tables.iter().map(|table| {
        let refused: u64 = table.refused.values().map(|refusals| refusals.rows).sum();
        assert_eq!(table.rows, table.taken + table.there + refused, "{table}");
        (table.table.as_str(), (table.rows, table.taken, table.there, refused))
    });
    tables.collect()
}
