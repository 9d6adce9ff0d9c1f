//! Records: one set of statements for all kinds. `statements.rs` makes the SQL, from names in tables and never from
//! input; `audit.rs` keeps who changed what; `principal.rs` loads a key with all that decides what it may do.

mod audit;
mod principal;
mod statements;

pub(crate) use principal::{behind, principal, signed_in};

use crate::spend::spent;
use crate::spend::write::filled;
use crate::store::{Engine, Ledger, broken};
use async_trait::async_trait;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};
use weir_core::domain::records::RecordKind;
use weir_core::ports::{
    AuditEntry, AuditPage, AuditQuery, Change, Directory, LedgerError, LedgerResult, RecordPage, RecordQuery,
    SpendScope, StoredRecord,
};
use weir_core::time::{self, Micros};

/// The channel on which Postgres tells replicas what changed: kind and id.
pub(crate) const CHANNEL: &str = "weir_records";

/// Rows in one answer.
const MAX_LIMIT: u32 = 10_000;

#[async_trait]
impl Directory for Ledger {
    async fn find(&self, kind: RecordKind, ids: &[String]) -> LedgerResult<Vec<StoredRecord>> {
        self.timed("find", self.found(kind, ids)).await
    }

    async fn list(&self, kind: RecordKind, wanted: &RecordQuery) -> LedgerResult<RecordPage> {
        self.timed("list", self.listed(kind, wanted)).await
    }

    async fn commit(&self, changes: &[Change], audit: &[AuditEntry]) -> LedgerResult<()> {
        self.timed("commit", self.committed(changes, audit)).await
    }

    async fn audit(&self, query: &AuditQuery) -> LedgerResult<AuditPage> {
        audit::read(self, query).await
    }
}

impl Ledger {
    async fn found(&self, kind: RecordKind, ids: &[String]) -> LedgerResult<Vec<StoredRecord>> {
        let mut found = Vec::with_capacity(ids.len());
        for some in filled(ids) {
            let statement = statements::find(kind, some.len());
            let rows = some.into_iter().fold(query(statement), |query, id| query.bind(id));
            for row in self.noted(rows.fetch_all(&self.reader).await)? {
                found.push(record(kind, &row)?);
            }
        }
        Ok(found)
    }

    async fn listed(&self, kind: RecordKind, wanted: &RecordQuery) -> LedgerResult<RecordPage> {
        let filter = statements::filter(kind, &wanted.conditions)?;
        let count = filter.bind(query(statements::count(kind, &filter))).fetch_one(&self.reader).await;
        let total: i64 = self.noted(count)?.try_get("total").map_err(broken)?;
        let limit = wanted.limit.min(MAX_LIMIT);
        if limit == 0 || total == 0 {
            return Ok(RecordPage { records: Vec::new(), total: total.unsigned_abs() });
        }
        let statement = statements::list(kind, &filter, wanted)?;
        let rows = filter.bind(query(statement)).bind(i64::from(limit)).bind(i64::from(wanted.offset));
        let rows = self.noted(rows.fetch_all(&self.reader).await)?;
        let records = rows.iter().map(|row| record(kind, row)).collect::<LedgerResult<_>>()?;
        Ok(RecordPage { records, total: total.unsigned_abs() })
    }

    async fn committed(&self, changes: &[Change], audit: &[AuditEntry]) -> LedgerResult<()> {
        let mut transaction = self.noted(self.writer.begin().await)?;
        for change in changes {
            self.apply(&mut transaction, change).await?;
        }
        audit::write(self, &mut transaction, audit).await?;
        self.tell(&mut transaction, changes).await?;
        self.noted(transaction.commit().await)
    }

