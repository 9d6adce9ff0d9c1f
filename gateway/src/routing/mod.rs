//! Which deployment next: strategy within a group, cooldowns, fallback groups.

pub mod cooldown;
pub mod plan;
mod shuffle;
