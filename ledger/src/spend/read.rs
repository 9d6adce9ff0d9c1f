//! Reading entries and totals.

use super::detail::Columns;
use super::write;
use crate::store::{Ledger, broken};
use async_trait::async_trait;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::HashMap;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::Entry;
use weir_core::ports::{LedgerResult, SpendFilter, SpendScope, SpendStore, Written};

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
        let selection = Selection::of(filter);
        let mut query = sqlx::query(sqlx::AssertSqlSafe(selection.text));
        for value in selection.values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        let rows = query.fetch_all(&self.reader).await;
        self.noted(rows)?.iter().map(entry).collect()
    }

    async fn spent(&self, scope: SpendScope, ids: &[String]) -> LedgerResult<HashMap<String, NanoUsd>> {
        let mut found = HashMap::new();
        if scope != SpendScope::Key {
            return Ok(found);
        }
        for id in ids {
            let sum =
                "SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost FROM spend_daily WHERE key_hash = $1";
            let row = sqlx::query(sum).bind(id.clone()).fetch_one(&self.reader).await;
            found.insert(id.clone(), self.noted(row)?.try_get("cost").map(NanoUsd).map_err(broken)?);
        }
        Ok(found)
    }

    async fn total_spend(&self) -> LedgerResult<NanoUsd> {
        let sum = "SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost FROM spend_daily";
        let row = sqlx::query(sum).fetch_one(&self.reader).await;
        self.noted(row)?.try_get("cost").map(NanoUsd).map_err(broken)
    }
}

/// A statement that grows by clauses, with numbered placeholders, which both engines know.
struct Selection {
    text: String,
    values: Vec<Value>,
}

enum Value {
    Text(String),
    Number(i64),
}

impl Selection {
    fn of(filter: &SpendFilter) -> Self {
        let mut selection = Selection { text: String::from(SELECT), values: Vec::new() };
        let texts = [
            ("key_hash =", filter.key_hash.map(|h| h.hex())),
            ("user_id =", filter.user_id.clone()),
            ("team_id =", filter.team_id.clone()),
        ];
        for (clause, value) in texts {
            selection.filter(" AND ", clause, value.map(Value::Text));
        }
        selection.filter(" AND ", "started_at >=", filter.from.map(|t| Value::Number(t.0)));
        selection.filter(" AND ", "started_at <", filter.until.map(|t| Value::Number(t.0)));
        if let Some(id) = &filter.request_id {
            selection.filter(" AND (", "call_id =", Some(Value::Text(id.clone())));
            selection.filter(" OR ", "provider_id =", Some(Value::Text(id.clone())));
            selection.filter(" OR ", "id =", Some(Value::Text(id.clone())));
            selection.text.push(')');
        }
        selection.text.push_str(" ORDER BY started_at DESC, id DESC");
        selection.filter(" ", "LIMIT", Some(Value::Number(i64::from(filter.limit.clamp(1, MAX_ROWS)))));
        selection.filter(" ", "OFFSET", Some(Value::Number(i64::from(filter.offset))));
        selection
    }

    fn filter(&mut self, before: &str, clause: &str, value: Option<Value>) {
        let Some(value) = value else { return };
        self.values.push(value);
        self.text.push_str(&format!("{before}{clause} ${}", self.values.len()));
    }
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
