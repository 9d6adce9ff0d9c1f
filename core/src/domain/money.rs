//! Money is integers. Spend is nano-dollars, prices are femto-dollars per unit; decimal text is the only way in and
//! out, so that no float ever adds up.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// US dollars × 10⁻⁹. Arithmetic saturates: ±9.2 billion dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(pub i64);

/// US dollars × 10⁻¹⁵ for one unit (token, second, image …). Whole nano-dollars are too coarse: hundreds of models
/// cost fractions of one per token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FemtoUsd(pub i64);

/// A sum that is still being made: femto-dollars, wide enough never to overflow. Rounded once, at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FemtoSum(i128);

/// A decimal number that cannot be taken as money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal amount: {0:?}")]
pub struct NotMoney(pub String);

const NANO_DIGITS: i32 = 9;
const FEMTO_DIGITS: i32 = 15;

// --- NanoUsd ---

impl NanoUsd {
    pub const ZERO: NanoUsd = NanoUsd(0);

    /// Reads decimal text (`12`, `0.0000975`, `9.75e-05`), rounding half up at the ninth digit.
    pub fn parse(text: &str) -> Result<Self, NotMoney> {
        scaled(text, NANO_DIGITS).map(NanoUsd)
    }

    /// The amount as a JSON number, exact.
    pub fn json(self) -> Box<RawValue> {
        // A decimal number is valid JSON, so the fallback is never taken.
        RawValue::from_string(self.to_string()).unwrap_or_default()
    }
}

impl NanoUsd {
    /// As LiteLLM's headers and messages tell an amount: the way Python writes a float, `5.0`, `0.0001`, `9.75e-05`.
    pub fn told(self) -> String {
        /// Smaller amounts are told with an exponent.
        const PLAIN: u64 = 100_000;
        let small = self.0.unsigned_abs();
        if small == 0 || small >= PLAIN {
            let plain = self.to_string();
            return if plain.contains('.') { plain } else { format!("{plain}.0") };
        }
        let digits = small.to_string();
        let (first, rest) = digits.split_at(1);
        let rest = rest.trim_end_matches('0');
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if self.0 < 0 { "-" } else { "" };
        format!("{sign}{first}{point}{rest}e-{:02}", 10 - digits.len())
    }
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal(f, self.0, 1_000_000_000, 9)
    }
}

impl Add for NanoUsd {
    type Output = NanoUsd;
    fn add(self, other: NanoUsd) -> NanoUsd {
        NanoUsd(self.0.saturating_add(other.0))
    }
}

impl AddAssign for NanoUsd {
    fn add_assign(&mut self, other: NanoUsd) {
        *self = *self + other;
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = NanoUsd>>(amounts: I) -> NanoUsd {
        amounts.fold(NanoUsd::ZERO, Add::add)
    }
}

// --- FemtoUsd ---

impl FemtoUsd {
    /// The amount as a JSON number, exact.
    pub fn json(self) -> Box<RawValue> {
        RawValue::from_string(self.to_string()).unwrap_or_default()
    }

    /// Reads decimal dollars per unit, as price lists write them (`2.5e-06`). Rounds half up at the fifteenth digit.
    pub fn parse(text: &str) -> Result<Self, NotMoney> {
        scaled(text, FEMTO_DIGITS).map(FemtoUsd)
    }
}

impl fmt::Display for FemtoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal(f, self.0, 1_000_000_000_000_000, 15)
    }
}

// --- FemtoSum ---

impl FemtoSum {
    /// Adds `quantity` units at `price`.
    pub fn add(&mut self, quantity: u64, price: FemtoUsd) {
        self.0 = self.0.saturating_add(i128::from(quantity) * i128::from(price.0));
    }

    /// The same at a price for `per` units; what is less than one femto-dollar is dropped.
    pub fn add_per(&mut self, quantity: u64, per: u64, price: FemtoUsd) {
        let per = per.max(1);
        self.add(quantity / per, price);
        // Less than one `per` at less than i64::MAX: the quotient fits.
        let part = i128::from(quantity % per) * i128::from(price.0) / i128::from(per);
        self.0 = self.0.saturating_add(part);
    }

