//! Times of the clock, as cron writes them: `minute hour day month weekday`.
//!
//! These lines and not `croner` 4: it knows jiff 0.2 and chrono, not jiff 1, in which times are told here, and brings
//! eight packages that nothing else needs (`derive_builder`, `darling` 0.20, `strum` 0.27 and their macros).

use super::period::TimeZone;
use crate::time::Micros;
use jiff::{Timestamp, ZonedDateTime};

/// Minutes at which something happens. A bit for each value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Sunday is 0.
    weekdays: u64,
    /// Days and weekdays are both named: either is enough, as for cron.
    either: bool,
}

/// One field: its least and its greatest value, and names for them from the least one on.
struct Field {
    least: u8,
    greatest: u8,
    names: &'static [&'static str],
}

static FIELDS: [Field; 5] = [
    Field { least: 0, greatest: 59, names: &[] },
    Field { least: 0, greatest: 23, names: &[] },
    Field { least: 1, greatest: 31, names: &[] },
    Field {
        least: 1,
        greatest: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    // Seven is Sunday, too.
    Field { least: 0, greatest: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

/// Minutes that are looked at in one go. Whoever slept for longer has missed what was before.
const LOOKED_AT: i64 = 1_440;
const MICROS_PER_MINUTE: i64 = 60_000_000;

impl Cron {
    /// `None` for what is no such text.
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = words.as_slice() else { return None };
        let [of_minutes, of_hours, of_days, of_months, of_weekdays] = &FIELDS;
        let week = of_weekdays.parse(weekdays)?;
        let is_any = |word: &str| word.starts_with('*');
        Some(Self {
            minutes: of_minutes.parse(minutes)?,
            hours: of_hours.parse(hours)?,
            days: of_days.parse(days)?,
            months: of_months.parse(months)?,
            weekdays: (week | (week >> 7)) & 0x7f,
            either: !is_any(days) && !is_any(weekdays),
        })
    }

    /// Whether one of its minutes began after the one moment and up to the other.
    pub fn was_between(&self, after: Micros, until: Micros, zone: &TimeZone) -> bool {
        let (after, until) = (after.0.div_euclid(MICROS_PER_MINUTE), until.0.div_euclid(MICROS_PER_MINUTE));
        let first = (after + 1).max(until.saturating_sub(LOOKED_AT));
        (first..=until).any(|minute| self.is_at(Micros(minute * MICROS_PER_MINUTE), zone))
    }

    fn is_at(&self, moment: Micros, zone: &TimeZone) -> bool {
        let at = Timestamp::from_microsecond(moment.0);
        at.is_ok_and(|at| self.fits(&at.to_zoned_datetime(zone.clone())))
    }

    fn fits(&self, at: &ZonedDateTime) -> bool {
        let day = has(self.days, at.day());
        let weekday = has(self.weekdays, at.weekday().to_sunday_zero_offset());
        let date = if self.either { day || weekday } else { day && weekday };
        date && has(self.minutes, at.minute()) && has(self.hours, at.hour()) && has(self.months, at.month())
    }
}

fn has(bits: u64, value: i8) -> bool {
    u32::try_from(value).ok().and_then(|value| bits.checked_shr(value)).is_some_and(|bits| bits & 1 == 1)
}

impl Field {
    /// Parts between commas.
    fn parse(&self, word: &str) -> Option<u64> {
        word.split(',').try_fold(0, |bits, part| Some(bits | self.part(part)?))
    }

    /// `*`, `5`, `1-5`, and any of them with a step: `*/15`.
    fn part(&self, part: &str) -> Option<u64> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u8>().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.greatest),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            None => {
                let only = self.value(range)?;
                (only, if step.is_some() { self.greatest } else { only })
            }
        };
        let values = (first..=last).step_by(usize::from(step.unwrap_or(1)));
        (first <= last).then(|| values.fold(0, |bits, value| bits | 1 << value))
    }

    fn value(&self, word: &str) -> Option<u8> {
        if let Some(at) = self.names.iter().position(|name| word.eq_ignore_ascii_case(name)) {
            return u8::try_from(at).ok().map(|at| at + self.least);
        }
        word.parse().ok().filter(|value| (self.least..=self.greatest).contains(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        Micros::parse_rfc3339(text).unwrap()
    }

    fn fires(cron: &str, moment: &str) -> bool {
        Cron::parse(cron).unwrap().is_at(at(moment), &TimeZone::UTC)
    }

    #[test]
    fn a_minute_fits_as_cron_has_it() {
        // A Wednesday.
        for (cron, moment, fits) in [
            ("* * * * *", "2026-11-25T22:31:00Z", true),
            ("0 4 * * *", "2026-11-25T04:00:00Z", true),
            ("0 4 * * *", "2026-11-25T04:01:00Z", false),
            ("*/15 1-3,22 * * *", "2026-11-25T22:45:00Z", true),
            ("*/15 1-3,22 * * *", "2026-11-25T21:45:00Z", false),
            ("5/20 * * * *", "2026-11-25T00:25:00Z", true),
            ("0 0 * nov wed", "2026-11-25T00:00:00Z", true),
            ("0 0 * * 0", "2026-11-29T00:00:00Z", true),
            ("0 0 * * 7", "2026-11-29T00:00:00Z", true),
            ("0 0 1 * *", "2026-11-25T00:00:00Z", false),
            ("0 0 1 * wed", "2026-11-25T00:00:00Z", true),
            ("0 0 1 12 wed", "2026-11-25T00:00:00Z", false),
        ] {
            assert_eq!(fires(cron, moment), fits, "{cron} {moment}");
        }
    }

    #[test]
    fn a_minute_that_was_slept_through_still_counts_and_counts_once() {
        let cron = Cron::parse("0 4 * * *").unwrap();
        let was = |after: &str, until: &str| cron.was_between(at(after), at(until), &TimeZone::UTC);
        assert!(was("2026-11-25T03:59:59Z", "2026-11-25T04:00:00Z"));
        assert!(was("2026-11-25T03:00:00Z", "2026-11-25T09:00:00Z"));
        assert!(!was("2026-11-25T04:00:00Z", "2026-11-25T04:00:59Z"), "it was seen");
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert!(cron.was_between(at("2026-11-25T02:59:00Z"), at("2026-11-25T03:00:00Z"), &berlin));
    }

    #[test]
    fn what_is_no_cron_is_none() {
        for text in [
            "",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
        ] {
            assert_eq!(Cron::parse(text), None, "{text}");
        }
    }
}
