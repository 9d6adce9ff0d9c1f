//! P39: what metrics take: time of a scrape and CPU of a request with 1,000 live keys, memory with 10,000.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use memchr::memmem;

use super::pairs::{judge_cpu, judge_errors, visits};
use super::{Context, Section};
use crate::cases::chat;
use crate::load::closed::Closed;
use crate::load::stats::micros;
use crate::load::{Client, Expect, Plan, driver};
use crate::run::drive_closed;
use crate::targets::{Fleet, Shape, Target, generate_key};

const CASE: &str = "p39-metrics";
const COUNTED: &str = "weir-metrics";
const SILENT: &str = "weir-silent";
const LIVE: usize = 1_000;
const MANY: usize = 10_000;
const SCRAPES: usize = 10;
const MUST_SCRAPE_MS: f64 = 200.0;
const MUST_US: f64 = 1.0;
const MUST_MB: f64 = 100.0;
const CONNECTIONS: usize = 16;
/// After which a process has booked and freed what it was busy with.
const REST: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(600);

/// By the name of the target: its keys, and its resident memory in megabytes before it had any.
type Keys = BTreeMap<String, Vec<String>>;
type Resident = BTreeMap<String, f64>;

pub(super) async fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let mut fleet = context.fleet_of(&[], 0).await?;
    let counted = Shape::governed(COUNTED, &context.setup);
    fleet.add(&context.setup, &counted).await?;
    let silent = Shape { name: SILENT.to_owned(), settings: String::new(), ..counted };
    fleet.add(&context.setup, &silent).await?;
    fleet.switch("").await?;
    let before = resident(&fleet).await;
    let mut keys = Keys::new();
    make(&fleet, &mut keys, LIVE).await?;
    requests(context, section, &fleet, &keys).await?;
    scrapes(section, &fleet, LIVE).await?;
    make(&fleet, &mut keys, MANY).await?;
    once_each(&fleet, &keys).await?;
    memory(section, &fleet, &before).await?;
    beside(context, section, &fleet).await
}

/// Until each has so many.
async fn make(fleet: &Fleet, keys: &mut Keys, count: usize) -> anyhow::Result<()> {
    for target in &fleet.targets {
        tracing::info!(target = %target.name, count, "makes keys");
        let mine = keys.entry(target.name.clone()).or_default();
        while mine.len() < count {
            mine.push(generate_key(target.addr, &[]).await?);
        }
    }
    Ok(())
}

/// A request of each key.
fn plans(target: &Target, keys: &Keys) -> Arc<[Plan]> {
    let body = chat(1 << 10, false);
    let mine = keys.get(&target.name).into_iter().flatten();
    mine.map(|key| target.plan_with(key, &body, Expect::Json)).collect()
}

async fn requests(
    context: &Context,
    section: &mut Section,
    fleet: &Fleet,
    keys: &Keys,
) -> anyhow::Result<()> {
    let visits = visits(context, fleet, CASE, |target| plans(target, keys)).await?;
    judge_cpu(section, &visits, "metrics", [COUNTED, SILENT], MUST_US);
    judge_errors(section, &visits);
    Ok(())
}

async fn once_each(fleet: &Fleet, keys: &Keys) -> anyhow::Result<()> {
    for target in &fleet.targets {
        let plans = plans(target, keys);
        let requests = plans.len() as u64;
        drive_closed(&plans, Closed { connections: CONNECTIONS, requests, time: PATIENCE }).await?;
    }
    Ok(())
}

// --- scrapes ---

/// One scrape.
struct Page {
    time: Duration,
    bytes: usize,
    series: usize,
    /// Keys whose spend has labels of its own.
    spenders: usize,
}

fn counted(fleet: &Fleet) -> anyhow::Result<Arc<Target>> {
    fleet.find(COUNTED).ok_or_else(|| anyhow!("{COUNTED} is gone"))
}

/// From where operators scrape: the listener that probes have for themselves.
fn page_plan(target: &Target) -> Plan {
    Plan::get(target.probes.unwrap_or(target.addr), "/metrics", "", Expect::Status(200))
}

