//! What is paid by the piece: images, seconds of sound, characters to be spoken, searches.

use crate::exchange::Exchange;
use serde_json::Value;
use std::time::Duration;
use weir_core::domain::money::{FemtoSum, NanoUsd};
use weir_core::domain::operation::Operation;
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::model::prices::{self, Component, ModelPrice, PriceKey, ServiceTier};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    Images(u64),
    Time(Duration),
    Characters(u64),
    Searches(u64),
}

/// Longer than any recording that fits into a request.
const LONGEST: f64 = 1e6;

impl Measured {
    /// From the request, and from the answer where it is JSON, and whether the answer says so itself.
    pub fn of(x: &Exchange, answer: &Value) -> Option<(Self, UsageSource)> {
        let reported = |measured| (measured, UsageSource::Reported);
        match x.request.like() {
            Operation::Images | Operation::ImageEdits | Operation::ImageVariations => {
                let made = answer["data"].as_array().map(|images| images.len() as u64);
                made.map(|made| reported(Self::Images(made)))
            }
            Operation::Transcriptions | Operation::Translations => {
                let said = answer["usage"]["seconds"].as_f64().or_else(|| answer["duration"].as_f64());
                let said = said.filter(|s| (0.0..LONGEST).contains(s));
                said.map(|seconds| reported(Self::Time(Duration::from_secs_f64(seconds))))
            }
            Operation::Speech => {
                let input = x.request.body.string("input")?;
                Some((Self::Characters(input.chars().count() as u64), UsageSource::Estimated))
            }
            Operation::Rerank => {
                let units = answer["meta"]["billed_units"]["search_units"].as_u64();
                units.map(|units| reported(Self::Searches(units)))
            }
            _ => None,
        }
    }

    /// `None` where the model's price list does not name such a piece.
    pub fn cost(self, price: &ModelPrice) -> Option<NanoUsd> {
        let (components, count): (&[Component], u64) = match self {
            Measured::Images(n) => (&[Component::OutputImage, Component::InputImage], n),
            Measured::Characters(n) => (&[Component::InputChar], n),
            Measured::Searches(n) => (&[Component::Query], n),
            Measured::Time(time) => {
                price.second()?;
                let none = Usage::default();
                return Some(prices::cost(price, &none, ServiceTier::Standard, Some(time)).total);
            }
        };
        let each = components.iter().find_map(|c| price.get(PriceKey::standard(*c)))?;
        let mut sum = FemtoSum::default();
        sum.add(count, each);
        Some(sum.round())
    }
}

/// What an exchange cost; `None`: no price says. Tokens that were reported come first, then pieces, then tokens that
/// were estimated.
pub fn cost(
    price: &ModelPrice,
    usage: &Usage,
    source: UsageSource,
    measured: Option<Measured>,
) -> Option<NanoUsd> {
    let tokens = price.prices_tokens().then(|| prices::total_cost(price, usage, ServiceTier::Standard));
    let reported = tokens.filter(|_| source == UsageSource::Reported && usage.total() > 0);
    reported.or_else(|| measured?.cost(price)).or(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(list: &[(&str, &str)]) -> ModelPrice {
        let list: Vec<_> = list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        ModelPrice::with_overrides(None, &list).unwrap()
    }

    fn paid(list: &[(&str, &str)], tokens: u64, measured: Measured) -> Option<String> {
        let usage = Usage { input: tokens, ..Usage::default() };
        cost(&price(list), &usage, UsageSource::Reported, Some(measured)).map(|c| c.to_string())
    }

    #[test]
    fn pieces_are_paid_where_the_list_names_them() {
        let image = paid(&[("output_cost_per_image", "0.04")], 0, Measured::Images(2));
        assert_eq!(image, Some(NanoUsd::parse("0.08").unwrap().to_string()));
        let minute = Measured::Time(Duration::from_secs(60));
        let heard = paid(&[("input_cost_per_second", "0.0001")], 0, minute);
        assert_eq!(heard, Some(NanoUsd::parse("0.006").unwrap().to_string()));
        assert_eq!(paid(&[("input_cost_per_query", "0.002")], 0, minute), None, "nothing prices time here");
    }

    #[test]
    fn reported_tokens_are_paid_before_pieces() {
        let list = [("input_cost_per_token", "0.001"), ("output_cost_per_image", "1")];
        assert_eq!(paid(&list, 3, Measured::Images(9)), Some(NanoUsd::parse("0.003").unwrap().to_string()));
    }
}
