//! Rounds: every case visits every target in each round, so that what drifts on the machine drifts for all alike.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::cases::Case;
use crate::cpu::{Source, Usage};
use crate::load::closed::{self, Closed};
use crate::load::open::{self, Open};
use crate::load::stats::micros;
use crate::load::{Plan, Stats, driver};
use crate::targets::{Fleet, Target};

/// After a visit, before its counters are read: work that a target put off (ledger batches) is charged to it.
const SETTLE: Duration = Duration::from_millis(300);
/// One in so many requests is sent before the counters are read first.
const WARM_UP: u64 = 10;

/// What the command line may change about the standard cases.
#[derive(Debug, Clone)]
pub struct Settings {
    pub rounds: usize,
    /// Requests per visit instead of the case's own.
    pub requests: Option<u64>,
    /// Seconds per visit; without `requests` it replaces the count.
    pub time: Option<Duration>,
    pub connections: Option<usize>,
    pub mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    Closed,
    /// Requests per second, and how many may be under way.
    Open {
        rate: f64,
        outstanding: usize,
    },
}

/// The raw figures of one target in one case of one round.
#[derive(Debug, Clone, Serialize)]
pub struct Visit {
    pub round: usize,
    pub case: String,
    pub target: String,
    /// Requests before it, which no figure counts.
    pub warm_up: u64,
    pub done: u64,
    pub errors: BTreeMap<String, u64>,
    pub overruns: u64,
    pub connects: u64,
    pub seconds: f64,
    pub per_second: f64,
    /// User and system time of the target's process tree, divided by `done`.
    pub cpu_us: Option<f64>,
    pub cpu_source: Option<Source>,
    pub rss_kib: Option<u64>,
    pub peak_kib: Option<u64>,
    pub p50_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    pub max_us: f64,
    /// To the first byte of the body.
    pub first_p50_us: f64,
    pub first_p99_us: f64,
}

/// All rounds of the standard cases.
pub async fn standard(fleet: &Fleet, cases: &[Case], settings: &Settings) -> anyhow::Result<Vec<Visit>> {
    let mut visits = Vec::new();
    for round in 0..settings.rounds {
        for (number, case) in cases.iter().enumerate() {
            fleet.switch(case.mock).await?;
            for target in rotated(&fleet.targets, round + number) {
                let visit = visit(target, case, settings, round).await?;
                tracing::info!("{}", visit.line());
                visits.push(visit);
            }
        }
    }
    Ok(visits)
}

/// One visit, warmed up; the mock's options must be in force.
pub async fn visit(target: &Target, case: &Case, settings: &Settings, round: usize) -> anyhow::Result<Visit> {
    let plans: Arc<[Plan]> = Arc::from([target.plan_of(case)]);
    let closed = settings.closed(case);
    let warm_up = warm_up(&plans, closed).await?;
    let (stats, usage) = measured(target, settings.drive(&plans, closed)).await?;
    Ok(Visit { warm_up, ..Visit::new(round, case.name, target, &stats, usage) })
}

/// One visit of a closed loop with requests of the caller's, warmed up.
pub async fn visit_with(
    target: &Target,
    name: &str,
    plans: &Arc<[Plan]>,
    closed: Closed,
    round: usize,
) -> anyhow::Result<Visit> {
    let warm_up = warm_up(plans, closed).await?;
    let (stats, usage) = measured(target, drive_closed(plans, closed)).await?;
    Ok(Visit { warm_up, ..Visit::new(round, name, target, &stats, usage) })
}

/// Answers of how many requests it made.
async fn warm_up(plans: &Arc<[Plan]>, closed: Closed) -> anyhow::Result<u64> {
    let warm = Closed {
        requests: (closed.requests / WARM_UP).clamp(closed.connections as u64, 2_000),
        time: Duration::from_secs(5),
        ..closed
    };
    let stats = drive_closed(plans, warm).await?;
    Ok(stats.done + stats.failed())
}

