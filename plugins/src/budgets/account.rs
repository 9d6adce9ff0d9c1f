//! One budget as this process knows it: what of its slices is free. Costs that are not booked yet are in no balance:
//! they left it when they were settled, and leave the ledger's lease when they are booked.

use super::Scope;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::BudgetSeen;
use weir_core::ports::SpendScope;

/// How long a slice is kept that nobody spends from.
const IDLE: Duration = Duration::from_millis(500);
/// How long an account is remembered that holds nothing.
const FORGOTTEN: Duration = Duration::from_secs(600);
/// More accounts of one scope are not remembered longer than they are needed: clients name customers and sessions.
const CROWD: usize = 50_000;

pub struct Account {
    pub(super) kind: SpendScope,
    pub(super) id: Box<str>,
    /// Below zero where something cost more than was held.
    free: AtomicI64,
    /// What was leased of a larger budget and is not back at the ledger yet. Nobody spends it.
    aside: AtomicI64,
    /// What requests under way hold.
    held: AtomicI64,
    /// What is spent of the budget: as the ledger last told, and what was settled here since.
    spent: AtomicI64,
    /// What the budget was when it was last asked for.
    cap: AtomicI64,
    /// How often it was lowered.
    lowered: AtomicU64,
    born: Instant,
    /// Milliseconds after `born`.
    used: AtomicU64,
    /// What it has was given to others: there is another one in its place.
    lost: AtomicBool,
    turn: Mutex<()>,
}

/// An account that was looked for before.
pub(super) type Near = OnceLock<Arc<Account>>;

impl Account {
    fn new(kind: SpendScope, id: &str) -> Self {
        Self {
            kind,
            id: id.into(),
            free: AtomicI64::new(0),
            aside: AtomicI64::new(0),
            held: AtomicI64::new(0),
            spent: AtomicI64::new(0),
            cap: AtomicI64::new(i64::MIN),
            lowered: AtomicU64::new(0),
            born: Instant::now(),
            used: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            turn: Mutex::new(()),
        }
    }

    pub(super) fn free(&self) -> i64 {
        self.free.load(Ordering::Acquire)
    }

    fn held(&self) -> i64 {
        self.held.load(Ordering::Relaxed)
    }

    /// What the ledger tells.
    pub(super) fn learn(&self, spent: NanoUsd) {
        self.spent.store(spent.0, Ordering::Relaxed);
    }

    /// Notes the budget. Whether it was larger before: then what is free of it is set aside, and so is what comes back of
    /// holds that were taken before.
    pub(super) fn is_lowered(&self, cap: NanoUsd) -> bool {
        let before = self.cap.load(Ordering::Acquire);
        if before > cap.0 {
            // First of all, or others would spend it meanwhile.
            self.lowered.fetch_add(1, Ordering::AcqRel);
            self.put_aside(self.take_all());
        }
        before != cap.0 && self.cap.swap(cap.0, Ordering::AcqRel) > cap.0
    }

    /// How often the budget was lowered. Who holds something of it remembers that.
    pub(super) fn lowered(&self) -> u64 {
        self.lowered.load(Ordering::Acquire)
    }

    /// What is to go back and may not be spent.
    pub(super) fn take_aside(&self) -> i64 {
        self.aside.swap(0, Ordering::AcqRel)
    }

    fn put_aside(&self, amount: i64) {
        self.aside.fetch_add(amount, Ordering::AcqRel);
    }

    /// It could not go back. Of it only as much may be spent as the budget leaves of what is known to be spent.
    pub(super) fn keep(&self, amount: i64) {
        let known = [self.spent.load(Ordering::Relaxed), self.held().max(0), self.free().max(0)];
        let left = known.into_iter().fold(self.cap.load(Ordering::Acquire), i64::saturating_sub);
        let usable = amount.min(left).max(0);
        self.put(usable);
        self.put_aside(amount - usable);
    }

