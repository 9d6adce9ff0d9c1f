//! Deployments that are left alone after failing, as several processes know it together.

use async_trait::async_trait;
use std::time::Duration;

/// A deployment that is left alone, and for how long from now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cooled {
    pub deployment: String,
    pub left: Duration,
}

/// What processes tell each other of deployments that fail. Nothing of it is needed to serve: a process that hears of
/// nothing finds out for itself.
#[async_trait]
pub trait SharedCooldowns: Send + Sync {
    /// Returns at once; others hear of it soon. Where it cannot be told it is lost.
    fn tell(&self, deployment: &str, wait: Duration);

    /// Who is left alone now, a bounded number of them. `None`: nobody can say in time.
    async fn cooled(&self) -> Option<Vec<Cooled>>;
}
