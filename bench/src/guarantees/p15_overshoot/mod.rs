//! P15: however many streams spend a budget, on however many replicas, what is settled never exceeds it, nearly all of
//! it can be spent, and nobody is told that it is spent while there is room. One PostgreSQL, no Redis; also with a
//! replica that is killed in the middle and begins again with its data.
//!
//! `cluster.rs` is the replicas, `streams.rs` those who ask, `watch.rs` looks at what is settled. Each point of the curve
//! has a key with a budget of its own, which is spent until everybody is refused.

mod cluster;
mod streams;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Context, Section};
use crate::load::driver;
use crate::report::{Curve, Line, Table};
use crate::targets::{DEAR_INPUT, DEAR_OUTPUT};
use cluster::Cluster;
use streams::{Told, streams};
use watch::Watch;

/// Nano-dollars.
const BUDGET: i64 = 1_000_000_000;
const STREAMS: [usize; 4] = [1, 8, 64, 256];
const REPLICAS: [usize; 3] = [1, 3, 6];
/// On so many, one is killed.
const KILLED: [usize; 2] = [3, 6];
/// How long one point may take until everybody is refused; requests wait for ten seconds at most for what others hold.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);
const MUST_USABLE: f64 = 98.0;
/// What the least answer costs: tokens of output without which a request is not sent, and the bytes of a request, which
/// bound its tokens.
const LEAST: i64 = 16 * DEAR_OUTPUT + REQUEST_BYTES * DEAR_INPUT;
/// No request of this case is longer.
const REQUEST_BYTES: i64 = 256;

/// One place on the curve, and what came of it. Money is nano-dollars.
struct Point {
    streams: usize,
    replicas: usize,
    killed: bool,
    /// Settled when everything was booked.
    spent: i64,
    /// The most that was seen settled at any time.
    highest: i64,
    /// Refusals while there was room.
    early: usize,
    told: Told,
    seconds: f64,
}

pub(super) async fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let Some(url) = &context.postgres else {
        section.skip("needs a PostgreSQL: --postgres URL, or scripts/bench.sh, which starts one");
        return Ok(());
    };
    let mut cluster = Cluster::start(context, url, REPLICAS[REPLICAS.len() - 1]).await?;
    let mut points = Vec::new();
    for (replicas, killed) in
        REPLICAS.map(|count| (count, false)).into_iter().chain(KILLED.map(|count| (count, true)))
    {
        for streams in STREAMS {
            let point = point(&mut cluster, streams, replicas, killed).await?;
            tracing::info!("{}", point.cells().join(" · "));
            points.push(point);
        }
    }
    judge(section, &points);
    show(section, &points);
    Ok(())
}

async fn point(
    cluster: &mut Cluster,
    at_once: usize,
    replicas: usize,
    killed: bool,
) -> anyhow::Result<Point> {
    let key = cluster.key(BUDGET).await?;
    let doors = Arc::new(cluster.doors(replicas, &key));
    let mut watch = Watch::new(cluster.last(replicas)?, &key);
    let started = Instant::now();
    let asked = Arc::clone(&doors);
    let asking = tokio::spawn(driver(move || streams(asked, at_once, started + PATIENCE)));
    let mut to_kill = killed;
    while !asking.is_finished() {
        if watch.look().await? >= BUDGET / 2 && to_kill {
            to_kill = false;
            cluster.kill_one(&doors, &key).await?;
        }
        tokio::time::sleep(LOOK).await;
    }
    let told = asking.await??;
    let seconds = started.elapsed().as_secs_f64();
    let spent = watch.settled().await?;
    Ok(Point {
        streams: at_once,
        replicas,
        killed,
        spent,
        highest: watch.highest(),
        early: early(&told, &watch),
        told,
        seconds,
    })
}

/// Refusals at a time when there was room for the least answer, as the refusal itself says, or as what was settled later
/// proves: it never shrinks.
fn early(told: &Told, watch: &Watch) -> usize {
    let room = |settled: i64| settled + LEAST <= BUDGET;
    let refusals = told.refusals.iter();
    refusals
        .filter(|refusal| refusal.spent.is_some_and(room) || watch.after(refusal.at).is_some_and(room))
        .count()
}

// --- what is told ---

fn judge(section: &mut Section, points: &[Point]) {
    for (killed, which) in [(false, ""), (true, ", a replica killed")] {
        let points = || points.iter().filter(|point| point.killed == killed);
        let most = points().map(|point| point.highest.max(point.spent)).max().unwrap_or(0);
        let least = points().map(|point| point.spent).min().unwrap_or(0);
        section.no_more_than(dollars(BUDGET), format!("highest settled spend{which}"), dollars(most), "$");
        section.no_less_than(MUST_USABLE, format!("least usable share{which}"), share(least), "%");
        let early: usize = points().map(|point| point.early).sum();
        section.no_more_than(0.0, format!("refusals while there was room{which}"), early as f64, "");
        let wrong: u64 = points().map(|point| point.told.wrong() + point.told.unfinished).sum();
        section.no_more_than(0.0, format!("other answers, or none in time{which}"), wrong as f64, "");
    }
}

