//! Budgets: what the request may cost is held before it is sent, and settled with what it did cost.

use super::FilterKind;
use super::entry::{customer, session, tags};
use super::session::caps;
use crate::budgets::{
    Budgets, Estimate, Ids, Open, Scopes, Terms, Watched, Window, any, any_window, of_holder, of_session,
    of_tag, of_ui, scopes,
};
use crate::exchange::{Exchange, Named};
use crate::plugin::{Flow, Phase, Plugin};
use crate::policy::{OfHolder, Policy};
use crate::services::Services;
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use weir_core::config::{BudgetMode, LitellmSettings};
use weir_core::domain::key::Principal;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::period::WindowBudget;
use weir_core::domain::records::Limits;
use weir_core::error::{ApiError, Kind};
use weir_core::memo::Kept;
use weir_core::ports::{Holder, Holders, SpendScope};
use weir_core::time::Micros;

pub static KIND: FilterKind = FilterKind {
    name: "budget",
    phases: &[Phase::Request, Phase::Finish],
    build: |s| Arc::new(Budgeted::new(s)),
};

struct Budgeted {
    budgets: Arc<Budgets>,
    holders: Arc<dyn Holders>,
    watched: Arc<Watched>,
}

impl Budgeted {
    fn new(services: &Services) -> Self {
        let (budgets, holders) = (Arc::clone(&services.budgets), Arc::clone(&services.holders));
        Self { budgets, holders, watched: Arc::clone(&services.watched) }
    }

    /// Customers and tags are known here only; their budgets are told of as a key's are.
    fn watch(&self, named: &Named) {
        if !self.watched.is_on() {
            return;
        }
        let customer = named.customer.iter().map(|(id, holder)| (SpendScope::Customer, id, holder));
        let tags = named.tags.iter().map(|(id, holder)| (SpendScope::Tag, id, holder));
        for (scope, id, holder) in customer.chain(tags) {
            let limits = &holder.limits;
            if limits.max_budget.is_none() && limits.soft_budget.is_none() {
                continue;
            }
            let terms = || Terms::of(None, limits);
            match OfHolder::of(holder, id) {
                Some(kept) => self.watched.learn_once(&kept.owner, scope, id, terms),
                None => drop(self.watched.learn(scope, id, terms())),
            }
        }
    }

    async fn hold(&self, x: &mut Exchange, named: &Named) -> Result<(), ApiError> {
        let Some(group) = x.target.group.clone() else { return Ok(()) };
        let config = Arc::clone(&x.snapshot.config);
        let settings = &config.weir;
        let caller = x.caller.clone();
        let known = caller.principal();
        let policy = known.map(Policy::of).unwrap_or_default();
        let open = open(x, known, &policy);
        let of_caller = known.map(|known| (known, policy.budgets.ids(known)));
        let all = all_scopes(of_caller, named, &open, x.clock.started_at);
        x.accounts = open.iter().map(|window| (window.kind, window.id.clone())).collect();
        if all.is_empty() || config.general.keeping.without_budgets {
            return Ok(());
        }
        let estimate = match settings.budget_mode {
            BudgetMode::Hold => Estimate::of(x, &group),
            BudgetMode::Litellm => Estimate::NOTHING,
        };
        match self.budgets.hold(&all, &estimate, settings.budget_wait).await {
            Ok(hold) => {
                let seen: Vec<_> = hold.seen(&all).collect();
                x.explained.budgets = seen;
                x.limit_output = hold.amount().and_then(|amount| estimate.output_for(amount));
                x.hold = Some(hold);
                Ok(())
            }
            Err(unspent) if unspent.is_for_want_of_the_ledger() && settings.serves_without_ledger => Ok(()),
            Err(unspent) => {
                x.explained.budgets.extend(unspent.seen());
                Err(unspent.error(settings.budget_error_status))
            }
        }
    }
}

#[async_trait]
impl Plugin for Budgeted {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        if x.caller.hash().is_none() || x.request.operation.counts() {
            return Ok(Flow::Continue);
        }
        if let Some(user) = unserved(x) {
            return Err(blocked(&user));
        }
        let named = named(self.holders.as_ref(), x).await;
        if let Some((user, _)) = named.customer.as_ref().filter(|(_, holder)| holder.blocked) {
            return Err(blocked(user));
        }
        x.target.region = named.customer.as_ref().and_then(|(_, holder)| holder.region.clone());
        let of_caller = x.caller.principal().is_some_and(|known| any(known) || any_open(x, known));
        let of_named = named.customer.is_some() || !named.tags.is_empty();
        if of_caller || of_named || tag_budgets(x).next().is_some() {
            self.hold(x, &named).await?;
        }
        self.watch(&named);
        x.holders = of_named.then(|| Box::new(named));
        Ok(Flow::Continue)
    }

    fn on_finish(&self, x: &mut Exchange) {
        if let Some(hold) = x.deployment_hold.take() {
            hold.settle(x.answer.own_cost().max(NanoUsd::ZERO));
        }
        if let Some(hold) = x.hold.take() {
            // What costs nothing may still have been held.
            hold.settle(x.answer.cost.max(NanoUsd::ZERO));
        }
    }
}

