//! Sums by day, of days that no log is left of. All other days are summed from the logs.
//!
//! LiteLLM deletes logs that are old, and keeps the sums. So the days before the first log are taken from the sums, from
//! the youngest to the oldest, each whole and in one transaction, and only while the day is older than all that is
//! summed here: an import that breaks off goes on there, and one that is repeated takes nothing twice.

use super::logs::upstream;
use super::row::{Refused, Row, refused};
use super::source::{Table, beside};
use super::take::Take;
use crate::spend::sums::Place;
use crate::spend::write::{self, Sum};
use crate::store::{Engine, broken};
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};
use std::collections::BTreeMap;
use weir_core::domain::operation::OPERATIONS;
use weir_core::ports::{LedgerResult, Sums};

/// One of LiteLLM's tables of sums, and where its rows go.
struct Daily {
    table: Table,
    sum: &'static Sum,
    /// The values of the sum's dimensions.
    dimensions: fn(&Row) -> Vec<String>,
}

/// Tables whose sums are those of the users' table once more, by something that is read beside it.
static AGAIN: &[&str] = &["LiteLLM_DailyTeamSpend", "LiteLLM_DailyOrganizationSpend"];

#[rustfmt::skip]
static COLUMNS: &[&str] = &[
    "id", "date", "api_key", "model", "model_group", "custom_llm_provider", "prompt_tokens", "completion_tokens",
    "spend", "api_requests", "failed_requests", "cache_creation_input_tokens", "cache_read_input_tokens", "endpoint",
    "user_id", "tag", "end_user_id",
];

/// The one team, or organisation, for which the same was summed on the same day.
const TEAM: &str = "SELECT MIN(d.team_id) FROM @LiteLLM_DailyTeamSpend d WHERE d.date = t.date AND d.api_key = t.api_key \
    AND d.model IS NOT DISTINCT FROM t.model AND d.model_group IS NOT DISTINCT FROM t.model_group \
    AND d.custom_llm_provider IS NOT DISTINCT FROM t.custom_llm_provider HAVING COUNT(DISTINCT d.team_id) = 1";
const ORGANIZATION: &str = "SELECT MIN(d.organization_id) FROM @LiteLLM_DailyOrganizationSpend d WHERE d.date = t.date \
    AND d.api_key = t.api_key AND d.model IS NOT DISTINCT FROM t.model \
    AND d.model_group IS NOT DISTINCT FROM t.model_group \
    AND d.custom_llm_provider IS NOT DISTINCT FROM t.custom_llm_provider HAVING COUNT(DISTINCT d.organization_id) = 1";

static DAILIES: &[Daily] = &[
    Daily {
        table: Table {
            name: "LiteLLM_DailyUserSpend",
            key: &[("id", "TEXT")],
            columns: COLUMNS,
            beside: &[beside("team_id", TEAM), beside("organization_id", ORGANIZATION)],
        },
        sum: &write::DAILY,
        dimensions: of_keys,
    },
    Daily {
        table: Table { name: "LiteLLM_DailyTagSpend", key: &[("id", "TEXT")], columns: COLUMNS, beside: &[] },
        sum: &write::TAGS,
        dimensions: |row| of_one(row, "tag"),
    },
    Daily {
        table: Table {
            name: "LiteLLM_DailyEndUserSpend",
            key: &[("id", "TEXT")],
            columns: COLUMNS,
            beside: &[],
        },
        sum: &write::CUSTOMERS,
        dimensions: |row| of_one(row, "end_user_id"),
    },
];

const FIRST_LOG: &str = "SELECT CAST(CAST(MIN(\"startTime\") AS DATE) AS TEXT) FROM @LiteLLM_SpendLogs";

