//! Whose limits a request is counted by.

use super::heading::Heading;
use super::local::Counter;
use crate::policy::{ByModel, OfHolder, Policy};
use serde_json::Value;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use weir_core::domain::key::Principal;
use weir_core::domain::rates::{Dynamic, Rate, Rates};
use weir_core::domain::records::{Limits, member_id};
use weir_core::ports::Holder;
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
    /// A group, in all.
    Group,
    /// Callers of one priority, in a group.
    Priority,
}

pub(super) const DESCRIPTORS: usize = Descriptor::Priority as usize + 1;

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
    "model_saturation_check",
    "priority_model",
];

/// What a key says of single models beside its metadata.
const OF_MODELS: &str = "model_max_budget";

/// One counter and its limits.
pub struct RateScope<'a> {
    pub descriptor: Descriptor,
    pub id: Cow<'a, str>,
    pub limits: Rates,
    /// The counter itself, once it was looked for.
    near: OnceLock<Arc<Counter>>,
    /// Where it is kept instead, if longer than this scope.
    kept: Option<&'a OnceLock<Arc<Counter>>>,
}

impl<'a> RateScope<'a> {
    pub(super) fn new(descriptor: Descriptor, id: impl Into<Cow<'a, str>>, limits: Rates) -> Self {
        Self { descriptor, id: id.into(), limits, near: OnceLock::new(), kept: None }
    }

    /// Where its counter is, or will be.
    pub(super) fn near(&self) -> &OnceLock<Arc<Counter>> {
        self.kept.unwrap_or(&self.near)
    }

    pub(super) fn ask(&self) -> RateAsk {
        RateAsk { name: format!("{}:{}", self.descriptor.as_str(), self.id), limits: self.limits }
    }

    /// What it limits, in the order in which it is told of.
    pub(super) fn told(&self) -> impl Iterator<Item = (Descriptor, Rate, i64)> {
        let (descriptor, limits) = (self.descriptor, self.limits);
        Rate::ALL.into_iter().filter_map(move |rate| Some((descriptor, rate, limits.of(rate)?)))
    }
}

/// What one caller's requests for one model are counted by, and the headers that tell of it.
pub(super) struct Own {
    pub(super) scopes: Vec<RateScope<'static>>,
    pub(super) heading: Heading,
}

/// That of one caller, by model.
#[derive(Default)]
pub(crate) struct OfCaller(ByModel<Own>);

impl OfCaller {
    fn of(&self, known: &Principal, model: &str) -> Arc<Own> {
        // A principal is never changed.
        self.0.get(model, |_| true, || Own::new(scopes(known, model, Dynamic::default())))
    }
}

impl Own {
    fn new(scopes: Vec<RateScope<'static>>) -> Self {
        Self { heading: Heading::of(&scopes), scopes }
    }
}

/// Everything that one request is counted by: what limits its caller, then whom it names.
#[derive(Default)]
pub struct Scopes<'a> {
    pub(super) own: Option<Arc<Own>>,
    named: SmallVec<[RateScope<'a>; 2]>,
}

impl<'a> Scopes<'a> {
    /// Of a caller. `model`: as it was asked for; `relaxed`: which of the key's do not count now.
    pub fn of(known: Option<&Principal>, model: &str, relaxed: Dynamic) -> Self {
        let own = known.filter(|known| any(known)).map(|known| match relaxed.any() {
            true => Arc::new(Own::new(scopes(known, model, relaxed))),
            false => Policy::of(known).rates.of(known, model),
        });
        Self { own, named: SmallVec::new() }
    }

    /// A customer or a tag, if it limits anything.
    pub fn add(&mut self, descriptor: Descriptor, id: &'a str, holder: &'a Holder) {
        let limits = rates(&holder.limits, None);
        if limits.any() {
            let kept = OfHolder::of(holder, id).map(|kept| &kept.counter);
            self.named.push(RateScope { kept, ..RateScope::new(descriptor, id, limits) });
        }
    }

