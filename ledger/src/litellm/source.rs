//! Reading a LiteLLM database: page by page, by key, in transactions that may not write.

use super::row::Row;
use crate::store::{broken, sort};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Executor, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;
use weir_core::ports::{LedgerError, LedgerResult};
use weir_core::{ExposeSecret, SecretString};

/// How a table of LiteLLM's is read.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Columns that are unique together, with their types: pages are cut by them.
    pub(super) key: &'static [(&'static str, &'static str)],
    /// What is read, the key included. What a database does not have is left out.
    pub(super) columns: &'static [&'static str],
    /// What is read beside it.
    pub(super) beside: &'static [Beside],
}

/// An expression over the row `t`. `@LiteLLM_…` stands for that table.
pub(super) struct Beside {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

pub(super) const fn beside(name: &'static str, sql: &'static str) -> Beside {
    Beside { name, sql }
}

/// Where LiteLLM keeps its tables.
#[derive(Clone, Debug)]
pub struct Place {
    pub url: SecretString,
    /// The schema; `None`: the one that the URL names in Prisma's way (`?schema=`), else `public`.
    pub schema: Option<String>,
}

/// A database with LiteLLM's tables.
pub(super) struct Source {
    pub(super) pool: PgPool,
    schema: String,
    /// Columns of each table.
    tables: BTreeMap<String, BTreeSet<String>>,
}

const CONNECTIONS: u32 = 2;
const ACQUIRE: Duration = Duration::from_secs(30);
const READ_ONLY: &str = "SET default_transaction_read_only = on";

const COLUMNS: &str = "SELECT CAST(c.table_name AS TEXT) AS name, CAST(c.column_name AS TEXT) AS piece \
    FROM information_schema.columns c \
    JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
    WHERE c.table_schema = $1 AND starts_with(c.table_name, 'LiteLLM_') AND t.table_type = 'BASE TABLE'";

impl Source {
    /// Opens it for reading only.
    ///
    /// # Errors
    /// It cannot be reached, or there are no tables of LiteLLM's.
    pub(super) async fn read(place: &Place) -> LedgerResult<Self> {
        Self::open(place, READ_ONLY).await
    }

    /// Opens it for writing.
    pub(super) async fn write(place: &Place) -> LedgerResult<Self> {
        Self::open(place, "SELECT 1").await
    }

