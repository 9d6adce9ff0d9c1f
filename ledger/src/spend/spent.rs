//! What was spent under an id since its last reset.

use super::write::filled;
use crate::store::{Ledger, broken};
use sqlx::{Any, Row, Transaction};
use std::collections::HashMap;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::period::WindowBudget;
use weir_core::ports::{LedgerResult, ResetOf, SpendScope};
use weir_core::time::Micros;

const SET_ONE: &str = "INSERT INTO spent (scope, id, total, base) VALUES ($1, $2, 0, 0 - $3) \
    ON CONFLICT (scope, id) DO UPDATE SET base = spent.total - $3";
const SET_ALL: &str = "UPDATE spent SET base = total - $2 WHERE scope = $1";
const CLEAR_LATE: &str = "UPDATE spent SET base = total WHERE scope = $1 AND heir = $2";

const RESET_ONE: &str = "INSERT INTO spent (scope, id, total, base, since) VALUES ($1, $2, 0, 0, $3) \
    ON CONFLICT (scope, id) DO UPDATE SET base = spent.total, since = excluded.since";

/// In this order: what was spent under the old id counts under the new one, with what is there of a time before the old
/// one's; whatever counted under the old id follows it; and what is booked late under the old id has an heir. Slices of
/// the budget stay with the id that they were taken under: what they are for is still under way, and `leases.rs` counts
/// those of former ids with the others.
static RENAME: &[&str] = &[
    "INSERT INTO spent (scope, id, total, base, since) \
        SELECT scope, CAST($3 AS TEXT), total, base, since FROM spent WHERE scope = $1 AND id = $2 \
        ON CONFLICT (scope, id) DO UPDATE SET base = excluded.base, since = excluded.since, heir = NULL, \
        total = excluded.total + CASE WHEN spent.heir = $2 THEN spent.total - spent.base ELSE 0 END",
    "UPDATE spent SET heir = NULL WHERE scope = $1 AND id = $3 AND heir = $2",
    "UPDATE spent SET heir = $3 WHERE scope = $1 AND heir = $2",
    "INSERT INTO spent (scope, id, total, heir) VALUES ($1, $2, 0, $3) \
        ON CONFLICT (scope, id) DO UPDATE SET total = 0, base = 0, heir = excluded.heir",
];

/// Whoever has an id anew inherits nothing to those who had it before: what was booked late is theirs already.
static CLAIM: &[&str] = &[
    "INSERT INTO spent (scope, id, total) \
        SELECT scope, heir, total - base FROM spent WHERE scope = $1 AND id = $2 AND heir IS NOT NULL \
        ON CONFLICT (scope, id) DO UPDATE SET total = spent.total + excluded.total",
    "UPDATE spent SET total = 0, base = 0, heir = NULL WHERE scope = $1 AND id = $2 AND heir IS NOT NULL",
];

const FORMER: &str = "SELECT id FROM spent WHERE scope = $1 AND heir = $2";

const HEIR: &str = "SELECT heir FROM spent WHERE scope = $1 AND id = $2 AND heir IS NOT NULL";

/// The second condition is the one of the index.
const ANEW: &str = "SELECT scope, id, since FROM spent WHERE since > $1 AND since > 0";

pub(super) async fn read(
    ledger: &Ledger,
    scope: SpendScope,
    ids: &[String],
) -> LedgerResult<HashMap<String, NanoUsd>> {
    let mut spent = HashMap::with_capacity(ids.len());
    for some in filled(ids) {
        let query = sqlx::query(sqlx::AssertSqlSafe(sums(some.len()))).bind(scope.as_str().to_owned());
        let query = some.into_iter().fold(query, |query, id| query.bind(id));
        for row in ledger.noted(query.fetch_all(&ledger.reader).await)? {
            let cost: i64 = row.try_get("cost").map_err(broken)?;
            spent.insert(row.try_get("id").map_err(broken)?, NanoUsd(cost));
        }
    }
    Ok(spent)
}

/// Of so many ids, with what their former ones have. Two searches: for a condition with `OR`, SQLite walks all accounts.
fn sums(ids: usize) -> String {
    let places = (2..ids + 2).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT id, CAST(SUM(cost) AS BIGINT) AS cost FROM (\
         SELECT id, total - base AS cost FROM spent WHERE scope = $1 AND id IN ({places}) AND heir IS NULL UNION ALL \
         SELECT heir AS id, total - base AS cost FROM spent WHERE scope = $1 AND heir IN ({places})) AS account \
         GROUP BY id"
    )
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

/// Forgets accounts of periods that ended before that moment. Answers how many.
pub(super) async fn forget_periods(ledger: &Ledger, before: Micros) -> LedgerResult<u64> {
    let scopes: Vec<String> =
        SpendScope::PERIODS.iter().map(|scope| format!("'{}'", scope.as_str())).collect();
    let text = format!("DELETE FROM spent WHERE scope IN ({}) AND id < $1 AND leased = 0", scopes.join(", "));
    // Names begin with the end of their period.
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(WindowBudget::account(Some(before), &[]));
    ledger.noted(query.execute(&ledger.writer).await).map(|done| done.rows_affected())
}

