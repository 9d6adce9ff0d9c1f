//! What models cost and what they can do.
//!
//! `component.rs` is the table of everything that has a price. `key.rs` names one price (component, long-prompt
//! band, service tier) in LiteLLM's spelling and in ours. `price.rs` holds the prices of one model and applies the
//! operator's own. `cost.rs` multiplies. `catalogue.rs` keeps the models, one line each; `find.rs` says which line
//! a deployment is priced by; `import.rs` makes the lines from LiteLLM's price map.

mod catalogue;
mod component;
mod cost;
mod find;
mod import;
mod key;
mod price;

pub use catalogue::{Ability, BadLine, Catalogue, ModelFacts};
pub use component::{COMPONENTS, Component, ComponentRow, Side, Unit};
pub use cost::{Cost, CostLine, cost, total_cost};
pub use import::{ImportError, ImportReport, import};
pub use key::{PriceKey, ServiceTier};
pub use price::{ModelPrice, PriceFault, TokenRates};

#[cfg(test)]
mod tests;
