//! P2: a request with a 10 MB image adds at most 20 ms and at most twice its size in memory.

use std::sync::Arc;
use std::time::Duration;

use super::{Context, Section, split};
use crate::cases::image;
use crate::cpu;
use crate::load::closed::Closed;
use crate::load::stats::micros;
use crate::load::{Expect, Plan, Stats};
use crate::run::drive_closed;
use crate::targets::{Mock, Target};

const IMAGE: usize = 10_000_000;
const REQUESTS: u64 = 30;
const MUST_MS: f64 = 20.0;
const MUST_TIMES: f64 = 2.0;

pub(super) async fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let fleet = context.fleet(&Mock::Canned).await?;
    fleet.switch("").await?;
    let (direct, targets) = split(&fleet);
    let base = match direct {
        Some(direct) => Some(ask(&direct).await?),
        None => None,
    };
    for target in targets {
        let before = peak_from_here(&target);
        let stats = ask(&target).await?;
        if let Some(base) = &base {
            let added = (micros(&stats.total, 0.5) - micros(&base.total, 0.5)) / 1000.0;
            section.at_most(&target, "added at the median", added, "ms", MUST_MS);
        }
        if let (Some(before), Some(after)) = (before, target.usage()) {
            let grown = after.peak_kib.saturating_sub(before) as f64 * 1024.0 / IMAGE as f64;
            section.at_most(&target, "growth of the peak", grown, "× body", MUST_TIMES);
        }
        section.errors(&target, &stats);
    }
    Ok(())
}

/// Resident memory in KiB, from which the peak is counted.
fn peak_from_here(target: &Target) -> Option<u64> {
    if let Some(Err(error)) = target.pid.map(cpu::reset_peak) {
        tracing::warn!(target = %target.name, %error, "cannot reset the peak; growth since the start may be missed");
    }
    target.usage().map(|usage| usage.rss_kib)
}

async fn ask(target: &Target) -> anyhow::Result<Stats> {
    let plans: Arc<[Plan]> = Arc::from([target.plan(&image(IMAGE), Expect::Json)]);
    let closed = Closed { connections: 1, requests: REQUESTS, time: Duration::from_secs(60) };
    drive_closed(&plans, closed).await
}
