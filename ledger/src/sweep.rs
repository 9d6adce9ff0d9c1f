//! When entries past their retention are deleted.

use std::time::Instant;
use weir_core::config::Sweep;
use weir_core::domain::period::TimeZone;
use weir_core::time::{self, Micros};

/// When it was done last, and when the clock was looked at.
pub(crate) struct Swept {
    last: Option<Instant>,
    looked: Micros,
}

impl Swept {
    /// Nothing was done yet, and what the clock would have said before does not count.
    pub(crate) fn never() -> Self {
        Self { last: None, looked: time::now() }
    }

    /// Whether it is time again. Whoever is told so does it.
    pub(crate) fn is_due(&mut self, sweep: Sweep, zone: &TimeZone) -> bool {
        self.is_due_at(sweep, zone, time::now())
    }

    fn is_due_at(&mut self, sweep: Sweep, zone: &TimeZone, now: Micros) -> bool {
        let looked = std::mem::replace(&mut self.looked, now);
        let due = match sweep {
            Sweep::Every(interval) => self.last.is_none_or(|last| last.elapsed() >= interval),
            Sweep::At(cron) => cron.was_between(looked, now, zone),
        };
        if due {
            self.last = Some(Instant::now());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use weir_core::domain::cron::Cron;

    fn at(text: &str) -> Micros {
        Micros::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn an_interval_begins_at_once_and_begins_anew_when_it_is_over() {
        let mut swept = Swept::never();
        let hour = Sweep::Every(Duration::from_secs(3_600));
        assert!(swept.is_due(hour, &TimeZone::UTC));
        assert!(!swept.is_due(hour, &TimeZone::UTC));
        assert!(swept.is_due(Sweep::Every(Duration::ZERO), &TimeZone::UTC));
    }

    #[test]
    fn a_time_of_the_clock_counts_once() {
        let mut swept = Swept { last: None, looked: at("2026-11-25T03:59:30Z") };
        let four = Sweep::At(Cron::parse("0 4 * * *").unwrap());
        let mut due = |now: &str| swept.is_due_at(four, &TimeZone::UTC, at(now));
        assert!(!due("2026-11-25T03:59:59Z"));
        assert!(due("2026-11-25T04:00:01Z"));
        assert!(!due("2026-11-25T04:00:30Z") && !due("2026-11-25T04:01:00Z"));
    }
}
