//! Decimal numbers as text.

/// The JSON spelling of a decimal number as YAML, Python or a person writes it (`.5`, `+1`, `1_000`, `1e-6`,
/// `007`). Digits are kept, trailing zeros too. `None` for anything else: hexadecimal, infinity, words.
pub fn json_number(text: &str) -> Option<String> {
    if text.len() > 400 {
        return None;
    }
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (whole, fraction) = (digits(whole)?, digits(fraction)?);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let dot = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{dot}{fraction}{}", exponent_part(exponent)?))
}

fn exponent_part(exponent: Option<&str>) -> Option<String> {
    let Some(text) = exponent else { return Some(String::new()) };
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit());
    number.then(|| format!("e{text}"))
}

/// Digits without the underscores between them.
fn digits(text: &str) -> Option<String> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let edged = text.starts_with('_') || text.ends_with('_');
    (plain && !edged).then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_becomes_json_with_its_digits_kept() {
        for (text, json) in [
            ("0.000001", "0.000001"),
            ("1e-6", "1e-6"),
            ("2.50E+3", "2.50e+3"),
            (".5", "0.5"),
            ("5.", "5"),
            ("+7", "7"),
            ("-0", "-0"),
            ("007", "7"),
            ("1_000_000", "1000000"),
            ("2024.10", "2024.10"),
        ] {
            assert_eq!(json_number(text).as_deref(), Some(json), "{text}");
            assert!(serde_json::from_str::<&serde_json::value::RawValue>(json).is_ok(), "{json}");
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_refused() {
        for text in ["", ".", "-", "e5", "1e", "1e+", "0x10", "inf", "NaN", "1.2.3", "_1", "1 ", "--1", "١"]
        {
            assert_eq!(json_number(text), None, "{text}");
        }
    }
}
