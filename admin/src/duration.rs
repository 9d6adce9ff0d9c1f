//! `30s`, `5m`, `24h`, `7d`, `1w`, `1mo`: how LiteLLM writes lifetimes.

use jiff::{Span, Timestamp, tz::TimeZone};
use weir_core::time::Micros;

/// The moment that lies a lifetime after `now`. A month ends on the same day of the next one. The error is
/// LiteLLM's.
pub(crate) fn after(now: Micros, text: &str) -> Result<Micros, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: i64 = number.parse().map_err(|_| String::from("Invalid duration format"))?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        "mo" => return months(now, number),
        "" => return Err(String::from("Invalid duration format")),
        _ => return Err(format!("Unsupported duration unit, passed duration: {text}")),
    };
    let micros =
        number.checked_mul(seconds).and_then(|s| s.checked_mul(1_000_000)).and_then(|m| now.0.checked_add(m));
    micros.filter(|m| Timestamp::from_microsecond(*m).is_ok()).map(Micros).ok_or_else(too_long)
}

fn months(now: Micros, number: i64) -> Result<Micros, String> {
    let start = Timestamp::from_microsecond(now.0).map_err(|_| too_long())?;
    let span = Span::new().try_months(number).map_err(|_| too_long())?;
    let end = start.to_zoned_datetime(TimeZone::UTC).checked_add(span).map_err(|_| too_long())?;
    Ok(Micros(end.timestamp().as_microsecond()))
}

fn too_long() -> String {
    String::from("Invalid duration format: too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_end_when_they_should() {
        let now = Micros(1_795_622_400_000_000); // 2026-11-25T16:00:00Z
        let day = 86_400_000_000;
        for (text, micros) in [
            ("30s", 30_000_000),
            ("5m", 300_000_000),
            ("24h", day),
            ("7d", 7 * day),
            ("1w", 7 * day),
            ("1mo", 30 * day),
            ("0s", 0),
        ] {
            assert_eq!(after(now, text), Ok(Micros(now.0 + micros)), "{text}");
        }
        assert!(after(now, "1y").is_err_and(|e| e == "Unsupported duration unit, passed duration: 1y"));
        for text in ["bad", "-1", "", "5", "99999999999999999999d", "9000000000000w", "99999999999mo"] {
            assert!(after(now, text).is_err_and(|e| e.starts_with("Invalid duration format")), "{text}");
        }
    }
}
