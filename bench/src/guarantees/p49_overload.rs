//! P49 and P29: under ten times the load it carries it sheds, answers probes in time, recovers, and stays small.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Context, Section};
use crate::cases::chat;
use crate::cpu;
use crate::load::closed::Closed;
use crate::load::open::Open;
use crate::load::stats::micros;
use crate::load::{Client, Expect, Plan, Stats, driver};
use crate::machine;
use crate::run::{drive_closed, drive_open};
use crate::targets::{Kind, READINESS, Target};

const TIMES: f64 = 10.0;
const CONNECTIONS: usize = 64;
/// A provider that thinks for a while, so that what is not shed piles up.
const SLOW: &str = "delay_us=50000";
const PROBE_EVERY: Duration = Duration::from_millis(20);
const REST: Duration = Duration::from_secs(3);
const RECOVERY_REQUESTS: u64 = 500;
const SHED: &str = "status_503";
const MUST_PROBE_MS: f64 = 10.0;
const MUST_PEAK_MIB: f64 = 256.0;
/// So many requests are under way at most, if the limit of open files allows it: the gateway, which inherits it, has
/// two sockets for each.
const OUTSTANDING: usize = 8192;
/// Open files that are left for everything else.
const SPARE_FILES: usize = 200;

pub(super) async fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let fleet = context.fleet_of(&[Kind::WeirGoverned], 0).await?;
    let Some(target) = fleet.targets.first() else { return Ok(()) };
    fleet.switch(SLOW).await?;
    let plans: Arc<[Plan]> = Arc::from([target.plan(&chat(1 << 10, false), Expect::Json)]);
    let carried = closed(&plans, u64::MAX, context.time / 2).await?.per_second().max(1.0);
    section.show(format!("{} carries", target.name), carried, "req/s");
    if let Some(Err(error)) = target.pid.map(cpu::reset_peak) {
        tracing::debug!(%error, "the peak counts from the start");
    }
    let (stats, probes) = overload(context, target, &plans, carried * TIMES).await?;
    report(section, target, &stats, &probes);
    let beside = micros(&probes.beside.total, 0.99) / 1000.0;
    section.show(format!("{} readiness p99 on the listener of the requests", target.name), beside, "ms");
    tokio::time::sleep(REST).await;
    let after = closed(&plans, RECOVERY_REQUESTS, Duration::from_secs(30)).await?;
    section.at_most(target, "errors after a rest", after.failed() as f64, "", 0.0);
    section.notes.push(format!("answers under overload: {} done, others {:?}", stats.done, stats.errors));
    Ok(())
}

async fn closed(plans: &Arc<[Plan]>, requests: u64, time: Duration) -> anyhow::Result<Stats> {
    drive_closed(plans, Closed { connections: CONNECTIONS, requests, time }).await
}

async fn overload(
    context: &Context,
    target: &Target,
    plans: &Arc<[Plan]>,
    rate: f64,
) -> anyhow::Result<(Stats, Probes)> {
    let stop = Arc::new(AtomicBool::new(false));
    let spawn = |addr| {
        let (plan, stopped) = (Plan::get(addr, READINESS, "", Expect::Status(200)), Arc::clone(&stop));
        tokio::spawn(driver(move || probe(plan, stopped)))
    };
    let (probing, beside) = (spawn(target.probes.unwrap_or(target.addr)), spawn(target.addr));
    let open = Open { rate, time: context.time, outstanding: outstanding(context) };
    let stats = drive_open(plans, open).await;
    stop.store(true, Ordering::SeqCst);
    Ok((stats?, Probes { own: probing.await??, beside: beside.await?? }))
}

/// Readiness, asked where probes have a listener of their own, and where requests come in.
struct Probes {
    own: Stats,
    beside: Stats,
}

fn outstanding(context: &Context) -> usize {
    let files = machine::open_files().unwrap_or(1024);
    context.outstanding.max(OUTSTANDING).min(files.saturating_sub(SPARE_FILES) / 2).max(1)
}

/// On a thread of its own: what the load driver has to do must not delay it.
async fn probe(plan: Plan, stop: Arc<AtomicBool>) -> Stats {
    let (mut stats, mut client) = (Stats::default(), Client::new());
    while !stop.load(Ordering::SeqCst) {
        let from = Instant::now();
        let result = client.exchange(&plan).await;
        stats.book(from, result);
        tokio::time::sleep(PROBE_EVERY).await;
    }
    stats
}

fn report(section: &mut Section, target: &Target, stats: &Stats, probes: &Probes) {
    let (all, shed) = (stats.done + stats.failed(), stats.errors.get(SHED).copied().unwrap_or(0));
    let offered = all as f64 / stats.elapsed.as_secs_f64().max(0.001);
    section.show(format!("{} was sent", target.name), offered, "req/s");
    section.show(format!("{} shed", target.name), 100.0 * shed as f64 / all.max(1) as f64, "%");
    section.show("not sent by the driver (overruns)".to_owned(), stats.overruns as f64, "");
    let other = stats.failed() - shed;
    section.at_most(target, "answers neither 200 nor 503 with retry-after", other as f64, "", 0.0);
    section.at_most(target, "readiness p99", micros(&probes.own.total, 0.99) / 1000.0, "ms", MUST_PROBE_MS);
    section.at_most(target, "readiness errors", probes.own.failed() as f64, "", 0.0);
    if let Some(usage) = target.usage() {
        let peak = usage.peak_kib as f64 / 1024.0;
        section.at_most(target, "peak of resident memory", peak, "MiB", MUST_PEAK_MIB);
    }
}