    pub(super) fn add_scope(&mut self, scope: RateScope<'a>) {
        self.named.push(scope);
    }

    pub fn iter(&self) -> impl Iterator<Item = &RateScope<'a>> {
        let own: &[RateScope<'a>] = match &self.own {
            Some(own) => &own.scopes,
            None => &[],
        };
        own.iter().chain(&self.named)
    }

    pub fn len(&self) -> usize {
        self.own.as_ref().map_or(0, |own| own.scopes.len()) + self.named.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whether anything about this caller limits requests, tokens or requests under way. Most gateways limit none.
fn any(known: &Principal) -> bool {
    let limits =
        |of: &Limits| of.rpm_limit.is_some() || of.tpm_limit.is_some() || of.max_parallel_requests.is_some();
    let budgets = [&known.budgets.key, &known.budgets.member, &known.budgets.organization];
    limits(&known.key.limits)
        || known.user.as_ref().is_some_and(|user| limits(&user.limits))
        || known.team.as_ref().is_some_and(|team| limits(&team.limits))
        || budgets.into_iter().flatten().any(|budget| limits(&budget.limits))
        || known.model_rates().any()
        || known.key.extra.contains_key(OF_MODELS)
}

/// A caller's limits that are set, in LiteLLM's order.
fn scopes(known: &Principal, model: &str, relaxed: Dynamic) -> Vec<RateScope<'static>> {
    let mut all = Vec::new();
    let key = &known.key;
    let own = rates(&key.limits, known.budgets.key.as_ref().map(|budget| &budget.limits));
    // A new text begins no new window.
    push(&mut all, Descriptor::ApiKey, || key.first_hash().hex(), relaxed.relaxed(own));
    if let Some(user) = &known.user {
        push(&mut all, Descriptor::User, || user.id.clone(), rates(&user.limits, None));
    }
    if let Some(team) = &known.team {
        push(&mut all, Descriptor::Team, || team.id.clone(), rates(&team.limits, None));
    }
    if let Some(budget) = &known.budgets.member
        && let Some((team, user)) = key.team_id.as_deref().zip(key.user_id.as_deref())
    {
        push(&mut all, Descriptor::TeamMember, || member(team, user), rates(&budget.limits, None));
    }
    of_models(&mut all, known, model, relaxed);
    if let Some((organization, budget)) = known.organization.as_ref().zip(known.budgets.organization.as_ref())
    {
        let id = || organization.id.clone();
        push(&mut all, Descriptor::Organization, id, rates(&budget.limits, None));
    }
    all
}

/// Of one model by a key, a team or an organisation.
fn of_models(all: &mut Vec<RateScope<'static>>, known: &Principal, model: &str, relaxed: Dynamic) {
    let limits = known.model_rates();
    let budget = known.key.extra.get(OF_MODELS).and_then(|all| budgeted(all, model));
    let own = relaxed.relaxed(limits.key.of_model(model).or(budget.unwrap_or_default()));
    push(all, Descriptor::ModelPerKey, || format!("{}:{model}", known.key.first_hash().hex()), own);
    if let Some(team) = &known.team {
        let id = || format!("{}:{model}", team.id);
        push(all, Descriptor::ModelPerTeam, id, limits.team.of_model(model));
    }
    if let Some(organization) = &known.organization {
        let id = || format!("{}:{model}", organization.id);
        push(all, Descriptor::ModelPerOrganization, id, limits.organization.of_model(model));
    }
}

fn member(team: &str, user: &str) -> String {
    member_id(team, user).replace('\u{1f}', ":")
}

fn push(
    all: &mut Vec<RateScope<'static>>,
    descriptor: Descriptor,
    id: impl FnOnce() -> String,
    limits: Rates,
) {
    if limits.any() {
        all.push(RateScope::new(descriptor, id(), limits));
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
