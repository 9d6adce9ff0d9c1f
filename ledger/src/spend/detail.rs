//! The part of an entry that no statement finds by an index, as JSON in `spend_entry.detail`.

use super::brief;
use crate::store::broken;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{AttemptRecord, Entry, Explained, Outrun, SpendScope, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::ports::LedgerResult;
use weir_core::time::Micros;

/// Borrowed for writing, owned for reading; new fields get a default so that old rows stay readable. What says nothing
/// is left out where programs since the first know how to read that.
#[derive(Serialize, Deserialize)]
pub(super) struct Detail<'e> {
    ended_at: Micros,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_token_at: Option<Micros>,
    operation: Operation,
    stream: bool,
    http_status: u16,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    error: Cow<'e, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    error_message: Cow<'e, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_alias: Option<Cow<'e, str>>,
    model_requested: Cow<'e, str>,
    model: Cow<'e, str>,
    provider: Cow<'e, str>,
    deployment_id: Cow<'e, str>,
    api_base: Cow<'e, str>,
    #[serde(serialize_with = "brief::usage")]
    usage: Usage,
    usage_source: UsageSource,
    /// By its name: an earlier program reads a tier it does not know as the standard one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service_tier: Option<Cow<'e, str>>,
    price_version: Cow<'e, str>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unpriced: bool,
    attempts: Cow<'e, [AttemptRecord]>,
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    tags: Cow<'e, [String]>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    metadata: Cow<'e, str>,
    client_ip: Cow<'e, str>,
    user_agent: Cow<'e, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team_alias: Option<Cow<'e, str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cache_hit: bool,
    #[serde(default, skip_serializing_if = "<[(SpendScope, String)]>::is_empty")]
    accounts: Cow<'e, [(SpendScope, String)]>,
    #[serde(default, skip_serializing_if = "Explained::is_empty", serialize_with = "brief::explained")]
    explained: Cow<'e, Explained>,
    #[serde(default, skip_serializing_if = "<[Outrun]>::is_empty")]
    outrun: Cow<'e, [Outrun]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cache_key: Option<Cow<'e, str>>,
}

/// Bytes that most take.
const USUAL: usize = 1024;

/// A pattern of details in which the client got this status. Inside of texts quotes are escaped, so that it is found in
/// none.
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

impl<'e> Detail<'e> {
    pub(super) fn of(entry: &'e Entry) -> Self {
        Self {
            ended_at: entry.ended_at,
            first_token_at: entry.first_token_at,
            operation: entry.operation,
            stream: entry.stream,
            http_status: entry.http_status,
            error: (&entry.error).into(),
            error_message: (&entry.error_message).into(),
            key_alias: entry.key_alias.as_deref().map(Cow::Borrowed),
            model_requested: (&entry.model_requested).into(),
            model: (&entry.model).into(),
            provider: (&entry.provider).into(),
            deployment_id: (&entry.deployment_id).into(),
            api_base: (&entry.api_base).into(),
            usage: entry.usage,
            usage_source: entry.usage_source,
            service_tier: entry.usage.tier_name().map(Cow::Borrowed),
            price_version: (&entry.price_version).into(),
            unpriced: entry.unpriced,
            attempts: (&entry.attempts).into(),
            tags: (&entry.tags).into(),
            metadata: (&entry.metadata).into(),
            client_ip: (&entry.client_ip).into(),
            user_agent: (&entry.user_agent).into(),
            team_alias: entry.team_alias.as_deref().map(Cow::Borrowed),
            cache_hit: entry.cache_hit,
            accounts: (&entry.accounts).into(),
            explained: Cow::Borrowed(&entry.explained),
            outrun: (&entry.outrun).into(),
            cache_key: entry.cache_key.as_deref().map(Cow::Borrowed),
        }
    }

    /// As it stands in the column.
    pub(super) fn text(&self) -> LedgerResult<String> {
        let mut text = Vec::with_capacity(USUAL);
        serde_json::to_writer(&mut text, self).map_err(broken)?;
        String::from_utf8(text).map_err(broken)
    }
}

