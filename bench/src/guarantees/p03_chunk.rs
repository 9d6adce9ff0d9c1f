//! P3: each streamed chunk leaves within 2 ms (p99) of arriving.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use weir_core::time;

use super::{Context, Section, split};
use crate::cases::chat;
use crate::load::stats::{histogram, micros, record};
use crate::load::{Client, Expect, Plan, Stats, driver};
use crate::stamped::stamps;
use crate::targets::{Mock, Target};

const CHUNKS: usize = 64;
const PACE_US: u64 = 5_000;
const CONNECTIONS: usize = 8;
const MUST_P99_MS: f64 = 2.0;

pub(super) async fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let fleet = context.fleet(&Mock::Stamped { chunks: CHUNKS, pace_us: PACE_US }).await?;
    let (direct, targets) = split(&fleet);
    for target in direct.iter().chain(&targets) {
        let (delays, stats) = ask(context, target).await?;
        section.show(format!("{} p50", target.name), micros(&delays, 0.5) / 1000.0, "ms");
        section.at_most(target, "p99", micros(&delays, 0.99) / 1000.0, "ms", MUST_P99_MS);
        section.errors(target, &stats);
    }
    section.notes.push(
        "From the moment the provider wrote a chunk to the moment the client read it; `direct` is what the machine and \
         the driver add to every figure."
            .to_owned(),
    );
    Ok(())
}

async fn ask(context: &Context, target: &Target) -> anyhow::Result<(Histogram<u64>, Stats)> {
    let plan = Arc::new(target.plan(&chat(1 << 10, true), Expect::Stream { chunks: CHUNKS }));
    let until = Instant::now() + context.time;
    driver(move || async move {
        let mut loops = JoinSet::new();
        for _ in 0..CONNECTIONS {
            loops.spawn_local(connection(Arc::clone(&plan), until));
        }
        let (mut delays, mut stats) = (histogram(), Stats::default());
        while let Some(done) = loops.join_next().await {
            let Ok((some, counts)) = done else { continue };
            // Only fails for histograms of other bounds.
            let _ = delays.add(&some);
            stats.done += counts.done;
            stats.errors.extend(counts.errors);
        }
        (delays, stats)
    })
    .await
}

async fn connection(plan: Arc<Plan>, until: Instant) -> (Histogram<u64>, Stats) {
    let (mut delays, mut stats, mut client) = (histogram(), Stats::default(), Client::new());
    while Instant::now() < until {
        let from = Instant::now();
        let result = client.watch(&plan, |piece| note(&mut delays, piece)).await;
        stats.book(from, result);
    }
    (delays, stats)
}

/// An event that is cut between two pieces is not counted; that is rare at this pace.
fn note(delays: &mut Histogram<u64>, piece: &[u8]) {
    let now = time::now().0;
    for sent in stamps(piece) {
        record(delays, Duration::from_micros(u64::try_from(now - sent).unwrap_or(0)));
    }
}