/// Days on which more requests were summed than logged: how many days, requests and dollars.
const LOST: &str = "SELECT CAST(json_build_array(COUNT(*), SUM(d.requests - COALESCE(l.requests, 0)), \
        CAST(ROUND(SUM(d.spend - COALESCE(l.spend, 0)), 9) AS TEXT)) AS TEXT) \
    FROM (SELECT date, SUM(api_requests) AS requests, SUM(CAST(CAST(spend AS TEXT) AS NUMERIC)) AS spend \
        FROM @LiteLLM_DailyUserSpend WHERE date >= $1 AND spend BETWEEN -1e9 AND 1e9 GROUP BY date) d \
    LEFT JOIN (SELECT CAST(CAST(\"startTime\" AS DATE) AS TEXT) AS date, COUNT(*) AS requests, \
            SUM(CAST(CAST(spend AS TEXT) AS NUMERIC)) AS spend \
        FROM @LiteLLM_SpendLogs WHERE spend BETWEEN -1e9 AND 1e9 GROUP BY 1) l ON l.date = d.date \
    WHERE d.requests > COALESCE(l.requests, 0)";

/// Rows that are read at once.
const PAGE: u32 = 1_000;

/// Two imports at the same time take each day once.
const LOCK: &str = "SELECT CAST(pg_advisory_xact_lock(7236, 1) AS TEXT)";

impl Take<'_> {
    /// Takes the sums of all days before the first log, and tells of days whose logs are not complete.
    pub(super) async fn daily(&mut self) -> LedgerResult<()> {
        let source = self.source;
        let first_log = source.ask(FIRST_LOG, &[]).await?;
        for daily in DAILIES {
            self.days(daily, first_log.as_deref()).await?;
        }
        for table in AGAIN {
            let rows = source.count(table).await?;
            let report = self.report.at(table);
            report.rows = rows;
            report.refuse(
                "the same sums are in LiteLLM_DailyUserSpend, from which they are taken",
                rows,
                None,
            );
        }
        match first_log {
            Some(first) => self.lost(&first).await,
            None => Ok(()),
        }
    }

    async fn lost(&mut self, first: &str) -> LedgerResult<()> {
        let lost = self.source.ask(LOST, &[first]).await?;
        let lost =
            lost.and_then(|lost| serde_json::from_str::<(u64, Option<i64>, Option<String>)>(&lost).ok());
        if let Some((days @ 1.., requests, dollars)) = lost {
            let (requests, dollars) = (requests.unwrap_or_default(), dollars.unwrap_or_default());
            self.report.note(format!(
                "On {days} days since {first} LiteLLM summed {requests} requests (${dollars}) of which there are no logs: \
                 they are not in the reports. LiteLLM drops logs whose request id it has seen before, and old ones."
            ));
        }
        Ok(())
    }

    async fn days(&mut self, daily: &Daily, first_log: Option<&str>) -> LedgerResult<()> {
        let name = daily.table.name;
        let text = format!("SELECT DISTINCT date FROM @{name} WHERE $1 = '' OR date < $1 ORDER BY date DESC");
        if !self.source.has(name) {
            return Ok(());
        }
        let days = self.source.ask_all(&text, &[first_log.unwrap_or_default()]).await?;
        let rows = self.source.count(name).await?;
        let mut told = 0;
        for date in &days {
            told += self.one_day(daily, date).await?;
        }
        let report = self.report.at(name);
        report.rows = rows;
        report.refuse(
            "of days that are summed from the logs, or were summed before",
            rows.saturating_sub(told),
            None,
        );
        Ok(())
    }

    /// Takes one day; answers how many rows were told of.
    async fn one_day(&mut self, daily: &Daily, date: &str) -> LedgerResult<u64> {
        let Some(day) = day(date) else { return self.no_day(daily, date).await };
        let ledger = self.ledger;
        let mut transaction = ledger.noted(ledger.writer.begin().await)?;
        if self.oldest(daily, &mut transaction).await?.is_some_and(|oldest| oldest <= day) {
            return Ok(0);
        }
        let mut told = 0;
        let mut after: Option<Vec<String>> = None;
        loop {
            let page = self.source.page(&daily.table, Some(("date", date)), after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(daily.table.place(last));
            told += page.len() as u64;
            let rows: Vec<(Place, Sums)> = self.summed(daily, day, &page).into_iter().collect();
            if !self.dry_run {
                write::raise(ledger, &mut transaction, daily.sum, &rows).await?;
            }
        }
        ledger.noted(transaction.commit().await)?;
        Ok(told)
    }

    async fn no_day(&mut self, daily: &Daily, date: &str) -> LedgerResult<u64> {
        let text = format!("SELECT CAST(COUNT(*) AS TEXT) FROM @{} WHERE date = $1", daily.table.name);
        let rows =
            self.source.ask(&text, &[date]).await?.and_then(|rows| rows.parse().ok()).unwrap_or_default();
        self.report.at(daily.table.name).refuse("date is no day", rows, Some(date));
        Ok(rows)
    }

    /// The oldest day that is summed here.
    async fn oldest(
        &self,
        daily: &Daily,
        transaction: &mut Transaction<'_, Any>,
    ) -> LedgerResult<Option<i64>> {
        if self.ledger.engine == Engine::Postgres && !self.dry_run {
            self.ledger.noted(sqlx::query(LOCK).execute(&mut **transaction).await)?;
        }
        let text = format!("SELECT CAST(MIN(day) AS BIGINT) AS day FROM {}", daily.sum.table);
        let row = sqlx::query(AssertSqlSafe(text)).fetch_one(&mut **transaction).await;
        self.ledger.noted(row)?.try_get("day").map_err(broken)
    }

    fn summed(&mut self, daily: &Daily, day: i64, page: &[Row]) -> BTreeMap<Place, Sums> {
        let report = self.report.at(daily.table.name);
        let mut all: BTreeMap<Place, Sums> = BTreeMap::new();
        for row in page {
            match sums(row) {
                Ok(sums) => {
                    report.taken += 1;
                    all.entry((day, (daily.dimensions)(row))).or_default().add(&sums);
                }
                Err(Refused(why)) => report.refuse(&why, 1, Some(&daily.table.id(row))),
            }
        }
        all
    }
}

