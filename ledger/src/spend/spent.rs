//! What was spent under an id since its last reset.

use crate::store::{Ledger, broken};
use sqlx::{Any, Row, Transaction};
use std::collections::HashMap;
use weir_core::domain::money::NanoUsd;
use weir_core::ports::{LedgerResult, SpendScope};

const SET_ONE: &str = "INSERT INTO spent (scope, id, total, base) VALUES ($1, $2, 0, 0 - $3) \
    ON CONFLICT (scope, id) DO UPDATE SET base = spent.total - $3";
const SET_ALL: &str = "UPDATE spent SET base = total - $2 WHERE scope = $1";
const CLEAR_LATE: &str = "UPDATE spent SET base = total WHERE scope = $1 AND heir = $2";

/// In this order: the id taken over loses what it once inherited from, all that counts under the old id follows it, and
/// what is booked late under the old id has an heir.
static RENAME: &[&str] = &[
    "UPDATE spent SET total = total + COALESCE((SELECT SUM(t.total - t.base) FROM spent t \
        WHERE t.scope = $1 AND t.id = $3 AND t.heir = $2), 0) WHERE scope = $1 AND id = $2",
    "DELETE FROM spent WHERE scope = $1 AND id = $3 AND heir = $2",
    "UPDATE spent SET heir = $3 WHERE scope = $1 AND heir = $2",
    "UPDATE spent SET id = $3 WHERE scope = $1 AND id = $2",
    "INSERT INTO spent (scope, id, total, heir) VALUES ($1, $2, 0, $3)",
];

/// Ids in one statement.
const IDS: usize = 100;

pub(super) async fn read(
    ledger: &Ledger,
    scope: SpendScope,
    ids: &[String],
) -> LedgerResult<HashMap<String, NanoUsd>> {
    let mut spent = HashMap::with_capacity(ids.len());
    for some in ids.chunks(IDS) {
        let places: Vec<String> = (2..some.len() + 2).map(|n| format!("${n}")).collect();
        let places = places.join(", ");
        let text = format!(
            "SELECT COALESCE(heir, id) AS id, CAST(SUM(total - base) AS BIGINT) AS cost FROM spent \
             WHERE scope = $1 AND (heir IN ({places}) OR (id IN ({places}) AND heir IS NULL)) GROUP BY COALESCE(heir, id)"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(scope.as_str().to_owned());
        let query = some.iter().fold(query, |query, id| query.bind(id.clone()));
        for row in ledger.noted(query.fetch_all(&ledger.reader).await)? {
            let cost: i64 = row.try_get("cost").map_err(broken)?;
            spent.insert(row.try_get("id").map_err(broken)?, NanoUsd(cost));
        }
    }
    Ok(spent)
}

/// Sets what is told from now on.
pub(crate) async fn set(
    transaction: &mut Transaction<'_, Any>,
    scope: SpendScope,
    id: Option<&str>,
    amount: NanoUsd,
) -> Result<(), sqlx::Error> {
    let scope = scope.as_str();
    let query = match id {
        Some(id) => {
            let late = sqlx::query(CLEAR_LATE).bind(scope).bind(id.to_owned());
            late.execute(&mut **transaction).await?;
            sqlx::query(SET_ONE).bind(scope).bind(id.to_owned())
        }
        None => sqlx::query(SET_ALL).bind(scope),
    };
    query.bind(amount.0).execute(&mut **transaction).await.map(drop)
}

/// Under another id what was spent under the first counts on, and so does what is booked under it later.
pub(crate) async fn rename(
    transaction: &mut Transaction<'_, Any>,
    scope: SpendScope,
    from: &str,
    to: &str,
) -> Result<(), sqlx::Error> {
    for statement in RENAME {
        let query = sqlx::query(*statement).bind(scope.as_str()).bind(from.to_owned());
        query.bind(to.to_owned()).execute(&mut **transaction).await?;
    }
    Ok(())
}
