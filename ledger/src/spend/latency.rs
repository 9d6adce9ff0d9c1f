//! How long answers took, as counts by day: `write.rs` raises them with the sums.

use super::rollup;
use crate::store::{Ledger, broken};
use sqlx::Row;
use sqlx::any::AnyRow;
use weir_core::domain::latency::{Counts, Latency, SPANS};
use weir_core::ports::{Dimension, LatencyRow, LedgerResult, MAX_ROLLUP_ROWS, Rollup, RollupQuery};

pub(super) const TABLE: &str = "spend_daily_latency";

/// The spans of both times, each by the milliseconds at which it ends.
#[rustfmt::skip]
pub(super) const MEASURES: &[&str] = &[
    "took_10", "took_16", "took_25", "took_40", "took_63", "took_100", "took_160", "took_250",
    "took_400", "took_630", "took_1000", "took_1600", "took_2500", "took_4000", "took_6300", "took_10000",
    "took_16000", "took_25000", "took_40000", "took_63000", "took_100000", "took_160000", "took_250000", "took_more",
    "first_10", "first_16", "first_25", "first_40", "first_63", "first_100", "first_160", "first_250",
    "first_400", "first_630", "first_1000", "first_1600", "first_2500", "first_4000", "first_6300", "first_10000",
    "first_16000", "first_25000", "first_40000", "first_63000", "first_100000", "first_160000", "first_250000", "first_more",
];

pub(super) async fn read(ledger: &Ledger, wanted: &RollupQuery) -> LedgerResult<Vec<LatencyRow>> {
    if !is_known(wanted) {
        return Ok(Vec::new());
    }
    let (conditions, next) = rollup::conditions(wanted)?;
    let text = format!(
        "SELECT day, model_group, provider, {} FROM {TABLE}{conditions} ORDER BY day, model_group, provider LIMIT ${next}",
        MEASURES.join(", ")
    );
    let query =
        rollup::bound(sqlx::query(sqlx::AssertSqlSafe(text)), wanted).bind(i64::from(MAX_ROLLUP_ROWS));
    ledger.noted(query.fetch_all(&ledger.reader).await)?.iter().map(row).collect()
}

/// Whether what is asked for is told apart in the table.
fn is_known(wanted: &RollupQuery) -> bool {
    let mut narrowed = wanted.only.iter().chain(&wanted.except);
    wanted.of == Rollup::Keys
        && narrowed.all(|(by, _)| matches!(by, Dimension::ModelGroup | Dimension::Provider))
}

fn row(row: &AnyRow) -> LedgerResult<LatencyRow> {
    let (took, first_token) = MEASURES.split_at(SPANS);
    Ok(LatencyRow {
        day: row.try_get("day").map_err(broken)?,
        model_group: row.try_get("model_group").map_err(broken)?,
        provider: row.try_get("provider").map_err(broken)?,
        latency: Latency { took: counts(row, took)?, first_token: counts(row, first_token)? },
    })
}

fn counts(row: &AnyRow, columns: &[&str]) -> LedgerResult<Counts> {
    let mut counts = Counts::default();
    for (count, column) in counts.0.iter_mut().zip(columns) {
        *count = row.try_get(*column).map_err(broken)?;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::domain::latency::BOUNDS;

    #[test]
    fn columns_are_called_after_the_bounds_of_their_spans() {
        let of = |kind: &str| {
            let ends = BOUNDS.iter().map(|bound| (bound / 1_000).to_string());
            ends.chain([String::from("more")]).map(|end| format!("{kind}_{end}")).collect::<Vec<_>>()
        };
        assert_eq!(MEASURES, [of("took"), of("first")].concat());
    }
}
