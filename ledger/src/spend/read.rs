//! Reading entries and totals.

use super::detail::Columns;
use super::write;
use crate::keys::broken;
use crate::store::Ledger;
use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{Any, QueryBuilder, Row};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::Entry;
use weir_core::ports::{LedgerResult, SpendFilter, SpendStore, Written};

const SELECT: &str = "SELECT started_at, id, call_id, provider_id, status, key_hash, user_id, team_id, end_user, \
    model_group, cost, detail FROM spend_entry WHERE 1 = 1";

/// Nobody reads more rows in one answer.
const MAX_ROWS: u32 = 10_000;

#[async_trait]
impl SpendStore for Ledger {
    async fn write(&self, entries: &[Entry]) -> LedgerResult<Written> {
        write::write(self, entries).await
    }

    async fn entries(&self, filter: &SpendFilter) -> LedgerResult<Vec<Entry>> {
        let mut query = select(filter);
        let rows = query.build().fetch_all(&self.reader).await;
        self.noted(rows)?.iter().map(entry).collect()
    }

    async fn total_spend(&self) -> LedgerResult<NanoUsd> {
        let sum = "SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost FROM spend_daily";
        let row = sqlx::query(sum).fetch_one(&self.reader).await;
        self.noted(row)?.try_get("cost").map(NanoUsd).map_err(broken)
    }
}

fn select(filter: &SpendFilter) -> QueryBuilder<Any> {
    let mut query = QueryBuilder::new(SELECT);
    let texts = [
        (" AND key_hash = ", filter.key_hash.map(|h| h.hex())),
        (" AND user_id = ", filter.user_id.clone()),
        (" AND team_id = ", filter.team_id.clone()),
    ];
    for (clause, value) in texts {
        if let Some(value) = value {
            query.push(clause).push_bind(value);
        }
    }
    for (clause, time) in [(" AND started_at >= ", filter.from), (" AND started_at < ", filter.until)] {
        if let Some(time) = time {
            query.push(clause).push_bind(time.0);
        }
    }
    if let Some(id) = &filter.request_id {
        query.push(" AND (call_id = ").push_bind(id.clone());
        query.push(" OR provider_id = ").push_bind(id.clone());
        query.push(" OR id = ").push_bind(id.clone()).push(")");
    }
    query.push(" ORDER BY started_at DESC, id DESC LIMIT ").push_bind(i64::from(filter.limit.clamp(1, MAX_ROWS)));
    query.push(" OFFSET ").push_bind(i64::from(filter.offset));
    query
}

fn entry(row: &AnyRow) -> LedgerResult<Entry> {
    let columns = Columns {
        started_at: row.try_get("started_at").map_err(broken)?,
        id: row.try_get("id").map_err(broken)?,
        call_id: row.try_get("call_id").map_err(broken)?,
        provider_id: row.try_get("provider_id").map_err(broken)?,
        status: row.try_get("status").map_err(broken)?,
        key_hash: row.try_get("key_hash").map_err(broken)?,
        user_id: row.try_get("user_id").map_err(broken)?,
        team_id: row.try_get("team_id").map_err(broken)?,
        end_user: row.try_get("end_user").map_err(broken)?,
        model_group: row.try_get("model_group").map_err(broken)?,
        cost: row.try_get("cost").map_err(broken)?,
        detail: row.try_get("detail").map_err(broken)?,
    };
    columns.entry()
}
