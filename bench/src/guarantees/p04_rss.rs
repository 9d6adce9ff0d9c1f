//! P4: idle below 60 MB with 200 models; mixed requests do not make it grow.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Context, Section};
use crate::cases::chat;
use crate::load::closed::Closed;
use crate::load::{Expect, Plan, Stats};
use crate::run::drive_closed;
use crate::targets::{Kind, Target, generate_key};

const MODELS: usize = 199;
/// Most of them wait for their next try: those waits must not decide how long a million requests take.
const CONNECTIONS: usize = 256;
/// Of a thousand answers of the provider, a hundred are a status 500: some requests succeed on a retry, some do not.
const FAILURES: &str = "fail=100&chunks=16";
const MUST_IDLE_MB: f64 = 60.0;
const MUST_GROWTH: f64 = 1.10;
const PATIENCE: Duration = Duration::from_secs(3600);

pub(super) async fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let fleet = context.fleet_of(&[Kind::WeirGoverned], MODELS).await?;
    let Some(target) = fleet.targets.first() else { return Ok(()) };
    tokio::time::sleep(Duration::from_secs(2)).await;
    section.at_most(target, "idle", resident(target), "MB", MUST_IDLE_MB);
    fleet.switch(FAILURES).await?;
    let plans = mixed(target, &keys(context, target).await?);
    let first = context.mixed / 10;
    let mut kinds = send(&plans, first).await?;
    let mark = settled(target).await;
    section.show(format!("{} after {first} mixed requests", target.name), mark, "MB");
    merge(&mut kinds, send(&plans, context.mixed - first).await?);
    let end = settled(target).await;
    section.show(format!("{} after {} mixed requests", target.name, context.mixed), end, "MB");
    section.at_most(target, "growth", end / mark.max(1.0), "×", MUST_GROWTH);
    section.notes.push(format!(
        "{} keys; {} answers as expected, others: {:?}",
        context.keys, kinds.done, kinds.errors
    ));
    Ok(())
}

async fn keys(context: &Context, target: &Target) -> anyhow::Result<Vec<String>> {
    let mut keys = Vec::new();
    for _ in 0..context.keys.max(1) {
        keys.push(generate_key(target.addr, &[]).await?);
    }
    Ok(keys)
}

/// For each key: whole, streamed, cancelled in mid-stream, refused for its model, refused for its JSON, a large
/// body; and one unknown key.
fn mixed(target: &Target, keys: &[String]) -> Arc<[Plan]> {
    let (whole, stream, large) = (chat(1 << 10, false), chat(1 << 10, true), chat(64 << 10, false));
    let other = Bytes::from_static(br#"{"model":"no-such-model","messages":[]}"#);
    let broken = Bytes::from_static(br#"{"model":"bench","messages":["#);
    let mut plans = Vec::new();
    for key in keys {
        for (body, expect) in [
            (&whole, Expect::Json),
            (&stream, Expect::Stream { chunks: 16 }),
            (&stream, Expect::Cut),
            (&other, Expect::Any),
            (&broken, Expect::Status(400)),
            (&large, Expect::Json),
        ] {
            plans.push(target.plan_with(key, body, expect));
        }
    }
    plans.push(target.plan_with("sk-unknown", &whole, Expect::Status(401)));
    plans.into()
}

async fn send(plans: &Arc<[Plan]>, requests: u64) -> anyhow::Result<Stats> {
    drive_closed(plans, Closed { connections: CONNECTIONS, requests, time: PATIENCE }).await
}

fn merge(into: &mut Stats, more: Stats) {
    into.done += more.done;
    for (kind, count) in more.errors {
        *into.errors.entry(kind).or_default() += count;
    }
}

async fn settled(target: &Target) -> f64 {
    tokio::time::sleep(Duration::from_secs(2)).await;
    resident(target)
}

/// In megabytes of a million bytes.
fn resident(target: &Target) -> f64 {
    target.usage().map_or(0.0, |usage| usage.rss_kib as f64 * 1024.0 / 1e6)
}