/// Runs a driver and reads the target's counters before and after.
pub async fn measured(
    target: &Target,
    drive: impl Future<Output = anyhow::Result<Stats>>,
) -> anyhow::Result<(Stats, Option<(Usage, Usage)>)> {
    let before = target.usage();
    let stats = drive.await?;
    tokio::time::sleep(SETTLE).await;
    Ok((stats, before.zip(target.usage())))
}

pub async fn drive_closed(plans: &Arc<[Plan]>, closed: Closed) -> anyhow::Result<Stats> {
    let plans = Arc::clone(plans);
    driver(move || closed::run(plans, closed)).await
}

pub async fn drive_open(plans: &Arc<[Plan]>, open: Open) -> anyhow::Result<Stats> {
    let plans = Arc::clone(plans);
    driver(move || open::run(plans, open)).await
}

/// The targets, beginning with another one each time, so that none always comes after the same other.
pub fn rotated(targets: &[Arc<Target>], by: usize) -> impl Iterator<Item = &Arc<Target>> {
    targets.iter().cycle().skip(by % targets.len().max(1)).take(targets.len())
}

// --- impl Settings ---

impl Settings {
    fn closed(&self, case: &Case) -> Closed {
        let own = if self.time.is_some() { u64::MAX } else { case.requests };
        Closed {
            // A case with one connection is about one connection.
            connections: self.connections.filter(|_| case.connections > 1).unwrap_or(case.connections),
            requests: self.requests.unwrap_or(own),
            time: self.time.unwrap_or(case.patience()),
        }
    }

    async fn drive(&self, plans: &Arc<[Plan]>, closed: Closed) -> anyhow::Result<Stats> {
        match self.mode {
            Mode::Closed => drive_closed(plans, closed).await,
            Mode::Open { rate, outstanding } => {
                let time = self.time.unwrap_or(Duration::from_secs(5));
                drive_open(plans, Open { rate, time, outstanding }).await
            }
        }
    }
}

// --- impl Visit ---

impl Visit {
    pub fn new(
        round: usize,
        case: &str,
        target: &Target,
        stats: &Stats,
        usage: Option<(Usage, Usage)>,
    ) -> Visit {
        let spent = usage.as_ref().map(|(before, after)| after.since(before));
        let per_request = |ns: u64| ns as f64 / 1000.0 / stats.done.max(1) as f64;
        Visit {
            round,
            case: case.to_owned(),
            target: target.name.clone(),
            warm_up: 0,
            done: stats.done,
            errors: stats.errors.clone(),
            overruns: stats.overruns,
            connects: stats.connects,
            seconds: stats.elapsed.as_secs_f64(),
            per_second: stats.per_second(),
            cpu_us: spent.filter(|_| stats.done > 0).map(|spent| per_request(spent.ns)),
            cpu_source: spent.map(|spent| spent.source),
            rss_kib: usage.as_ref().map(|(_, after)| after.rss_kib),
            peak_kib: usage.as_ref().map(|(_, after)| after.peak_kib),
            p50_us: micros(&stats.total, 0.5),
            p99_us: micros(&stats.total, 0.99),
            p999_us: micros(&stats.total, 0.999),
            max_us: micros(&stats.total, 1.0),
            first_p50_us: micros(&stats.first, 0.5),
            first_p99_us: micros(&stats.first, 0.99),
        }
    }

    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    pub(crate) fn line(&self) -> String {
        format!(
            "round {} {:<11} {:<14} {:>6} done {:>8.0}/s {:>8} µs CPU  p50 {:.0} µs  p99 {:.0} µs  {} errors",
            self.round + 1,
            self.case,
            self.target,
            self.done,
            self.per_second,
            self.cpu_us.map_or_else(|| "–".to_owned(), |cpu| format!("{cpu:.1}")),
            self.p50_us,
            self.p99_us,
            self.failed(),
        )
    }
}
