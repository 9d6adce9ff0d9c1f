//! Layouts of payloads. Postcard does not describe itself: a payload is read by the struct it was written with. So a
//! record's kind names the layout too; what an earlier program left behind is read by the structs of its time, which
//! stand here. Whoever adds a member to an entry adds a layout; a test holds the bytes of each.

use super::frame::Kind;
use serde::Deserialize;
use weir_core::domain::ids::{EntryId, KeyHash};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{
    AttemptRecord, Begin, BudgetSeen, Charge, Entry, Explained, Outrun, SpendScope, Status,
};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::time::Micros;

/// The entry of an `End` of any layout.
pub(super) fn end(kind: Kind, payload: &[u8]) -> postcard::Result<Entry> {
    match kind {
        Kind::EndV1 => postcard::from_bytes::<EntryV1>(payload).map(Entry::from),
        Kind::EndV2 => postcard::from_bytes(payload),
        Kind::EndV3 => {
            let (entry, accounts) = postcard::from_bytes::<(Entry, Accounts)>(payload)?;
            Ok(Entry { accounts, ..entry })
        }
        Kind::EndV4 => {
            let (entry, accounts, explained) =
                postcard::from_bytes::<(Entry, Accounts, ExplainedV4)>(payload)?;
            Ok(Entry { accounts, explained: explained.into(), ..entry })
        }
        Kind::EndV5 => {
            let (entry, accounts, explained, outrun) =
                postcard::from_bytes::<(Entry, Accounts, Explained, Vec<OutrunV5>)>(payload)?;
            Ok(Entry { accounts, explained, outrun: of_v5(outrun), ..entry })
        }
        Kind::EndV6 => {
            let (entry, accounts, explained, outrun, cache_key) = postcard::from_bytes::<WholeV6>(payload)?;
            Ok(Entry { accounts, explained, outrun, cache_key, ..entry })
        }
        _ => {
            let (entry, accounts, explained, outrun, cache_key, tier) =
                postcard::from_bytes::<Whole>(payload)?;
            let usage = entry.usage.served_at(tier.as_deref());
            Ok(Entry { accounts, explained, outrun, cache_key, usage, ..entry })
        }
    }
}

/// The begin of a `Begin` of any layout.
pub(super) fn begin(kind: Kind, payload: &[u8]) -> postcard::Result<Begin> {
    match kind {
        Kind::BeginV1 => postcard::from_bytes::<BeginV1>(payload).map(Begin::from),
        Kind::BeginV2 => postcard::from_bytes(payload),
        // What explains an entry is known at its end.
        Kind::BeginV3 | Kind::BeginV4 => {
            let (mut begin, accounts) = postcard::from_bytes::<(Begin, Accounts)>(payload)?;
            begin.entry.accounts = accounts;
            Ok(begin)
        }
        Kind::BeginV5 => {
            let (mut begin, accounts, outrun) =
                postcard::from_bytes::<(Begin, Accounts, Vec<OutrunV5>)>(payload)?;
            (begin.entry.accounts, begin.entry.outrun) = (accounts, of_v5(outrun));
            Ok(begin)
        }
        Kind::BeginV6 => {
            let (mut begin, accounts, outrun) =
                postcard::from_bytes::<(Begin, Accounts, Vec<Outrun>)>(payload)?;
            (begin.entry.accounts, begin.entry.outrun) = (accounts, outrun);
            Ok(begin)
        }
        _ => {
            let (mut begin, accounts, outrun, tier) = postcard::from_bytes::<WholeBegin>(payload)?;
            (begin.entry.accounts, begin.entry.outrun) = (accounts, outrun);
            begin.entry.usage = begin.entry.usage.served_at(tier.as_deref());
            Ok(begin)
        }
    }
}

/// Behind the entry since layout 3.
type Accounts = Vec<(SpendScope, String)>;

/// An entry with what stands behind it, as layout 6 had it, and as it is read today.
type WholeV6 = (Entry, Accounts, Explained, Vec<Outrun>, Option<String>);
type Whole = (Entry, Accounts, Explained, Vec<Outrun>, Option<String>, Option<String>);

/// A begin as it is read today.
type WholeBegin = (Begin, Accounts, Vec<Outrun>, Option<String>);

/// An entry with what stands behind it, as it is written.
type Behind<'e> =
    (&'e Entry, &'e Accounts, &'e Explained, &'e Vec<Outrun>, &'e Option<String>, Option<&'static str>);

/// The payload of an `End`. What explains it is behind the accounts since layout 4, what was outrun since layout 5, the key
/// of the cache since layout 6, the service tier since layout 7.
pub(super) fn of_end(entry: &Entry) -> Behind<'_> {
    let tier = entry.usage.tier_name();
    (entry, &entry.accounts, &entry.explained, &entry.outrun, &entry.cache_key, tier)
}

/// What a [`Begin`] is written from, member by member, and what stands behind it.
type Begun<'e> = (EntryId, u16, &'e Entry, &'e Accounts, &'e Vec<Outrun>, Option<&'static str>);

