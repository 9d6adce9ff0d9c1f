//! Batches of entries and the daily sums over them, in one transaction.

use super::detail::Detail;
use crate::store::{Engine, Ledger, broken};
use sqlx::{Acquire, Any, Transaction};
use std::collections::BTreeMap;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::{Entry, Status};
use weir_core::ports::{LedgerResult, Written};

/// Rows per statement: the few sizes keep the number of prepared statements small, and 64 × 14 values stay below every
/// engine's limit.
static SIZES: &[usize] = &[64, 8, 1];

const INSERT: &str = "INSERT INTO spend_entry (started_at, id, call_id, provider_id, status, key_hash, user_id, \
    team_id, end_user, model_group, cost, input_tokens, output_tokens, detail) ";

/// Columns of `INSERT`.
const COLUMNS: usize = 14;

const RAISE: &str = "INSERT INTO spend_daily (day, key_hash, user_id, team_id, model_group, cost, requests, failures, \
    input_tokens, output_tokens) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
    ON CONFLICT (day, key_hash, user_id, team_id, model_group) DO UPDATE SET \
    cost = spend_daily.cost + excluded.cost, requests = spend_daily.requests + excluded.requests, \
    failures = spend_daily.failures + excluded.failures, \
    input_tokens = spend_daily.input_tokens + excluded.input_tokens, \
    output_tokens = spend_daily.output_tokens + excluded.output_tokens";

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Which sum an entry belongs to. Sorted, so that writers that meet take locks in the same order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Scope {
    day: i64,
    key_hash: String,
    user_id: String,
    team_id: String,
    model_group: String,
}

#[derive(Default)]
struct Sums {
    cost: NanoUsd,
    requests: i64,
    failures: i64,
    input: i64,
    output: i64,
}

pub(super) async fn write(ledger: &Ledger, entries: &[Entry]) -> LedgerResult<Written> {
    let mut transaction = ledger.noted(ledger.writer.begin().await)?;
    let mut inserted: Vec<&Entry> = Vec::with_capacity(entries.len());
    let mut rest = entries;
    while let Some(size) = SIZES.iter().find(|size| **size <= rest.len()) {
        let (chunk, more) = rest.split_at(*size);
        rest = more;
        inserted.extend(insert_new(ledger, &mut transaction, chunk).await?);
    }
    for (scope, sums) in &sums(&inserted) {
        raise(ledger, &mut transaction, scope, sums).await?;
    }
    ledger.noted(transaction.commit().await)?;
    Ok(Written { inserted: inserted.len() as u64, cost: inserted.iter().map(|e| e.cost).sum() })
}

/// Inserts a chunk; answers the entries that were not there before. The count of rows tells whether all were new, as
/// they nearly always are; only a replay is sorted out one by one, since asking for every id back costs more than the
/// insert.
async fn insert_new<'e>(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    chunk: &'e [Entry],
) -> LedgerResult<Vec<&'e Entry>> {
    let mut attempt = ledger.noted(transaction.begin().await)?;
    if insert(ledger, &mut attempt, chunk).await? == chunk.len() as u64 {
        ledger.noted(attempt.commit().await)?;
        return Ok(chunk.iter().collect());
    }
    ledger.noted(attempt.rollback().await)?;
    let mut new = Vec::new();
    for entry in chunk {
        if insert(ledger, transaction, std::slice::from_ref(entry)).await? == 1 {
            new.push(entry);
        }
    }
    Ok(new)
}

async fn insert(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    chunk: &[Entry],
) -> LedgerResult<u64> {
    let mut statement = sqlx::query(sqlx::AssertSqlSafe(statement(ledger.engine, chunk.len())));
    for entry in chunk {
        let detail = serde_json::to_string(&Detail::of(entry)).map_err(broken)?;
        statement = statement
            .bind(entry.started_at.0)
            .bind(entry.id.to_string())
            .bind(entry.call_id.clone())
            .bind(entry.provider_id.clone())
            .bind(entry.status.as_str().to_owned())
            .bind(entry.key_hash.map(|h| h.hex()))
            .bind(entry.user_id.clone())
            .bind(entry.team_id.clone())
            .bind(entry.end_user.clone())
            .bind(entry.model_group.clone())
            .bind(entry.cost.0)
            .bind(number(entry.usage.input))
            .bind(number(entry.usage.output))
            .bind(detail);
    }
    ledger.noted(statement.execute(&mut **transaction).await).map(|done| done.rows_affected())
}

/// The insert of so many rows. SQLite looks up the name of each numbered placeholder in a list of all of them, which
/// took most of the time of a batch; nameless ones are not in that list.
fn statement(engine: Engine, rows: usize) -> String {
    let mut text = String::from(INSERT);
    for row in 0..rows {
        text.push_str(if row == 0 { "VALUES (" } else { ", (" });
        let first = row * COLUMNS + 1;
        let places: Vec<String> = (first..first + COLUMNS).map(|n| placeholder(engine, n)).collect();
        text.push_str(&places.join(", "));
        text.push(')');
    }
    text.push_str(" ON CONFLICT (started_at, id) DO NOTHING");
    text
}

fn placeholder(engine: Engine, number: usize) -> String {
    match engine {
        Engine::Postgres => format!("${number}"),
        Engine::Sqlite => String::from("?"),
    }
}

fn sums(entries: &[&Entry]) -> BTreeMap<Scope, Sums> {
    let mut all: BTreeMap<Scope, Sums> = BTreeMap::new();
    for entry in entries {
        let scope = Scope {
            day: entry.started_at.0.div_euclid(MICROS_PER_DAY),
            key_hash: entry.key_hash.map(|h| h.hex()).unwrap_or_default(),
            user_id: entry.user_id.clone().unwrap_or_default(),
            team_id: entry.team_id.clone().unwrap_or_default(),
            model_group: entry.model_group.clone(),
        };
        let sums = all.entry(scope).or_default();
        sums.cost += entry.cost;
        sums.requests += 1;
        sums.failures += i64::from(entry.status != Status::Success);
        sums.input = sums.input.saturating_add(number(entry.usage.input));
        sums.output = sums.output.saturating_add(number(entry.usage.output));
    }
    all
}

async fn raise(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    scope: &Scope,
    sums: &Sums,
) -> LedgerResult<()> {
    let raised = sqlx::query(RAISE)
        .bind(scope.day)
        .bind(scope.key_hash.clone())
        .bind(scope.user_id.clone())
        .bind(scope.team_id.clone())
        .bind(scope.model_group.clone())
        .bind(sums.cost.0)
        .bind(sums.requests)
        .bind(sums.failures)
        .bind(sums.input)
        .bind(sums.output)
        .execute(&mut **transaction)
        .await;
    ledger.noted(raised).map(drop)
}

fn number(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