    /// What is left of a hold of a larger budget pays what is owed here; the rest goes back.
    fn set_aside(&self, amount: i64) {
        let owed = |free: i64| free.saturating_neg().clamp(0, amount);
        let pay = |free: i64| Some(free + owed(free));
        let paid = self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, pay).map_or(0, owed);
        self.put_aside(amount - paid);
    }

    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    pub(super) fn put(&self, amount: i64) {
        self.free.fetch_add(amount, Ordering::AcqRel);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// All of it or nothing.
    pub(super) fn take(&self, amount: i64, now: Instant) -> bool {
        self.take_between(amount, amount, now).is_some()
    }

    /// As much as there is, if that is enough. What is asked for in vain counts as idle: it goes back, and what several
    /// processes have too little of is enough for one of them.
    pub(super) fn take_between(&self, least: i64, most: i64, now: Instant) -> Option<i64> {
        let enough = |free: i64| (free >= least.max(1)).then(|| free - free.min(most));
        let before = self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, enough).ok()?;
        self.touch(now);
        Some(before.min(most))
    }

    /// Everything that is free.
    pub(super) fn take_all(&self) -> i64 {
        let some = |free: i64| (free > 0).then_some(0);
        self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, some).unwrap_or(0)
    }

    /// Is spent from now.
    pub(super) fn touch(&self, now: Instant) {
        let now = u64::try_from(self.age(now).as_millis()).unwrap_or(u64::MAX);
        self.used.store(now, Ordering::Relaxed);
    }

    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.born)
    }

    fn idle_for(&self, time: Duration, now: Instant) -> bool {
        let used = Duration::from_millis(self.used.load(Ordering::Relaxed));
        self.age(now).saturating_sub(used) > time
    }

    /// Whether it has something that nobody has asked for lately, or may ask for.
    pub(super) fn is_idle(&self) -> bool {
        self.is_idle_at(Instant::now())
    }

    fn is_idle_at(&self, now: Instant) -> bool {
        self.aside.load(Ordering::Acquire) > 0 || self.free() > 0 && self.idle_for(IDLE, now)
    }

    /// Whether nobody misses it who has it not in hand.
    fn is_over(&self, after: Duration, now: Instant) -> bool {
        self.free() == 0 && self.aside.load(Ordering::Acquire) == 0 && self.idle_for(after, now)
    }
}

/// Found by scope, then by id, without copying either.
#[derive(Default)]
pub(super) struct Accounts {
    by_scope: [RwLock<HashMap<Box<str>, Arc<Account>>>; SpendScope::ALL],
}

impl Accounts {
    pub(super) fn get(&self, kind: SpendScope, id: &str) -> Arc<Account> {
        let shelf = &self.by_scope[kind as usize];
        if let Some(account) = shelf.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Arc::clone(account);
        }
        let mut shelf = shelf.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shelf.entry(id.into()).or_insert_with(|| Arc::new(Account::new(kind, id))))
    }

    /// What is free and what is held, of all.
    pub(super) fn sums(&self) -> (NanoUsd, NanoUsd) {
        let (mut free, mut held) = (NanoUsd::ZERO, NanoUsd::ZERO);
        for shelf in &self.by_scope {
            for account in shelf.read().unwrap_or_else(PoisonError::into_inner).values() {
                free += NanoUsd(account.free().max(0) + account.aside.load(Ordering::Relaxed));
                held += NanoUsd(account.held().max(0));
            }
        }
        (free, held)
    }

    /// All of them. What is under way settles with accounts that nobody asks any more.
    pub(super) fn forget(&self) {
        for shelf in &self.by_scope {
            let mut shelf = shelf.write().unwrap_or_else(PoisonError::into_inner);
            shelf.values().for_each(|account| account.lost.store(true, Ordering::Release));
            shelf.clear();
        }
    }

    /// Those that have something and have not been asked for it lately. What is over is forgotten.
    pub(super) fn idle(&self) -> Vec<Arc<Account>> {
        let (mut idle, now) = (Vec::new(), Instant::now());
        for shelf in &self.by_scope {
            let mut over = false;
            let known = shelf.read().unwrap_or_else(PoisonError::into_inner);
            let after = if known.len() > CROWD { IDLE } else { FORGOTTEN };
            // Whoever has one in hand keeps it, a request as well as the policy of a key.
            let is_over =
                |account: &Arc<Account>| Arc::strong_count(account) == 1 && account.is_over(after, now);
            for account in known.values() {
                over |= is_over(account);
                if account.is_idle_at(now) {
                    idle.push(Arc::clone(account));
                }
            }
            drop(known);
            if over {
                let mut shelf = shelf.write().unwrap_or_else(PoisonError::into_inner);
                shelf.retain(|_, account| !is_over(account));
            }
        }
        idle
    }
}

/// What a request holds of its budgets. Given back whole when it is dropped unsettled.
#[derive(Default)]
pub struct Hold {
    parts: smallvec::SmallVec<[Part; 4]>,
}

