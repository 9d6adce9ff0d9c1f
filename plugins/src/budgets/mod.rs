//! Budgets: what a request may cost at most is held before it is sent, and settled with what it did cost. `scopes.rs`
//! says whose budgets a request is held to, `estimate.rs` what it may cost, `account.rs` is one budget as this process
//! knows it, `refusal.rs` speaks LiteLLM's words. Where no budget is set, none of it runs. `watched.rs` is for those
//! who only look.

mod account;
mod estimate;
mod refusal;
mod scopes;
mod watched;
mod windows;

pub use account::{Account, Hold};
pub(crate) use estimate::LIMITS;
pub use estimate::{Estimate, asked_output};
pub use refusal::Unspent;
pub(crate) use scopes::{Ids, OfCaller};
pub use scopes::{Scope, Scopes, any, of_holder, of_key, scopes, told_of_key};
pub use watched::{Owner, Terms, Watched, scope_of};
pub use windows::{
    Open, Window, any as any_window, hold_of_deployment, of_deployment, of_session, of_tag, of_ui,
};

use account::Accounts;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use weir_core::domain::money::NanoUsd;
use weir_core::ports::leases::{Lease, LeaseAsk, Leases};
use weir_core::ports::{LedgerError, LedgerResult};

/// Between two looks whether others' holds have settled.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// All budgets that this process spends from.
pub struct Budgets {
    leases: Arc<dyn Leases>,
    accounts: Accounts,
    /// As [`Leases::lost`] was when the accounts were last right.
    lost: AtomicU64,
    /// How often the ledger was asked for a slice.
    asked: AtomicU64,
}

/// How a process stands with its slices, for those who look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slices {
    /// Of all accounts, free and held by requests under way.
    pub free: NanoUsd,
    pub held: NanoUsd,
    /// How often a request waited for the ledger.
    pub asked: u64,
}

impl Budgets {
    pub fn new(leases: Arc<dyn Leases>) -> Self {
        Self { leases, accounts: Accounts::default(), lost: AtomicU64::new(0), asked: AtomicU64::new(0) }
    }

