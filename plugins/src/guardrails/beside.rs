//! Checks that run beside the call, in a task of their own.

use weir_core::error::{ApiError, Kind};

use std::fmt;
use tokio::task::JoinHandle;

/// Ends with the exchange.
pub struct Beside(JoinHandle<Result<(), ApiError>>);

impl Beside {
    pub fn start(checks: impl Future<Output = Result<(), ApiError>> + Send + 'static) -> Self {
        Self(tokio::spawn(checks))
    }

    /// Waits until all checks are made. Cancel safe; to be awaited to its end once.
    ///
    /// # Errors
    /// What one of them refuses.
    pub async fn done(&mut self) -> Result<(), ApiError> {
        let broken = |why| ApiError::new(Kind::Internal, "A guardrail broke off.").because(why);
        (&mut self.0).await.map_err(broken)?
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Beside")
    }
}
