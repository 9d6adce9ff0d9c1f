//! Virtual keys and who is calling.

use super::ids::KeyHash;
use super::money::NanoUsd;
use super::rates::{Dynamic, ModelRates};
use super::records::{
    Budget, Limits, Member, Organization, OrganizationMember, Record, RecordKind, Role, Session, Team, User,
    due,
};
use super::routed::Routed;
use crate::edition::Edition;
use crate::memo::{Kept, Memo};
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// One virtual key as the ledger keeps it. The key text itself is never stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyRecord {
    pub hash: KeyHash,
    /// What lists show instead of the key: `sk-...` and its last four characters.
    pub masked: String,
    #[serde(default)]
    pub alias: Option<String>,
    #[serde(default)]
    pub user_id: Option<String>,
    #[serde(default)]
    pub team_id: Option<String>,
    #[serde(default)]
    pub organization_id: Option<String>,
    /// Model groups, wildcards or access groups this key may use. Empty: all.
    #[serde(default)]
    pub models: Vec<String>,
    /// Names that only this key calls models by.
    #[serde(default)]
    pub aliases: Map<String, Value>,
    /// A JSON object as text, as the admin sent it.
    #[serde(default)]
    pub metadata: String,
    #[serde(flatten)]
    pub limits: Limits,
    /// Limits of a budget, beside its own.
    #[serde(default)]
    pub budget_id: Option<String>,
    #[serde(default)]
    pub expires_at: Option<Micros>,
    #[serde(default)]
    pub blocked: bool,
    /// Routes, prefixes ending in `*`, or groups of routes. Empty: what the role allows.
    #[serde(default)]
    pub allowed_routes: Vec<String>,
    /// Flags beyond the role, such as `get_spend_routes`.
    #[serde(default)]
    pub permissions: Map<String, Value>,
    #[serde(default)]
    pub rotation: Rotation,
    /// What is only told back.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How a key is changed for a new one by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rotation {
    pub auto: bool,
    /// `30d`
    pub interval: Option<String>,
    pub next_at: Option<Micros>,
    pub last_at: Option<Micros>,
    pub count: i64,
    /// The hash of the first text, once there is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<KeyHash>,
    /// Of the texts that it had, the last one last; at most [`Rotation::MOST`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<KeyHash>,
}

impl Rotation {
    /// Former texts that are remembered. What was made under older ones is nobody's.
    pub const MOST: usize = 32;

    /// The text of this hash has another one in its place.
    pub fn leave(&mut self, hash: KeyHash) {
        self.former.push(hash);
        let gone = self.former.len().saturating_sub(Self::MOST);
        self.former.drain(..gone);
    }
}

/// A key with all that decides what it may do. Loaded together, cached together.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    pub key: KeyRecord,
    pub user: Option<User>,
    pub team: Option<Team>,
    pub member: Option<Member>,
    pub organization: Option<Organization>,
    /// Organisations that the user has a role in.
    pub memberships: Vec<OrganizationMember>,
    /// Budgets that limit the key, the member and the organisation, beside limits of their own.
    pub budgets: Budgets,
    pub spent: Spent,
    /// Somebody who has signed in to the UI, in place of a key.
    pub session: Option<Session>,
    /// Of a token in place of a key: what it may call, beside what its key may, and whom its requests are for.
    pub token: Option<TokenLimits>,
    /// Read at the first request that asks for it.
    model_rates: Memo<ModelRatesOf>,
    demands: Memo<Demands>,
    routed: Memo<Routed>,
    /// What filters have found for earlier requests of this key.
    pub kept: Kept,
    /// Each time that a key is read it is another one.
    pub edition: Edition,
}

/// Limits of single models, by whose metadata they stand in.
#[derive(Debug, Default)]
pub struct ModelRatesOf {
    pub key: ModelRates,
    /// Which of the key's limits, of all models and of single ones, are not always counted.
    pub dynamic: Dynamic,
    pub team: ModelRates,
    pub organization: ModelRates,
}

impl ModelRatesOf {
    /// Whether any model is limited.
    pub fn any(&self) -> bool {
        [&self.key, &self.team, &self.organization].into_iter().any(ModelRates::any)
    }
}