fn show(section: &mut Section, points: &[Point]) {
    section.curves.push(curve(points));
    section.tables.push(Table {
        head: vec![
            "replicas",
            "streams",
            "spent $",
            "highest $",
            "usable",
            "answers",
            "told to wait (429)",
            "refused early",
            "lost with a replica",
            "seconds",
        ],
        rows: points.iter().map(Point::cells).collect(),
    });
    let kinds: Vec<String> = points.iter().filter_map(|point| point.told.odd()).collect();
    if !kinds.is_empty() {
        section.notes.push(format!("other answers: {}", kinds.join("; ")));
    }
    section.notes.push(
        "Each point: a key with a budget of 1 $, streams that ask until they are refused, and an answer that costs \
         between a fifth and the whole of what is held for it. One PostgreSQL, no Redis. Killed: at half of the budget one \
         replica is ended by SIGKILL and begins again with its data a second later."
            .to_owned(),
    );
}

fn curve(points: &[Point]) -> Curve {
    let line = |replicas: usize, killed: bool| {
        let mine = points.iter().filter(|point| point.replicas == replicas && point.killed == killed);
        let what = if killed { ", one killed" } else { "" };
        let label = format!("{replicas} replica{}{what}", if replicas == 1 { "" } else { "s" });
        Line { label, values: mine.map(|point| dollars(point.spent)).collect() }
    };
    let plain = REPLICAS.into_iter().map(|replicas| line(replicas, false));
    Curve {
        title: String::from("Settled spend of a budget of 1 $"),
        unit: "$",
        along: "streams at once",
        at: STREAMS.iter().map(ToString::to_string).collect(),
        lines: plain.chain(KILLED.into_iter().map(|replicas| line(replicas, true))).collect(),
        limits: vec![dollars(BUDGET) * MUST_USABLE / 100.0, dollars(BUDGET)],
    }
}

fn dollars(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

fn share(nanos: i64) -> f64 {
    100.0 * nanos as f64 / BUDGET as f64
}

// --- impl Point ---

impl Point {
    fn cells(&self) -> Vec<String> {
        vec![
            format!("{}{}", self.replicas, if self.killed { ", one killed" } else { "" }),
            self.streams.to_string(),
            format!("{:.6}", dollars(self.spent)),
            format!("{:.6}", dollars(self.highest)),
            format!("{:.2} %", share(self.spent)),
            self.told.served.to_string(),
            self.told.held.to_string(),
            self.early.to_string(),
            self.told.lost.to_string(),
            format!("{:.1}", self.seconds),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::streams::{Refusal, body};
    use super::*;

    fn refused(at: Instant, spent: i64) -> Told {
        Told { refusals: vec![Refusal { at, spent: Some(spent) }], ..Told::default() }
    }

    #[test]
    fn a_refusal_is_early_where_the_least_answer_had_room() {
        let now = Instant::now();
        let nothing = Watch::tested(Vec::new());
        assert_eq!(early(&refused(now, BUDGET - LEAST), &nothing), 1);
        assert_eq!(early(&refused(now, BUDGET - LEAST + 1), &nothing), 0);
    }

    /// Whatever a refusal says.
    #[test]
    fn what_is_settled_later_proves_that_there_was_room() {
        let now = Instant::now();
        let later = |spent| Watch::tested(vec![(now + LOOK, spent)]);
        assert_eq!(early(&refused(now, BUDGET), &later(BUDGET / 2)), 1);
        assert_eq!(early(&refused(now, BUDGET), &later(BUDGET)), 0);
        let before = Watch::tested(vec![(now, 0)]);
        assert_eq!(early(&refused(now + LOOK, BUDGET), &before), 0, "what was seen before proves nothing");
    }

    #[test]
    fn a_request_is_no_longer_than_the_least_answer_assumes() {
        assert!(body().len() <= usize::try_from(REQUEST_BYTES).unwrap());
    }

    #[test]
    fn every_point_stands_on_its_line() {
        let point = |replicas, streams, killed, spent| Point {
            streams,
            replicas,
            killed,
            spent,
            highest: spent,
            early: 0,
            told: Told::default(),
            seconds: 1.0,
        };
        let points: Vec<Point> =
            STREAMS.iter().map(|streams| point(3, *streams, false, 990_000_000)).collect();
        let curve = curve(&points);
        assert_eq!(curve.lines.len(), REPLICAS.len() + KILLED.len());
        assert_eq!(curve.lines[1].label, "3 replicas");
        assert_eq!(curve.lines[1].values, [0.99; STREAMS.len()]);
        assert!(curve.lines[0].values.is_empty());
    }
}