/// Whom a request names beside its key, as far as anything is known of them. Notes its tags, if any may be known.
pub(crate) async fn named(holders: &dyn Holders, x: &mut Exchange) -> Named {
    let mut named = Named::default();
    if let Some(user) = customer(x) {
        let settings = &x.snapshot.config.litellm;
        let held = customer_held(holders, &user, settings).await;
        let held = if settings.tracks_customers { held } else { held.map(unbudgeted) };
        named.customer = held.map(|holder| (user, holder));
    }
    let wanted = holders.may_have_tags() || !x.snapshot.config.litellm.tag_budgets.is_empty();
    x.tags = wanted.then(|| tags(x));
    for tag in x.tags.iter().flatten() {
        if let Some(holder) = holders.tag(tag).await {
            named.tags.push((tag.clone(), holder));
        }
    }
    named
}

/// A customer whose spend nobody notes: it reaches no budget.
fn unbudgeted(holder: Arc<Holder>) -> Arc<Holder> {
    let limits = Limits { max_budget: None, soft_budget: None, ..holder.limits.clone() };
    Arc::new(Holder { limits, ..holder.as_ref().clone() })
}

/// The customer, where `blocked_user_list` has it.
fn unserved(x: &Exchange) -> Option<String> {
    let listed = &x.snapshot.blocked_users;
    if listed.is_empty() {
        return None;
    }
    x.end_user().filter(|user| listed.contains(user))
}

/// Budgets of the operator's for tags that the request has.
fn tag_budgets(x: &Exchange) -> impl Iterator<Item = &(String, WindowBudget)> {
    let has = move |tag: &String| x.tags.iter().flatten().any(|own| own == tag);
    x.snapshot.config.litellm.tag_budgets.iter().filter(move |(tag, _)| has(tag))
}

/// A customer with the budget of its own, that which the operator names for all others, or the operator's amount.
async fn customer_held(holders: &dyn Holders, user: &str, settings: &LitellmSettings) -> Option<Arc<Holder>> {
    let known = holders.customer(user).await;
    let budgeted = known.as_ref().is_some_and(|holder| holder.budgeted);
    let Some(id) = settings.customer_budget_id.as_deref().filter(|_| !budgeted) else {
        return limited(known, settings.customer_budget);
    };
    match (holders.budget(id).await, known) {
        (Some(shared), Some(known)) => {
            Some(Arc::new(Holder { limits: shared.limits.clone(), ..known.as_ref().clone() }))
        }
        (Some(shared), None) => Some(shared),
        (None, known) => {
            warn_missing(id);
            limited(known, settings.customer_budget)
        }
    }
}

/// Once for the life of the process: it would be said of every request.
fn warn_missing(id: &str) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            "litellm_settings.max_end_user_budget_id: there is no budget {id:?}, so that it limits nobody; make it with \
             POST /budget/new"
        );
    }
}

/// Who has no budget has the operator's for all customers.
fn limited(known: Option<Arc<Holder>>, cap: Option<NanoUsd>) -> Option<Arc<Holder>> {
    let Some(cap) = cap else { return known };
    match known {
        Some(holder) if holder.limits.max_budget.is_some() => Some(holder),
        Some(holder) => {
            let limits = Limits { max_budget: Some(cap), ..holder.limits.clone() };
            Some(Arc::new(Holder { limits, ..holder.as_ref().clone() }))
        }
        None => {
            let limits = Limits { max_budget: Some(cap), ..Limits::default() };
            let kept = Kept::default();
            Some(Arc::new(Holder { blocked: false, limits, region: None, budgeted: false, kept }))
        }
    }
}

/// All budgets that a request is held to, in the order in which they are taken.
pub(crate) fn all_scopes<'a>(
    known: Option<(&'a Principal, &'a Ids)>,
    named: &'a Named,
    open: &'a OpenTo,
    now: Micros,
) -> Scopes<'a> {
    let mut all = known.map(|(known, ids)| scopes(known, ids, now)).unwrap_or_default();
    all.extend(named.customer.iter().filter_map(|(id, h)| of_holder(SpendScope::Customer, id, h)));
    all.extend(named.tags.iter().filter_map(|(id, h)| of_holder(SpendScope::Tag, id, h)));
    all.extend(open.iter().map(Window::scope));
    all
}

fn any_open(x: &Exchange, known: &Principal) -> bool {
    let settings = &x.snapshot.config.litellm;
    let of_ui = known.session.is_some() && settings.ui_session_budget.is_some();
    any_window(known, settings) || of_ui || caps(x).budget.is_some()
}

/// Budgets of one period that count for one request.
#[derive(Default)]
pub(crate) struct OpenTo {
    kept: Option<Arc<Open>>,
    /// Of sessions and of tags.
    more: Vec<Window>,
}

impl OpenTo {
    fn iter(&self) -> impl Iterator<Item = &Window> {
        self.kept.iter().flat_map(|open| &open.windows).chain(&self.more)
    }
}

pub(crate) fn open(x: &Exchange, known: Option<&Principal>, policy: &Policy) -> OpenTo {
    let (settings, now) = (&x.snapshot.config.litellm, x.clock.started_at);
    let mut more: Vec<Window> =
        tag_budgets(x).map(|(tag, budget)| of_tag(tag, *budget, settings, now)).collect();
    let Some(known) = known else { return OpenTo { kept: None, more } };
    more.extend(caps(x).budget.and_then(|cap| Some(of_session(known, &session(x)?, cap, settings, now))));
    more.extend(of_ui(known, settings, now));
    let kept =
        any_window(known, settings).then(|| policy.budgets.open(known, settings, &x.target.requested, now));
    OpenTo { kept, more }
}

fn blocked(user: &str) -> ApiError {
    let user: String = user.chars().take(200).collect();
    let message = format!("User blocked from making LLM API Calls. User={user}");
    ApiError::new(Kind::CustomerBlocked, message)
}
