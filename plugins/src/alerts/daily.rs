//! A day in a few lines.

use super::{Alert, Alerts, Level, later, send};
use std::fmt::Write;
use std::time::Duration;
use weir_core::config::AlertSettings;
use weir_core::ports::{RollupRow, Sums};
use weir_core::time::Micros;

/// Models that are named.
const NAMED: usize = 10;
/// A day that was told is not told again as long as anybody might.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

impl Alerts {
    /// Tells of a day that is over. `rows`: its sums by model, the dearest first. A day without a request is not worth it.
    pub fn daily(&self, day: i64, rows: &[RollupRow], settings: &AlertSettings) {
        let mut all = Sums::default();
        rows.iter().for_each(|row| all.add(&row.sums));
        if all.requests == 0 {
            return;
        }
        let text = report(day, &all, rows);
        let alert = Alert {
            kind: "daily_reports",
            name: format!("day:{day}"),
            until: later(Micros::of_day(day), KEPT),
            level: Level::Low,
            body: send::plain("daily_reports", &text),
            text,
        };
        self.raise(alert, settings);
    }
}

fn report(day: i64, all: &Sums, rows: &[RollupRow]) -> String {
    let date = Micros::of_day(day).rfc3339();
    let date = date.get(..10).unwrap_or_default();
    let mut text = format!("{date} (UTC): {}", line(all));
    for row in rows.iter().take(NAMED) {
        let name = row.name(0);
        let name = if name.is_empty() { "no model" } else { name };
        // Writing to text cannot fail.
        let _ = write!(text, "\n• {name}: {}", line(&row.sums));
    }
    text
}

fn line(sums: &Sums) -> String {
    let Sums { requests, failures, cost, input, output, .. } = sums;
    format!("{requests} requests, {failures} failed, {cost} $, {input} tokens in, {output} out")
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::domain::money::NanoUsd;

    #[test]
    fn a_day_is_told_in_sum_and_by_model() {
        let sums = |requests, cost| Sums { requests, cost: NanoUsd(cost), ..Sums::default() };
        let rows = [("gpt", 3, 1_500_000_000), ("", 1, 0)]
            .map(|(name, requests, cost)| RollupRow { names: vec![name.into()], sums: sums(requests, cost) });
        let told = report(0, &sums(4, 1_500_000_000), &rows);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("1970-01-01 (UTC): 4 requests, 0 failed, 1.5 $"), "{told}");
        assert!(lines[1].starts_with("• gpt: 3 requests") && lines[2].starts_with("• no model"), "{told}");
    }
}
