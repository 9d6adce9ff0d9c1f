//! Other prices for entries that are booked: the entry and all sums it is part of change together.

use super::detail::Detail;
use super::sums::{Raised, keys};
use super::write::{Counts, anew, raise_all};
use crate::store::Ledger;
use sqlx::{Any, Transaction};
use weir_core::config::KeepingSettings;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::Entry;
use weir_core::ports::LedgerResult;

/// An entry as it was read, and what it costs from now on.
#[derive(Clone, Debug)]
pub struct Repriced {
    pub entry: Entry,
    pub cost: NanoUsd,
    pub price_version: String,
}

impl Ledger {
    /// Books the new costs in one transaction. An entry that was re-priced meanwhile is left alone; answers how many
    /// were not. `keeping`: whether what is spent counts against budgets.
    ///
    /// # Errors
    /// The ledger is away.
    pub async fn reprice(&self, changes: &[Repriced], keeping: &KeepingSettings) -> LedgerResult<u64> {
        let mut transaction = self.noted(self.writer.begin().await)?;
        let mut done = Vec::new();
        for change in changes {
            if self.reprice_one(&mut transaction, change).await? {
                done.push((&change.entry, change.cost));
            }
        }
        let oldest = done.iter().map(|(entry, _)| entry.started_at).min();
        let anew = anew(self, &mut transaction, oldest).await?;
        let keys = keys(done.iter().map(|(entry, _)| *entry));
        let keyed: Vec<_> =
            done.iter().zip(&keys).map(|((entry, cost), key)| ((*entry, key.as_str()), *cost)).collect();
        raise_all(self, &mut transaction, Raised::by_difference(&keyed, &anew), Counts::by(keeping)).await?;
        self.noted(transaction.commit().await)?;
        Ok(done.len() as u64)
    }

    async fn reprice_one(
        &self,
        transaction: &mut Transaction<'_, Any>,
        change: &Repriced,
    ) -> LedgerResult<bool> {
        let Repriced { entry, cost, price_version } = change;
        let priced = Entry { price_version: price_version.clone(), unpriced: false, ..entry.clone() };
        let detail = Detail::of(&priced).text()?;
        let update = sqlx::query(
            "UPDATE spend_entry SET cost = $1, detail = $2 WHERE started_at = $3 AND id = $4 AND cost = $5",
        );
        let update = update.bind(cost.0).bind(detail).bind(entry.started_at.0).bind(entry.id.to_string());
        let done = update.bind(entry.cost.0).execute(&mut **transaction).await;
        self.noted(done).map(|done| done.rows_affected() == 1)
    }
}
