//! What was spent under an id since its last reset.

use crate::store::{Ledger, broken};
use sqlx::{Any, Row, Transaction};
use std::collections::HashMap;
use weir_core::domain::money::NanoUsd;
use weir_core::ports::{LedgerResult, SpendScope};

const SET_ONE: &str = "INSERT INTO spent (scope, id, total, base) VALUES ($1, $2, 0, 0 - $3) \
    ON CONFLICT (scope, id) DO UPDATE SET base = spent.total - $3";
const SET_ALL: &str = "UPDATE spent SET base = total - $2 WHERE scope = $1";

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
        let text = format!(
            "SELECT id, total - base AS cost FROM spent WHERE scope = $1 AND id IN ({})",
            places.join(", ")
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
    let query = match id {
        Some(id) => sqlx::query(SET_ONE).bind(scope.as_str().to_owned()).bind(id.to_owned()),
        None => sqlx::query(SET_ALL).bind(scope.as_str().to_owned()),
    };
    query.bind(amount.0).execute(&mut **transaction).await.map(drop)
}

/// Under another id what was spent under the first counts on.
pub(crate) async fn rename(
    transaction: &mut Transaction<'_, Any>,
    scope: SpendScope,
    from: &str,
    to: &str,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query("UPDATE spent SET id = $1 WHERE scope = $2 AND id = $3");
    let query = query.bind(to.to_owned()).bind(scope.as_str().to_owned()).bind(from.to_owned());
    query.execute(&mut **transaction).await.map(drop)
}
