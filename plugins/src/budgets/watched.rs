//! Whose budgets are looked at, beside those that requests are held to: for metrics and alerts. Who has sent something is
//! noted here, which costs a request next to nothing; how they stand is read from the ledger, later and elsewhere.

use super::scopes::of_key;
use crate::near::Near;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use weir_core::domain::key::Principal;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Limits, RecordKind, member_id};
use weir_core::domain::spend::SpendScope;
use weir_core::time::Micros;

/// Whoever has a budget, or might have one.
pub struct Owner {
    pub scope: SpendScope,
    pub id: Box<str>,
    terms: Mutex<Arc<Terms>>,
    /// Looks that are still owed: what was spent is booked a moment after the request.
    looks: AtomicU8,
    /// Its record was changed, or is gone.
    stale: AtomicBool,
    /// It is stale only because nobody knew of it: its terms are those of a request that is just over.
    fresh: AtomicBool,
    new_terms: AtomicBool,
    /// It was forgotten, while a worker may still have it at hand.
    gone: AtomicBool,
}

/// What is known of a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    pub alias: Option<String>,
    pub max: Option<NanoUsd>,
    pub soft: Option<NanoUsd>,
    pub resets_at: Option<Micros>,
}

/// By scope and id.
type ById = HashMap<(SpendScope, Box<str>), Arc<Owner>>;

/// Everybody who has sent something since the process began.
#[derive(Default)]
pub struct Watched {
    on: AtomicBool,
    owners: RwLock<ById>,
}

/// Beyond that nobody is added.
const MAX_OWNERS: usize = 100_000;
/// Keys whose owners one worker keeps at hand.
const MAX_NEAR: usize = 16_384;
const LOOKS: u8 = 2;

type Owners = SmallVec<[Arc<Owner>; 4]>;

thread_local! {
    /// By the hash of the key, which is read again now and then: the edition that they are of.
    static NEAR: RefCell<Near<(u64, Owners)>> = RefCell::new(Near::default());
}

// --- Terms ---

impl Terms {
    pub fn of(alias: Option<&str>, limits: &Limits) -> Self {
        Self {
            alias: alias.map(str::to_owned),
            max: limits.max_budget,
            soft: limits.soft_budget,
            resets_at: limits.budget_reset_at,
        }
    }
}

// --- Owner ---

impl Owner {
    fn new(scope: SpendScope, id: &str, terms: Terms, look: bool) -> Self {
        Self {
            scope,
            id: id.into(),
            terms: Mutex::new(Arc::new(terms)),
            looks: AtomicU8::new(LOOKS),
            stale: AtomicBool::new(look),
            fresh: AtomicBool::new(look),
            new_terms: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        }
    }

