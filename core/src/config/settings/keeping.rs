//! `general_settings`: what of the past is kept, for how long, and what is added up of it.

use super::super::problems::Problems;
use super::super::section::Section;
use crate::domain::cron::Cron;
use crate::domain::money::NanoUsd;
use crate::domain::period::Period;
use crate::domain::spend::Status;
use std::time::Duration;

/// LiteLLM looks once a day; looking where nothing is old costs nothing.
const SWEEP: Duration = Duration::from_secs(3_600);
const SHORTEST: Duration = Duration::from_secs(60);

/// When entries that are too old are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Again and again (`maximum_spend_logs_retention_interval`).
    Every(Duration),
    /// At times of the clock, in the time zone of budgets (`maximum_spend_logs_cleanup_cron`).
    At(Cron),
}

impl Default for Sweep {
    fn default() -> Self {
        Self::Every(SWEEP)
    }
}

#[derive(Clone, Debug, Default)]
pub struct KeepingSettings {
    /// How long entries are kept; for ever where nothing is said. Sums by day stay.
    pub retention: Option<Duration>,
    pub sweep: Sweep,
    /// Entries of failures that cost nothing are not kept (`disable_error_logs`).
    pub without_failures: bool,
    /// What is spent counts against no budget (`disable_spend_updates`).
    pub without_budgets: bool,
    /// Budgets of keys, teams and users do not begin anew by themselves (`disable_reset_budget`).
    pub without_resets: bool,
}

impl KeepingSettings {
    /// Whether an entry that ended so is not kept. What cost something is billed by.
    pub fn leaves_out(&self, status: Status, cost: NanoUsd) -> bool {
        self.without_failures && status == Status::Failure && cost == NanoUsd::ZERO
    }

    pub(super) fn read(s: &Section, problems: &mut Problems) -> Self {
        let bool = |name: &str| s.bool(name).unwrap_or(false);
        if bool("disable_spend_updates") {
            let message = "budgets hold nobody back, since nothing is counted against them; entries and sums by day stay";
            problems.warn(&s.place("disable_spend_updates"), message, "remove it where a budget is meant");
        }
        Self {
            retention: duration(s, "maximum_spend_logs_retention_period", problems),
            sweep: sweep(s, problems),
            without_failures: bool("disable_error_logs"),
            without_budgets: bool("disable_spend_updates"),
            without_resets: bool("disable_reset_budget"),
        }
    }
}

/// The times of the clock count, where both are said.
fn sweep(s: &Section, problems: &mut Problems) -> Sweep {
    const NAME: &str = "maximum_spend_logs_cleanup_cron";
    let every = duration(s, "maximum_spend_logs_retention_interval", problems);
    let every = every.map_or_else(Sweep::default, |every| Sweep::Every(every.max(SHORTEST)));
    let Some(text) = s.text(NAME) else { return every };
    let Some(cron) = Cron::parse(&text) else {
        let cure = "write minute hour day month weekday, such as \"0 4 * * *\"";
        problems.error(&s.place(NAME), format!("{text:?} is not a cron expression"), cure);
        return every;
    };
    Sweep::At(cron)
}

/// LiteLLM's durations: `30d`, `12h`.
fn duration(s: &Section, name: &str, problems: &mut Problems) -> Option<Duration> {
    let text = s.text(name)?;
    let period = Period::parse(&text).and_then(Period::length);
    if period.is_none() {
        problems.error(&s.place(name), format!("{text:?} is no duration"), "write it like 30d or 12h");
    }
    period
}
