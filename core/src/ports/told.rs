//! What is told to somebody outside, once over all replicas.

use super::LedgerResult;
use crate::time::Micros;
use async_trait::async_trait;

/// Who tells what. Nobody else tells it before its time is over.
#[async_trait]
pub trait Told: Send + Sync {
    /// Whether it is for this process to tell: nobody has told what has this name, or the time is over for which that
    /// counts. `until`: how long nobody tells it again.
    async fn claim(&self, name: &str, now: Micros, until: Micros) -> LedgerResult<bool>;

    /// It could not be told after all: somebody may try again.
    async fn give_up(&self, name: &str) -> LedgerResult<()>;
}