/// The payload of a `Begin`, with the service tier since layout 7.
pub(super) fn of_begin(attempt: u16, entry: &Entry) -> Begun<'_> {
    (entry.id, attempt, entry, &entry.accounts, &entry.outrun, entry.usage.tier_name())
}

// --- layout 1: usage without pictures and searches, nobody's organisation and session ---

#[derive(Deserialize)]
struct UsageV1 {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
    reasoning: u64,
    audio_input: u64,
    audio_output: u64,
}

#[derive(Deserialize)]
struct EntryV1 {
    id: EntryId,
    started_at: Micros,
    ended_at: Micros,
    first_token_at: Option<Micros>,
    call_id: String,
    provider_id: Option<String>,
    operation: Operation,
    stream: bool,
    status: Status,
    http_status: u16,
    error: String,
    error_message: String,
    key_hash: Option<KeyHash>,
    key_alias: Option<String>,
    user_id: Option<String>,
    team_id: Option<String>,
    end_user: Option<String>,
    model_requested: String,
    model_group: String,
    model: String,
    provider: String,
    deployment_id: String,
    api_base: String,
    usage: UsageV1,
    usage_source: UsageSource,
    cost: NanoUsd,
    price_version: String,
    unpriced: bool,
    attempts: Vec<AttemptRecord>,
    tags: Vec<String>,
    metadata: String,
    client_ip: String,
    user_agent: String,
}

#[derive(Deserialize)]
struct BeginV1 {
    entry_id: EntryId,
    attempt: u16,
    entry: EntryV1,
}

impl From<UsageV1> for Usage {
    fn from(old: UsageV1) -> Self {
        Usage {
            input: old.input,
            output: old.output,
            cache_read: old.cache_read,
            cache_write: old.cache_write,
            cache_write_1h: old.cache_write_1h,
            reasoning: old.reasoning,
            audio_input: old.audio_input,
            audio_output: old.audio_output,
            ..Usage::default()
        }
    }
}

impl From<EntryV1> for Entry {
    fn from(old: EntryV1) -> Self {
        Entry {
            id: old.id,
            started_at: old.started_at,
            ended_at: old.ended_at,
            first_token_at: old.first_token_at,
            call_id: old.call_id,
            provider_id: old.provider_id,
            operation: old.operation,
            stream: old.stream,
            status: old.status,
            http_status: old.http_status,
            error: old.error,
            error_message: old.error_message,
            key_hash: old.key_hash,
            key_alias: old.key_alias,
            user_id: old.user_id,
            team_id: old.team_id,
            end_user: old.end_user,
            model_requested: old.model_requested,
            model_group: old.model_group,
            model: old.model,
            provider: old.provider,
            deployment_id: old.deployment_id,
            api_base: old.api_base,
            usage: old.usage.into(),
            usage_source: old.usage_source,
            cost: old.cost,
            price_version: old.price_version,
            unpriced: old.unpriced,
            attempts: old.attempts,
            tags: old.tags,
            metadata: old.metadata,
            client_ip: old.client_ip,
            user_agent: old.user_agent,
            organization_id: None,
            team_alias: None,
            session_id: None,
            cache_hit: false,
            accounts: Vec::new(),
            explained: Explained::default(),
            outrun: Vec::new(),
            cache_key: None,
        }
    }
}

impl From<BeginV1> for Begin {
    fn from(old: BeginV1) -> Self {
        Begin { entry_id: old.entry_id, attempt: old.attempt, entry: old.entry.into() }
    }
}

// --- layout 4: budgets without the moment at which they begin again, and none that refused ---

#[derive(Deserialize)]
struct ExplainedV4 {
    considered: Vec<String>,
    charges: Vec<Charge>,
    budgets: Vec<BudgetSeenV4>,
}

#[derive(Deserialize)]
struct BudgetSeenV4 {
    scope: SpendScope,
    id: String,
    cap: NanoUsd,
    before: NanoUsd,
}

impl From<ExplainedV4> for Explained {
    fn from(old: ExplainedV4) -> Self {
        let budgets = old.budgets.into_iter().map(BudgetSeen::from).collect();
        Explained { considered: old.considered, charges: old.charges, budgets }
    }
}

impl From<BudgetSeenV4> for BudgetSeen {
    fn from(old: BudgetSeenV4) -> Self {
        let BudgetSeenV4 { scope, id, cap, before } = old;
        BudgetSeen { scope, id, cap, before, resets_at: None, refused: false }
    }
}

// --- layout 5: what was outrun without its model ---

#[derive(Deserialize)]
struct OutrunV5 {
    provider: String,
    deployment_id: String,
    cost: NanoUsd,
    accounts: Accounts,
}

fn of_v5(outrun: Vec<OutrunV5>) -> Vec<Outrun> {
    let now = |OutrunV5 { provider, deployment_id, cost, accounts }| Outrun {
        provider,
        deployment_id,
        cost,
        accounts,
        model: String::new(),
    };
    outrun.into_iter().map(now).collect()
}

#[cfg(test)]
mod tests;