/// The day of `YYYY-MM-DD`, since 1970.
fn day(date: &str) -> Option<i64> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let passed = date.duration_since(jiff::civil::date(1970, 1, 1));
    Some(passed.as_secs().div_euclid(86_400))
}

fn sums(row: &Row) -> Result<Sums, Refused> {
    let count = |column: &str| Ok::<i64, Refused>(row.number(column)?.unwrap_or_default());
    Ok(Sums {
        cost: row.money("spend")?.ok_or_else(|| refused("spend is empty"))?,
        requests: count("api_requests")?,
        failures: count("failed_requests")?,
        input: count("prompt_tokens")?,
        output: count("completion_tokens")?,
        cache_read: count("cache_read_input_tokens")?,
        cache_write: count("cache_creation_input_tokens")?,
        // LiteLLM sums no times.
        ..Sums::default()
    })
}

fn of_keys(row: &Row) -> Vec<String> {
    let text = |column: &str| row.text(column).unwrap_or_default();
    vec![
        text("api_key"),
        text("user_id"),
        text("team_id"),
        text("organization_id"),
        group(row),
        upstream(&text("model"), &text("custom_llm_provider")),
        text("custom_llm_provider"),
        call_type(&text("endpoint")),
    ]
}

fn of_one(row: &Row, column: &str) -> Vec<String> {
    let text = |column: &str| row.text(column).unwrap_or_default();
    vec![text(column), text("api_key"), group(row), text("custom_llm_provider")]
}

fn group(row: &Row) -> String {
    row.text("model_group").or_else(|| row.text("model")).unwrap_or_default()
}

/// LiteLLM's name of the operation of a route, with or without `/v1`; empty for a route that is none here.
fn call_type(endpoint: &str) -> String {
    let named = OPERATIONS
        .iter()
        .find(|row| row.route == endpoint || row.route.strip_prefix("/v1") == Some(endpoint));
    named.map_or_else(String::new, |row| row.call_type.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(
            (day("1970-01-02"), day("1969-12-31"), day("2026-11-25")),
            (Some(1), Some(-1), Some(20_782))
        );
        assert_eq!(day("yesterday"), None);
    }

    #[test]
    fn routes_are_known_with_and_without_version() {
        assert_eq!(
            (call_type("/chat/completions").as_str(), call_type("/v1/rerank").as_str()),
            ("acompletion", "arerank")
        );
        assert_eq!(call_type("/elsewhere"), "");
    }
}
