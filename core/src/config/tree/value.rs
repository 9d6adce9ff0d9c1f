//! Reading a node as what it should be. LiteLLM takes settings from the environment as text, so text that spells
//! a number or a bool is one.

use super::{Node, Value, json_number};
use std::time::Duration;

/// Longer waits are mistakes, and sums of larger durations overflow.
const MAX_SECONDS: f64 = 10.0 * 366.0 * 86_400.0;

const TRUE: [&str; 5] = ["true", "yes", "on", "1", "t"];
const FALSE: [&str; 5] = ["false", "no", "off", "0", "f"];

/// Suffix and seconds. Longer suffixes first, as `s` ends `ms` too.
const TIME_UNITS: [(&str, f64); 5] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// Suffix and bytes. `MB` is what people mean by it: 1024 × 1024.
const SIZE_UNITS: [(&str, u64); 10] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1 << 10),
    ("MB", 1 << 20),
    ("GB", 1 << 30),
    ("K", 1 << 10),
    ("M", 1 << 20),
    ("G", 1 << 30),
    ("B", 1),
];

impl Node {
    pub fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(b) => Some(*b),
            Value::Number(text) | Value::Text(text) => spelled_bool(text),
            _ => None,
        }
    }

    /// Text; a number is the text that was written.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// A decimal number as JSON text.
    pub fn as_decimal(&self) -> Option<String> {
        self.as_text().and_then(|text| json_number(text.trim()))
    }

    /// A whole number that is not negative. `10.0` and `1e3` are whole.
    pub fn as_u64(&self) -> Option<u64> {
        let text = self.as_decimal()?;
        text.parse().ok().or_else(|| whole(text.parse().ok()?))
    }

    /// A finite number that is not negative. Never for money.
    pub fn as_f64(&self) -> Option<f64> {
        let number: f64 = self.as_decimal()?.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    /// Seconds, or text with a unit (`500ms`, `10s`, `5m`, `1h`, `30d`); at most ten years.
    pub fn as_duration(&self) -> Option<Duration> {
        let text = self.as_text()?.trim();
        let (number, unit) = TIME_UNITS
            .iter()
            .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number.trim(), *unit)))
            .unwrap_or((text, 1.0));
        let seconds: f64 = json_number(number)?.parse().ok()?;
        let seconds = seconds * unit;
        (0.0..=MAX_SECONDS).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
    }

    /// Bytes, or text with a unit (`32MB`, `1GiB`).
    pub fn as_bytes(&self) -> Option<u64> {
        let text = self.as_text()?.trim();
        let (number, unit) = SIZE_UNITS
            .iter()
            .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number.trim(), *unit)))
            .unwrap_or((text, 1));
        json_number(number)?.parse::<u64>().ok()?.checked_mul(unit)
    }

    /// Texts; a single one may stand without its list. Nulls (variables that are not set) are left out.
    pub fn as_texts(&self) -> Option<Vec<String>> {
        match &self.value {
            Value::List(items) => {
                let texts = items.iter().filter(|item| !item.is_null());
                texts.map(|item| item.as_text().map(str::to_owned)).collect()
            }
            _ => Some(vec![self.as_text()?.to_owned()]),
        }
    }
}

fn spelled_bool(text: &str) -> Option<bool> {
    let text = text.trim();
    let among = |words: [&str; 5]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if among(TRUE) { Some(true) } else { among(FALSE).then_some(false) }
}

/// Whole numbers that a float holds exactly.
fn whole(number: f64) -> Option<u64> {
    let exact = number >= 0.0 && number.fract() == 0.0 && number <= 9_007_199_254_740_992.0;
    exact.then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Node {
        Node { value: Value::Text(text.into()), ..Node::default() }
    }

    #[test]
    fn durations_and_sizes_have_units() {
        for (written, millis) in
            [("10", 10_000), ("1.5s", 1_500), ("250ms", 250), ("2m", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(text(written).as_duration(), Some(Duration::from_millis(millis)), "{written}");
        }
        for (written, bytes) in [("7", 7), ("32MB", 32 << 20), ("1 GiB", 1 << 30), ("64K", 64 << 10)] {
            assert_eq!(text(written).as_bytes(), Some(bytes), "{written}");
        }
        for bad in ["-1", "1w", "1e300", "", "s", "99999999999d"] {
            assert_eq!(text(bad).as_duration(), None, "{bad}");
        }
        assert_eq!(text("99999999999999999999GB").as_bytes(), None);
    }

    #[test]
    fn whole_numbers_may_be_written_as_text_or_float() {
        for (written, number) in [("10", 10), ("10.0", 10), ("1e3", 1000), ("1_000", 1000)] {
            assert_eq!(text(written).as_u64(), Some(number), "{written}");
        }
        for bad in ["1.5", "-1", "1e30", "ten"] {
            assert_eq!(text(bad).as_u64(), None, "{bad}");
        }
        assert_eq!(text("True").as_bool(), Some(true));
        assert_eq!(text("off").as_bool(), Some(false));
        assert_eq!(text("maybe").as_bool(), None);
    }
}