    /// Holds what a request may cost in every scope, or nothing. Where the most does not fit, what is held is less, but
    /// never less than the least. Waits for what others hold, at most `patience`.
    ///
    /// # Errors
    /// Whose budget does not allow it, and why.
    pub async fn hold(
        &self,
        scopes: &[Scope<'_>],
        estimate: &Estimate,
        patience: Duration,
    ) -> Result<Hold, Unspent> {
        let mut hold = Hold::with_room(scopes.len());
        if let Some(first) = scopes.first().filter(|_| !self.may_spend()) {
            let error = LedgerError::Unavailable(String::from("slices of budgets could not be renewed"));
            return Err(Unspent::unavailable(first, &error));
        }
        let now = Instant::now();
        let until = now + patience;
        // In a fixed order; what is held already is given back when `hold` is dropped.
        for scope in scopes {
            let account = self.account(scope);
            if account.is_lowered(scope.cap) {
                // What was leased of the larger budget is not to be spent any more, also where it cannot go back now.
                self.give_back(&account, |_| true).await;
            }
            let lowered = account.lowered();
            let amount = match account.take(estimate.most.0, now) {
                true => estimate.most.0,
                false => self.obtain(&account, scope, estimate, until).await?,
            };
            hold.add(account, amount, lowered);
        }
        hold.level();
        Ok(hold)
    }

    fn account(&self, scope: &Scope<'_>) -> Arc<Account> {
        let find = || self.accounts.get(scope.kind, scope.id);
        match scope.near.map(|near| near.get_or_init(find)) {
            Some(account) if !account.is_lost() => Arc::clone(account),
            _ => find(),
        }
    }

    /// At least the least, with slices of the budget as far as they are needed.
    async fn obtain(
        &self,
        account: &Arc<Account>,
        scope: &Scope<'_>,
        estimate: &Estimate,
        until: Instant,
    ) -> Result<i64, Unspent> {
        loop {
            let lease = self.refill(account, scope, estimate).await;
            let now = Instant::now();
            if let Some(amount) = account.take_between(estimate.least.0, estimate.most.0, now) {
                return Ok(amount);
            }
            let lease = lease.map_err(|error| Unspent::unavailable(scope, &error))?;
            if scope.cap.0.saturating_sub(lease.settled.0) < estimate.least.0 {
                return Err(Unspent::exceeded(scope, lease.settled));
            }
            if now >= until {
                return Err(Unspent::held(scope, lease.settled));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Asks for a slice, one request of this process at a time.
    async fn refill(&self, account: &Account, scope: &Scope<'_>, estimate: &Estimate) -> LedgerResult<Lease> {
        let _turn = account.turn().await;
        let free = account.free();
        if free >= estimate.most.0 {
            // Another request has just asked.
            return Ok(Lease::default());
        }
        let ask = LeaseAsk {
            scope: scope.kind,
            id: scope.id,
            cap: scope.cap,
            least: NanoUsd(estimate.least.0.saturating_sub(free).max(1)),
            wanted: NanoUsd(estimate.most.0.saturating_sub(free).max(1)),
            owed: NanoUsd(free.saturating_neg().max(0)),
        };
        self.asked.fetch_add(1, Ordering::Relaxed);
        let lease = self.leases.lease(&ask).await?;
        if lease.granted.0 > 0 {
            // Before it is there: it must not go back at once.
            account.touch(Instant::now());
        }
        account.put(lease.granted.0.saturating_add(lease.forgiven.0));
        account.learn(lease.settled);
        Ok(lease)
    }

    /// Whether what was leased may still be spent. What was given to others is forgotten.
    fn may_spend(&self) -> bool {
        let lost = self.leases.lost();
        // Written by the first that finds it changed: what all workers only read, none has to fetch from another.
        if self.lost.load(Ordering::Acquire) != lost && self.lost.swap(lost, Ordering::AcqRel) != lost {
            self.accounts.forget();
        }
        self.leases.are_ours()
    }

    pub fn slices(&self) -> Slices {
        let (free, held) = self.accounts.sums();
        Slices { free, held, asked: self.asked.load(Ordering::Relaxed) }
    }

    /// Gives back what nobody has needed for a while, so that others can. Called all the time.
    pub async fn tidy(&self) {
        for account in self.accounts.idle() {
            self.give_back(&account, Account::is_idle).await;
        }
    }

    /// Gives back what is free, if that is still wanted when it is this one's turn.
    async fn give_back(&self, account: &Account, still: fn(&Account) -> bool) {
        // Whoever asks meanwhile waits for the answer: with the ledger away, what is in hand here is soon free again.
        let _turn = account.turn().await;
        if !still(account) {
            return;
        }
        let amount = account.take_all() + account.take_aside();
        let given = self.leases.give_back(account.kind, &account.id, NanoUsd(amount)).await;
        if let Err(error) = given {
            account.keep(amount);
            tracing::debug!("what is left of a budget's slice stays here: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use async_trait::async_trait;
    use weir_core::domain::key::{KeyRecord, Principal};
    use weir_core::ports::SpendScope;
    use weir_core::time::Micros;

    /// A ledger that gives what it is asked for.
    #[derive(Default)]
    struct Plenty {
        lost: AtomicU64,
    }

    #[async_trait]
    impl Leases for Plenty {
        async fn lease(&self, ask: &LeaseAsk<'_>) -> LedgerResult<Lease> {
            Ok(Lease { granted: ask.wanted, ..Lease::default() })
        }

        async fn give_back(&self, _: SpendScope, _: &str, _: NanoUsd) -> LedgerResult<()> {
            Ok(())
        }

        fn are_ours(&self) -> bool {
            true
        }

        fn lost(&self) -> u64 {
            self.lost.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn p15_what_was_given_to_others_is_not_spent_by_who_has_found_it_before() {
        let ledger = Arc::new(Plenty::default());
        let budgets = Budgets::new(Arc::clone(&ledger) as Arc<dyn Leases>);
        let mut key = KeyRecord::new("sk-of-a-budget");
        key.limits.max_budget = Some(NanoUsd(1_000));
        let known = Principal::of(key);
        let mut asked = Vec::new();
        for round in 0..4 {
            // The slices are given to others before the third request.
            ledger.lost.store(u64::from(round >= 2), Ordering::Relaxed);
            let policy = Policy::of(&known);
            let scopes = scopes(&known, policy.budgets.ids(&known), Micros(0));
            let hold = budgets.hold(&scopes, &Estimate::NOTHING, Duration::ZERO).await.unwrap();
            hold.settle(NanoUsd::ZERO);
            asked.push(budgets.slices().asked);
        }
        assert_eq!(asked, [1, 1, 2, 2]);
        assert_eq!(budgets.slices().free, NanoUsd(1), "of the slice that is lost nothing is left");
    }
}
