//! What runs beside requests.

pub mod drain;
pub mod reload;
