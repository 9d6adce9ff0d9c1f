//! How many answers took how long, for the days of `activity.rs`: of a day, of each model group and of each provider.

use crate::answer::{Raw, raw};
use std::collections::HashMap;
use weir_core::domain::latency::{BOUNDS, Latency};
use weir_core::ports::LatencyRow;

/// By days, as rows of sums call them.
#[derive(Default)]
pub(super) struct Latencies(HashMap<String, Vec<LatencyRow>>);

impl Latencies {
    pub(super) fn of(rows: Vec<LatencyRow>) -> Self {
        let mut days: HashMap<String, Vec<LatencyRow>> = HashMap::new();
        for row in rows {
            days.entry(row.day.to_string()).or_default().push(row);
        }
        Self(days)
    }

    /// Those of one day.
    pub(super) fn on(&self, day: &str) -> &[LatencyRow] {
        self.0.get(day).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those of all days together.
    pub(super) fn all(&self) -> Option<Latency> {
        sum(self.0.values().flatten())
    }
}

/// `None`: nothing was counted.
pub(super) fn sum<'r>(rows: impl IntoIterator<Item = &'r LatencyRow>) -> Option<Latency> {
    rows.into_iter().fold(None, |sum: Option<Latency>, row| {
        let mut sum = sum.unwrap_or_default();
        sum.add(&row.latency);
        Some(sum)
    })
}

/// By the names of a breakdown; none of what is not told apart.
pub(super) fn by_name<'r>(part: &str, rows: &'r [LatencyRow]) -> HashMap<&'r str, Latency> {
    let mut found: HashMap<&'r str, Latency> = HashMap::new();
    for row in rows {
        let name = match part {
            "model_groups" => row.model_group.as_str(),
            "providers" => row.provider.as_str(),
            _ => continue,
        };
        found.entry(name).or_default().add(&row.latency);
    }
    found
}

/// Members beside the sums of times.
pub(super) fn counts(latency: &Latency) -> [(&'static str, Raw); 2] {
    [
        ("duration_counts", raw(latency.took.told())),
        ("time_to_first_token_counts", raw(latency.first_token.told())),
    ]
}

/// Told once for an answer.
pub(super) fn bounds() -> (&'static str, Raw) {
    ("count_bounds_us", raw(&BOUNDS))
}
