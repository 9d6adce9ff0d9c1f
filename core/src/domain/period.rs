//! Budget periods: `30s 30m 24h 7d 30d 1w 1mo`, and when they end. Ends are aligned, as LiteLLM aligns them: days end at
//! midnight, weeks on Monday, months on the first, shorter periods at whole multiples since midnight.

use super::money::NanoUsd;
use crate::time::Micros;
use jiff::civil::{Date, Weekday};
pub use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, ZonedDateTime};
use std::time::Duration;

/// A period that spend is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Less than a day, or hours that make more.
    Seconds(i64),
    Days(i64),
    Months(i64),
}

/// Nobody plans longer than this.
const LONGEST_DAYS: i64 = 36_500;

impl Period {
    /// `None` for what is no period.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
        let seconds = |unit: i64| number.checked_mul(unit).filter(|s| *s <= LONGEST_DAYS * 86_400);
        match unit {
            "s" => seconds(1).map(Period::Seconds),
            "m" => seconds(60).map(Period::Seconds),
            "h" => seconds(3_600).map(Period::Seconds),
            "d" => Some(Period::Days(number)).filter(|_| number <= LONGEST_DAYS),
            "w" => number.checked_mul(7).map(Period::Days).filter(|_| number <= LONGEST_DAYS / 7),
            "mo" => Some(Period::Months(number)).filter(|_| number <= LONGEST_DAYS / 31),
            _ => None,
        }
    }

    /// As it may be written; parsed again it is the same.
    pub fn told(self) -> String {
        match self {
            Period::Seconds(seconds) if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
            Period::Seconds(seconds) if seconds % 60 == 0 => format!("{}m", seconds / 60),
            Period::Seconds(seconds) => format!("{seconds}s"),
            Period::Days(days) => format!("{days}d"),
            Period::Months(months) => format!("{months}mo"),
        }
    }

    /// How long it is, where that is the same at any time; a month is not.
    pub fn length(self) -> Option<Duration> {
        let seconds = match self {
            Period::Seconds(seconds) => seconds,
            Period::Days(days) => days * 86_400,
            Period::Months(_) => return None,
        };
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    /// The end of the period that `now` lies in, later than `now`. Midnights are those of `zone`.
    pub fn end(self, now: Micros, zone: &TimeZone) -> Option<Micros> {
        let now = Timestamp::from_microsecond(now.0).ok()?.to_zoned_datetime(zone.clone());
        let end = match self {
            Period::Seconds(seconds) => aligned(&now, seconds)?,
            Period::Days(7) => midnight(monday_after(now.date())?, zone)?,
            // A month, for most who write it.
            Period::Days(30) => midnight(month_after(now.date(), 1)?, zone)?,
            Period::Days(days) => midnight(now.date().checked_add(days.days()).ok()?, zone)?,
            Period::Months(months) => midnight(month_after(now.date(), months)?, zone)?,
        };
        Some(Micros(end.timestamp().as_microsecond()))
    }
}

/// The next multiple since midnight; midnight itself begins anew, so that a period that does not divide the day is cut
/// short there.
fn aligned(now: &ZonedDateTime, seconds: i64) -> Option<ZonedDateTime> {
    let begin = now.start_of_day().ok()?;
    let passed = now.timestamp().as_second() - begin.timestamp().as_second();
    let next = begin.checked_add(Span::new().try_seconds((passed / seconds + 1) * seconds).ok()?).ok()?;
    let day = begin.tomorrow().ok()?;
    // A day or longer: the multiple is what was asked for.
    Some(if seconds < 86_400 { next.min(day) } else { next })
}

fn monday_after(date: Date) -> Option<Date> {
    date.nth_weekday(1, Weekday::Monday).ok()
}

fn month_after(date: Date, months: i64) -> Option<Date> {
    date.first_of_month().checked_add(Span::new().try_months(months).ok()?).ok()
}

fn midnight(date: Date, zone: &TimeZone) -> Option<ZonedDateTime> {
    date.to_zoned_datetime(zone.clone()).ok()
}

/// The first Monday since 1970.
const MONDAY: i64 = 4;

/// Of the runs of so many days that follow one another since a Monday, the last that is over when `today` begins: its first
/// day and its last one. Seven of them are a week. Days are counted since 1970, in UTC.
pub fn days_before(today: i64, days: i64) -> (i64, i64) {
    let days = days.clamp(1, LONGEST_DAYS);
    let begun = today.saturating_sub(today.saturating_sub(MONDAY).rem_euclid(days));
    (begun.saturating_sub(days), begun.saturating_sub(1))
}

/// First and last day of the month before the one that `today` is in, counted as [`days_before`] does. `None` for a day
/// that no calendar has.
pub fn month_before(today: i64) -> Option<(i64, i64)> {
    let date = Date::constant(1970, 1, 1).checked_add(Span::new().try_days(today).ok()?).ok()?;
    let last = today.checked_sub(i64::from(date.day()))?;
    let month = date.first_of_month().yesterday().ok()?;
    Some((last.checked_sub(i64::from(month.days_in_month()))?.checked_add(1)?, last))
}

/// A budget that begins anew with the clock, and has no record that says what is left: each of its periods has an
/// account of its own, which is named by the period's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowBudget {
    pub cap: NanoUsd,
    /// `None`: it never begins anew.
    pub period: Option<Period>,
}

/// Between the parts of an account's name; in no name of a key, a model or a provider.
const BETWEEN: char = '\u{1f}';

/// Digits of seconds in front of a name, so that names are in the order of their ends.
const DIGITS: usize = 12;

impl WindowBudget {
    /// The end of the period that `now` lies in.
    pub fn end(&self, now: Micros, zone: &TimeZone) -> Option<Micros> {
        self.period?.end(now, zone)
    }

