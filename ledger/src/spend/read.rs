//! Reading entries and totals.

use super::detail::{self, Columns};
use super::{latency, rollup, said, spent, write};
use crate::store::{Ledger, broken};
use async_trait::async_trait;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Row};
use std::collections::HashMap;
use weir_core::domain::ids::EntryId;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::{Entry, Said};
use weir_core::ports::{
    LatencyRow, LedgerResult, RollupQuery, RollupRow, SpendFilter, SpendScope, SpendStore, Written,
};

const SELECT: &str = "SELECT started_at, id, call_id, provider_id, status, key_hash, user_id, team_id, \
    organization_id, session_id, end_user, model_group, cost, detail FROM spend_entry WHERE 1 = 1";

const ONE: &str = "SELECT 1 FROM spend_entry WHERE 1 = 1";

/// Texts of one key that are looked up by themselves each, in the order of time. Of more, all entries are sorted.
const PARTS: usize = 16;

/// Nobody reads more rows in one answer.
const MAX_ROWS: u32 = 10_000;

#[async_trait]
impl SpendStore for Ledger {
    async fn write(&self, entries: &[Entry]) -> LedgerResult<Written> {
        write::write(self, entries, write::Counts::Now, None).await
    }

    async fn entries(&self, filter: &SpendFilter) -> LedgerResult<Vec<Entry>> {
        let mut selection = Selection::of(self, SELECT, filter).await?;
        selection.text.push_str(" ORDER BY started_at DESC, id DESC");
        selection.filter(" ", "LIMIT", Some(number(filter.limit.clamp(1, MAX_ROWS))));
        selection.filter(" ", "OFFSET", Some(number(filter.offset)));
        let rows = selection.query().fetch_all(&self.reader).await;
        self.noted(rows)?.iter().map(entry).collect()
    }

    async fn count(&self, filter: &SpendFilter, most: u32) -> LedgerResult<u64> {
        let mut selection = Selection::of(self, ONE, filter).await?;
        selection.filter(" ", "LIMIT", Some(number(most)));
        let all = format!("SELECT CAST(COUNT(*) AS BIGINT) AS found FROM ({}) AS matching", selection.text);
        selection.text = all;
        let row = selection.query().fetch_one(&self.reader).await;
        let found: i64 = self.noted(row)?.try_get("found").map_err(broken)?;
        Ok(found.unsigned_abs())
    }

    async fn rollup(&self, query: &RollupQuery) -> LedgerResult<Vec<RollupRow>> {
        rollup::read(self, query).await
    }

    async fn latencies(&self, query: &RollupQuery) -> LedgerResult<Vec<LatencyRow>> {
        latency::read(self, query).await
    }

    async fn rollup_rows(&self, query: &RollupQuery) -> LedgerResult<u64> {
        rollup::count(self, query).await
    }

    async fn spent(&self, scope: SpendScope, ids: &[String]) -> LedgerResult<HashMap<String, NanoUsd>> {
        spent::read(self, scope, ids).await
    }

    async fn heir(&self, scope: SpendScope, id: &str) -> LedgerResult<Option<String>> {
        spent::heir(self, scope, id).await
    }

    async fn total_spend(&self) -> LedgerResult<NanoUsd> {
        let sum = "SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost FROM spend_daily";
        let row = sqlx::query(sum).fetch_one(&self.reader).await;
        self.noted(row)?.try_get("cost").map(NanoUsd).map_err(broken)
    }

    async fn keep_said(&self, said: &[Said]) -> LedgerResult<()> {
        said::keep(self, said).await
    }

    async fn said(&self, entries: &[Entry]) -> LedgerResult<Vec<Said>> {
        said::read(self, entries).await
    }
}

fn number(value: u32) -> Value {
    Value::Number(i64::from(value))
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

/// How far the clock that an entry began by may be from that of its id, in microseconds.
const DAY: i64 = 86_400_000_000;

/// When an entry of this id began, in microseconds.
fn began(id: &EntryId) -> Option<i64> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    i64::try_from(seconds).ok()?.checked_mul(1_000_000)?.checked_add(i64::from(nanos / 1_000))
}

