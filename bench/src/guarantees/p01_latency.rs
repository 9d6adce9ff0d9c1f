//! P1: at 1,000 requests per second, with a provider of fixed delay, p50 < 1 ms and p99 < 5 ms are added.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Context, Section, split};
use crate::cases::chat;
use crate::load::open::Open;
use crate::load::stats::micros;
use crate::load::{Expect, Plan, Stats};
use crate::report::summary::median;
use crate::run::{drive_open, rotated};
use crate::targets::{Mock, Setup, Target};

const RATE: f64 = 1000.0;
const DELAY: &str = "delay_us=20000";
const MUST_P50_MS: f64 = 1.0;
const MUST_P99_MS: f64 = 5.0;

pub(super) async fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let context = &over_postgres(context);
    let fleet = context.fleet(&Mock::Canned).await?;
    fleet.switch(DELAY).await?;
    let mut found: BTreeMap<String, Vec<Stats>> = BTreeMap::new();
    for round in 0..context.rounds {
        for target in rotated(&fleet.targets, round) {
            let stats = ask(context, target).await?;
            found.entry(target.name.clone()).or_default().push(stats);
        }
    }
    let (direct, targets) = split(&fleet);
    let Some(direct) = direct.and_then(|direct| found.get(&direct.name)) else {
        section.notes.push("needs the target direct, to compare with".to_owned());
        return Ok(());
    };
    let ledger = if context.setup.database_url.is_some() { "PostgreSQL" } else { "SQLite" };
    section.notes.push(format!("the governed Weir's ledger: {ledger}"));
    for target in targets {
        report(section, &target, &found[&target.name], direct);
    }
    Ok(())
}

/// The ledger that a company has, where there is one for the bench.
fn over_postgres(context: &Context) -> Context {
    let database_url = context.setup.database_url.clone().or_else(|| context.postgres.clone());
    Context { setup: Setup { database_url, ..context.setup.clone() }, ..context.clone() }
}

async fn ask(context: &Context, target: &Target) -> anyhow::Result<Stats> {
    let plans: Arc<[Plan]> = Arc::from([target.plan(&chat(1 << 10, false), Expect::Json)]);
    let open = Open { rate: RATE, time: context.time, outstanding: context.outstanding };
    drive_open(&plans, Open { time: context.time / 5, ..open }).await?;
    drive_open(&plans, open).await
}

fn report(section: &mut Section, target: &Target, own: &[Stats], direct: &[Stats]) {
    for (name, quantile, limit) in [("added p50", 0.5, MUST_P50_MS), ("added p99", 0.99, MUST_P99_MS)] {
        let added = own
            .iter()
            .zip(direct)
            .map(|(own, direct)| micros(&own.total, quantile) - micros(&direct.total, quantile));
        let value = median(added.collect()).unwrap_or(0.0) / 1000.0;
        section.at_most(target, name, value, "ms", limit);
    }
    for stats in own {
        section.errors(target, stats);
    }
}
