//! Whose limits a request is counted by.

use serde_json::Value;
use smallvec::SmallVec;
use std::borrow::Cow;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::Principal;
use weir_core::domain::rates::Rates;
use weir_core::domain::records::{Limits, member_id};
use weir_core::ports::rates::RateAsk;

/// What a counter is of, by LiteLLM's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descriptor {
    ApiKey,
    User,
    Team,
    TeamMember,
    EndUser,
    Tag,
    ModelPerKey,
    ModelPerTeam,
    Organization,
    ModelPerOrganization,
    Deployment,
}

pub(super) const DESCRIPTORS: usize = Descriptor::Deployment as usize + 1;

impl Descriptor {
    pub fn as_str(self) -> &'static str {
        NAMES[self as usize]
    }
}

/// In the order of [`Descriptor`].
pub(super) static NAMES: [&str; DESCRIPTORS] = [
    "api_key",
    "user",
    "team",
    "team_member",
    "end_user",
    "tag",
    "model_per_key",
    "model_per_team",
    "organization",
    "model_per_organization",
    "deployment",
];

/// One counter and its limits.
#[derive(Clone, Debug)]
pub struct RateScope<'a> {
    pub descriptor: Descriptor,
    pub id: Cow<'a, str>,
    pub limits: Rates,
}

impl RateScope<'_> {
    pub(super) fn ask(&self) -> RateAsk {
        RateAsk { name: format!("{}:{}", self.descriptor.as_str(), self.id), limits: self.limits }
    }
}

/// Limits that are set, in LiteLLM's order.
pub type Scopes<'a> = SmallVec<[RateScope<'a>; 4]>;

/// A caller's limits. `model`: as it was asked for.
pub fn scopes<'a>(known: &'a Principal, model: &str) -> Scopes<'a> {
    let mut all = Scopes::new();
    let key = &known.key;
    let own = rates(&key.limits, known.budgets.key.as_ref().map(|budget| &budget.limits));
    if own.any() {
        // A new text begins no new window.
        let id = KeyHash::hex(&key.first_hash());
        all.push(RateScope { descriptor: Descriptor::ApiKey, id: id.into(), limits: own });
    }
    if let Some(user) = &known.user {
        push(&mut all, Descriptor::User, &user.id, rates(&user.limits, None));
    }
    if let Some(team) = &known.team {
        push(&mut all, Descriptor::Team, &team.id, rates(&team.limits, None));
    }
    if let Some(budget) = &known.budgets.member
        && let Some((team, user)) = key.team_id.as_deref().zip(key.user_id.as_deref())
    {
        push_owned(&mut all, Descriptor::TeamMember, || member(team, user), rates(&budget.limits, None));
    }
    of_models(&mut all, known, model);
    if let Some((organization, budget)) = known.organization.as_ref().zip(known.budgets.organization.as_ref())
    {
        push(&mut all, Descriptor::Organization, &organization.id, rates(&budget.limits, None));
    }
    all
}

/// The limits of a customer or a tag.
pub fn of_holder<'a>(descriptor: Descriptor, id: &'a str, limits: &Limits) -> Option<RateScope<'a>> {
    let limits = rates(limits, None);
    limits.any().then(|| RateScope { descriptor, id: id.into(), limits })
}

/// Of one model by a key, a team or an organisation.
fn of_models(all: &mut Scopes<'_>, known: &Principal, model: &str) {
    let limits = known.model_rates();
    let budget = known.key.extra.get("model_max_budget").and_then(|all| budgeted(all, model));
    let own = limits.key.of_model(model).or(budget.unwrap_or_default());
    push_owned(all, Descriptor::ModelPerKey, || format!("{}:{model}", known.key.first_hash().hex()), own);
    if let Some(team) = &known.team {
        let id = || format!("{}:{model}", team.id);
        push_owned(all, Descriptor::ModelPerTeam, id, limits.team.of_model(model));
    }
    if let Some(organization) = &known.organization {
        let id = || format!("{}:{model}", organization.id);
        push_owned(all, Descriptor::ModelPerOrganization, id, limits.organization.of_model(model));
    }
}

fn member(team: &str, user: &str) -> String {
    member_id(team, user).replace('\u{1f}', ":")
}

fn push<'a>(all: &mut Scopes<'a>, descriptor: Descriptor, id: &'a str, limits: Rates) {
    if limits.any() {
        all.push(RateScope { descriptor, id: Cow::Borrowed(id), limits });
    }
}

fn push_owned(all: &mut Scopes<'_>, descriptor: Descriptor, id: impl FnOnce() -> String, limits: Rates) {
    if limits.any() {
        all.push(RateScope { descriptor, id: id().into(), limits });
    }
}

/// A shared budget's limits replace one's own, as in LiteLLM; requests under way are one's own first.
fn rates(own: &Limits, shared: Option<&Limits>) -> Rates {
    let of = |get: fn(&Limits) -> Option<i64>| shared.and_then(get).or(get(own));
    Rates {
        requests: of(|limits| limits.rpm_limit),
        tokens: of(|limits| limits.tpm_limit),
        parallel: own.max_parallel_requests.or(shared.and_then(|limits| limits.max_parallel_requests)),
    }
}

/// `model_max_budget` may limit requests and tokens too.
fn budgeted(all: &Value, model: &str) -> Option<Rates> {
    let entry = all.get(model)?;
    let of = |name| entry.get(name).and_then(Value::as_i64);
    Some(Rates { requests: of("rpm_limit"), tokens: of("tpm_limit"), parallel: None })
}
