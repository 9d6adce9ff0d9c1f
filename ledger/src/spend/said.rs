//! What was said in exchanges, beside their entries.

use crate::store::{Ledger, broken};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use weir_core::domain::spend::{Entry, Said};
use weir_core::ports::LedgerResult;
use weir_core::time::Micros;

const KEEP: &str = "INSERT INTO spend_said (started_at, id, request, response) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (started_at, id) DO NOTHING";

/// Entries in one statement.
const AT_ONCE: usize = 100;

pub(super) async fn keep(ledger: &Ledger, said: &[Said]) -> LedgerResult<()> {
    let mut transaction = ledger.noted(ledger.writer.begin().await)?;
    for one in said {
        let kept = sqlx::query(KEEP)
            .bind(one.started_at.0)
            .bind(one.id.to_string())
            .bind(one.request.clone())
            .bind(one.response.clone());
        ledger.noted(kept.execute(&mut *transaction).await)?;
    }
    ledger.noted(transaction.commit().await)
}

pub(super) async fn read(ledger: &Ledger, entries: &[Entry]) -> LedgerResult<Vec<Said>> {
    let mut all = Vec::new();
    for some in entries.chunks(AT_ONCE) {
        let places: Vec<String> =
            (0..some.len()).map(|at| format!("(${}, ${})", 2 * at + 1, 2 * at + 2)).collect();
        let text = format!(
            "SELECT started_at, id, request, response FROM spend_said WHERE (started_at, id) IN (VALUES {})",
            places.join(", ")
        );
        let query = some.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, entry| {
            query.bind(entry.started_at.0).bind(entry.id.to_string())
        });
        let rows = ledger.noted(query.fetch_all(&ledger.reader).await)?;
        all.extend(rows.iter().map(one).collect::<LedgerResult<Vec<_>>>()?);
    }
    Ok(all)
}

fn one(row: &AnyRow) -> LedgerResult<Said> {
    let id: String = row.try_get("id").map_err(broken)?;
    Ok(Said {
        id: id.parse().map_err(broken)?,
        started_at: Micros(row.try_get("started_at").map_err(broken)?),
        request: row.try_get("request").map_err(broken)?,
        response: row.try_get("response").map_err(broken)?,
    })
}
