//! What was charged for an exchange, by LiteLLM's parts: its input, its output, tools that its provider used for it.

use super::markup;
use super::money::{FemtoSum, FemtoUsd, NanoUsd};
use super::spend::Charge;

/// Each part is rounded for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breakdown {
    pub input: NanoUsd,
    pub output: NanoUsd,
    pub tools: NanoUsd,
    /// What the price list makes of all of it.
    pub listed: NanoUsd,
    /// What is charged beside that; `None`: nothing.
    pub beside: Option<Beside>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// What is taken off, told as what it is and not below zero.
    pub discount: NanoUsd,
    pub margin: NanoUsd,
}

static OUTPUT: &[&str] = &["output", "reasoning", "audio_output", "image_output"];
static TOOLS: &[&str] = &["searches"];
static BESIDE: &[&str] = &[markup::DISCOUNT, markup::MARGIN];

impl Breakdown {
    /// `None`: nothing was noted.
    pub fn of(charges: &[Charge]) -> Option<Self> {
        if charges.is_empty() {
            return None;
        }
        let part = |of: &dyn Fn(&str) -> bool| sum(charges.iter().filter(|charge| of(&charge.label)), 1);
        let marked = charges.iter().any(|charge| is(BESIDE, &charge.label));
        // Models that are paid by the search, as those that rank, use no tool.
        let beside_tokens =
            charges.iter().any(|charge| ![TOOLS, BESIDE].iter().any(|list| is(list, &charge.label)));
        let tools = if beside_tokens { TOOLS } else { &[] };
        Some(Self {
            input: part(&|label| ![OUTPUT, tools, BESIDE].iter().any(|list| is(list, label))),
            output: part(&|label| is(OUTPUT, label)),
            tools: part(&|label| is(tools, label)),
            listed: part(&|label| !is(BESIDE, label)),
            beside: marked.then(|| Beside {
                discount: sum(charges.iter().filter(|charge| charge.label == markup::DISCOUNT), -1),
                margin: part(&|label| label == markup::MARGIN),
            }),
        })
    }
}

fn is(list: &[&str], label: &str) -> bool {
    list.contains(&label)
}

fn sum<'c>(charges: impl Iterator<Item = &'c Charge>, sign: i64) -> NanoUsd {
    let mut sum = FemtoSum::default();
    for charge in charges {
        let price = FemtoUsd(charge.price.0.saturating_mul(sign));
        sum.add_per(charge.quantity, charge.per, price);
    }
    sum.round()
}

#[cfg(test)]
mod tests {
    use super::super::markup::Markup;
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn p46_parts_are_told_apart_and_add_up() {
        let charge = |label, quantity, price| Charge {
            label: Cow::Borrowed(label),
            quantity,
            price: FemtoUsd(price),
            per: 1,
        };
        let listed = [
            charge("input", 10, 2_000_000_000),
            charge("cache_read", 4, 500_000_000),
            charge("output", 3, 8_000_000_000),
            charge("reasoning", 1, 8_000_000_000),
            charge("searches", 2, 1_000_000_000_000),
        ];
        let plain = Breakdown::of(&listed).unwrap();
        let nanos = [plain.input, plain.output, plain.tools, plain.listed].map(|part| part.0);
        assert_eq!((nanos, plain.beside), ([22_000, 32_000, 2_000_000, 2_054_000], None));
        let markup = Markup { discount: 500_000_000, margin: 0, fixed: NanoUsd(7) };
        let marked: Vec<Charge> = listed.into_iter().chain(markup.charges(plain.listed)).collect();
        let marked = Breakdown::of(&marked).unwrap();
        let beside = Beside { discount: NanoUsd(1_027_000), margin: NanoUsd(7) };
        assert_eq!((marked.listed, marked.beside), (plain.listed, Some(beside)));
        assert_eq!(Breakdown::of(&[]), None);
        let ranked = Breakdown::of(&[charge("searches", 2, 1_000_000_000_000)]).unwrap();
        assert_eq!((ranked.input, ranked.tools), (NanoUsd(2_000_000), NanoUsd::ZERO));
    }
}