    /// The name of the account of the period that ends then, of whom the parts say.
    pub fn account(end: Option<Micros>, parts: &[&str]) -> String {
        // What never ends is after everything that does.
        let mut name =
            end.map_or_else(|| "9".repeat(DIGITS), |end| format!("{:0DIGITS$}", end.0 / 1_000_000));
        for part in parts {
            name.push(BETWEEN);
            name.push_str(part);
        }
        name
    }

    /// Whom an account's name is about, without its period.
    pub fn whom(account: &str) -> String {
        let parts = account.split_once(BETWEEN).map_or("", |(_, parts)| parts);
        parts.replace(BETWEEN, " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i64 {
        Micros::parse_rfc3339(&format!("{text}T12:00:00Z")).unwrap().day()
    }

    #[test]
    fn the_week_before_ends_on_a_sunday() {
        // A Wednesday.
        for (today, days, from, until) in [
            ("2026-11-18", 7, "2026-11-09", "2026-11-15"),
            ("2026-11-16", 7, "2026-11-09", "2026-11-15"),
            ("2026-11-15", 7, "2026-11-02", "2026-11-08"),
            ("2026-11-18", 1, "2026-11-17", "2026-11-17"),
            ("2026-11-18", 0, "2026-11-17", "2026-11-17"),
        ] {
            assert_eq!(days_before(day(today), days), (day(from), day(until)), "{days} before {today}");
        }
        let (from, until) = days_before(day("2026-11-18"), 30);
        assert_eq!((until - from, days_before(until + 1, 30)), (29, (from, until)));
    }

    #[test]
    fn the_month_before_is_one_of_the_calendar() {
        for (today, from, until) in [
            ("2026-11-18", "2026-10-01", "2026-10-31"),
            ("2026-03-01", "2026-02-01", "2026-02-28"),
            ("2028-03-31", "2028-02-01", "2028-02-29"),
            ("2026-01-31", "2025-12-01", "2025-12-31"),
        ] {
            assert_eq!(month_before(day(today)), Some((day(from), day(until))), "{today}");
        }
        assert_eq!(month_before(i64::MAX), None);
    }

    fn end(now: &str, period: &str, zone: &str) -> String {
        let now: Timestamp = now.parse().unwrap();
        let zone = TimeZone::get(zone).unwrap();
        let end = Period::parse(period).unwrap().end(Micros(now.as_microsecond()), &zone).unwrap();
        Timestamp::from_microsecond(end.0).unwrap().to_string()
    }

    #[test]
    fn p17_periods_end_where_litellms_do() {
        for (period, expected) in [
            ("30s", "2026-11-25T22:31:30Z"),
            ("30m", "2026-11-25T23:00:00Z"),
            ("1h", "2026-11-25T23:00:00Z"),
            ("5h", "2026-11-26T00:00:00Z"),
            ("24h", "2026-11-26T00:00:00Z"),
            ("1d", "2026-11-26T00:00:00Z"),
            ("7d", "2026-11-30T00:00:00Z"),
            ("1w", "2026-11-30T00:00:00Z"),
            ("10d", "2026-12-05T00:00:00Z"),
            ("30d", "2026-12-01T00:00:00Z"),
            ("1mo", "2026-12-01T00:00:00Z"),
            ("3mo", "2027-02-01T00:00:00Z"),
        ] {
            assert_eq!(end("2026-11-25T22:31:10Z", period, "UTC"), expected, "{period}");
        }
    }

    #[test]
    fn periods_are_told_as_they_are_written() {
        for text in ["45s", "30m", "5h", "24h", "7d", "30d", "3mo"] {
            assert_eq!(Period::parse(text).map(Period::told).as_deref(), Some(text));
        }
    }

    #[test]
    fn p17_edges_of_the_calendar() {
        assert_eq!(end("2026-12-31T23:59:59.999999Z", "1mo", "UTC"), "2027-01-01T00:00:00Z");
        assert_eq!(end("2026-12-01T00:00:00Z", "30d", "UTC"), "2027-01-01T00:00:00Z");
        assert_eq!(end("2026-11-30T00:00:00Z", "7d", "UTC"), "2026-12-07T00:00:00Z");
        assert_eq!(end("2028-02-29T12:00:00Z", "1d", "UTC"), "2028-03-01T00:00:00Z");
        // Midnights of the zone, also where a day has 23 hours.
        assert_eq!(end("2026-03-28T12:00:00Z", "1d", "Europe/Berlin"), "2026-03-28T23:00:00Z");
        assert_eq!(end("2026-03-29T12:00:00Z", "1d", "Europe/Berlin"), "2026-03-29T22:00:00Z");
    }

    #[test]
    fn p17_a_period_has_an_account_of_its_own_and_later_ones_come_later() {
        let daily = WindowBudget { cap: NanoUsd(1), period: Period::parse("1d") };
        let at = |time: &str| {
            let now: Timestamp = time.parse().unwrap();
            WindowBudget::account(daily.end(Micros(now.as_microsecond()), &TimeZone::UTC), &["k", "m"])
        };
        assert_eq!(at("2026-11-25T00:00:00Z"), at("2026-11-25T23:59:59Z"));
        assert!(at("2026-11-25T23:59:59Z") < at("2026-11-26T00:00:00Z"));
        assert!(at("2026-11-25T00:00:00Z") < WindowBudget::account(None, &["k", "m"]));
        assert_eq!(WindowBudget::whom(&at("2026-11-25T00:00:00Z")), "k m");
    }

    #[test]
    fn what_is_no_period_is_none() {
        for text in ["", "d", "0d", "-1d", "1y", "1.5h", "99999999999999999999d", "9000000000000w", "bad"] {
            assert_eq!(Period::parse(text), None, "{text}");
        }
    }
}
