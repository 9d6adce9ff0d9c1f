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
    CAST(SUM(cache_write) AS BIGINT) AS cache_write, CAST(SUM(timed) AS BIGINT) AS timed, \
    CAST(SUM(took_us) AS BIGINT) AS took_us, CAST(SUM(streamed) AS BIGINT) AS streamed, \
    CAST(SUM(first_token_us) AS BIGINT) AS first_token_us";

fn table(of: Rollup) -> &'static str {
    match of {
        Rollup::Keys => "spend_daily",
        Rollup::Tags => "spend_daily_tag",
        Rollup::Customers => "spend_daily_customer",
    }
}

/// What was booked under a text that a key had before is the key's.
const KEY: &str = "COALESCE(former.heir, key_hash)";
const FORMER: &str =
    " LEFT JOIN spent former ON former.scope = 'key' AND former.id = key_hash AND former.heir IS NOT NULL";

/// The column of a dimension, where the table has it.
fn column(of: Rollup, dimension: Dimension) -> LedgerResult<&'static str> {
    if !of.has(dimension) {
        return Err(LedgerError::Broken(format!("{of:?} are not summed by {dimension:?}")));
    }
    Ok(match dimension {
        Dimension::Day => "day",
        Dimension::Key => KEY,
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
    let columns = columns(wanted)?;
    let names: String =
        columns.iter().enumerate().map(|(at, name)| format!("CAST({name} AS TEXT) AS n{at}, ")).collect();
    let (chosen, next) = chosen(wanted)?;
    let (grouped, ordered) = (grouped(&columns), ordered(wanted.order, &columns));
    let text =
        format!("SELECT {names}{MEASURES}{chosen}{grouped}{ordered} LIMIT ${next} OFFSET ${}", next + 1);
    let query = bound(sqlx::query(sqlx::AssertSqlSafe(text)), wanted);
    let query = query.bind(i64::from(wanted.limit.min(MAX_ROLLUP_ROWS))).bind(i64::from(wanted.skip));
    ledger.noted(query.fetch_all(&ledger.reader).await)?.iter().map(|row| sums(row, &columns)).collect()
}

pub(super) async fn count(ledger: &Ledger, wanted: &RollupQuery) -> LedgerResult<u64> {
    let (chosen, _) = chosen(wanted)?;
    let text = format!(
        "SELECT COUNT(*) AS found FROM (SELECT 1 AS one{chosen}{}) AS rows",
        grouped(&columns(wanted)?)
    );
    let row = bound(sqlx::query(sqlx::AssertSqlSafe(text)), wanted).fetch_one(&ledger.reader).await;
    let found: i64 = ledger.noted(row)?.try_get("found").map_err(broken)?;
    Ok(found.unsigned_abs())
}

fn columns(wanted: &RollupQuery) -> LedgerResult<Vec<&'static str>> {
    wanted.by.iter().map(|by| column(wanted.of, *by)).collect()
}

type Asking<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

pub(super) fn bound<'q>(query: Asking<'q>, wanted: &RollupQuery) -> Asking<'q> {
    let values = wanted.only.iter().chain(&wanted.except).flat_map(|(_, values)| values);
    values.fold(query.bind(wanted.from).bind(wanted.until), |query, value| query.bind(value.clone()))
}

/// Table and conditions, and the number of the next value.
fn chosen(wanted: &RollupQuery) -> LedgerResult<(String, usize)> {
    let join = if wanted.by.contains(&Dimension::Key) { FORMER } else { "" };
    let (conditions, next) = conditions(wanted)?;
    Ok((format!(" FROM {}{join}{conditions}", table(wanted.of)), next))
}

/// What rows must be, whatever their table; and the number of the next value.
pub(super) fn conditions(wanted: &RollupQuery) -> LedgerResult<(String, usize)> {
    let mut text = String::from(" WHERE day >= $1 AND day <= $2");
    let mut next = 3;
    let only = wanted.only.iter().map(|one| (one, ""));
    let except = wanted.except.iter().map(|one| (one, "NOT "));
    for ((dimension, values), not) in only.chain(except) {
        let name = column(wanted.of, *dimension)?;
        let places: Vec<String> = (next..next + values.len()).map(|n| format!("${n}")).collect();
        next += values.len();
        let test = match (places.as_slice(), dimension) {
            ([], _) => String::from("1 = 0"),
            (places, Dimension::Key) => of_keys(places),
            (places, _) => format!("{name} IN ({})", places.join(", ")),
        };
        text.push_str(&format!(" AND {not}({test})"));
    }
    Ok((text, next))
}

/// By the column itself, which has an index. One key, as pages of a key ask, is looked up in it with all texts that it
/// had; several are compared with each row.
fn of_keys(places: &[String]) -> String {
    let listed = places.join(", ");
    let former = format!("SELECT id FROM spent WHERE scope = 'key' AND heir IN ({listed})");
    match places {
        [one] => format!("key_hash IN (SELECT CAST({one} AS TEXT) UNION ALL {former})"),
        _ => format!("key_hash IN ({listed}) OR key_hash IN ({former})"),
    }
}

fn grouped(columns: &[&str]) -> String {
    if columns.is_empty() { String::new() } else { format!(" GROUP BY {}", columns.join(", ")) }
}

fn ordered(order: RollupOrder, columns: &[&str]) -> String {
    let names = columns.iter().map(|name| (*name).to_owned());
    let by: Vec<String> = match order {
        RollupOrder::Names => names.collect(),
        RollupOrder::Latest => {
            names.enumerate().map(|(at, name)| if at == 0 { format!("{name} DESC") } else { name }).collect()
        }
        RollupOrder::Cost => std::iter::once(String::from("SUM(cost) DESC")).chain(names).collect(),
    };
    if by.is_empty() { String::new() } else { format!(" ORDER BY {}", by.join(", ")) }
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
            timed: number("timed")?,
            took: number("took_us")?,
            streamed: number("streamed")?,
            first_token: number("first_token_us")?,
        },
    })
}