    pub fn terms(&self) -> Arc<Terms> {
        Arc::clone(&self.terms.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the terms are others than at the last time that this was asked.
    pub fn has_new_terms(&self) -> bool {
        self.new_terms.swap(false, Ordering::Relaxed)
    }

    /// Whether all that its record can tell is that it is there. To be asked once.
    pub fn is_fresh(&self) -> bool {
        self.fresh.swap(false, Ordering::Relaxed)
    }

    fn change(&self) {
        self.fresh.store(false, Ordering::Relaxed);
        self.stale.store(true, Ordering::Relaxed);
    }

    /// Written once between two looks: what all workers only read, none has to fetch from another.
    fn touch(&self) {
        if self.looks.load(Ordering::Relaxed) != LOOKS {
            self.looks.store(LOOKS, Ordering::Relaxed);
        }
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    fn learn(&self, terms: Terms) {
        self.touch();
        let mut known = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        if **known != terms {
            *known = Arc::new(terms);
            self.new_terms.store(true, Ordering::Relaxed);
        }
    }

    fn is_due(&self) -> bool {
        let less = |looks: u8| looks.checked_sub(1);
        self.looks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

// --- Watched ---

impl Watched {
    /// Off costs nothing per request.
    pub fn watch(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Somebody has sent something.
    pub fn touch(&self, known: &Principal, now: Micros) {
        if !self.is_on() {
            return;
        }
        NEAR.with_borrow_mut(|near| {
            let (place, edition) = (known.key.hash.short(), known.edition.number());
            if let Some((of, owners)) = near.get_mut(place) {
                if *of == edition && !owners.iter().any(|owner| owner.is_gone()) {
                    return owners.iter().for_each(|owner| owner.touch());
                }
            } else if near.len() >= MAX_NEAR {
                near.drop_eldest();
            }
            // A request may be over when its key has been forgotten: whoever is new here is looked for. Not whom a token
            // names: who that is, nobody needs to have written down.
            let look = !known.key.is_of_identity();
            let owners = behind(known, now).into_iter();
            let owners = owners.filter_map(|(scope, id, terms)| self.know(scope, &id, terms, look)).collect();
            near.keep(place, (edition, owners));
        });
    }

    /// What is known of somebody now. `None`: there is no room for more.
    pub fn learn(&self, scope: SpendScope, id: &str, terms: Terms) -> Option<Arc<Owner>> {
        self.know(scope, id, terms, false)
    }

    /// The same of somebody whose terms are what they are as long as `found` is kept: it is looked for once.
    pub fn learn_once(
        &self,
        found: &OnceLock<Arc<Owner>>,
        scope: SpendScope,
        id: &str,
        terms: impl FnOnce() -> Terms,
    ) {
        if let Some(owner) = found.get().filter(|owner| !owner.is_gone()) {
            return owner.touch();
        }
        if let Some(owner) = self.learn(scope, id, terms()) {
            // Another request may have found it meanwhile.
            let _ = found.set(owner);
        }
    }

    /// `look`: if nobody knew of it, its record is read at the next look.
    fn know(&self, scope: SpendScope, id: &str, terms: Terms, look: bool) -> Option<Arc<Owner>> {
        let place: (SpendScope, Box<str>) = (scope, id.into());
        if let Some(owner) = self.owners.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
            owner.learn(terms);
            return Some(Arc::clone(owner));
        }
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        if owners.len() >= MAX_OWNERS {
            return None;
        }
        let owner = owners.entry(place).or_insert_with(|| Arc::new(Owner::new(scope, id, terms, look)));
        Some(Arc::clone(owner))
    }

    /// Those who have sent something, a moment ago or before it.
    pub fn due(&self) -> Vec<Arc<Owner>> {
        self.those(|owner| owner.is_due())
    }

    /// Those whose records were changed since this was asked last.
    pub fn stale(&self) -> Vec<Arc<Owner>> {
        self.those(|owner| owner.stale.swap(false, Ordering::Relaxed))
    }

    fn those(&self, are: impl Fn(&Owner) -> bool) -> Vec<Arc<Owner>> {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        owners.values().filter(|owner| are(owner)).cloned().collect()
    }

    /// A record was changed, or is gone.
    pub fn changed(&self, kind: RecordKind, id: &str) {
        let Some(scope) = scope_of(kind) else { return };
        let place: (SpendScope, Box<str>) = (scope, id.into());
        if let Some(owner) = self.owners.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
            owner.change();
        }
    }

    /// Any record may have been changed.
    pub fn all_changed(&self) {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        owners.values().for_each(|owner| owner.change());
    }

    pub fn forget(&self, owner: &Owner) {
        owner.gone.store(true, Ordering::Relaxed);
        let place = (owner.scope, owner.id.clone());
        self.owners.write().unwrap_or_else(PoisonError::into_inner).remove(&place);
    }
}

/// Whose budget a record's is, for those that are watched.
pub fn scope_of(kind: RecordKind) -> Option<SpendScope> {
    match kind {
        RecordKind::Key => Some(SpendScope::Key),
        RecordKind::Team => Some(SpendScope::Team),
        RecordKind::User => Some(SpendScope::User),
        _ => None,
    }
}

/// Whose spending a request of this key is.
fn behind(known: &Principal, now: Micros) -> SmallVec<[(SpendScope, String, Terms); 4]> {
    let mut all = SmallVec::new();
    let key = &known.key;
    if known.session.is_none() && !key.is_of_identity() {
        all.push((SpendScope::Key, key.hash.hex(), terms_of_key(known, now)));
    }
    if let Some(team) = &known.team {
        all.push((SpendScope::Team, team.id.clone(), Terms::of(team.alias.as_deref(), &team.limits)));
    }
    if let Some(user) = &known.user {
        let name = user.email.as_deref().or(user.alias.as_deref());
        all.push((SpendScope::User, user.id.clone(), Terms::of(name, &user.limits)));
    }
    if let Some(budget) = &known.budgets.member
        && let Some((team, user)) = key.team_id.as_deref().zip(key.user_id.as_deref())
    {
        let name = format!("{user} in {team}");
        all.push((SpendScope::Member, member_id(team, user), Terms::of(Some(&name), &budget.limits)));
    }
    if let Some((organization, budget)) = known.organization.as_ref().zip(known.budgets.organization.as_ref())
    {
        let terms = Terms::of(organization.alias.as_deref(), &budget.limits);
        all.push((SpendScope::Organization, organization.id.clone(), terms));
    }
    all
}

/// A shared budget's amounts replace the key's own.
fn terms_of_key(known: &Principal, now: Micros) -> Terms {
    let own = &known.key.limits;
    let shared = known.budgets.key.as_ref().map(|budget| &budget.limits);
    let terms = Terms::of(known.key.alias.as_deref(), own);
    Terms {
        max: of_key(known, now),
        soft: own.soft_budget.or(shared.and_then(|limits| limits.soft_budget)),
        resets_at: shared.and_then(|limits| limits.budget_reset_at).or(own.budget_reset_at),
        ..terms
    }
}
