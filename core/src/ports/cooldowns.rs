//! Deployments that are left alone after failing, as several processes know it together.

use crate::error::ApiError;
use crate::redact::redacted;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A deployment that is left alone, and for how long from now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cooled {
    pub deployment: String,
    pub left: Duration,
}

/// A deployment that is left alone, for people who ask why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cooling {
    pub deployment: String,
    /// For how long it still is.
    pub left: Duration,
    /// For how long it has been; `None`: nobody has noted it.
    pub been: Option<Duration>,
    /// The last failure that it is left alone for; `None`: nobody has noted it.
    pub failure: Option<Failure>,
}

/// What was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// HTTP, as a client reads it.
    pub status: u16,
    pub class: String,
    /// In the provider's words, on one line, without what may be a key.
    pub message: String,
}

/// All deployments that are left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coolings {
    /// All processes know of them; else this one does, and what it knows of others may be missing.
    pub shared: bool,
    /// In no order; a bounded number of them.
    pub all: Vec<Cooling>,
}

/// Characters of a message that are told.
const LONGEST: usize = 300;

impl Failure {
    pub fn of(error: &ApiError) -> Self {
        Self {
            status: error.status(),
            class: error.class().to_owned(),
            message: redacted(error.message(), LONGEST),
        }
    }
}

/// What processes tell each other of deployments that fail. Nothing of it is needed to serve: a process that hears of
/// nothing finds out for itself.
#[async_trait]
pub trait SharedCooldowns: Send + Sync {
    /// Returns at once; others hear of it soon. Where it cannot be told it is lost.
    fn tell(&self, cooled: Cooled, failure: Failure);

    /// Who is left alone now, a bounded number of them. `None`: nobody can say in time.
    async fn cooled(&self) -> Option<Vec<Cooled>>;

    /// The same with what is known of each, which is more to read.
    async fn coolings(&self) -> Option<Vec<Cooling>>;
}
