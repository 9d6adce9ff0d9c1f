//! Which deployment next.
//!
//! `plan.rs` is the order of attempts of one exchange: retries, then fallback groups. `eligible.rs` says which
//! deployments of a group may be asked at all, `strategies/` is the table of ways to choose among them. `cooldown.rs`
//! remembers who failed, `affinity.rs` whose provider has cached which prompts. `errors.rs` has LiteLLM's words.

pub mod affinity;
pub mod cooldown;
pub mod eligible;
pub mod errors;
pub mod plan;
pub mod strategies;
#[cfg(test)]
mod testing;

use affinity::Affinity;
use cooldown::Cooldowns;
use std::sync::Arc;
use weir_core::ports::cooldowns::SharedCooldowns;
use weir_plugins::load::Loads;

/// What is remembered of deployments from one exchange to the next.
pub struct Routing {
    pub cooldowns: Cooldowns,
    pub loads: Loads,
    pub affinity: Affinity,
}

impl Routing {
    /// `shared`: whom to tell who is left alone.
    pub fn new(shared: Option<Arc<dyn SharedCooldowns>>) -> Self {
        Self { cooldowns: Cooldowns::new(shared), loads: Loads::default(), affinity: Affinity::default() }
    }
}
