//! Whose budgets a request is held to.

use smallvec::SmallVec;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::Principal;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Limits, member_id};
use weir_core::ports::{Holder, SpendScope};
use weir_core::time::Micros;

/// One budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    pub kind: SpendScope,
    pub id: &'a str,
    pub cap: NanoUsd,
    /// When it begins again.
    pub resets_at: Option<Micros>,
    /// How people call it, where a refusal says so.
    pub alias: Option<&'a str>,
}

/// Texts that a principal's scopes are named by.
#[derive(Default)]
pub struct Ids {
    key: String,
    member: String,
}

impl Ids {
    pub fn of(known: &Principal) -> Self {
        let member = known.key.team_id.as_deref().zip(known.key.user_id.as_deref());
        let member = member.map(|(team, user)| member_id(team, user)).unwrap_or_default();
        Self { key: KeyHash::hex(&known.key.hash), member }
    }
}

/// Whether anything about this caller has a budget at all.
pub fn any(known: &Principal) -> bool {
    let budgets = [&known.budgets.key, &known.budgets.member, &known.budgets.organization];
    known.key.limits.max_budget.is_some()
        || known.team.as_ref().is_some_and(|team| team.limits.max_budget.is_some())
        || known.user.as_ref().is_some_and(|user| user.limits.max_budget.is_some())
        || budgets.into_iter().flatten().any(|budget| budget.limits.max_budget.is_some())
}

/// A caller's budgets, in the order in which they are taken.
pub fn scopes<'a>(known: &'a Principal, ids: &'a Ids, now: Micros) -> SmallVec<[Scope<'a>; 4]> {
    let mut all = SmallVec::new();
    let own = &known.key.limits;
    // A shared budget's amount replaces the key's own, as in LiteLLM.
    let of_key = known.budgets.key.as_ref().filter(|budget| budget.limits.max_budget.is_some());
    let key = of_key.map_or(own, |budget| &budget.limits);
    push(&mut all, SpendScope::Key, &ids.key, key, increase(known, now));
    if let Some(member) = &known.budgets.member {
        push(&mut all, SpendScope::Member, &ids.member, &member.limits, NanoUsd::ZERO);
    }
    if let Some(team) = &known.team {
        push(&mut all, SpendScope::Team, &team.id, &team.limits, NanoUsd::ZERO);
    }
    // A team's work is not on its members' own budgets.
    if let Some(user) = known.user.as_ref().filter(|_| known.key.team_id.is_none()) {
        push(&mut all, SpendScope::User, &user.id, &user.limits, NanoUsd::ZERO);
    }
    if let Some((organization, budget)) = known.organization.as_ref().zip(known.budgets.organization.as_ref())
    {
        push(&mut all, SpendScope::Organization, &organization.id, &budget.limits, NanoUsd::ZERO);
    }
    all
}

/// What a key may spend, temporary increase included.
pub fn of_key(known: &Principal, now: Micros) -> Option<NanoUsd> {
    let shared = known.budgets.key.as_ref().and_then(|budget| budget.limits.max_budget);
    let cap = shared.or(known.key.limits.max_budget)?;
    Some(NanoUsd(cap.0.saturating_add(increase(known, now).0)))
}

/// The budget of a customer or a tag.
pub fn of_holder<'a>(kind: SpendScope, id: &'a str, holder: &Holder) -> Option<Scope<'a>> {
    let mut all = SmallVec::<[Scope<'a>; 4]>::new();
    push(&mut all, kind, id, &holder.limits, NanoUsd::ZERO);
    all.pop()
}

fn push<'a>(
    all: &mut SmallVec<[Scope<'a>; 4]>,
    kind: SpendScope,
    id: &'a str,
    limits: &Limits,
    more: NanoUsd,
) {
    let Some(cap) = limits.max_budget.filter(|_| !id.is_empty()) else { return };
    all.push(Scope {
        kind,
        id,
        cap: NanoUsd(cap.0.saturating_add(more.0)),
        resets_at: limits.budget_reset_at,
        alias: None,
    });
}

/// What a key may spend beyond its budget for a while (`temp_budget_increase`, `temp_budget_expiry`).
fn increase(known: &Principal, now: Micros) -> NanoUsd {
    if !known.key.metadata.contains("temp_budget_increase") {
        return NanoUsd::ZERO;
    }
    let told: Temporary = serde_json::from_str(&known.key.metadata).unwrap_or_default();
    let amount = told.temp_budget_increase.and_then(|amount| NanoUsd::parse(amount.get()).ok());
    let until = told.temp_budget_expiry.and_then(|text| moment(&text));
    amount.filter(|_| until.is_some_and(|until| until > now)).unwrap_or_default()
}

/// Without a zone, as LiteLLM writes it where none was said, it is UTC.
fn moment(text: &str) -> Option<Micros> {
    Micros::parse_rfc3339(text).or_else(|| Micros::parse_rfc3339(&format!("{text}Z")))
}

#[derive(Default, serde::Deserialize)]
struct Temporary {
    temp_budget_increase: Option<Box<serde_json::value::RawValue>>,
    temp_budget_expiry: Option<String>,
}
