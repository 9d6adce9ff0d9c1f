//! Budgets that several processes spend from at once: each takes a slice and spends it without asking again.

use super::{LedgerResult, SpendScope};
use crate::domain::money::NanoUsd;
use async_trait::async_trait;

/// What is asked of a budget.
#[derive(Clone, Debug)]
pub struct LeaseAsk<'a> {
    pub scope: SpendScope,
    pub id: &'a str,
    /// The whole budget.
    pub cap: NanoUsd,
    /// Less than this is of no use.
    pub least: NanoUsd,
    /// What would do. Where there is plenty, more is given.
    pub wanted: NanoUsd,
    /// What was spent beyond the slices that were given; part of `least` and `wanted`. As soon as it is booked, it is owed
    /// no more.
    pub owed: NanoUsd,
}

/// What was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// Zero where not even the least was left.
    pub granted: NanoUsd,
    /// Booked under this id since its last reset.
    pub settled: NanoUsd,
    /// Of what was owed: it is booked, and so is part of what is settled.
    pub forgiven: NanoUsd,
}

/// Slices of budgets. What all processes hold and what is booked is never more than the budget, however many ask at
/// once; what a process spends of its slices is taken off them when it is booked, in the same transaction.
#[async_trait]
pub trait Leases: Send + Sync {
    async fn lease(&self, ask: &LeaseAsk<'_>) -> LedgerResult<Lease>;

    /// Returns what is not needed.
    async fn give_back(&self, scope: SpendScope, id: &str, amount: NanoUsd) -> LedgerResult<()>;

    /// Whether slices may still be spent: the ledger heard from this process lately, and has not given them to others.
    fn are_ours(&self) -> bool;

    /// How often all slices of this process were given to others; when it has grown, nothing that it had is left.
    fn lost(&self) -> u64;
}
