//! The ledger entry: one per exchange, with its attempts.

use super::ids::{EntryId, KeyHash};
use super::money::{FemtoUsd, NanoUsd};
use super::operation::Operation;
use super::period::WindowBudget;
use super::records::member_id;
use super::usage::{Usage, UsageSource};
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Success,
    /// Refused by us or failed upstream; the client got an error.
    Failure,
    /// The client went away before the end.
    Cancelled,
    /// The process died in between; booked from the journal's `begin`.
    Interrupted,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Success => "success",
            Status::Failure => "failure",
            Status::Cancelled => "cancelled",
            Status::Interrupted => "interrupted",
        }
    }

    /// The reverse of [`Status::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Status::Success, Status::Failure, Status::Cancelled, Status::Interrupted]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// What spend is summed by since the last reset. The order is on disk (journal): new ones come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SpendScope {
    Key,
    Team,
    User,
    Organization,
    Customer,
    Tag,
    /// A user in a team.
    Member,
    Model,
    Provider,
    Deployment,
    // Of one period each: see `WindowBudget`.
    /// Everything that keys spend.
    Gateway,
    KeyModel,
    TeamModel,
    ProviderPeriod,
    DeploymentPeriod,
    /// What a client calls one piece of work.
    Session,
    TagPeriod,
}

impl SpendScope {
    /// Those of one period each.
    pub const PERIODS: [SpendScope; 7] = [
        SpendScope::Gateway,
        SpendScope::KeyModel,
        SpendScope::TeamModel,
        SpendScope::ProviderPeriod,
        SpendScope::DeploymentPeriod,
        SpendScope::Session,
        SpendScope::TagPeriod,
    ];

    pub const ALL: usize = SpendScope::TagPeriod as usize + 1;

    /// How people call whom an account is about: without the period that the names of some begin with.
    pub fn whom(self, id: &str) -> String {
        match Self::PERIODS.contains(&self) {
            true => WindowBudget::whom(id),
            false => id.replace('\u{1f}', " "),
        }
    }

    /// Those whose id an entry says by itself, see [`Entry::whose`].
    pub fn is_of_entry(self) -> bool {
        use SpendScope::{Customer, Key, Member, Organization, Team, User};
        matches!(self, Key | Team | User | Organization | Customer | Member)
    }

    /// Those that belong to whoever is asked, and not to whoever asks.
    pub fn is_of_deployment(self) -> bool {
        use SpendScope::{Deployment, DeploymentPeriod, Provider, ProviderPeriod};
        matches!(self, Provider | Deployment | ProviderPeriod | DeploymentPeriod)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            SpendScope::Key => "key",
            SpendScope::Team => "team",
            SpendScope::User => "user",
            SpendScope::Organization => "organization",
            SpendScope::Customer => "customer",
            SpendScope::Tag => "tag",
            SpendScope::Member => "member",
            SpendScope::Model => "model",
            SpendScope::Provider => "provider",
            SpendScope::Deployment => "deployment",
            SpendScope::Gateway => "gateway",
            SpendScope::KeyModel => "key_model",
            SpendScope::TeamModel => "team_model",
            SpendScope::ProviderPeriod => "provider_period",
            SpendScope::DeploymentPeriod => "deployment_period",
            SpendScope::Session => "session",
            SpendScope::TagPeriod => "tag_period",
        }
    }
}

/// One try of one deployment. Attempts that failed before anything was consumed have no usage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// 1 for the first attempt of the exchange; sent upstream in `x-client-request-id` as `<entry id>-<number>`.
    pub number: u16,
    pub deployment_id: String,
    pub model_group: String,
    /// HTTP status of the provider; 0 when there was no answer.
    pub status: u16,
    /// Label of the error kind, empty on success.
    pub error: String,
    pub started_at: Micros,
    pub ended_at: Micros,
}

/// `error` of an attempt that was ended because another deployment answered first.
pub const OUTRUN: &str = "Outrun";

impl AttemptRecord {
    /// Whether the provider failed: it was not reached, too late, or not well. Refusals are no outage.
    pub fn is_outage(&self) -> bool {
        let failed = !["", "ClientDisconnected", OUTRUN].contains(&self.error.as_str());
        failed && (matches!(self.status, 0 | 408) || self.status >= 500)
    }
}

