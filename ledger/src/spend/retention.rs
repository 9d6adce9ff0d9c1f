//! Forgetting entries that are older than the operator wants to keep. Sums by day stay: bills can be told for ever.

use crate::store::{BY_MONTH, Ledger, broken};
use sqlx::{AssertSqlSafe, Executor, Row};
use weir_core::ports::LedgerResult;
use weir_core::time::Micros;

/// Rows in one statement, so that nothing else waits long.
const PIECE: i64 = 5_000;

/// Partitions and where they end, read from their bounds: `FOR VALUES FROM ('1') TO ('2')`.
const PARTITIONS: &str = "SELECT CAST(c.relname AS TEXT) AS name, \
    CAST(pg_get_expr(c.relpartbound, c.oid) AS TEXT) AS bound \
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent \
    JOIN pg_namespace n ON n.oid = p.relnamespace WHERE p.relname IN ('spend_entry', 'spend_said') AND n.nspname = 'weir'";

impl Ledger {
    /// Forgets accounts of budgets' periods that ended before this. Answers how many.
    pub async fn forget_periods(&self, before: Micros) -> LedgerResult<u64> {
        super::spent::forget_periods(self, before).await
    }

    /// Deletes entries that began before this. Whole months go as partitions, the rest piece by piece. Answers how many
    /// rows were deleted one by one.
    pub async fn forget_entries(&self, before: Micros) -> LedgerResult<u64> {
        if self.is_postgres() {
            self.drop_partitions(before).await?;
        }
        let [entries, said] =
            [self.forget_rows("spend_entry", before).await?, self.forget_rows("spend_said", before).await?];
        tracing::debug!(entries, said, "rows past their retention");
        Ok(entries)
    }

    async fn forget_rows(&self, table: &'static str, before: Micros) -> LedgerResult<u64> {
        let mut deleted = 0;
        loop {
            let piece = self.forget_piece(table, before).await?;
            deleted += piece;
            if piece < PIECE as u64 {
                return Ok(deleted);
            }
        }
    }

    async fn forget_piece(&self, table: &'static str, before: Micros) -> LedgerResult<u64> {
        let old = sqlx::query(AssertSqlSafe(format!(
            "DELETE FROM {table} WHERE (started_at, id) IN \
             (SELECT started_at, id FROM {table} WHERE started_at < $1 ORDER BY started_at LIMIT $2)",
        )));
        let done = old.bind(before.0).bind(PIECE).execute(&self.writer).await;
        self.noted(done).map(|done| done.rows_affected())
    }

    async fn drop_partitions(&self, before: Micros) -> LedgerResult<()> {
        let rows = self.noted(self.reader.fetch_all(PARTITIONS).await)?;
        for row in &rows {
            let name: String = row.try_get("name").map_err(broken)?;
            let bound: String = row.try_get("bound").map_err(broken)?;
            if end_of(&bound).is_some_and(|end| end <= before.0) && is_ours(&name) {
                // Every replica may try at once.
                let drop = format!("DROP TABLE IF EXISTS {name}");
                self.noted(self.writer.execute(AssertSqlSafe(drop)).await)?;
                tracing::info!(partition = name, "entries of a month were deleted");
            }
        }
        Ok(())
    }
}

/// The default partition has no end.
fn end_of(bound: &str) -> Option<i64> {
    let (_, end) = bound.split_once(" TO (")?;
    end.trim_end_matches(')').trim_matches('\'').parse().ok()
}

/// As `store.rs` names them: nothing else is ever dropped.
fn is_ours(name: &str) -> bool {
    let month = BY_MONTH.iter().find_map(|table| name.strip_prefix(table)?.strip_prefix('_'));
    month.is_some_and(|month| month.bytes().all(|b| b.is_ascii_digit() || b == b'_'))
}

#[cfg(test)]
mod tests {
    use super::{end_of, is_ours};

    #[test]
    fn bounds_are_read_and_only_months_are_dropped() {
        let bound = "FOR VALUES FROM ('1793491200000000') TO ('1796083200000000')";
        assert_eq!(end_of(bound), Some(1_796_083_200_000_000));
        assert_eq!(end_of("DEFAULT"), None);
        assert!(is_ours("spend_entry_2026_11") && !is_ours("spend_entry_default") && !is_ours("team"));
    }
}
