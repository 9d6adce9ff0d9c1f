mod cost;
mod custom;
mod find;
mod map;

use super::{Catalogue, ModelPrice, ServiceTier, total_cost};
use crate::domain::usage::Usage;

/// The price of a model in the built-in catalogue.
fn model(name: &str) -> ModelPrice {
    Catalogue::embedded()
        .get(name)
        .and_then(|facts| facts.price)
        .unwrap_or_else(|| panic!("{name} has no price"))
}

fn priced(pairs: &[(&str, &str)]) -> ModelPrice {
    custom(None, pairs)
}

fn custom(base: Option<&ModelPrice>, pairs: &[(&str, &str)]) -> ModelPrice {
    ModelPrice::with_overrides(base, &owned(pairs)).unwrap()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// What a usage costs, in dollars as text.
fn dollars(price: &ModelPrice, usage: Usage) -> String {
    total_cost(price, &usage).to_string()
}

/// The same at a tier.
fn dollars_at(tier: ServiceTier, price: &ModelPrice, usage: Usage) -> String {
    dollars(price, Usage { tier: Some(tier), ..usage })
}

fn plain(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}
