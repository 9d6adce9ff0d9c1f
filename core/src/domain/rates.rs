//! Rate limits: what may be counted in a window of time, and what is under way.
//!
//! The window is fixed: it begins with the first request that is counted in it and is over after its length. So no more
//! than the limit is accepted in a window, and at most twice the limit in any span of its length.

use crate::time::Micros;
use serde_json::{Map, Value};
use std::time::Duration;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    Requests,
    Tokens,
    /// Requests under way.
    Parallel,
}

/// What is allowed. `None`: anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    pub requests: Option<i64>,
    pub tokens: Option<i64>,
    pub parallel: Option<i64>,
}

/// What was counted in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// When the window began.
    pub began: Micros,
    pub requests: i64,
    /// What was used, and what requests under way are expected to use.
    pub tokens: i64,
    pub running: i64,
}

/// Limits that count only while the model fails (`rpm_limit_type`, `tpm_limit_type`: `dynamic`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dynamic {
    pub requests: bool,
    pub tokens: bool,
}

impl Dynamic {
    pub fn in_metadata(metadata: &str) -> Self {
        const DYNAMIC: &str = "dynamic";
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        struct Said {
            rpm_limit_type: Option<String>,
            tpm_limit_type: Option<String>,
        }
        if !metadata.contains(DYNAMIC) {
            return Self::default();
        }
        let said: Said = serde_json::from_str(metadata).unwrap_or_default();
        Self {
            requests: said.rpm_limit_type.as_deref() == Some(DYNAMIC),
            tokens: said.tpm_limit_type.as_deref() == Some(DYNAMIC),
        }
    }

    pub fn any(self) -> bool {
        self.requests || self.tokens
    }

    /// What is left of limits while all is well.
    pub fn relaxed(self, rates: Rates) -> Rates {
        Rates {
            requests: rates.requests.filter(|_| !self.requests),
            tokens: rates.tokens.filter(|_| !self.tokens),
            parallel: rates.parallel,
        }
    }
}

/// Limits by model, as they stand in somebody's metadata.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
pub struct ModelRates {
    model_rpm_limit: Option<Map<String, Value>>,
    model_tpm_limit: Option<Map<String, Value>>,
    model_max_parallel_requests: Option<Map<String, Value>>,
}

impl ModelRates {
    /// Metadata is its owner's own: most of it is about something else, and what cannot be read limits nothing.
    pub fn in_metadata(metadata: &str) -> Self {
        match metadata.contains("\"model_") {
            true => serde_json::from_str(metadata).unwrap_or_default(),
            false => Self::default(),
        }
    }

    /// Whether any model is limited.
    pub fn any(&self) -> bool {
        self.model_rpm_limit.is_some()
            || self.model_tpm_limit.is_some()
            || self.model_max_parallel_requests.is_some()
    }

    pub fn of_model(&self, model: &str) -> Rates {
        let of = |map: &Option<Map<String, Value>>| map.as_ref()?.get(model)?.as_i64();
        Rates {
            requests: of(&self.model_rpm_limit),
            tokens: of(&self.model_tpm_limit),
            parallel: of(&self.model_max_parallel_requests),
        }
    }
}

impl Rate {
    pub fn as_str(self) -> &'static str {
        match self {
            Rate::Requests => "requests",
            Rate::Tokens => "tokens",
            Rate::Parallel => "max_parallel_requests",
        }
    }
}

impl Rates {
    pub fn any(&self) -> bool {
        self.requests.is_some() || self.tokens.is_some() || self.parallel.is_some()
    }

    /// These, and others' where there are none.
    pub fn or(self, others: Rates) -> Rates {
        Rates {
            requests: self.requests.or(others.requests),
            tokens: self.tokens.or(others.tokens),
            parallel: self.parallel.or(others.parallel),
        }
    }

    pub fn of(&self, rate: Rate) -> Option<i64> {
        match rate {
            Rate::Requests => self.requests,
            Rate::Tokens => self.tokens,
            Rate::Parallel => self.parallel,
        }
    }

    /// What does not allow one more request. Tokens are full when none is left, as nobody knows how many it needs.
    pub fn full(&self, count: &Count) -> Option<Rate> {
        Rate::ALL.into_iter().find(|rate| self.of(*rate).is_some_and(|limit| count.of(*rate) >= limit))
    }
}

impl Rate {
    /// In the order in which they are looked at.
    pub const ALL: [Rate; 3] = [Rate::Requests, Rate::Tokens, Rate::Parallel];
}

impl Count {
    pub fn of(&self, rate: Rate) -> i64 {
        match rate {
            Rate::Requests => self.requests,
            Rate::Tokens => self.tokens,
            Rate::Parallel => self.running,
        }
    }

    /// Begins a new window where the old one is over, also where the clock was set back far behind it. Requests that
    /// overtake each other are counted in one.
    pub fn turn(&mut self, now: Micros, window: Duration) {
        let window = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
        if now.0.saturating_sub(self.began.0).saturating_abs() >= window {
            *self = Self { began: now, running: self.running, ..Self::default() };
        }
    }

    /// When the window is over.
    pub fn ends(&self, window: Duration) -> Micros {
        Micros(self.began.0.saturating_add(i64::try_from(window.as_micros()).unwrap_or(i64::MAX)))
    }
}
