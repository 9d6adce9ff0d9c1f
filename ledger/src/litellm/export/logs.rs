//! Entries as SpendLogs, and the sums by day that LiteLLM's reports are made of: raised by exactly the rows that were new,
//! in the same statement.

use super::super::logs::{PRICED, UNCACHED};
use super::Give;
use super::rows::{Json, moment, raw};
use crate::store::broken;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use weir_core::domain::spend::{Entry, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::ports::{LedgerResult, SpendFilter, SpendStore};

const TABLE: &str = "LiteLLM_SpendLogs";

/// Entries in one statement.
const PAGE: u32 = 500;

#[rustfmt::skip]
static COLUMNS: &[&str] = &[
    "request_id", "call_type", "api_key", "spend", "total_tokens", "prompt_tokens", "completion_tokens", "startTime",
    "endTime", "completionStartTime", "model", "model_id", "model_group", "custom_llm_provider", "api_base", "user",
    "metadata", "cache_hit", "cache_key", "request_tags", "team_id", "end_user", "requester_ip_address", "session_id", "status",
    "organization_id",
];

/// A table of sums by day: whose they are, by which column, and in which rows `m` that stands.
struct Daily {
    table: &'static str,
    column: &'static str,
    value: &'static str,
    from: &'static str,
}

static DAILIES: &[Daily] = &[
    Daily { table: "LiteLLM_DailyUserSpend", column: "user_id", value: "m.\"user\"", from: "made m" },
    Daily { table: "LiteLLM_DailyTeamSpend", column: "team_id", value: "m.team_id", from: "made m" },
    Daily {
        table: "LiteLLM_DailyOrganizationSpend",
        column: "organization_id",
        value: "m.organization_id",
        from: "made m",
    },
    Daily { table: "LiteLLM_DailyEndUserSpend", column: "end_user_id", value: "m.end_user", from: "made m" },
    Daily {
        table: "LiteLLM_DailyTagSpend",
        column: "tag",
        value: "g.tag",
        from: "made m CROSS JOIN LATERAL jsonb_array_elements_text(m.request_tags) g (tag)",
    },
];

const DAY: &str = "to_char(m.\"startTime\", 'YYYY-MM-DD')";

/// Sums that are raised, and by what.
static MEASURES: &[(&str, &str)] = &[
    ("prompt_tokens", "SUM(m.prompt_tokens)"),
    ("completion_tokens", "SUM(m.completion_tokens)"),
    ("spend", "SUM(m.spend)"),
    ("api_requests", "COUNT(*)"),
    ("successful_requests", "COUNT(*) FILTER (WHERE m.status = 'success')"),
    ("failed_requests", "COUNT(*) FILTER (WHERE m.status <> 'success')"),
    (
        "cache_read_input_tokens",
        "SUM(COALESCE(CAST(m.metadata #>> '{usage_object,cache_read_input_tokens}' AS BIGINT), 0))",
    ),
    (
        "cache_creation_input_tokens",
        "SUM(COALESCE(CAST(m.metadata #>> '{usage_object,cache_creation_input_tokens}' AS BIGINT), 0))",
    ),
];

const NOTE: &str = "the sums by day were raised by the rows that were new";

impl Give<'_> {
    /// Writes all entries, the newest first. What is there already stays as it is.
    pub(super) async fn logs(&mut self) -> LedgerResult<()> {
        self.report.at(TABLE).note(NOTE);
        let statement = self.log_statement();
        let mut before = None;
        loop {
            let filter = SpendFilter { before, limit: PAGE, ..SpendFilter::default() };
            let page = self.ledger.entries(&filter).await?;
            let Some(last) = page.last() else { return Ok(()) };
            before = Some((last.started_at, last.id));
            let rows = page.iter().map(row).collect::<LedgerResult<Vec<Json>>>()?;
            let json = serde_json::to_string(&rows).map_err(broken)?;
            let new: u64 = self.ask(statement.clone(), &[&json]).await?.parse().map_err(broken)?;
            let report = self.report.at(TABLE);
            report.rows += page.len() as u64;
            report.taken += new;
            report.there += page.len() as u64 - new;
        }
    }

    fn log_statement(&self) -> String {
        let table = self.target.named(TABLE);
        let columns = COLUMNS.iter().filter(|column| self.target.has_column(TABLE, column));
        let columns = columns.map(|column| super::quoted(column)).collect::<Vec<_>>().join(", ");
        let dailies: Vec<String> =
            DAILIES.iter().enumerate().filter_map(|(at, daily)| self.raise(at, daily)).collect();
        format!(
            "WITH made AS (INSERT INTO {table} ({columns}) SELECT {columns} \
             FROM json_populate_recordset(CAST(NULL AS {table}), CAST($1 AS JSON)) \
             ON CONFLICT (request_id) DO NOTHING RETURNING *){} SELECT CAST(COUNT(*) AS TEXT) FROM made",
            dailies.concat(),
        )
    }

    /// The part of the statement that raises a table of sums. What came from LiteLLM is in its own sums already, if it has
    /// any of that day and key: they have a route.
    fn raise(&self, at: usize, daily: &Daily) -> Option<String> {
        let whole = daily.value != "m.organization_id" || self.target.has_column(TABLE, "organization_id");
        if !whole || !self.target.has(daily.table) {
            return None;
        }
        let (table, column, value) = (self.target.named(daily.table), daily.column, daily.value);
        let names: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
        let sums: Vec<&str> = MEASURES.iter().map(|(_, sum)| *sum).collect();
        let set: Vec<String> =
            names.iter().map(|name| format!("{name} = d.{name} + EXCLUDED.{name}")).collect();
        Some(format!(
            ", raised_{at} AS (INSERT INTO {table} AS d (id, {column}, date, api_key, model, model_group, \
             custom_llm_provider, mcp_namespaced_tool_name, endpoint, updated_at, {}) \
             SELECT CAST(gen_random_uuid() AS TEXT), {value}, {DAY}, m.api_key, m.model, MIN(m.model_group), \
             m.custom_llm_provider, '', '', CURRENT_TIMESTAMP, {} FROM {} WHERE {value} IS NOT NULL \
             AND (m.metadata #>> '{{weir,price_version}}' <> '{PRICED}' OR NOT EXISTS (SELECT FROM {table} k \
             WHERE k.date = {DAY} AND k.api_key = m.api_key AND k.endpoint IS DISTINCT FROM '')) \
             GROUP BY {value}, {DAY}, m.api_key, m.model, m.custom_llm_provider \
             ON CONFLICT ({column}, date, api_key, model, custom_llm_provider, mcp_namespaced_tool_name, endpoint) \
             DO UPDATE SET {})",
            names.join(", "),
            sums.join(", "),
            daily.from,
            set.join(", "),
        ))
    }
}

