//! Days, weeks and months that are over, in a few lines each.

use super::{Alert, Alerts, Level, named, send};
use std::fmt::Write;
use weir_core::config::AlertSettings;
use weir_core::domain::period::{days_before, month_before};
use weir_core::ports::{Dimension, Rollup, RollupRow, Sums};
use weir_core::time::{self, Micros};

/// What is told of by itself when its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// What was asked, by model: of a day, or of `daily_report_frequency`.
    Daily,
    /// What was spent, by team and by tag: of a week, or of `spend_report_frequency`.
    Spend,
    /// The same of a month of the calendar.
    Month,
}

/// Days since 1970, UTC, both included, and what is told of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub report: Report,
    pub from: i64,
    pub until: i64,
}

/// A part of a report: sums by one dimension.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub of: Rollup,
    pub by: Dimension,
    /// Empty: it is the only one.
    title: &'static str,
    /// What those are called who have no name.
    nameless: &'static str,
}

/// Who is named in each part at most, the dearest first.
pub const NAMED: u32 = 10;
/// A period that was told is remembered for so many days more than it has, so that it is not told again as long as anybody
/// might.
const KEPT: i64 = 30;

static MODELS: [Part; 1] =
    [Part { of: Rollup::Keys, by: Dimension::ModelGroup, title: "", nameless: "no model" }];
static SPENT: [Part; 2] = [
    Part { of: Rollup::Keys, by: Dimension::Team, title: "By team", nameless: "no team" },
    Part { of: Rollup::Tags, by: Dimension::Tag, title: "By tag, once for each", nameless: "no tag" },
];

impl Report {
    pub const ALL: [Self; 3] = [Self::Daily, Self::Spend, Self::Month];

    /// Of [`weir_core::config::ALERT_TYPES`].
    pub fn kind(self) -> &'static str {
        match self {
            Self::Daily => "daily_reports",
            Self::Spend | Self::Month => "spend_reports",
        }
    }

    pub fn parts(self) -> &'static [Part] {
        match self {
            Self::Daily => &MODELS,
            Self::Spend | Self::Month => &SPENT,
        }
    }

    /// The last period that was over when this day began.
    pub fn last(self, today: i64, settings: &AlertSettings) -> Option<Period> {
        let (from, until) = match self {
            Self::Daily => days_before(today, settings.daily_report_days),
            Self::Spend => days_before(today, settings.spend_report_days),
            Self::Month => month_before(today)?,
        };
        Some(Period { report: self, from, until })
    }
}

impl Period {
    /// By which all replicas know it.
    fn name(&self) -> String {
        let Self { report, from, until } = self;
        match report {
            Report::Daily => format!("day:{until}"),
            Report::Spend => format!("spend:{from}:{until}"),
            Report::Month => format!("month:{from}"),
        }
    }

    /// Until when it is not told again.
    fn kept(&self) -> Micros {
        let days = self.until.saturating_sub(self.from).saturating_add(1);
        Micros::of_day(self.until.saturating_add(days).saturating_add(KEPT))
    }

    fn words(&self) -> String {
        if self.from == self.until {
            return format!("{} (UTC)", date(self.until));
        }
        format!("{} to {} (UTC)", date(self.from), date(self.until))
    }
}

impl Alerts {
    /// Whether this process has told of it, or knows that another one has.
    pub fn knows(&self, period: &Period) -> bool {
        self.is_told(&period.name(), time::now())
    }

    /// Tells of a period that is over. `all`: its sums; `parts`: those of [`Report::parts`], the dearest first. Where
    /// nobody has asked anything nothing is told.
    pub fn report(&self, period: &Period, all: &Sums, parts: &[Vec<RollupRow>], settings: &AlertSettings) {
        let (name, until) = (period.name(), period.kept());
        if all.requests == 0 {
            return self.remember(name, until, time::now());
        }
        let kind = period.report.kind();
        let text = text(period, all, parts);
        let body = send::plain(kind, &text);
        self.raise(Alert { kind, name, until, level: Level::Low, text, body }, settings);
    }
}

fn text(period: &Period, all: &Sums, parts: &[Vec<RollupRow>]) -> String {
    let mut text = format!("{}: {}", period.words(), line(all));
    for (part, rows) in period.report.parts().iter().zip(parts) {
        // Writing to text cannot fail.
        if !part.title.is_empty() && !rows.is_empty() {
            let _ = write!(text, "\n{}:", part.title);
        }
        for row in rows.iter().take(NAMED as usize) {
            let name = Some(row.name(0)).filter(|name| !name.is_empty()).unwrap_or(part.nameless);
            let _ = write!(text, "\n• {}: {}", named(name), line(&row.sums));
        }
    }
    text
}

fn line(sums: &Sums) -> String {
    let Sums { requests, failures, cost, input, output, .. } = sums;
    format!("{requests} requests, {failures} failed, {cost} $, {input} tokens in, {output} out")
}

fn date(day: i64) -> String {
    let text = Micros::of_day(day).rfc3339();
    text.get(..10).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::domain::money::NanoUsd;

    fn sums(requests: i64, cost: i64) -> Sums {
        Sums { requests, cost: NanoUsd(cost), ..Sums::default() }
    }

    fn rows<const N: usize>(rows: [(&str, i64, i64); N]) -> Vec<RollupRow> {
        let row = |(name, requests, cost): (&str, i64, i64)| RollupRow {
            names: vec![name.into()],
            sums: sums(requests, cost),
        };
        rows.map(row).into()
    }

    #[test]
    fn a_day_is_told_in_sum_and_by_model() {
        let day = Period { report: Report::Daily, from: 0, until: 0 };
        let by_model = rows([("gpt", 3, 1_500_000_000), ("", 1, 0)]);
        let told = text(&day, &sums(4, 1_500_000_000), &[by_model]);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("1970-01-01 (UTC): 4 requests, 0 failed, 1.5 $"), "{told}");
        assert!(lines[1].starts_with("• gpt: 3 requests") && lines[2].starts_with("• no model"), "{told}");
    }

    #[test]
    fn a_week_is_told_by_team_and_by_tag() {
        let week = Period { report: Report::Spend, from: 4, until: 10 };
        let teams = rows([("red", 3, 2_000_000_000), ("", 1, 0)]);
        let told = text(&week, &sums(4, 2_000_000_000), &[teams.clone(), rows([("campaign", 2, 1)])]);
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].starts_with("1970-01-05 to 1970-01-11 (UTC): 4 requests, 0 failed, 2 $"), "{told}");
        assert_eq!((lines[1], lines[4]), ("By team:", "By tag, once for each:"));
        assert!(lines[2].starts_with("• red: 3 requests") && lines[3].starts_with("• no team"), "{told}");
        assert!(lines[5].starts_with("• campaign: 2 requests, 0 failed, 0.000000001 $"), "{told}");
        let untagged = text(&week, &sums(4, 0), &[teams, Vec::new()]);
        assert!(!untagged.contains("By tag"), "{untagged}");
    }

    #[test]
    fn a_report_is_not_told_again_before_the_next_one_is_due() {
        let month = Period { report: Report::Month, from: 0, until: 30 };
        let next_is_over = Micros::of_day(31 + 28);
        assert!(month.kept() > next_is_over);
        let (day, week) =
            (Period { report: Report::Daily, from: 3, until: 3 }, Period { report: Report::Spend, ..month });
        assert_eq!([day, week, month].map(|p| p.name()), ["day:3", "spend:0:30", "month:0"]);
    }
}
