//! Whose budgets a request is held to.

use super::account::Near;
use super::windows::Open;
use crate::policy::{ByModel, OfHolder, Policy};
use http::HeaderValue;
use smallvec::SmallVec;
use std::sync::{Arc, OnceLock};
use weir_core::config::LitellmSettings;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::Principal;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Limits, member_id};
use weir_core::ports::{Holder, SpendScope};
use weir_core::time::Micros;

/// One budget.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub kind: SpendScope,
    pub id: &'a str,
    pub cap: NanoUsd,
    /// When it begins again.
    pub resets_at: Option<Micros>,
    /// How people call it, where a refusal says so.
    pub alias: Option<&'a str>,
    /// Where its account is kept, once it was looked for.
    pub(super) near: Option<&'a Near>,
}

/// All that a request is held to: with everything set, a handful.
pub type Scopes<'a> = SmallVec<[Scope<'a>; 8]>;

/// What a principal's scopes are found by: texts that name them, and accounts that were looked for before.
#[derive(Default)]
pub struct Ids {
    key: String,
    member: String,
    near: [Near; OF_CALLER],
}

/// Those of a caller are the first ones, a member the last of them.
const OF_CALLER: usize = SpendScope::Member as usize + 1;

impl Ids {
    fn of(known: &Principal) -> Self {
        let member = known.key.team_id.as_deref().zip(known.key.user_id.as_deref());
        let member = member.map(|(team, user)| member_id(team, user)).unwrap_or_default();
        Self { key: KeyHash::hex(&known.key.hash), member, near: Default::default() }
    }
}

/// What is kept of a caller's budgets.
#[derive(Default)]
pub(crate) struct OfCaller {
    ids: OnceLock<Ids>,
    open: ByModel<Open>,
    /// What it may spend beyond its budget, until when.
    more: OnceLock<Option<(NanoUsd, Micros)>>,
    /// Its budget as a header, as it was when it was told first.
    told: OnceLock<(NanoUsd, Option<HeaderValue>)>,
}

impl OfCaller {
    pub(crate) fn ids(&self, known: &Principal) -> &Ids {
        self.ids.get_or_init(|| Ids::of(known))
    }

    /// Its budgets of one period. `model`: as it was asked for.
    pub(crate) fn open(
        &self,
        known: &Principal,
        settings: &LitellmSettings,
        model: &str,
        now: Micros,
    ) -> Arc<Open> {
        let open = || Open::of(known, settings, model, now);
        self.open.get(model, |open| open.is_right(settings, now), open)
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
pub fn scopes<'a>(known: &'a Principal, ids: &'a Ids, now: Micros) -> Scopes<'a> {
    let mut all = Scopes::new();
    let mut push = |kind: SpendScope, id: &'a str, limits: &Limits, more: NanoUsd| {
        let near = ids.near.get(kind as usize);
        all.extend(scope(kind, id, limits, more).map(|scope| Scope { near, ..scope }));
    };
    let own = &known.key.limits;
    // A shared budget's amount replaces the key's own, as in LiteLLM.
    let of_key = known.budgets.key.as_ref().filter(|budget| budget.limits.max_budget.is_some());
    let key = of_key.map_or(own, |budget| &budget.limits);
    push(SpendScope::Key, &ids.key, key, increase(known, now));
    if let Some(member) = &known.budgets.member {
        push(SpendScope::Member, &ids.member, &member.limits, NanoUsd::ZERO);
    }
    if let Some(team) = &known.team {
        push(SpendScope::Team, &team.id, &team.limits, NanoUsd::ZERO);
    }
    // A team's work is not on its members' own budgets.
    if let Some(user) = known.user.as_ref().filter(|_| known.key.team_id.is_none()) {
        push(SpendScope::User, &user.id, &user.limits, NanoUsd::ZERO);
    }
    if let Some((organization, budget)) = known.organization.as_ref().zip(known.budgets.organization.as_ref())
    {
        push(SpendScope::Organization, &organization.id, &budget.limits, NanoUsd::ZERO);
    }
    all
}

/// What a key may spend, temporary increase included.
pub fn of_key(known: &Principal, now: Micros) -> Option<NanoUsd> {
    let shared = known.budgets.key.as_ref().and_then(|budget| budget.limits.max_budget);
    let cap = shared.or(known.key.limits.max_budget)?;
    Some(NanoUsd(cap.0.saturating_add(increase(known, now).0)))
}

/// The same as a header.
pub fn told_of_key(known: &Principal, now: Micros) -> Option<HeaderValue> {
    let cap = of_key(known, now)?;
    let told = || HeaderValue::try_from(cap.told()).ok();
    let kept = Policy::at_hand(known).map(|policy| policy.budgets.told.get_or_init(|| (cap, told())));
    match kept {
        Some((of, value)) if *of == cap => value.clone(),
        _ => told(),
    }
}

/// The budget of a customer or a tag.
pub fn of_holder<'a>(kind: SpendScope, id: &'a str, holder: &'a Holder) -> Option<Scope<'a>> {
    let scope = scope(kind, id, &holder.limits, NanoUsd::ZERO)?;
    Some(Scope { near: OfHolder::of(holder, id).map(|kept| &kept.account), ..scope })
}

fn scope<'a>(kind: SpendScope, id: &'a str, limits: &Limits, more: NanoUsd) -> Option<Scope<'a>> {
    let cap = limits.max_budget.filter(|_| !id.is_empty())?;
    let cap = NanoUsd(cap.0.saturating_add(more.0));
    Some(Scope { kind, id, cap, resets_at: limits.budget_reset_at, alias: None, near: None })
}

/// What a key may spend beyond its budget for a while.
const INCREASE: &str = "temp_budget_increase";

fn increase(known: &Principal, now: Micros) -> NanoUsd {
    let metadata = &known.key.metadata;
    if metadata.len() < INCREASE.len() {
        return NanoUsd::ZERO; // most of them: nothing is kept
    }
    let more = Policy::at_hand(known).map_or_else(
        || temporary(metadata),
        |policy| *policy.budgets.more.get_or_init(|| temporary(metadata)),
    );
    more.filter(|(_, until)| *until > now).map(|(amount, _)| amount).unwrap_or_default()
}

fn temporary(metadata: &str) -> Option<(NanoUsd, Micros)> {
    if !metadata.contains(INCREASE) {
        return None;
    }
    let told: Temporary = serde_json::from_str(metadata).ok()?;
    Some((NanoUsd::parse(told.temp_budget_increase?.get()).ok()?, moment(&told.temp_budget_expiry?)?))
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
