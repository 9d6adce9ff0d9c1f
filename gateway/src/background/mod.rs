//! What runs beside requests.

pub mod cooldowns;
pub mod drain;
pub mod import;
pub mod reload;
pub mod scribe;
pub mod standing;