    async fn open(place: &Place, begin: &'static str) -> LedgerResult<Self> {
        // The URL holds a password and is not repeated.
        let bad = |_| LedgerError::Broken(String::from("LiteLLM's database: not a postgres:// URL"));
        let connect = PgConnectOptions::from_str(place.url.expose_secret()).map_err(bad)?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(begin).await.map(drop) })
            })
            .connect_lazy_with(connect);
        let schema = place.schema.clone().or_else(|| named(place.url.expose_secret()));
        let mut source =
            Self { pool, schema: schema.unwrap_or_else(|| "public".to_owned()), tables: BTreeMap::new() };
        source.look().await?;
        Ok(source)
    }

    async fn look(&mut self) -> LedgerResult<()> {
        let rows =
            sqlx::query(COLUMNS).bind(self.schema.clone()).fetch_all(&self.pool).await.map_err(sort)?;
        for row in &rows {
            let table: String = row.try_get("name").map_err(broken)?;
            self.tables.entry(table).or_default().insert(row.try_get("piece").map_err(broken)?);
        }
        match self.tables.is_empty() {
            true => Err(LedgerError::Broken(format!("no tables of LiteLLM's in the schema {}", self.schema))),
            false => Ok(()),
        }
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    pub(super) fn has_column(&self, table: &str, column: &str) -> bool {
        self.tables.get(table).is_some_and(|columns| columns.contains(column))
    }

    /// All of LiteLLM's tables in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// The table's name as SQL.
    pub(super) fn named(&self, table: &str) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(table))
    }

    /// SQL in which `@LiteLLM_…` stands for a table; `None` where one of them is not there.
    pub(super) fn sql(&self, text: &str) -> Option<String> {
        let mut parts = text.split('@');
        let mut sql = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
            let (table, rest) = part.split_at(end);
            if !self.has(table) {
                return None;
            }
            sql.push_str(&self.named(table));
            sql.push_str(rest);
        }
        Some(sql)
    }

    /// Rows after the one that ended the page before, in the order of the table's key. `only`: those with this value in
    /// this column.
    pub(super) async fn page(
        &self,
        table: &Table,
        only: Option<(&str, &str)>,
        after: Option<&[String]>,
        limit: u32,
    ) -> LedgerResult<Vec<Row>> {
        let statement = self.statement(table, only.map(|(column, _)| column), after.is_some(), limit);
        let places =
            only.map(|(_, value)| value.to_owned()).into_iter().chain(after.unwrap_or_default().to_vec());
        let query = places.fold(sqlx::query(AssertSqlSafe(statement)), |query, place| query.bind(place));
        let rows = query.fetch_all(&self.pool).await.map_err(sort)?;
        rows.iter().map(parsed).collect()
    }

    fn statement(&self, table: &Table, only: Option<&str>, after: bool, limit: u32) -> String {
        let columns = table.columns.iter().filter(|column| self.has_column(table.name, column));
        let columns = columns.map(|column| format!("t.{}", quoted(column)));
        let beside =
            table.beside.iter().filter_map(|b| Some(format!("({}) AS {}", self.sql(b.sql)?, quoted(b.name))));
        let selected: Vec<String> = columns.chain(beside).collect();
        let mut tests = Vec::new();
        tests.extend(only.map(|column| format!("t.{} = $1", quoted(column))));
        tests.extend(after.then(|| later(table.key, 1 + tests.len())));
        let filter = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
        format!(
            "SELECT CAST(row_to_json(r) AS TEXT) AS \"row\" FROM (SELECT {} FROM {} t{filter} ORDER BY {} LIMIT {limit}) r",
            selected.join(", "),
            self.named(table.name),
            key(table.key),
        )
    }

    /// The one value of a statement in which `@LiteLLM_…` stands for a table, as text; `None` also where one of them is not
    /// there.
    pub(super) async fn ask(&self, text: &str, values: &[&str]) -> LedgerResult<Option<String>> {
        Ok(self.ask_all(text, values).await?.into_iter().next())
    }

    /// The same of all rows. Null is left out.
    pub(super) async fn ask_all(&self, text: &str, values: &[&str]) -> LedgerResult<Vec<String>> {
        let Some(statement) = self.sql(text) else { return Ok(Vec::new()) };
        let query = sqlx::query(AssertSqlSafe(statement));
        let query = values.iter().fold(query, |query, value| query.bind((*value).to_owned()));
        let rows = query.fetch_all(&self.pool).await.map_err(sort)?;
        let answers = rows.iter().map(|row| row.try_get::<Option<String>, _>(0).map_err(broken));
        Ok(answers.collect::<LedgerResult<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// How many rows a table has; none where it is not there.
    pub(super) async fn count(&self, table: &str) -> LedgerResult<u64> {
        let count = self.ask(&format!("SELECT CAST(COUNT(*) AS TEXT) FROM @{table}"), &[]).await?;
        count.map_or(Ok(0), |count| count.parse().map_err(broken))
    }
}

impl Table {
    /// Where a page that ends with this row ends.
    pub(super) fn place(&self, row: &Row) -> Vec<String> {
        self.key.iter().map(|(column, _)| row.place(column)).collect()
    }

    /// A row's id, for people.
    pub(super) fn id(&self, row: &Row) -> String {
        self.key.iter().map(|(column, _)| row.place(column)).collect::<Vec<_>>().join(" ")
    }
}

fn parsed(row: &PgRow) -> LedgerResult<Row> {
    let text: String = row.try_get("row").map_err(broken)?;
    Row::parse(&text)
}

fn later(columns: &[(&str, &str)], first: usize) -> String {
    let place = |(at, (_, kind)): (usize, &(&str, &str))| format!("CAST(${} AS {kind})", first + at);
    let places: Vec<String> = columns.iter().enumerate().map(place).collect();
    format!("({}) > ({})", key(columns), places.join(", "))
}

fn key(columns: &[(&str, &str)]) -> String {
    let columns: Vec<String> = columns.iter().map(|(column, _)| format!("t.{}", quoted(column))).collect();
    columns.join(", ")
}

/// A name as SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The schema that Prisma's URLs name.
fn named(url: &str) -> Option<String> {
    let (_, parameters) = url.split_once('?')?;
    let named = parameters.split('&').find_map(|parameter| parameter.strip_prefix("schema="));
    named.filter(|schema| !schema.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prismas_urls_name_the_schema() {
        assert_eq!(named("postgresql://a:b@h/db?connection_limit=5&schema=llm"), Some("llm".into()));
        assert_eq!(named("postgresql://a:b@h/db?schema="), None);
        assert_eq!(named("postgresql://a:b@h/db"), None);
    }

    #[test]
    fn pages_are_cut_by_the_whole_key() {
        let key = [("startTime", "TIMESTAMP"), ("id", "TEXT")];
        assert_eq!(later(&key, 2), r#"(t."startTime", t."id") > (CAST($2 AS TIMESTAMP), CAST($3 AS TEXT))"#);
    }
}