    async fn apply(&self, transaction: &mut Transaction<'_, Any>, change: &Change) -> LedgerResult<()> {
        let (statement, stored) = match change {
            Change::Insert(stored) => {
                if stored.kind == RecordKind::Key {
                    self.noted(spent::claim(transaction, SpendScope::Key, &stored.id).await)?;
                }
                (bound(statements::insert(stored.kind), stored), stored)
            }
            Change::Update(stored) => {
                (bound(statements::update(stored.kind), stored).bind(stored.version - 1), stored)
            }
            Change::Delete { kind, id } => {
                let deleted = query(statements::delete(*kind)).bind(id.clone());
                return self.noted(deleted.execute(&mut **transaction).await).map(drop);
            }
            Change::Rename { from, to, .. } => {
                return self.noted(spent::rename(transaction, SpendScope::Key, from, to).await);
            }
            Change::Reset { scope, of, at } => {
                let table = statements::table_of(*scope)?;
                return self.noted(spent::reset(transaction, *scope, table, of, *at).await);
            }
            Change::Spent { scope, id, amount } => {
                return self.noted(spent::set(transaction, *scope, id.as_deref(), *amount).await);
            }
        };
        let done = self.noted(statement.execute(&mut **transaction).await)?.rows_affected();
        if done > 0 {
            return Ok(());
        }
        let message = format!("{} {} was changed meanwhile", stored.kind.row().table, stored.id);
        Err(LedgerError::Conflict(message))
    }

    /// Tells other replicas what they have to forget: at once where the engine can, and to those who look.
    async fn tell(&self, transaction: &mut Transaction<'_, Any>, changes: &[Change]) -> LedgerResult<()> {
        for (kind, id) in changes.iter().filter_map(changed) {
            let table = kind.row().table;
            let noted = query(statements::NOTE_CHANGE.to_owned())
                .bind(time::now().0)
                .bind(table.to_owned())
                .bind(id.to_owned());
            self.noted(noted.execute(&mut **transaction).await)?;
            if self.engine == Engine::Sqlite {
                continue;
            }
            let told = query("SELECT CAST(pg_notify($1, $2) AS TEXT)".to_owned())
                .bind(CHANNEL.to_owned())
                .bind(told(table, id));
            self.noted(told.execute(&mut **transaction).await)?;
        }
        Ok(())
    }
}

/// Which record a change makes stale elsewhere. Nobody caches what was spent.
fn changed(change: &Change) -> Option<(RecordKind, &str)> {
    match change {
        Change::Insert(stored) | Change::Update(stored) => Some((stored.kind, &stored.id)),
        Change::Delete { kind, id } | Change::Rename { kind, from: id, .. } => Some((*kind, id)),
        Change::Spent { .. } | Change::Reset { .. } => None,
    }
}

/// Payloads of notifications are short; of a long id only the kind is told, and everything of it is forgotten.
fn told(table: &str, id: &str) -> String {
    const LONGEST: usize = 1_000;
    if id.len() > LONGEST { table.to_owned() } else { format!("{table} {id}") }
}

fn query(statement: String) -> Query<'static, Any, AnyArguments> {
    sqlx::query(AssertSqlSafe(statement))
}

/// The values of `statements::insert` and `update`, in their order.
fn bound(statement: String, stored: &StoredRecord) -> Query<'static, Any, AnyArguments> {
    let named = stored.columns.iter().fold(query(statement), |query, value| query.bind(value.clone()));
    named
        .bind(stored.document.clone())
        .bind(stored.version)
        .bind(stored.created_at.0)
        .bind(stored.created_by.clone())
        .bind(stored.updated_at.0)
        .bind(stored.updated_by.clone())
        .bind(stored.id.clone())
}

fn record(kind: RecordKind, row: &AnyRow) -> LedgerResult<StoredRecord> {
    let columns = kind.row().columns.iter().map(|name| row.try_get(*name));
    Ok(StoredRecord {
        kind,
        id: row.try_get("id").map_err(broken)?,
        columns: columns.collect::<Result<_, _>>().map_err(broken)?,
        document: row.try_get("document").map_err(broken)?,
        version: row.try_get("version").map_err(broken)?,
        created_at: Micros(row.try_get("created_at").map_err(broken)?),
        created_by: row.try_get("created_by").map_err(broken)?,
        updated_at: Micros(row.try_get("updated_at").map_err(broken)?),
        updated_by: row.try_get("updated_by").map_err(broken)?,
    })
}
