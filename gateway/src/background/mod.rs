//! What runs beside requests.

pub mod checks;
pub mod cooldowns;
pub mod drain;
pub mod import;
pub mod reload;
mod reports;
pub mod scribe;
pub mod standing;