impl Columns {
    /// The entry as it was written.
    pub(super) fn entry(self) -> LedgerResult<Entry> {
        let d: Detail<'_> = serde_json::from_str(&self.detail).map_err(broken)?;
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
            error: d.error.into_owned(),
            error_message: d.error_message.into_owned(),
            key_hash: self.key_hash.as_deref().and_then(KeyHash::from_hex),
            key_alias: d.key_alias.map(Cow::into_owned),
            user_id: self.user_id,
            team_id: self.team_id,
            end_user: self.end_user,
            model_requested: d.model_requested.into_owned(),
            model_group: self.model_group,
            model: d.model.into_owned(),
            provider: d.provider.into_owned(),
            deployment_id: d.deployment_id.into_owned(),
            api_base: d.api_base.into_owned(),
            usage: d.usage.served_at(d.service_tier.as_deref()),
            usage_source: d.usage_source,
            cost: NanoUsd(self.cost),
            price_version: d.price_version.into_owned(),
            unpriced: d.unpriced,
            attempts: d.attempts.into_owned(),
            tags: d.tags.into_owned(),
            metadata: d.metadata.into_owned(),
            client_ip: d.client_ip.into_owned(),
            user_agent: d.user_agent.into_owned(),
            organization_id: self.organization_id,
            team_alias: d.team_alias.map(Cow::into_owned),
            session_id: self.session_id,
            cache_hit: d.cache_hit,
            accounts: d.accounts.into_owned(),
            explained: d.explained.into_owned(),
            outrun: d.outrun.into_owned(),
            cache_key: d.cache_key.map(Cow::into_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::domain::ids::EntryId;
    use weir_core::domain::money::FemtoUsd;
    use weir_core::domain::spend::{BudgetSeen, Charge};

    /// As a program wrote it that knew neither pictures nor searches.
    const OLD: &str = r#"{"ended_at":2,"operation":"Chat","stream":false,"http_status":200,"model_requested":"m","model":"m",
        "provider":"p","deployment_id":"d","api_base":"b","usage":{"input":11,"output":7,"cache_read":0,"cache_write":0,
        "cache_write_1h":0,"reasoning":0,"audio_input":0,"audio_output":0},"usage_source":"Reported","price_version":"v",
        "attempts":[],"client_ip":"","user_agent":""}"#;

    #[test]
    fn p32_rows_of_an_earlier_program_are_read() {
        let detail: Detail<'_> = serde_json::from_str(OLD).unwrap();
        assert_eq!(detail.usage, Usage { input: 11, output: 7, ..Usage::default() });
    }

    #[test]
    fn p32_rows_of_a_later_program_are_read() {
        let later = OLD.replace("\"audio_output\":0", "\"audio_output\":0,\"moons\":3");
        assert_ne!(later, OLD);
        let detail: Detail<'_> = serde_json::from_str(&later).unwrap();
        assert_eq!(detail.usage.output, 7);
    }

    /// The entry of a row.
    fn entry(detail: &str) -> Entry {
        let columns = Columns {
            started_at: 1,
            id: EntryId::from_u128(7).to_string(),
            call_id: "c".into(),
            provider_id: None,
            status: "success".into(),
            key_hash: None,
            user_id: None,
            team_id: None,
            organization_id: None,
            session_id: None,
            end_user: None,
            model_group: "g".into(),
            cost: 3,
            detail: detail.to_owned(),
        };
        columns.entry().unwrap()
    }

    fn explained(resets_at: Option<Micros>, refused: bool) -> Explained {
        let id = String::from("t");
        let (scope, cap, before) = (SpendScope::Team, NanoUsd(9), NanoUsd(2));
        Explained {
            considered: vec!["d".into()],
            charges: vec![Charge { label: "input".into(), quantity: 11, price: FemtoUsd(5), per: 1 }],
            budgets: vec![BudgetSeen { scope, id, cap, before, resets_at, refused }],
        }
    }

    #[test]
    fn what_says_nothing_is_left_out_and_all_else_is_read_again() {
        let plain = entry(OLD);
        let text = Detail::of(&plain).text().unwrap();
        for silent in
            ["searches", "image_", "audio_cache_read", "tier", "unpriced", "explained", "tags", "null"]
        {
            assert!(!text.contains(silent), "{silent}: {text}");
        }
        let open = Entry { explained: explained(None, false), ..plain.clone() };
        let text = Detail::of(&open).text().unwrap();
        assert!(!text.contains("resets_at") && !text.contains("refused"), "{text}");
        let usage =
            Usage { audio_cache_read: 1, image_input: 2, image_output: 3, searches: 4, ..plain.usage };
        let usage = usage.served_at(Some("flex"));
        let all =
            Entry { usage, unpriced: true, explained: explained(Some(Micros(5)), true), ..plain.clone() };
        for written in [plain, open, all] {
            assert_eq!(entry(&Detail::of(&written).text().unwrap()), written);
        }
    }

    /// Programs before this one have no default for these.
    #[test]
    fn p32_an_earlier_program_finds_all_that_it_asks_for() {
        let text = Detail::of(&entry(OLD)).text().unwrap();
        let detail: serde_json::Value = serde_json::from_str(&text).unwrap();
        let asked: serde_json::Value = serde_json::from_str(OLD).unwrap();
        assert_eq!(detail, asked);
    }
}
