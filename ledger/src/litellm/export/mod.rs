//! Back to LiteLLM: records and entries become rows of its tables. What is there of the same id is overwritten, all else
//! stays. `tables.rs` says what goes where, `rows.rs` makes rows of it, `beside.rs` is what LiteLLM keeps in other places
//! than we do, and `logs.rs` writes SpendLogs and the sums by day.

mod beside;
mod logs;
mod rows;
mod tables;

use super::report::Report;
use super::source::{Place, Source, quoted};
use crate::store::{Ledger, broken, sort};
use rows::Json;
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::HashMap;
use tables::{OUT, Out};
use weir_core::ports::{Directory, LedgerError, LedgerResult, RecordQuery, Sort, SpendStore, StoredRecord};

/// Records in one statement.
const PAGE: u32 = 200;

const MISSING: &str = "a user or an organisation that it names is not there";

const NOTES: &[&str] = &[
    "Records that were deleted here, and are in LiteLLM's tables still, stay there.",
    "Models, credentials and settings are not written back, nor are passwords and soft budgets of keys.",
];

/// Writes keys, teams, users, organisations, customers, tags, their memberships and budgets, what was spent under them, and
/// all entries. May be repeated.
///
/// # Errors
/// `to` is no database of LiteLLM's, or one of the two databases is away. What was written until then stays.
pub async fn export(ledger: &Ledger, to: &Place) -> LedgerResult<Report> {
    let target = Source::write(to).await?;
    let mut give = Give { ledger, target: &target, report: Report::default() };
    for out in OUT {
        give.records(out).await?;
    }
    give.logs().await?;
    NOTES.iter().for_each(|note| give.report.note(*note));
    Ok(give.report)
}

/// An export under way.
struct Give<'a> {
    ledger: &'a Ledger,
    target: &'a Source,
    report: Report,
}

impl Give<'_> {
    /// Writes all records of a kind.
    async fn records(&mut self, out: &Out) -> LedgerResult<()> {
        if !self.target.has(out.table) {
            return Ok(());
        }
        self.report.at(out.table);
        for offset in (0..u32::MAX).step_by(PAGE as usize) {
            let query = RecordQuery { sort: Sort::Id, limit: PAGE, offset, ..RecordQuery::default() };
            let page = self.ledger.list(out.kind, &query).await?.records;
            self.page(out, &page).await?;
            if page.len() < PAGE as usize {
                break;
            }
        }
        Ok(())
    }

    async fn page(&mut self, out: &Out, page: &[StoredRecord]) -> LedgerResult<()> {
        let ids: Vec<String> = page.iter().map(|record| record.id.clone()).collect();
        let spent = match out.scope {
            Some(scope) => self.ledger.spent(scope, &ids).await?,
            None => HashMap::new(),
        };
        let beside = self.beside(out.kind, page).await?;
        let mut rows = Vec::with_capacity(page.len());
        for record in page {
            let spent = spent.get(&record.id).copied().unwrap_or_default();
            rows.push((record.id.clone(), rows::row(out, record, spent, beside.get(&record.id))?));
        }
        self.write(out, &rows).await?;
        self.after(out.kind, page).await
    }

    /// Writes rows at once, or one by one where one of them does not fit.
    async fn write(&mut self, out: &Out, rows: &[(String, Json)]) -> LedgerResult<()> {
        let all: Vec<&Json> = rows.iter().map(|(_, row)| row).collect();
        self.report.at(out.table).rows += rows.len() as u64;
        match self.upsert(out, &all).await {
            Ok(written) => {
                let report = self.report.at(out.table);
                report.taken += written;
                report.refuse(MISSING, (rows.len() as u64).saturating_sub(written), None);
            }
            Err(LedgerError::Unavailable(error)) => return Err(LedgerError::Unavailable(error)),
            Err(_) => {
                for (id, row) in rows {
                    self.one(out, id, row).await?;
                }
                return Ok(());
            }
        }
        Ok(())
    }

    async fn one(&mut self, out: &Out, id: &str, row: &Json) -> LedgerResult<()> {
        let written = match self.upsert(out, &[row]).await {
            Err(LedgerError::Unavailable(error)) => return Err(LedgerError::Unavailable(error)),
            Err(error) => Err(error.to_string()),
            Ok(0) => Err(MISSING.to_owned()),
            Ok(written) => Ok(written),
        };
        let report = self.report.at(out.table);
        match written {
            Ok(written) => report.taken += written,
            Err(why) => report.refuse(&why, 1, Some(id)),
        }
        Ok(())
    }

    async fn upsert(&self, out: &Out, rows: &[&Json]) -> LedgerResult<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let json = serde_json::to_string(rows).map_err(broken)?;
        let query = sqlx::query(AssertSqlSafe(self.statement(out))).bind(json);
        query.execute(&self.target.pool).await.map(|done| done.rows_affected()).map_err(sort)
    }

    fn statement(&self, out: &Out) -> String {
        let there = |name: &&str| self.target.has_column(out.table, name);
        let columns: Vec<&str> = out.columns.iter().map(|(name, _)| *name).filter(there).collect();
        let names: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
        let values: Vec<String> = columns.iter().map(|name| self.value(out, name)).collect();
        let set = columns.iter().filter(|name| !out.key.contains(name));
        let set: Vec<String> = set.map(|name| format!("{0} = EXCLUDED.{0}", quoted(name))).collect();
        let key: Vec<String> = out.key.iter().map(|name| quoted(name)).collect();
        let table = self.target.named(out.table);
        format!(
            "INSERT INTO {table} ({}) SELECT {} FROM json_populate_recordset(CAST(NULL AS {table}), CAST($1 AS JSON)) r{} \
             ON CONFLICT ({}) DO UPDATE SET {}",
            names.join(", "),
            values.join(", "),
            self.target.sql(out.only).unwrap_or_default(),
            key.join(", "),
            set.join(", "),
        )
    }

    /// What others name must be there: a name of what is gone becomes none.
    fn value(&self, out: &Out, column: &str) -> String {
        let own = format!("r.{}", quoted(column));
        let named = tables::NAMED.iter().find(|(name, table)| *name == column && *table != out.table);
        match named {
            Some((name, table)) if self.target.has(table) => {
                format!(
                    "(SELECT n.{0} FROM {1} n WHERE n.{0} = {own})",
                    quoted(name),
                    self.target.named(table)
                )
            }
            _ => own,
        }
    }

    /// The first column of the one row that a statement answers.
    async fn ask(&self, statement: String, values: &[&str]) -> LedgerResult<String> {
        let query = sqlx::query(AssertSqlSafe(statement));
        let query = values.iter().fold(query, |query, value| query.bind((*value).to_owned()));
        let row = query.fetch_one(&self.target.pool).await.map_err(sort)?;
        row.try_get(0).map_err(broken)
    }
}
