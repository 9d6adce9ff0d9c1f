//! Sums by day, told apart by what is asked for. Names come from tables; whatever a caller says is bound.

use crate::store::{Ledger, broken};
use sqlx::Row;
use sqlx::any::AnyRow;
use weir_core::domain::money::NanoUsd;
use weir_core::ports::{
    Dimension, LedgerError, LedgerResult, MAX_ROLLUP_ROWS, Rollup, RollupOrder, RollupQuery, RollupRow, Sums,
};

const MEASURES: &str = "CAST(SUM(cost) AS BIGINT) AS cost, CAST(SUM(requests) AS BIGINT) AS requests, \
    CAST(SUM(failures) AS BIGINT) AS failures, CAST(SUM(input_tokens) AS BIGINT) AS input_tokens, \
    CAST(SUM(output_tokens) AS BIGINT) AS output_tokens, CAST(SUM(cache_read) AS BIGINT) AS cache_read, \
    CAST(SUM(cache_write) AS BIGINT) AS cache_write";

fn table(of: Rollup) -> &'static str {
    match of {
        Rollup::Keys => "spend_daily",
        Rollup::Tags => "spend_daily_tag",
        Rollup::Customers => "spend_daily_customer",
    }
}

/// The column of a dimension, where the table has it.
fn column(of: Rollup, dimension: Dimension) -> LedgerResult<&'static str> {
    if !of.has(dimension) {
        return Err(LedgerError::Broken(format!("{of:?} are not summed by {dimension:?}")));
    }
    Ok(match dimension {
        Dimension::Day => "day",
        Dimension::Key => "key_hash",
        Dimension::User => "user_id",
        Dimension::Team => "team_id",
        Dimension::Organization => "organization_id",
        Dimension::Tag => "tag",
        Dimension::Customer => "customer",
        Dimension::ModelGroup => "model_group",
        Dimension::Model => "model",
        Dimension::Provider => "provider",
        Dimension::CallType => "call_type",
    })
}

pub(super) async fn read(ledger: &Ledger, wanted: &RollupQuery) -> LedgerResult<Vec<RollupRow>> {
    let columns = wanted.by.iter().map(|by| column(wanted.of, *by)).collect::<LedgerResult<Vec<_>>>()?;
    let mut query = sqlx::query(sqlx::AssertSqlSafe(statement(wanted, &columns)?));
    query = query.bind(wanted.from).bind(wanted.until);
    for (_, values) in &wanted.only {
        query = values.iter().fold(query, |query, value| query.bind(value.clone()));
    }
    let rows = query.bind(i64::from(wanted.limit.min(MAX_ROLLUP_ROWS))).fetch_all(&ledger.reader).await;
    ledger.noted(rows)?.iter().map(|row| sums(row, &columns)).collect()
}

fn statement(wanted: &RollupQuery, columns: &[&str]) -> LedgerResult<String> {
    let names: String =
        columns.iter().enumerate().map(|(at, name)| format!("CAST({name} AS TEXT) AS n{at}, ")).collect();
    let mut text =
        format!("SELECT {names}{MEASURES} FROM {} WHERE day >= $1 AND day <= $2", table(wanted.of));
    let mut next = 3;
    for (dimension, values) in &wanted.only {
        let places: Vec<String> = (next..next + values.len()).map(|n| format!("${n}")).collect();
        next += values.len();
        let name = column(wanted.of, *dimension)?;
        text.push_str(&match places.is_empty() {
            true => String::from(" AND 1 = 0"),
            false => format!(" AND {name} IN ({})", places.join(", ")),
        });
    }
    if !columns.is_empty() {
        text.push_str(&format!(" GROUP BY {}", columns.join(", ")));
    }
    let mut order = columns.join(", ");
    if wanted.order == RollupOrder::Cost {
        order =
            std::iter::once("SUM(cost) DESC").chain(columns.iter().copied()).collect::<Vec<_>>().join(", ");
    }
    if !order.is_empty() {
        text.push_str(&format!(" ORDER BY {order}"));
    }
    text.push_str(&format!(" LIMIT ${next}"));
    Ok(text)
}

/// Without dimensions there is one row, of nothing where there is nothing.
fn sums(row: &AnyRow, columns: &[&str]) -> LedgerResult<RollupRow> {
    let names = (0..columns.len()).map(|at| row.try_get(format!("n{at}").as_str()));
    let number =
        |name: &str| row.try_get::<Option<i64>, _>(name).map(Option::unwrap_or_default).map_err(broken);
    Ok(RollupRow {
        names: names.collect::<Result<_, _>>().map_err(broken)?,
        sums: Sums {
            cost: NanoUsd(number("cost")?),
            requests: number("requests")?,
            failures: number("failures")?,
            input: number("input_tokens")?,
            output: number("output_tokens")?,
            cache_read: number("cache_read")?,
            cache_write: number("cache_write")?,
        },
    })
}