/// What such an attempt cost: a part of its entry's cost. It counts against the deployment that was asked, and not
/// against the one that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outrun {
    pub provider: String,
    pub deployment_id: String,
    pub cost: NanoUsd,
    /// Budgets of one period of that deployment and its provider.
    pub accounts: Vec<(SpendScope, String)>,
    /// What the provider calls the model. Empty: written by a version that did not note it.
    #[serde(default)]
    pub model: String,
}

/// Everything that is booked about one exchange. Quantities and price version stay, so that it can be re-priced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub id: EntryId,
    /// Intake time; half of the primary key, so that a replay conflicts inside its partition.
    pub started_at: Micros,
    pub ended_at: Micros,
    pub first_token_at: Option<Micros>,
    /// `x-litellm-call-id`: the client's, else the entry id as text. Indexed, never unique.
    pub call_id: String,
    /// The provider's id of the answer (`chatcmpl-…`).
    pub provider_id: Option<String>,
    pub operation: Operation,
    pub stream: bool,
    pub status: Status,
    /// HTTP status the client got; 499 when it went away.
    pub http_status: u16,
    /// Label of the error kind and its message for the client; empty on success.
    pub error: String,
    pub error_message: String,
    pub key_hash: Option<KeyHash>,
    pub key_alias: Option<String>,
    pub user_id: Option<String>,
    pub team_id: Option<String>,
    pub end_user: Option<String>,
    /// The name the client asked for.
    pub model_requested: String,
    /// The group that answered (differs after a fallback).
    pub model_group: String,
    /// The upstream model, with its provider prefix.
    pub model: String,
    pub provider: String,
    pub deployment_id: String,
    pub api_base: String,
    pub usage: Usage,
    pub usage_source: UsageSource,
    pub cost: NanoUsd,
    /// Which prices were used; empty for none.
    pub price_version: String,
    /// Served without a known price.
    pub unpriced: bool,
    pub attempts: Vec<AttemptRecord>,
    pub tags: Vec<String>,
    /// The client's metadata, a JSON object as text; empty for none.
    pub metadata: String,
    pub client_ip: String,
    pub user_agent: String,
    pub organization_id: Option<String>,
    pub team_alias: Option<String>,
    /// The client's session (`x-litellm-session-id`, `metadata.session_id`); `None`: the entry is one by itself.
    pub session_id: Option<String>,
    /// Answered from the cache, at no cost.
    pub cache_hit: bool,
    /// What it is counted under beside what follows from the members above: budgets of one period. The journal keeps it
    /// behind the entry.
    #[serde(skip)]
    pub accounts: Vec<(SpendScope, String)>,
    /// How it came about. Kept by the journal as the accounts are.
    #[serde(skip)]
    pub explained: Explained,
    /// What of the cost is another deployment's than the one that answered. Kept by the journal as the accounts are.
    #[serde(skip)]
    pub outrun: Vec<Outrun>,
    /// Under what the cache of answers was asked; `None`: it was not. Kept by the journal as the accounts are.
    #[serde(skip)]
    pub cache_key: Option<String>,
}

