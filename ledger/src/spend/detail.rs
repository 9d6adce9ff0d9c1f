//! The part of an entry that no statement finds by an index, as JSON in `spend_entry.detail`.

use crate::store::broken;
use serde::{Deserialize, Serialize};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{AttemptRecord, Entry, Explained, Outrun, SpendScope, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::ports::LedgerResult;
use weir_core::time::Micros;

/// Borrowed for writing, owned for reading; new fields get a default so that old rows stay readable.
#[derive(Serialize, Deserialize)]
pub(super) struct Detail {
    pub ended_at: Micros,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_at: Option<Micros>,
    pub operation: Operation,
    pub stream: bool,
    pub http_status: u16,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error_message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_alias: Option<String>,
    pub model_requested: String,
    pub model: String,
    pub provider: String,
    pub deployment_id: String,
    pub api_base: String,
    pub usage: Usage,
    pub usage_source: UsageSource,
    pub price_version: String,
    #[serde(default)]
    pub unpriced: bool,
    pub attempts: Vec<AttemptRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub metadata: String,
    pub client_ip: String,
    pub user_agent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_alias: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cache_hit: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<(SpendScope, String)>,
    #[serde(default, skip_serializing_if = "Explained::is_empty")]
    pub explained: Explained,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outrun: Vec<Outrun>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_key: Option<String>,
}

/// A pattern of details in which the client got this status. Inside of texts quotes are escaped, so that it is found in none.
pub(super) fn answered(http_status: u16) -> String {
    format!("%\"http_status\":{http_status},%")
}

/// The columns beside it.
pub(super) struct Columns {
    pub started_at: i64,
    pub id: String,
    pub call_id: String,
    pub provider_id: Option<String>,
    pub status: String,
    pub key_hash: Option<String>,
    pub user_id: Option<String>,
    pub team_id: Option<String>,
    pub organization_id: Option<String>,
    pub session_id: Option<String>,
    pub end_user: Option<String>,
    pub model_group: String,
    pub cost: i64,
    pub detail: String,
}

impl Detail {
    pub(super) fn of(entry: &Entry) -> Self {
        let entry = entry.clone();
        Self {
            ended_at: entry.ended_at,
            first_token_at: entry.first_token_at,
            operation: entry.operation,
            stream: entry.stream,
            http_status: entry.http_status,
            error: entry.error,
            error_message: entry.error_message,
            key_alias: entry.key_alias,
            model_requested: entry.model_requested,
            model: entry.model,
            provider: entry.provider,
            deployment_id: entry.deployment_id,
            api_base: entry.api_base,
            usage: entry.usage,
            usage_source: entry.usage_source,
            price_version: entry.price_version,
            unpriced: entry.unpriced,
            attempts: entry.attempts,
            tags: entry.tags,
            metadata: entry.metadata,
            client_ip: entry.client_ip,
            user_agent: entry.user_agent,
            team_alias: entry.team_alias,
            cache_hit: entry.cache_hit,
            accounts: entry.accounts,
            explained: entry.explained,
            outrun: entry.outrun,
            cache_key: entry.cache_key,
        }
    }
}

impl Columns {
    /// The entry as it was written.
    pub(super) fn entry(self) -> LedgerResult<Entry> {
        let d: Detail = serde_json::from_str(&self.detail).map_err(broken)?;
        Ok(Entry {
            id: self.id.parse().map_err(broken)?,
            started_at: Micros(self.started_at),
            ended_at: d.ended_at,
            first_token_at: d.first_token_at,
            call_id: self.call_id,
            provider_id: self.provider_id,
            operation: d.operation,
            stream: d.stream,
            status: Status::parse(&self.status).ok_or_else(|| broken(format!("status {:?}", self.status)))?,
            http_status: d.http_status,
            error: d.error,
            error_message: d.error_message,
            key_hash: self.key_hash.as_deref().and_then(KeyHash::from_hex),
            key_alias: d.key_alias,
            user_id: self.user_id,
            team_id: self.team_id,
            end_user: self.end_user,
            model_requested: d.model_requested,
            model_group: self.model_group,
            model: d.model,
            provider: d.provider,
            deployment_id: d.deployment_id,
            api_base: d.api_base,
            usage: d.usage,
            usage_source: d.usage_source,
            cost: NanoUsd(self.cost),
            price_version: d.price_version,
            unpriced: d.unpriced,
            attempts: d.attempts,
            tags: d.tags,
            metadata: d.metadata,
            client_ip: d.client_ip,
            user_agent: d.user_agent,
            organization_id: self.organization_id,
            team_alias: d.team_alias,
            session_id: self.session_id,
            cache_hit: d.cache_hit,
            accounts: d.accounts,
            explained: d.explained,
            outrun: d.outrun,
            cache_key: d.cache_key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a program wrote it that knew neither pictures nor searches.
    const OLD: &str = r#"{"ended_at":2,"operation":"Chat","stream":false,"http_status":200,"model_requested":"m","model":"m",
        "provider":"p","deployment_id":"d","api_base":"b","usage":{"input":11,"output":7,"cache_read":0,"cache_write":0,
        "cache_write_1h":0,"reasoning":0,"audio_input":0,"audio_output":0},"usage_source":"Reported","price_version":"v",
        "attempts":[],"client_ip":"","user_agent":""}"#;

    #[test]
    fn p32_rows_of_an_earlier_program_are_read() {
        let detail: Detail = serde_json::from_str(OLD).unwrap();
        assert_eq!(detail.usage, Usage { input: 11, output: 7, ..Usage::default() });
    }

    #[test]
    fn p32_rows_of_a_later_program_are_read() {
        let later = OLD.replace("\"audio_output\":0", "\"audio_output\":0,\"moons\":3");
        assert_ne!(later, OLD);
        let detail: Detail = serde_json::from_str(&later).unwrap();
        assert_eq!(detail.usage.output, 7);
    }
}