/// What every request of a key has to say, by what its metadata say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Demands {
    /// Names of parameters (`enforced_params`).
    #[serde(rename = "enforced_params", deserialize_with = "texts")]
    pub params: Vec<String>,
    /// Whose it is, where it is nobody's; what the operator demands of such keys counts.
    pub service_account_id: Option<Value>,
}

/// Metadata are anybody's: what is no list of texts demands nothing.
fn texts<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let listed = Value::deserialize(deserializer)?;
    let texts = listed.as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(texts.map(str::to_owned).collect())
}

/// What the operator says of tokens of an identity provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenLimits {
    /// As `allowed_routes` of a key. Empty: all that the role may.
    pub routes: Vec<String>,
    /// The customer, whatever the request says.
    pub customer: Option<String>,
    /// The same person in further teams, one of which may have the model that is asked for.
    pub others: Vec<Arc<Principal>>,
}

/// What a key has spent since its last reset, as far as this process knows: what was booked when the key was loaded, and
/// what this process has added since. To tell, not to refuse by.
#[derive(Clone, Debug, Default)]
pub struct Spent(Arc<AtomicI64>);

/// Spending makes no other key of it.
impl PartialEq for Spent {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Spent {
    pub fn begin(&self, booked: NanoUsd) {
        self.0.store(booked.0, Ordering::Relaxed);
    }

    pub fn add(&self, cost: NanoUsd) {
        self.0.fetch_add(cost.0, Ordering::Relaxed);
    }

    pub fn so_far(&self) -> NanoUsd {
        NanoUsd(self.0.load(Ordering::Relaxed))
    }
}

/// Budgets of whom a principal is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budgets {
    pub key: Option<Budget>,
    pub member: Option<Budget>,
    pub organization: Option<Budget>,
}

/// What is shown in place of a key that there is none of. No key is masked so.
const IDENTITY: &str = "identity";

impl KeyRecord {
    /// A key about which nothing is said.
    pub fn new(key: &str) -> Self {
        Self {
            hash: KeyHash::of(key),
            masked: mask(key),
            alias: None,
            user_id: None,
            team_id: None,
            organization_id: None,
            models: Vec::new(),
            aliases: Map::new(),
            metadata: String::from("{}"),
            limits: Limits::default(),
            budget_id: None,
            expires_at: None,
            blocked: false,
            allowed_routes: Vec::new(),
            permissions: Map::new(),
            rotation: Rotation::default(),
            extra: Map::new(),
        }
    }

    /// What stands in for a key where somebody is signed in. No limits of its own: the user's count.
    pub fn of_session(session: &Session) -> Self {
        Self {
            hash: session.hash,
            alias: Some(String::from("admin-ui")),
            user_id: session.user_id.clone(),
            ..Self::new("")
        }
    }

    /// What stands in for a key where a token of an identity provider says who calls.
    pub fn of_identity(hash: KeyHash) -> Self {
        Self { hash, masked: IDENTITY.to_owned(), ..Self::new("") }
    }

    /// Whether it stands in for a key: there is no record of it.
    pub fn is_of_identity(&self) -> bool {
        self.masked == IDENTITY
    }

    /// What is counted by names of this key's goes by the hash of its first text, so that it goes on when the text is
    /// changed.
    pub fn first_hash(&self) -> KeyHash {
        self.rotation.first.unwrap_or(self.hash)
    }

    /// Whether this is the hash of its text, or of one that it had before.
    pub fn is_or_was(&self, hash: &KeyHash) -> bool {
        self.hash == *hash
            || self.rotation.first.as_ref() == Some(hash)
            || self.rotation.former.contains(hash)
    }

    pub fn expired(&self, now: Micros) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

impl Principal {
    /// Whether the key was given everybody's spend (`permissions: {get_spend_routes: true}`).
    pub fn sees_spend(&self) -> bool {
        self.key.permissions.get("get_spend_routes").and_then(serde_json::Value::as_bool) == Some(true)
    }

    /// A key that belongs to nobody.
    pub fn of(key: KeyRecord) -> Self {
        let budgets = Budgets::default();
        Self {
            key,
            user: None,
            team: None,
            member: None,
            organization: None,
            memberships: Vec::new(),
            budgets,
            spent: Spent::default(),
            session: None,
            token: None,
            model_rates: Memo::default(),
            demands: Memo::default(),
            routed: Memo::default(),
            kept: Kept::default(),
            edition: Edition::default(),
        }
    }