fn row(entry: &Entry) -> LedgerResult<Json> {
    let text = |text: &Option<String>| raw(text.as_deref().unwrap_or_default());
    let values = [
        ("request_id", raw(&request_id(entry))),
        ("call_type", raw(entry.operation.row().call_type)),
        ("api_key", raw(&entry.key_hash.map(|hash| hash.hex()).unwrap_or_default())),
        ("spend", Ok(entry.cost.json())),
        ("total_tokens", raw(&small(entry.usage.total()))),
        ("prompt_tokens", raw(&small(entry.usage.input))),
        ("completion_tokens", raw(&small(entry.usage.output))),
        ("startTime", moment(Some(entry.started_at.0))),
        ("endTime", moment(Some(entry.ended_at.0))),
        ("completionStartTime", moment(Some(entry.first_token_at.unwrap_or(entry.ended_at).0))),
        ("model", raw(&model(entry))),
        ("model_id", raw(&entry.deployment_id)),
        ("model_group", raw(&entry.model_group)),
        ("custom_llm_provider", raw(&entry.provider)),
        ("api_base", raw(&entry.api_base)),
        ("user", text(&entry.user_id)),
        ("metadata", raw(&metadata(entry)?)),
        ("cache_hit", raw(if entry.cache_hit { "True" } else { "False" })),
        ("cache_key", raw(entry.cache_key.as_deref().unwrap_or(UNCACHED))),
        ("request_tags", raw(&entry.tags)),
        ("team_id", raw(&entry.team_id)),
        ("end_user", raw(&entry.end_user)),
        ("requester_ip_address", raw(&entry.client_ip)),
        ("session_id", raw(&entry.session_id)),
        ("status", raw(status(entry))),
        ("organization_id", raw(&entry.organization_id)),
    ];
    values.into_iter().map(|(name, value)| Ok((name, value?))).collect()
}

/// The id that a row came with; else ours, which is unique, as ids of clients and providers are not.
fn request_id(entry: &Entry) -> String {
    if entry.price_version == PRICED { entry.call_id.clone() } else { entry.id.to_string() }
}

fn status(entry: &Entry) -> &'static str {
    if entry.status == Status::Success { "success" } else { "failure" }
}

/// LiteLLM's columns are no larger.
fn small(tokens: u64) -> i32 {
    i32::try_from(tokens).unwrap_or(i32::MAX)
}

/// The upstream's model with its provider before it.
fn model(entry: &Entry) -> String {
    let model = if entry.model.is_empty() { &entry.model_requested } else { &entry.model };
    if entry.provider.is_empty() || entry.model.is_empty() {
        return model.clone();
    }
    format!("{}/{model}", entry.provider)
}

fn metadata(entry: &Entry) -> LedgerResult<Json> {
    let failed = entry.status != Status::Success;
    let error = json!({
        "error_code": entry.http_status.to_string(),
        "error_class": entry.error,
        "error_message": entry.error_message,
    });
    let weir = json!({
        "entry_id": entry.id.to_string(),
        "call_id": entry.call_id,
        "provider_id": entry.provider_id,
        "price_version": entry.price_version,
        "service_tier": entry.usage.tier_name(),
    });
    let usage = (entry.usage_source != UsageSource::None).then(|| usage(&entry.usage));
    let values = [
        ("user_api_key", raw(&entry.key_hash.map(|hash| hash.hex()))),
        ("user_api_key_alias", raw(&entry.key_alias)),
        ("user_api_key_user_id", raw(&entry.user_id)),
        ("user_api_key_team_id", raw(&entry.team_id)),
        ("user_api_key_team_alias", raw(&entry.team_alias)),
        ("user_api_key_org_id", raw(&entry.organization_id)),
        // As it was sent, digit by digit.
        ("spend_logs_metadata", raw(&serde_json::from_str::<&RawValue>(&entry.metadata).ok())),
        ("usage_object", raw(&usage)),
        ("status", raw(status(entry))),
        ("error_information", raw(&failed.then_some(error))),
        ("weir", raw(&weir)),
    ];
    values.into_iter().map(|(name, value)| Ok((name, value?))).collect()
}

fn usage(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total(),
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write.saturating_add(usage.cache_write_1h),
        "prompt_tokens_details": { "cached_tokens": usage.cache_read, "audio_tokens": usage.audio_input },
        "completion_tokens_details": { "reasoning_tokens": usage.reasoning, "audio_tokens": usage.audio_output },
    })
}