/// Counts from zero again. `table`: whose records of the scope name their budgets.
pub(crate) async fn reset(
    transaction: &mut Transaction<'_, Any>,
    scope: SpendScope,
    table: &'static str,
    of: &ResetOf,
    at: Micros,
) -> Result<(), sqlx::Error> {
    let scope = scope.as_str();
    let (text, id) = match of {
        ResetOf::Id(id) => {
            let late = sqlx::query(CLEAR_LATE).bind(scope).bind(id.clone());
            late.execute(&mut **transaction).await?;
            (RESET_ONE.to_owned(), id)
        }
        ResetOf::Rest => return reset_rest(transaction, scope, table, at).await,
        ResetOf::Budget(id) => {
            let holders = format!("SELECT id FROM {table} WHERE budget_id = $2");
            let text = format!(
                "UPDATE spent SET base = total, since = $3 \
                 WHERE scope = $1 AND (id IN ({holders}) OR heir IN ({holders}))"
            );
            (text, id)
        }
    };
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(scope).bind(id.clone()).bind(at.0);
    query.execute(&mut **transaction).await.map(drop)
}

async fn reset_rest(
    transaction: &mut Transaction<'_, Any>,
    scope: &str,
    table: &str,
    at: Micros,
) -> Result<(), sqlx::Error> {
    let text = format!(
        "UPDATE spent SET base = total, since = $2 \
         WHERE scope = $1 AND id NOT IN (SELECT id FROM {table} WHERE budget_id IS NOT NULL)"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(scope).bind(at.0);
    query.execute(&mut **transaction).await.map(drop)
}

/// When counting began anew after that moment, by scope and id.
pub(super) async fn anew(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    after: Micros,
) -> LedgerResult<HashMap<(String, String), Micros>> {
    let query = sqlx::query(ANEW).bind(after.0);
    let rows = ledger.noted(query.fetch_all(&mut **transaction).await)?;
    let one = |row: &sqlx::any::AnyRow| -> Result<_, sqlx::Error> {
        Ok(((row.try_get("scope")?, row.try_get("id")?), Micros(row.try_get("since")?)))
    };
    rows.iter().map(one).collect::<Result<_, _>>().map_err(broken)
}

/// The hashes that entries of this key are booked under: its own first, then those of the texts that it had before.
pub(super) async fn hashes_of(ledger: &Ledger, key: &KeyHash) -> LedgerResult<Vec<String>> {
    let former = sqlx::query(FORMER).bind(SpendScope::Key.as_str()).bind(key.hex());
    let former = ledger.noted(former.fetch_all(&ledger.reader).await)?;
    let former = former.iter().map(|row| row.try_get("id").map_err(broken));
    let mut former: Vec<String> = former.collect::<LedgerResult<_>>()?;
    // Not by the statement: SQLite would walk all accounts, which are in this order.
    former.sort_unstable();
    Ok(std::iter::once(key.hex()).chain(former).collect())
}

/// Who has what was spent under a former id. One step leads there: whoever is renamed takes former ids along.
pub(super) async fn heir(ledger: &Ledger, scope: SpendScope, id: &str) -> LedgerResult<Option<String>> {
    let query = sqlx::query(HEIR).bind(scope.as_str()).bind(id.to_owned());
    let row = ledger.noted(query.fetch_optional(&ledger.reader).await)?;
    row.map(|row| row.try_get("heir").map_err(broken)).transpose()
}

/// From now on what is booked under this id is its own, and nobody's who once had it.
pub(crate) async fn claim(
    transaction: &mut Transaction<'_, Any>,
    scope: SpendScope,
    id: &str,
) -> Result<(), sqlx::Error> {
    for statement in CLAIM {
        let query = sqlx::query(*statement).bind(scope.as_str()).bind(id.to_owned());
        query.execute(&mut **transaction).await?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::{ANEW, FORMER, HEIR, sums};
    use crate::store::{Ledger, LedgerOptions};
    use sqlx::Row;
    use std::time::Duration;

    /// There are as many accounts as keys: who asks for some must not wait for all, and every batch of entries asks.
    #[tokio::test]
    async fn p30_accounts_are_looked_up_and_never_walked() {
        let dir = tempfile::tempdir().unwrap();
        let (pool, acquire) = (8, Duration::from_secs(10));
        let options =
            LedgerOptions { url: None, data_dir: dir.path().to_owned(), pool, acquire, migrate: true };
        let ledger = Ledger::open(options).await.unwrap();
        for statement in [sums(1), sums(100), ANEW.into(), FORMER.into(), HEIR.into()] {
            let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
            let steps = plan.fetch_all(&ledger.reader).await.unwrap();
            let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
            let walks = |step: &String| {
                step.contains(" spent") && !["id=?", "heir=?", "since>?"].iter().any(|by| step.contains(by))
            };
            assert!(!steps.iter().any(walks), "{statement:.60}: {steps:?}");
        }
    }
}
