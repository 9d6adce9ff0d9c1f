//! What is paid by the piece: images, seconds of sound, characters to be spoken, searches.

use crate::exchange::Exchange;
use crate::recording;
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;
use weir_core::domain::money::{FemtoSum, NanoUsd};
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::Charge;
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::model::prices::{self, Component, CostLine, ModelPrice, PriceKey};

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
                let said = said.map(|seconds| reported(Self::Time(Duration::from_secs_f64(seconds))));
                said.or_else(|| Some((Self::Time(sent(x)?), UsageSource::Estimated)))
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
        self.charge(price).map(|line| sum(&line))
    }

    /// What is charged for it; `None` where the model's price list does not name such a piece.
    fn charge(self, price: &ModelPrice) -> Option<CostLine> {
        let (components, count): (&[Component], u64) = match self {
            Measured::Images(n) => (&[Component::OutputImage, Component::InputImage], n),
            Measured::Characters(n) => (&[Component::InputChar], n),
            Measured::Searches(n) => (&[Component::Query], n),
            Measured::Time(time) => {
                let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
                return Some(CostLine {
                    label: "time",
                    quantity: micros,
                    price: price.second()?,
                    per: 1_000_000,
                });
            }
        };
        let each = components.iter().find_map(|c| price.get(PriceKey::standard(*c)))?;
        Some(CostLine { label: self.label(), quantity: count, price: each, per: 1 })
    }

    fn label(self) -> &'static str {
        match self {
            Measured::Images(_) => "images",
            Measured::Time(_) => "time",
            Measured::Characters(_) => "characters",
            Measured::Searches(_) => "searches",
        }
    }
}

/// How long the recording is that was sent.
fn sent(x: &Exchange) -> Option<Duration> {
    let (_, bytes) = x.request.form.as_ref()?.files().next()?;
    Some(recording::length(bytes))
}

fn sum(line: &CostLine) -> NanoUsd {
    let mut sum = FemtoSum::default();
    sum.add_per(line.quantity, line.per, line.price);
    sum.round()
}

/// What an exchange is charged by.
enum Basis {
    Tokens,
    Piece(CostLine),
}

/// Tokens that were reported come first, then pieces, then tokens that were estimated.
fn basis(
    price: &ModelPrice,
    usage: &Usage,
    source: UsageSource,
    measured: Option<Measured>,
) -> Option<Basis> {
    let tokens = price.prices_tokens();
    if tokens && source == UsageSource::Reported && usage.total() > 0 {
        return Some(Basis::Tokens);
    }
    let piece = measured.and_then(|measured| measured.charge(price)).map(Basis::Piece);
    piece.or_else(|| tokens.then_some(Basis::Tokens))
}

/// What an exchange cost; `None`: no price says.
pub fn cost(
    price: &ModelPrice,
    usage: &Usage,
    source: UsageSource,
    measured: Option<Measured>,
) -> Option<NanoUsd> {
    match basis(price, usage, source, measured)? {
        Basis::Tokens => Some(prices::total_cost(price, usage)),
        Basis::Piece(line) => Some(sum(&line)),
    }
}

/// How that comes about.
pub fn charges(
    price: &ModelPrice,
    usage: &Usage,
    source: UsageSource,
    measured: Option<Measured>,
) -> Vec<Charge> {
    let charge = |line: CostLine| Charge {
        label: Cow::Borrowed(line.label),
        quantity: line.quantity,
        price: line.price,
        per: line.per,
    };
    match basis(price, usage, source, measured) {
        Some(Basis::Tokens) => {
            let cost = prices::cost(price, usage, None);
            cost.lines.into_iter().map(charge).collect()
        }
        Some(Basis::Piece(line)) => vec![charge(line)],
        None => Vec::new(),
    }
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
    fn p46_charges_add_up_to_the_cost() {
        let list = [
            ("input_cost_per_token", "1.5e-06"),
            ("output_cost_per_token", "0.00001"),
            ("input_cost_per_second", "0.0001"),
        ];
        let usage = Usage { input: 1_001, output: 333, cache_read: 7, reasoning: 20, ..Usage::default() };
        for (usage, source, measured) in [
            (usage, UsageSource::Reported, None),
            (Usage::default(), UsageSource::Reported, Some(Measured::Time(Duration::from_millis(1_234_567)))),
        ] {
            let price = price(&list);
            let mut sum = FemtoSum::default();
            let charges = charges(&price, &usage, source, measured);
            charges.iter().for_each(|charge| sum.add_per(charge.quantity, charge.per, charge.price));
            assert_eq!(Some(sum.round()), cost(&price, &usage, source, measured));
            assert!(charges.iter().all(|charge| charge.quantity > 0) && !charges.is_empty());
        }
    }

    #[test]
    fn reported_tokens_are_paid_before_pieces() {
        let list = [("input_cost_per_token", "0.001"), ("output_cost_per_image", "1")];
        assert_eq!(paid(&list, 3, Measured::Images(9)), Some(NanoUsd::parse("0.003").unwrap().to_string()));
    }
}
