//! Bridged responses, sealed.

use crate::store::{Ledger, broken};
use async_trait::async_trait;
use sqlx::Row;
use sqlx::any::AnyRow;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::response::ResponseRecord;
use weir_core::ports::{LedgerError, LedgerResult, ResponseStore};
use weir_core::time::Micros;

const INSERT: &str = "INSERT INTO response_state (id, owner, deployment_id, model, created_at, expires_at, sealed) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7)";
const SELECT: &str = "SELECT id, owner, deployment_id, model, created_at, expires_at, sealed FROM response_state \
                      WHERE id = $1 AND expires_at > $2";

#[async_trait]
impl ResponseStore for Ledger {
    async fn keep_response(&self, record: &ResponseRecord) -> LedgerResult<()> {
        let inserted = sqlx::query(INSERT)
            .bind(record.id.clone())
            .bind(record.owner.hex())
            .bind(record.deployment_id.clone())
            .bind(record.model.clone())
            .bind(record.created_at.0)
            .bind(record.expires_at.0)
            .bind(record.sealed.clone())
            .execute(&self.writer)
            .await;
        self.noted(inserted).map(drop)
    }

    async fn response(&self, id: &str, now: Micros) -> LedgerResult<Option<ResponseRecord>> {
        let row = sqlx::query(SELECT).bind(id.to_owned()).bind(now.0).fetch_optional(&self.reader).await;
        self.noted(row)?.as_ref().map(record).transpose()
    }

    async fn delete_response(&self, id: &str) -> LedgerResult<bool> {
        let statement = "DELETE FROM response_state WHERE id = $1";
        let deleted = sqlx::query(statement).bind(id.to_owned()).execute(&self.writer).await;
        self.noted(deleted).map(|done| done.rows_affected() > 0)
    }

    async fn expire_responses(&self, now: Micros) -> LedgerResult<u64> {
        let statement = "DELETE FROM response_state WHERE expires_at <= $1";
        let deleted = sqlx::query(statement).bind(now.0).execute(&self.writer).await;
        self.noted(deleted).map(|done| done.rows_affected())
    }
}

/// For changing the secret that responses are sealed with.
impl Ledger {
    /// Ids behind `after` in their order, with what is sealed, at most `limit`.
    ///
    /// # Errors
    /// The database is away, or holds something else.
    pub async fn sealed_responses(&self, after: &str, limit: u32) -> LedgerResult<Vec<(String, Vec<u8>)>> {
        const ALL: &str = "SELECT id, sealed FROM response_state WHERE id > $1 ORDER BY id LIMIT $2";
        let rows =
            sqlx::query(ALL).bind(after.to_owned()).bind(i64::from(limit)).fetch_all(&self.reader).await;
        let read = |row: &AnyRow| -> LedgerResult<(String, Vec<u8>)> {
            Ok((row.try_get("id").map_err(broken)?, row.try_get("sealed").map_err(broken)?))
        };
        self.noted(rows)?.iter().map(read).collect()
    }

    /// Puts another sealed text in the place of one.
    ///
    /// # Errors
    /// The database is away.
    pub async fn reseal_response(&self, id: &str, sealed: Vec<u8>) -> LedgerResult<()> {
        const CHANGE: &str = "UPDATE response_state SET sealed = $1 WHERE id = $2";
        let done = sqlx::query(CHANGE).bind(sealed).bind(id.to_owned()).execute(&self.writer).await;
        self.noted(done).map(drop)
    }
}

fn record(row: &AnyRow) -> LedgerResult<ResponseRecord> {
    let owner: String = row.try_get("owner").map_err(broken)?;
    Ok(ResponseRecord {
        id: row.try_get("id").map_err(broken)?,
        owner: KeyHash::from_hex(&owner).ok_or_else(|| LedgerError::Broken(format!("no hash: {owner:?}")))?,
        deployment_id: row.try_get("deployment_id").map_err(broken)?,
        model: row.try_get("model").map_err(broken)?,
        created_at: Micros(row.try_get("created_at").map_err(broken)?),
        expires_at: Micros(row.try_get("expires_at").map_err(broken)?),
        sealed: row.try_get("sealed").map_err(broken)?,
    })
}
