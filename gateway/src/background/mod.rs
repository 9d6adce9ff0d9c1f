//! What runs beside requests.
//!
//! - `reload.rs`: reads the configuration again. `import.rs`: moves in from LiteLLM at the first start.
//! - `drain.rs`: stops without losing anything.
//! - `checks.rs`, `cooldowns.rs`: asks deployments whether they are well, hears which ones other replicas leave alone.
//! - `standing.rs`, `reports.rs`: how budgets stand, for metrics and alerts; days, weeks and months, for people.
//! - `scribe.rs`: stores prompts and answers.

pub mod checks;
pub mod cooldowns;
pub mod drain;
pub mod import;
pub mod reload;
mod reports;
pub mod scribe;
pub mod standing;