/// What it holds of one of them.
struct Part {
    account: Arc<Account>,
    amount: i64,
    /// [`Account::lowered`] as it was before this was taken.
    lowered: u64,
}

impl Part {
    /// Is not needed, or was spent beyond what is held (below zero). Of a budget that was lowered meanwhile, nobody else may
    /// spend it.
    fn give_back(&self, amount: i64) {
        match amount > 0 && self.account.lowered() != self.lowered {
            true => self.account.set_aside(amount),
            false => self.account.put(amount),
        }
    }
}

impl Hold {
    /// Nothing yet, with room for so many.
    pub(super) fn with_room(scopes: usize) -> Self {
        Self { parts: smallvec::SmallVec::with_capacity(scopes) }
    }

    /// `lowered`: [`Account::lowered`] before the amount was taken.
    pub(super) fn add(&mut self, account: Arc<Account>, amount: i64, lowered: u64) {
        account.held.fetch_add(amount, Ordering::Relaxed);
        self.parts.push(Part { account, amount, lowered });
    }

    /// The smallest of what is held is what may be spent; the rest is of no use.
    pub(super) fn level(&mut self) {
        let Some(least) = self.parts.iter().map(|part| part.amount).min() else { return };
        for part in self.parts.iter_mut().filter(|part| part.amount > least) {
            part.give_back(part.amount - least);
            part.account.held.fetch_sub(part.amount - least, Ordering::Relaxed);
            part.amount = least;
        }
    }

    /// What may be spent; `None` where no budget is held to.
    pub fn amount(&self) -> Option<NanoUsd> {
        self.parts.first().map(|part| NanoUsd(part.amount))
    }

    /// The budgets that are held to, in the order in which these scopes were taken.
    pub fn seen(&self, scopes: &[Scope<'_>]) -> impl Iterator<Item = BudgetSeen> {
        self.parts.iter().zip(scopes).map(|(Part { account, .. }, scope)| BudgetSeen {
            scope: account.kind,
            id: if account.kind.is_of_entry() { String::new() } else { account.id.as_ref().to_owned() },
            cap: scope.cap,
            before: NanoUsd(account.spent.load(Ordering::Relaxed)),
            resets_at: scope.resets_at,
            refused: false,
        })
    }

    /// The truth: what is held and was not spent is free again.
    pub fn settle(mut self, cost: NanoUsd) {
        self.give_back(cost.0);
    }

    fn give_back(&mut self, spent: i64) {
        for part in self.parts.drain(..) {
            part.give_back(part.amount - spent);
            part.account.held.fetch_sub(part.amount, Ordering::Relaxed);
            part.account.spent.fetch_add(spent, Ordering::Relaxed);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.give_back(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p15_what_a_lowered_budget_does_not_leave_is_not_spent_while_it_cannot_go_back() {
        let account = Account::new(SpendScope::Key, "k");
        account.put(100);
        account.learn(NanoUsd(30));
        assert!(!account.is_lowered(NanoUsd(200)));
        assert!(account.is_lowered(NanoUsd(50)));
        // The ledger is away.
        account.keep(account.take_all() + account.take_aside());
        let now = Instant::now();
        assert_eq!(account.take_between(1, 100, now), Some(20));
        assert!(!account.take(1, now) && account.is_idle(), "the rest goes back as soon as it can");
        assert_eq!((account.take_aside(), account.free()), (80, 0));
        account.keep(0);
        assert_eq!((account.take_aside(), account.free()), (0, 0), "nothing is below nothing");
    }

    #[test]
    fn p15_what_is_left_of_a_hold_of_a_larger_budget_pays_what_is_owed_and_is_not_spent() {
        let (account, now) = (Arc::new(Account::new(SpendScope::Key, "k")), Instant::now());
        account.put(100);
        assert!(!account.is_lowered(NanoUsd(200)));
        let mut holds = [60, 40].map(|amount| {
            let (mut hold, lowered) = (Hold::with_room(1), account.lowered());
            assert!(account.take(amount, now));
            hold.add(Arc::clone(&account), amount, lowered);
            Some(hold)
        });
        assert!(account.is_lowered(NanoUsd(50)));
        holds[1].take().unwrap().settle(NanoUsd(45));
        holds[0].take().unwrap().settle(NanoUsd(10));
        assert!(!account.take(1, now));
        assert_eq!((account.free(), account.take_aside()), (0, 45), "of 100 there were spent 55");
    }
}
