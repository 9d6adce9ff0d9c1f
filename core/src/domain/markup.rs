//! What is charged beside the price list: a discount, and a margin on what it leaves.

use super::money::{FemtoUsd, NanoUsd};
use super::spend::Charge;
use std::borrow::Cow;

/// Parts are of [`Markup::WHOLE`], none of them negative; a discount is at most the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Markup {
    pub discount: i64,
    pub margin: i64,
    /// For each request.
    pub fixed: NanoUsd,
}

/// Labels of its charges.
pub const DISCOUNT: &str = "discount";
pub const MARGIN: &str = "margin";

impl Markup {
    /// One, in the parts that shares are told in.
    pub const WHOLE: i64 = 1_000_000_000;

    /// What is charged for what the price list makes of a request. Each part of it is whole nano-dollars.
    pub fn charged(&self, listed: NanoUsd) -> NanoUsd {
        self.discounted(listed) + self.margin(listed)
    }

    /// What is taken off.
    pub fn discount(&self, listed: NanoUsd) -> NanoUsd {
        part(listed, self.discount)
    }

    /// What is put on, the fixed amount included.
    pub fn margin(&self, listed: NanoUsd) -> NanoUsd {
        part(self.discounted(listed), self.margin) + self.fixed
    }

    /// The same as charges: beside those of the price list they add up to what is charged.
    pub fn charges(&self, listed: NanoUsd) -> impl Iterator<Item = Charge> {
        let off = NanoUsd(self.discount(listed).0.saturating_neg());
        let lines = [(DISCOUNT, off), (MARGIN, self.margin(listed))];
        let worth_telling = lines.into_iter().filter(|(_, amount)| *amount != NanoUsd::ZERO);
        worth_telling.map(|(label, amount)| Charge {
            label: Cow::Borrowed(label),
            quantity: 1,
            price: FemtoUsd(amount.0.saturating_mul(1_000_000)),
            per: 1,
        })
    }

    /// The price of one more unit, rounded up.
    pub fn unit(&self, price: FemtoUsd) -> FemtoUsd {
        let (whole, of) = (i128::from(Self::WHOLE), i128::from(price.0));
        let left = of.saturating_mul(i128::from(Self::WHOLE.saturating_sub(self.discount)));
        let marked = left.saturating_mul(i128::from(Self::WHOLE.saturating_add(self.margin)));
        let scaled = marked / (whole * whole);
        FemtoUsd(i64::try_from(scaled).unwrap_or(i64::MAX).saturating_add(1))
    }

    fn discounted(&self, listed: NanoUsd) -> NanoUsd {
        NanoUsd(listed.0.saturating_sub(self.discount(listed).0))
    }
}

/// Rounded half up.
fn part(amount: NanoUsd, share: i64) -> NanoUsd {
    let whole = i128::from(Markup::WHOLE);
    let nano = (i128::from(amount.0) * i128::from(share) + whole / 2).div_euclid(whole);
    NanoUsd(i64::try_from(nano).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::money::FemtoSum;
    use super::*;

    #[test]
    fn p46_discount_and_margin_add_up_to_what_is_charged() {
        let half = Markup { discount: 500_000_000, margin: 100_000_000, fixed: NanoUsd(7) };
        let odd = Markup { discount: 33_333_333, margin: 77_777_777, fixed: NanoUsd::ZERO };
        for (markup, listed, charged) in [
            (half, 1_000, Some(557)),
            (half, 0, Some(7)),
            (half, 1, Some(7)),
            (Markup::default(), 12_345, Some(12_345)),
            (odd, 1_234_567_891, None),
        ] {
            let listed = NanoUsd(listed);
            let told = markup.charged(listed);
            assert!(charged.is_none_or(|nano| told == NanoUsd(nano)), "{told:?} of {listed:?}");
            let mut sum = FemtoSum::default();
            sum.add(1, FemtoUsd(listed.0 * 1_000_000));
            markup.charges(listed).for_each(|charge| sum.add(charge.quantity, charge.price));
            assert_eq!(sum.round(), told);
        }
        assert_eq!(half.unit(FemtoUsd(1_000)), FemtoUsd(551));
    }
}