    /// Limits of single models.
    pub fn model_rates(&self) -> &ModelRatesOf {
        let of = |metadata: Option<&String>| {
            metadata.map(|text| ModelRates::in_metadata(text)).unwrap_or_default()
        };
        self.model_rates.get(|| ModelRatesOf {
            key: of(Some(&self.key.metadata)),
            dynamic: Dynamic::in_metadata(&self.key.metadata),
            team: of(self.team.as_ref().map(|team| &team.metadata)),
            organization: of(self.organization.as_ref().map(|organization| &organization.metadata)),
        })
    }

    /// What each of its requests has to say.
    pub fn demands(&self) -> &Demands {
        self.demands.get(|| serde_json::from_str(&self.key.metadata).unwrap_or_default())
    }

    /// How its requests are routed, where that is not left to the operator.
    pub fn routed(&self) -> &Routed {
        let team = self.team.as_ref().map(|team| &team.extra);
        self.routed.get(|| Routed::of(&self.key.extra, team))
    }

    /// The user's role; that of a team's own key; `None` for a key that belongs to nobody.
    pub fn role(&self) -> Option<Role> {
        match &self.user {
            Some(user) => Some(user.role.unwrap_or(Role::InternalUserViewer)),
            None if self.key.user_id.is_none() && self.key.team_id.is_some() => Some(Role::Team),
            None => None,
        }
    }
}

impl Record for KeyRecord {
    const KIND: RecordKind = RecordKind::Key;

    fn id(&self) -> String {
        self.hash.hex()
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![
            self.alias.clone(),
            self.user_id.clone(),
            self.team_id.clone(),
            self.organization_id.clone(),
            self.budget_id.clone(),
            due(self.rotation.next_at.filter(|_| self.rotation.auto)),
            due(self.limits.budget_reset_at),
            Some(self.masked.clone()),
        ]
    }
}

/// Who sent a request. Set by the auth filter; `Anonymous` before that.
#[derive(Clone, Debug, Default)]
pub enum Caller {
    #[default]
    Anonymous,
    /// The master key, or anybody where no master key is configured (as LiteLLM does). Carries the hash that
    /// entries are booked under.
    Master(KeyHash),
    Key(Arc<Principal>),
}

impl Caller {
    /// The hash an entry is booked under; `None` for a caller that was refused before a key was recognised.
    pub fn hash(&self) -> Option<KeyHash> {
        match self {
            Caller::Anonymous => None,
            Caller::Master(hash) => Some(*hash),
            Caller::Key(known) => Some(known.key.hash),
        }
    }

    pub fn key(&self) -> Option<&KeyRecord> {
        match self {
            Caller::Key(known) => Some(&known.key),
            _ => None,
        }
    }

    pub fn user_id(&self) -> Option<&str> {
        match self {
            Caller::Anonymous => None,
            Caller::Master(_) => Some(MASTER_USER),
            Caller::Key(known) => known.key.user_id.as_deref(),
        }
    }

    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Caller::Key(known) => Some(known),
            _ => None,
        }
    }

    /// What the caller may do; `None` for a key that belongs to nobody.
    pub fn role(&self) -> Option<Role> {
        match self {
            Caller::Anonymous => None,
            Caller::Master(_) => Some(Role::ProxyAdmin),
            Caller::Key(known) => known.role(),
        }
    }

    /// Everything may be seen and changed.
    pub fn is_admin(&self) -> bool {
        self.role() == Some(Role::ProxyAdmin)
    }
}

/// The user LiteLLM books master-key requests under.
pub const MASTER_USER: &str = "default_user_id";

/// `sk-...` and the last four characters, the form LiteLLM shows for a key. Short keys show nothing of themselves.
pub fn mask(key: &str) -> String {
    let tail: Vec<char> = key.chars().rev().take(4).collect();
    if key.chars().count() < 12 {
        return String::from("sk-...");
    }
    format!("sk-...{}", tail.into_iter().rev().collect::<String>())
}
