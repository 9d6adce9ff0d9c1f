//! Virtual keys.

use crate::store::{Engine, Ledger};
use async_trait::async_trait;
use sqlx::Row;
use sqlx::any::AnyRow;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::ports::{KeyStore, LedgerError, LedgerResult};
use weir_core::time::Micros;

const COLUMNS: &str = "hash, masked, alias, user_id, team_id, models, metadata, max_budget, expires_at, blocked, created_at, created_by";

/// The channel on which Postgres tells replicas that a key changed.
pub(crate) const CHANNEL: &str = "weir_keys";

#[async_trait]
impl KeyStore for Ledger {
    async fn key(&self, hash: &KeyHash) -> LedgerResult<Option<KeyRecord>> {
        let statement = format!("SELECT {COLUMNS} FROM virtual_key WHERE hash = $1");
        let row =
            sqlx::query(sqlx::AssertSqlSafe(statement)).bind(hash.hex()).fetch_optional(&self.reader).await;
        self.noted(row)?.as_ref().map(record).transpose()
    }

    async fn insert_key(&self, key: &KeyRecord) -> LedgerResult<()> {
        let statement = format!(
            "INSERT INTO virtual_key ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        );
        let models = serde_json::to_string(&key.models).map_err(broken)?;
        let inserted = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(key.hash.hex())
            .bind(key.masked.clone())
            .bind(key.alias.clone())
            .bind(key.user_id.clone())
            .bind(key.team_id.clone())
            .bind(models)
            .bind(key.metadata.clone())
            .bind(key.max_budget.map(|b| b.0))
            .bind(key.expires_at.map(|t| t.0))
            .bind(i64::from(key.blocked))
            .bind(key.created_at.0)
            .bind(key.created_by.clone())
            .execute(&self.writer)
            .await;
        self.noted(inserted)?;
        self.tell(&key.hash).await
    }

    async fn delete_keys(&self, hashes: &[KeyHash], aliases: &[String]) -> LedgerResult<Vec<KeyHash>> {
        let mut deleted = Vec::new();
        for (column, value) in
            hashes.iter().map(|h| ("hash", h.hex())).chain(aliases.iter().map(|a| ("alias", a.clone())))
        {
            let statement = format!("DELETE FROM virtual_key WHERE {column} = $1 RETURNING hash");
            let rows = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(value).fetch_all(&self.writer).await;
            for row in self.noted(rows)? {
                let hash = hash(&row)?;
                self.tell(&hash).await?;
                deleted.push(hash);
            }
        }
        Ok(deleted)
    }

    async fn key_spend(&self, hash: &KeyHash) -> LedgerResult<NanoUsd> {
        let sum =
            "SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost FROM spend_daily WHERE key_hash = $1";
        let row = sqlx::query(sum).bind(hash.hex()).fetch_one(&self.reader).await;
        self.noted(row)?.try_get("cost").map(NanoUsd).map_err(broken)
    }
}

impl Ledger {
    /// Tells other replicas to forget a key. SQLite has none.
    async fn tell(&self, hash: &KeyHash) -> LedgerResult<()> {
        if self.engine == Engine::Sqlite {
            return Ok(());
        }
        let told = sqlx::query("SELECT CAST(pg_notify($1, $2) AS TEXT)").bind(CHANNEL).bind(hash.hex());
        self.noted(told.execute(&self.writer).await).map(drop)
    }
}

fn hash(row: &AnyRow) -> LedgerResult<KeyHash> {
    let text: String = row.try_get("hash").map_err(broken)?;
    KeyHash::from_hex(&text).ok_or_else(|| LedgerError::Broken(format!("no hash: {text:?}")))
}

fn record(row: &AnyRow) -> LedgerResult<KeyRecord> {
    let models: String = row.try_get("models").map_err(broken)?;
    let max_budget: Option<i64> = row.try_get("max_budget").map_err(broken)?;
    let expires_at: Option<i64> = row.try_get("expires_at").map_err(broken)?;
    let blocked: i64 = row.try_get("blocked").map_err(broken)?;
    Ok(KeyRecord {
        hash: hash(row)?,
        masked: row.try_get("masked").map_err(broken)?,
        alias: row.try_get("alias").map_err(broken)?,
        user_id: row.try_get("user_id").map_err(broken)?,
        team_id: row.try_get("team_id").map_err(broken)?,
        models: serde_json::from_str(&models).map_err(broken)?,
        metadata: row.try_get("metadata").map_err(broken)?,
        max_budget: max_budget.map(NanoUsd),
        expires_at: expires_at.map(Micros),
        blocked: blocked != 0,
        created_at: Micros(row.try_get("created_at").map_err(broken)?),
        created_by: row.try_get("created_by").map_err(broken)?,
    })
}

pub(crate) fn broken(error: impl std::fmt::Display) -> LedgerError {
    LedgerError::Broken(error.to_string())
}
