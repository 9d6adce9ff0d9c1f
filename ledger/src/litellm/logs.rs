//! SpendLogs: one entry for each row. Entries of before the move are history: they are summed by day, and count against no
//! budget (see [`Counts`]).

use super::row::{Refused, Row, refused};
use super::source::{Table, beside};
use super::take::Take;
use crate::spend::write::{self, Counts};
use crate::store::{Ledger, broken, sort};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::HashSet;
use weir_core::domain::ids::{EntryId, KeyHash};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::{OPERATIONS, Operation};
use weir_core::domain::spend::{Entry, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::ports::LedgerResult;
use weir_core::time::Micros;

pub(super) static LOGS: Table = Table {
    name: "LiteLLM_SpendLogs",
    key: &[("startTime", "TIMESTAMP"), ("request_id", "TEXT")],
    #[rustfmt::skip]
    columns: &[
        "request_id", "call_type", "api_key", "spend", "total_tokens", "prompt_tokens", "completion_tokens",
        "startTime", "endTime", "completionStartTime", "model", "model_id", "model_group", "custom_llm_provider",
        "api_base", "user", "cache_hit", "cache_key", "request_tags", "team_id", "end_user", "requester_ip_address", "session_id",
        "status", "organization_id",
    ],
    // Of the metadata only what is looked at: the rest is many times as large.
    beside: &[
        beside("key_alias", "t.metadata ->> 'user_api_key_alias'"),
        beside("team_alias", "t.metadata ->> 'user_api_key_team_alias'"),
        beside("key_organization", "t.metadata ->> 'user_api_key_org_id'"),
        beside("failed", "t.metadata ->> 'status'"),
        beside("error_code", "t.metadata #>> '{error_information,error_code}'"),
        beside("error_class", "t.metadata #>> '{error_information,error_class}'"),
        beside("error_message", "t.metadata #>> '{error_information,error_message}'"),
        beside("usage", "t.metadata -> 'usage_object'"),
        beside("told", "COALESCE(t.metadata -> 'spend_logs_metadata', t.metadata -> 'requester_metadata')"),
    ],
};

/// The time of the first, seconds since 1970.
const FIRST: &str =
    "SELECT CAST(CAST(EXTRACT(EPOCH FROM MIN(\"startTime\")) AS BIGINT) AS TEXT) FROM @LiteLLM_SpendLogs";

/// What `price_version` says of amounts that LiteLLM worked out.
pub(super) const PRICED: &str = "litellm";

/// What `cache_key` says where the cache was not asked.
pub(super) const UNCACHED: &str = "Cache OFF";

/// Rows in one transaction.
const PAGE: u32 = 1_000;

/// Ids in one statement.
const IDS: usize = 100;

const NOTES: &[&str] = &[
    "they count in reports, and not against budgets: what budgets have spent is the spend of keys, teams and the others",
    "messages, response and proxy_server_request are left out: bodies of requests are not kept",
    "agent_id and mcp_namespaced_tool_name have no counterpart, and of metadata what is only LiteLLM's is left out",
];

const AGENT: &str = "User-Agent: ";

impl Take<'_> {
    /// Takes all rows, the oldest first.
    pub(super) async fn logs(&mut self) -> LedgerResult<()> {
        if !self.source.has(LOGS.name) {
            return Ok(());
        }
        NOTES.iter().for_each(|note| self.report.at(LOGS.name).note(*note));
        self.months().await?;
        let mut after: Option<Vec<String>> = None;
        loop {
            let page = self.source.page(&LOGS, None, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(LOGS.place(last));
            let entries = self.entries(&page);
            let new = match self.dry_run {
                true => entries.len() as u64 - known(self.ledger, &entries).await?,
                false => write::write(self.ledger, &entries, Counts::Before, None).await?.inserted,
            };
            let report = self.report.at(LOGS.name);
            report.taken += new;
            report.there += entries.len() as u64 - new;
        }
    }

    /// Makes room for all months that there are logs of.
    async fn months(&self) -> LedgerResult<()> {
        let first = self.source.ask(FIRST, &[]).await?.and_then(|seconds| seconds.parse().ok());
        match first.filter(|_| !self.dry_run) {
            Some(first) => self.ledger.partitions_since(first).await,
            None => Ok(()),
        }
    }

    fn entries(&mut self, page: &[Row]) -> Vec<Entry> {
        let report = self.report.at(LOGS.name);
        report.rows += page.len() as u64;
        let mut entries = Vec::with_capacity(page.len());
        for row in page {
            match entry(row) {
                Ok(entry) => entries.push(entry),
                Err(Refused(why)) => report.refuse(&why, 1, row.text("request_id").as_deref()),
            }
        }
        entries
    }
}

/// How many of them are there already.
async fn known(ledger: &Ledger, entries: &[Entry]) -> LedgerResult<u64> {
    let mut known = HashSet::new();
    for some in entries.chunks(IDS) {
        let places: Vec<String> = (3..some.len() + 3).map(|n| format!("${n}")).collect();
        let times = some.iter().map(|entry| entry.started_at.0);
        let (from, until) = (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default());
        let text = format!(
            "SELECT id FROM spend_entry WHERE started_at >= $1 AND started_at <= $2 AND id IN ({})",
            places.join(", ")
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(from).bind(until);
        let query = some.iter().fold(query, |query, entry| query.bind(entry.id.to_string()));
        for row in query.fetch_all(&ledger.reader).await.map_err(sort)? {
            known.insert(row.try_get::<String, _>("id").map_err(broken)?);
        }
    }
    Ok(known.len() as u64)
}

// --- a row as an entry ---

fn entry(row: &Row) -> Result<Entry, Refused> {
    let request = row.required("request_id")?;
    let started_at = row.moment("startTime")?.ok_or_else(|| refused("startTime is empty"))?;
    let ended_at = row.moment("endTime")?.unwrap_or(started_at);
    let first_token_at = row.moment("completionStartTime")?.filter(|at| *at < ended_at);
    let text = |column: &str| row.text(column).unwrap_or_default();
    let (hash, name) = key(row);
    let (status, http_status) = status(row);
    let tags = row.texts("request_tags");
    let model_group = row.text("model_group").or_else(|| row.text("model")).unwrap_or_default();
    Ok(Entry {
        id: id(started_at, &request),
        started_at,
        ended_at,
        first_token_at,
        call_id: request,
        provider_id: None,
        operation: operation(&text("call_type")),
        stream: first_token_at.is_some(),
        status,
        http_status,
        error: text("error_class"),
        error_message: text("error_message"),
        key_hash: hash,
        key_alias: row.text("key_alias").or(name),
        user_id: row.text("user"),
        team_id: row.text("team_id"),
        end_user: row.text("end_user"),
        model_requested: model_group.clone(),
        model_group,
        model: upstream(&text("model"), &text("custom_llm_provider")),
        provider: text("custom_llm_provider"),
        deployment_id: text("model_id"),
        api_base: text("api_base"),
        usage: usage(row)?,
        usage_source: source(row)?,
        cost: row.money("spend")?.unwrap_or(NanoUsd::ZERO),
        price_version: PRICED.to_owned(),
        unpriced: false,
        attempts: Vec::new(),
        user_agent: agent(&tags),
        tags,
        metadata: Some(row.object_text("told")).filter(|told| told != "{}").unwrap_or_default(),
        client_ip: text("requester_ip_address"),
        organization_id: row.text("organization_id").or_else(|| row.text("key_organization")),
        team_alias: row.text("team_alias"),
        session_id: row.text("session_id"),
        cache_hit: text("cache_hit") == "True",
        accounts: Vec::new(),
        explained: Default::default(),
        outrun: Vec::new(),
        cache_key: row.text("cache_key").filter(|key| key != UNCACHED),
    })
}

/// The same row has the same id in every import, and ids sort by time, as all of ours do.
fn id(started_at: Micros, request: &str) -> EntryId {
    let hash: [u8; 32] = Sha256::digest(format!("litellm {request}").as_bytes()).into();
    let mut rest = [0; 10];
    rest.copy_from_slice(&hash[..10]);
    let millis = u64::try_from(started_at.0 / 1_000).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

/// The hash of the key; what is no hash (LiteLLM's own health checks are named) is a name.
fn key(row: &Row) -> (Option<KeyHash>, Option<String>) {
    let Some(key) = row.text("api_key") else { return (None, None) };
    if key.starts_with("sk-") {
        return (Some(KeyHash::of(&key)), None);
    }
    match KeyHash::from_hex(&key) {
        Some(hash) => (Some(hash), None),
        None => (None, Some(key)),
    }
}

/// Failures that LiteLLM gives no status of may have had any.
fn status(row: &Row) -> (Status, u16) {
    let failed =
        [row.text("status"), row.text("failed")].into_iter().flatten().any(|status| status == "failure");
    match failed {
        true => (Status::Failure, row.text("error_code").and_then(|code| code.parse().ok()).unwrap_or(500)),
        false => (Status::Success, 200),
    }
}

/// By LiteLLM's name of it, also of its blocking twin. What was refused early has no name.
fn operation(call_type: &str) -> Operation {
    let named = OPERATIONS
        .iter()
        .find(|row| row.call_type == call_type || row.call_type.strip_prefix('a') == Some(call_type));
    match (named, call_type) {
        (Some(row), _) => row.operation,
        (None, "") => Operation::Chat,
        (None, _) => Operation::PassThrough,
    }
}

/// Without the provider before it.
pub(super) fn upstream(model: &str, provider: &str) -> String {
    let rest = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/'));
    rest.filter(|_| !provider.is_empty()).unwrap_or(model).to_owned()
}

/// The client's own name, which LiteLLM keeps among the tags; the one with a version where there are two.
fn agent(tags: &[String]) -> String {
    let agents = tags.iter().filter_map(|tag| tag.strip_prefix(AGENT));
    agents.max_by_key(|agent| agent.len()).unwrap_or_default().to_owned()
}

fn usage(row: &Row) -> Result<Usage, Refused> {
    let told = Value::Object(row.object("usage"));
    let count = |path: &str| told.pointer(path).and_then(Value::as_u64).unwrap_or_default();
    let column = |name: &str| {
        let number = row.number(name)?.unwrap_or_default();
        Ok::<u64, Refused>(u64::try_from(number).unwrap_or_default())
    };
    Ok(Usage {
        input: column("prompt_tokens")?,
        output: column("completion_tokens")?,
        cache_read: count("/prompt_tokens_details/cached_tokens").max(count("/cache_read_input_tokens")),
        cache_write: count("/cache_creation_input_tokens"),
        reasoning: count("/completion_tokens_details/reasoning_tokens"),
        audio_input: count("/prompt_tokens_details/audio_tokens"),
        audio_output: count("/completion_tokens_details/audio_tokens"),
        ..Usage::default()
    })
}

fn source(row: &Row) -> Result<UsageSource, Refused> {
    let some = row.number("total_tokens")?.is_some_and(|tokens| tokens > 0);
    Ok(if some { UsageSource::Reported } else { UsageSource::None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"request_id":"chatcmpl-1","call_type":"acompletion","spend":9.750000000000001e-05,
        "total_tokens":18,"prompt_tokens":11,"completion_tokens":7,"startTime":"2026-11-23T11:56:46.39",
        "endTime":"2026-11-23T11:56:46.405","completionStartTime":"2026-11-23T11:56:46.4","model":"openai/gpt-4o",
        "model_group":"gpt-4o","custom_llm_provider":"openai","api_key":"litellm-internal-health-check",
        "request_tags":["User-Agent: curl","User-Agent: curl/8","a"],"cache_hit":"None","cache_key":"Cache OFF",
        "usage":{"prompt_tokens_details":{"cached_tokens":4}},"told":{"x":1.10}}"#;

    #[test]
    fn a_row_is_an_entry() {
        let entry = entry(&Row::parse(ROW).unwrap()).unwrap();
        assert_eq!(
            (entry.cost, entry.operation, entry.status),
            (NanoUsd(97_500), Operation::Chat, Status::Success)
        );
        assert_eq!((entry.model.as_str(), entry.user_agent.as_str()), ("gpt-4o", "curl/8"));
        assert_eq!(entry.usage, Usage { input: 11, output: 7, cache_read: 4, ..Usage::default() });
        assert_eq!(
            (entry.key_hash, entry.key_alias.as_deref()),
            (None, Some("litellm-internal-health-check"))
        );
        assert_eq!(entry.cache_key, None);
        assert!(entry.stream && entry.metadata == r#"{"x":1.10}"# && entry.organization_id.is_none());
    }

    #[test]
    fn a_row_has_one_id_for_good() {
        let first = entry(&Row::parse(ROW).unwrap()).unwrap().id;
        assert_eq!(entry(&Row::parse(ROW).unwrap()).unwrap().id, first);
        let other = ROW.replace("chatcmpl-1", "chatcmpl-2");
        assert_ne!(entry(&Row::parse(&other).unwrap()).unwrap().id, first);
        assert_eq!(first.get_version_num(), 7);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let bad = ROW.replace("9.750000000000001e-05", "\"Infinity\"");
        assert_eq!(entry(&Row::parse(&bad).unwrap()), Err(refused("spend is no amount of money")));
    }

    #[test]
    fn operations_are_known_by_litellms_names() {
        for (name, operation_of) in [
            ("aembedding", Operation::Embeddings),
            ("embedding", Operation::Embeddings),
            ("", Operation::Chat),
            ("allm_passthrough_route", Operation::PassThrough),
        ] {
            assert_eq!(operation(name), operation_of);
        }
        assert_eq!(upstream("azure/my/gpt", "azure"), "my/gpt");
        assert_eq!(upstream("gpt-4o", ""), "gpt-4o");
    }
}