    /// The sum in nano-dollars, rounded half up.
    pub fn round(self) -> NanoUsd {
        let nano = (self.0 + 500_000).div_euclid(1_000_000);
        NanoUsd(i64::try_from(nano).unwrap_or(if nano < 0 { i64::MIN } else { i64::MAX }))
    }
}

// --- decimal text ---

fn decimal(f: &mut fmt::Formatter<'_>, value: i64, unit: u64, mut digits: usize) -> fmt::Result {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, mut part) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    if part == 0 {
        return write!(f, "{sign}{whole}");
    }
    while part % 10 == 0 {
        (part, digits) = (part / 10, digits - 1);
    }
    write!(f, "{sign}{whole}.{part:0digits$}")
}

/// `text` × 10^`digits` as an integer, rounded half up (away from zero).
fn scaled(text: &str, digits: i32) -> Result<i64, NotMoney> {
    let bad = || NotMoney(text.chars().take(40).collect());
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().map_err(|_| bad())?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || all.len() > 60 || !all.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let point = i32::try_from(whole.len()).unwrap_or(i32::MAX);
    let keep = point.saturating_add(exponent).saturating_add(digits);
    let value = take_digits(&all, keep).ok_or_else(bad)?;
    Ok(if negative { -value } else { value })
}

/// The first `keep` digits as an integer, padded with zeros, rounded by the digit after them.
fn take_digits(all: &str, keep: i32) -> Option<i64> {
    let Ok(keep) = usize::try_from(keep) else { return Some(0) };
    if keep > 80 {
        return all.bytes().all(|b| b == b'0').then_some(0);
    }
    let head: String = all.chars().chain(std::iter::repeat('0')).take(keep).collect();
    let value = if head.is_empty() { 0 } else { head.parse::<i64>().ok()? };
    let up = all.as_bytes().get(keep).is_some_and(|d| *d >= b'5');
    value.checked_add(i64::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_as_python_writes_floats() {
        for (nano, told) in [
            (0, "0.0"),
            (5_000_000_000, "5.0"),
            (100_000, "0.0001"),
            (97_500, "9.75e-05"),
            (50_000, "5e-05"),
            (-50_000, "-5e-05"),
            (1, "1e-09"),
            (12, "1.2e-08"),
            (195_000, "0.000195"),
            (1_500_000_001, "1.500000001"),
        ] {
            assert_eq!(NanoUsd(nano).told(), told);
        }
    }

    #[test]
    fn decimal_text_goes_in_and_out_exactly() {
        for (text, nano) in [
            ("0", 0),
            ("10", 10_000_000_000),
            ("9.750000000000001e-05", 97_500),
            ("0.0000975", 97_500),
            ("-1.5", -1_500_000_000),
            ("1e3", 1_000_000_000_000),
            ("0.0000000005", 1),
            ("0.00000000049", 0),
            ("1e-400", 0),
        ] {
            assert_eq!(NanoUsd::parse(text), Ok(NanoUsd(nano)), "{text}");
        }
        assert_eq!(NanoUsd(97_500).to_string(), "0.0000975");
        assert_eq!(NanoUsd(-1_500_000_000).to_string(), "-1.5");
        assert_eq!(FemtoUsd::parse("2.5e-06").map(|p| p.0), Ok(2_500_000_000));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in
            ["", ".", "-", "abc", "1,5", "0x10", "NaN", "inf", "1e", "1e99999999999", "99999999999999999999"]
        {
            assert!(NanoUsd::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_sum_is_rounded_once() {
        let mut sum = FemtoSum::default();
        for _ in 0..3 {
            sum.add(1, FemtoUsd(400_000)); // 0.4 nano-dollars each
        }
        assert_eq!(sum.round(), NanoUsd(1));
    }
}