impl Entry {
    /// An exchange that has just begun: nobody was recognised, nothing was used, and it is `Interrupted` if nothing
    /// follows.
    pub fn begun(id: EntryId, started_at: Micros, operation: Operation) -> Self {
        Self {
            id,
            started_at,
            ended_at: started_at,
            first_token_at: None,
            call_id: String::new(),
            provider_id: None,
            operation,
            stream: false,
            status: Status::Interrupted,
            http_status: 0,
            error: String::new(),
            error_message: String::new(),
            key_hash: None,
            key_alias: None,
            user_id: None,
            team_id: None,
            end_user: None,
            model_requested: String::new(),
            model_group: String::new(),
            model: String::new(),
            provider: String::new(),
            deployment_id: String::new(),
            api_base: String::new(),
            usage: Usage::default(),
            usage_source: UsageSource::None,
            cost: NanoUsd::ZERO,
            price_version: String::new(),
            unpriced: false,
            attempts: Vec::new(),
            tags: Vec::new(),
            metadata: String::new(),
            client_ip: String::new(),
            user_agent: String::new(),
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

    /// What of the cost is the deployment's that answered, and its provider's.
    pub fn own_cost(&self) -> NanoUsd {
        let outrun: NanoUsd = self.outrun.iter().map(|outrun| outrun.cost).sum();
        NanoUsd(self.cost.0.saturating_sub(outrun.0))
    }

    /// What it counts in a scope that it is counted under by itself.
    pub fn cost_in(&self, scope: SpendScope) -> NanoUsd {
        if scope.is_of_deployment() { self.own_cost() } else { self.cost }
    }

    /// Whose a budget is that it was held to: the entry says it, where the budget does not.
    pub fn whose(&self, seen: &BudgetSeen) -> String {
        if !seen.id.is_empty() {
            return seen.id.clone();
        }
        let member = || Some(member_id(self.team_id.as_deref()?, self.user_id.as_deref()?));
        let id = match seen.scope {
            SpendScope::Key => self.key_hash.map(|hash| hash.hex()),
            SpendScope::Team => self.team_id.clone(),
            SpendScope::User => self.user_id.clone(),
            SpendScope::Organization => self.organization_id.clone(),
            SpendScope::Customer => self.end_user.clone(),
            SpendScope::Member => member(),
            _ => None,
        };
        id.unwrap_or_default()
    }

    /// What it adds to a budget that it was held to; nothing where an attempt that cost nothing was held to it.
    pub fn counted(&self, scope: SpendScope, id: &str) -> NanoUsd {
        if !scope.is_of_deployment() {
            return self.cost;
        }
        let among = |accounts: &[(SpendScope, String)]| accounts.iter().any(|(s, i)| *s == scope && i == id);
        let own = if among(&self.accounts) { self.own_cost() } else { NanoUsd::ZERO };
        let outrun = self.outrun.iter().filter(|outrun| among(&outrun.accounts)).map(|outrun| outrun.cost);
        own + outrun.sum::<NanoUsd>()
    }
}

/// How an entry came about, for people who read it. Nothing is computed from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Explained {
    /// Deployments that might have been asked first, where there was a choice; at most [`Explained::MOST`].
    pub considered: Vec<String>,
    /// What was charged. It adds up to the cost, but for attempts that were outrun, and for prices per call.
    pub charges: Vec<Charge>,
    /// Budgets that were held to, as far as this process knew them before, and those that refused.
    pub budgets: Vec<BudgetSeen>,
}

/// One kind of thing that was charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// `input`, `cache_read`, `output` …
    pub label: Cow<'static, str>,
    pub quantity: u64,
    /// For `per` of it.
    pub price: FemtoUsd,
    /// 1, but for time, which is counted in microseconds and priced by the second.
    pub per: u64,
}

/// A budget before an entry counted against it, or as it refused what the entry is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetSeen {
    pub scope: SpendScope,
    /// Empty: what the entry says of that scope. Most budgets are named by it, and every entry tells of all of its own.
    pub id: String,
    pub cap: NanoUsd,
    pub before: NanoUsd,
    /// When it begins again; `None`: never, or nobody noted it.
    #[serde(default)]
    pub resets_at: Option<Micros>,
    /// Whether it had no room for the request.
    #[serde(default)]
    pub refused: bool,
}

impl Explained {
    /// Deployments that are noted.
    pub const MOST: usize = 16;

    pub fn is_empty(&self) -> bool {
        self.considered.is_empty() && self.charges.is_empty() && self.budgets.is_empty()
    }
}

/// What was said in an exchange, where the operator wants it kept: JSON as text, empty where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub id: EntryId,
    /// The entry's.
    pub started_at: Micros,
    pub request: String,
    pub response: String,
}

/// What was written before the first byte of an attempt went upstream. Enough to book the exchange, should the process
/// that wrote it not have lived to see its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    pub entry_id: EntryId,
    /// 1 for the first attempt. A later begin of the same entry replaces an earlier one.
    pub attempt: u16,
    /// The entry as it would be booked if nothing more were heard: status `Interrupted`, usage estimated.
    pub entry: Entry,
}