async fn scrape(client: &mut Client, plan: &Plan) -> anyhow::Result<Page> {
    let started = Instant::now();
    client.exchange(plan).await.map_err(|failure| anyhow!("/metrics: {}", failure.0))?;
    let time = started.elapsed();
    let lines = client.body().split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    let spent = lines.clone().filter(|line| line.starts_with(b"litellm_spend_metric_total{"));
    let spenders = spent.filter(|line| memmem::find(line, b"hashed_api_key=\"other\"").is_none()).count();
    Ok(Page { time, bytes: client.body().len(), series: lines.count(), spenders })
}

async fn scrapes(section: &mut Section, fleet: &Fleet, keys: usize) -> anyhow::Result<()> {
    let counted = counted(fleet)?;
    let plan = page_plan(&counted);
    let (mut client, mut slowest, mut last) = (Client::new(), Duration::ZERO, None);
    for _ in 0..SCRAPES {
        let page = scrape(&mut client, &plan).await?;
        slowest = slowest.max(page.time);
        last = Some(page);
    }
    let name = format!("slowest of {SCRAPES} scrapes, {keys} keys");
    let value = slowest.as_secs_f64() * 1000.0;
    if keys == LIVE {
        section.no_more_than(MUST_SCRAPE_MS, name, value, "ms");
    } else {
        section.show(name, value, "ms");
    }
    if let Some(page) = last {
        section.show(format!("series, {keys} keys"), page.series as f64, "");
        section.show(format!("a page, {keys} keys"), page.bytes as f64 / 1e6, "MB");
        let name = format!("of {keys} keys, those whose spend has its own series");
        section.no_less_than(keys as f64, name, page.spenders as f64, "");
    }
    Ok(())
}

// --- memory ---

async fn resident(fleet: &Fleet) -> Resident {
    tokio::time::sleep(REST).await;
    let megabytes = |target: &Target| target.usage().map_or(0.0, |usage| usage.rss_kib as f64 * 1024.0 / 1e6);
    fleet.targets.iter().map(|target| (target.name.clone(), megabytes(target))).collect()
}

/// By how much the one with metrics has grown more than the other, before it was scraped and after.
async fn memory(section: &mut Section, fleet: &Fleet, before: &Resident) -> anyhow::Result<()> {
    let grown = |now: &Resident| {
        let of = |name: &str| now.get(name).zip(before.get(name)).map_or(0.0, |(now, then)| now - then);
        of(COUNTED) - of(SILENT)
    };
    let unread = grown(&resident(fleet).await);
    section.show(format!("memory of metrics, {MANY} keys, not scraped yet"), unread, "MB");
    scrapes(section, fleet, MANY).await?;
    let read = grown(&resident(fleet).await);
    section.no_more_than(MUST_MB, format!("memory of metrics, {MANY} keys"), read, "MB");
    Ok(())
}

// --- requests beside scrapes ---

/// How long a request takes on one connection, alone and while one scrape follows the other.
async fn beside(context: &Context, section: &mut Section, fleet: &Fleet) -> anyhow::Result<()> {
    let target = counted(fleet)?;
    let plans: Arc<[Plan]> = Arc::from([target.plan(&chat(1 << 10, false), Expect::Json)]);
    let closed = Closed { connections: 1, requests: u64::MAX, time: context.time };
    let alone = drive_closed(&plans, closed).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let (plan, stopped) = (page_plan(&target), Arc::clone(&stop));
    let scraping = tokio::spawn(driver(move || scrape_until(plan, stopped)));
    let scraped = drive_closed(&plans, closed).await?;
    stop.store(true, Ordering::SeqCst);
    let pages = scraping.await??;
    let p99 = |stats: &crate::load::Stats| micros(&stats.total, 0.99) / 1000.0;
    section.show("p99 of a request, one connection".to_owned(), p99(&alone), "ms");
    section.show(format!("the same beside scrapes without a pause, {MANY} keys"), p99(&scraped), "ms");
    section.notes.push(format!("{pages} scrapes meanwhile; driver, scraper and gateway share the machine."));
    Ok(())
}

async fn scrape_until(plan: Plan, stop: Arc<AtomicBool>) -> u64 {
    let (mut client, mut pages) = (Client::new(), 0);
    while !stop.load(Ordering::SeqCst) {
        pages += u64::from(client.exchange(&plan).await.is_ok());
    }
    pages
}