impl Selection {
    /// Whatever a filter finds; of a key also what was booked under texts that it had before.
    async fn of(ledger: &Ledger, begin: &str, filter: &SpendFilter) -> LedgerResult<Self> {
        let mut selection = Selection { text: String::new(), values: Vec::new() };
        let keys = match &filter.key_hash {
            Some(hash) => spent::hashes_of(ledger, hash).await?,
            None => Vec::new(),
        };
        let size = if keys.len() > PARTS { keys.len() } else { 1 };
        let parts: Vec<&[String]> = match keys.is_empty() {
            true => vec![keys.as_slice()],
            false => keys.chunks(size).collect(),
        };
        for (at, keys) in parts.into_iter().enumerate() {
            selection.text.push_str(if at == 0 { "" } else { " UNION ALL " });
            selection.text.push_str(begin);
            selection.of_keys(keys);
            selection.narrow(filter);
        }
        Ok(selection)
    }

    fn of_keys(&mut self, keys: &[String]) {
        match keys {
            [] => {}
            [one] => self.filter(" AND ", "key_hash =", Some(Value::Text(one.clone()))),
            several => {
                for (at, key) in several.iter().enumerate() {
                    let before = if at == 0 { " AND key_hash IN (" } else { ", " };
                    self.filter(before, "", Some(Value::Text(key.clone())));
                }
                self.text.push(')');
            }
        }
    }

    fn narrow(&mut self, filter: &SpendFilter) {
        let texts = [
            ("user_id =", filter.user_id.clone()),
            ("team_id =", filter.team_id.clone()),
            ("organization_id =", filter.organization_id.clone()),
            ("end_user =", filter.end_user.clone()),
            ("model_group =", filter.model.clone()),
            ("status =", filter.status.map(|status| status.as_str().to_owned())),
            ("session_id =", filter.session_id.clone()),
            ("detail LIKE", filter.http_status.map(detail::answered)),
        ];
        for (clause, value) in texts {
            self.filter(" AND ", clause, value.map(Value::Text));
        }
        let numbers = [
            ("started_at >=", filter.from.map(|t| t.0)),
            ("started_at <", filter.until.map(|t| t.0)),
            ("cost >=", filter.min_cost.map(|c| c.0)),
            ("cost <=", filter.max_cost.map(|c| c.0)),
        ];
        for (clause, value) in numbers {
            self.filter(" AND ", clause, value.map(Value::Number));
        }
        if let Some(id) = &filter.request_id {
            self.filter(" AND (", "call_id =", Some(Value::Text(id.clone())));
            self.filter(" OR ", "provider_id =", Some(Value::Text(id.clone())));
            self.own_id(id);
            self.text.push(')');
        }
        if let Some((at, id)) = &filter.before {
            self.filter(" AND (", "started_at <", Some(Value::Number(at.0)));
            self.filter(" OR (", "started_at =", Some(Value::Number(at.0)));
            self.filter(" AND ", "id <", Some(Value::Text(id.to_string())));
            self.text.push_str("))");
        }
    }

    /// No index has ids alone, but they tell their time, by which entries are ordered.
    fn own_id(&mut self, id: &str) {
        let Some((id, at)) = id.parse().ok().and_then(|id: EntryId| Some((id, began(&id)?))) else { return };
        self.filter(" OR (", "id =", Some(Value::Text(id.to_string())));
        self.filter(" AND ", "started_at >", Some(Value::Number(at.saturating_sub(DAY))));
        self.filter(" AND ", "started_at <", Some(Value::Number(at.saturating_add(DAY))));
        self.text.push(')');
    }

    fn query(self) -> Query<'static, Any, AnyArguments> {
        let query = sqlx::query(sqlx::AssertSqlSafe(self.text));
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
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
        organization_id: row.try_get("organization_id").map_err(broken)?,
        session_id: row.try_get("session_id").map_err(broken)?,
        end_user: row.try_get("end_user").map_err(broken)?,
        model_group: row.try_get("model_group").map_err(broken)?,
        cost: row.try_get("cost").map_err(broken)?,
        detail: row.try_get("detail").map_err(broken)?,
    };
    columns.entry()
}
