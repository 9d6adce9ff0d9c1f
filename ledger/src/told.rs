//! What replicas tell once together, see [`weir_core::ports::told`].

use crate::store::Ledger;
use async_trait::async_trait;
use weir_core::ports::LedgerResult;
use weir_core::ports::told::Told;
use weir_core::time::Micros;

/// Changes a row for exactly one of those who ask at once.
const CLAIM: &str = "INSERT INTO told_alert (name, told_at, until) VALUES ($1, $2, $3) \
    ON CONFLICT (name) DO UPDATE SET told_at = excluded.told_at, until = excluded.until \
    WHERE told_alert.until <= excluded.told_at";
const GIVE_UP: &str = "DELETE FROM told_alert WHERE name = $1";
const FORGET: &str = "DELETE FROM told_alert WHERE until < $1";

#[async_trait]
impl Told for Ledger {
    async fn claim(&self, name: &str, now: Micros, until: Micros) -> LedgerResult<bool> {
        let claim = sqlx::query(CLAIM).bind(name.to_owned()).bind(now.0).bind(until.0);
        Ok(self.noted(claim.execute(&self.writer).await)?.rows_affected() > 0)
    }

    async fn give_up(&self, name: &str) -> LedgerResult<()> {
        let given = sqlx::query(GIVE_UP).bind(name.to_owned());
        self.noted(given.execute(&self.writer).await).map(drop)
    }
}

impl Ledger {
    /// Forgets what has been told for so long that it may be told again since then.
    ///
    /// # Errors
    /// The ledger is away.
    pub(crate) async fn forget_told(&self, before: Micros) -> LedgerResult<()> {
        let forget = sqlx::query(FORGET).bind(before.0);
        self.noted(forget.execute(&self.writer).await).map(drop)
    }
}
