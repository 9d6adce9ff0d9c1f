//! Cases named after a guarantee. Each starts processes of its own, so that no figure depends on what ran before.

mod p01_latency;
mod p02_image;
mod p03_chunk;
mod p04_rss;
mod p15_overshoot;
mod p39_metrics;
mod p42_governed;
mod p42_policy;
mod p49_overload;
mod pairs;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use crate::cases::JUDGED;
use crate::report::summary::with_unit;
use crate::report::{Curve, Table, Verdict};
use crate::targets::{Fleet, Kind, Mock, Setup, Target, Wanted};

/// What a case found.
#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub name: String,
    pub about: String,
    pub figures: Vec<Figure>,
    pub curves: Vec<Curve>,
    pub tables: Vec<Table>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub verdict: Option<Verdict>,
}

/// What the cases need to know.
#[derive(Debug, Clone)]
pub struct Context {
    pub setup: Setup,
    pub wanted: Vec<Wanted>,
    pub rounds: usize,
    /// Of one visit, where a case goes by time.
    pub time: Duration,
    /// Mixed requests of `p04-rss`, of which the first tenth sets the mark.
    pub mixed: u64,
    /// Virtual keys of `p04-rss`.
    pub keys: usize,
    /// Requests under way at once in the open loops.
    pub outstanding: usize,
    /// A database for replicas that share one.
    pub postgres: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    Latency,
    Image,
    Chunk,
    Rss,
    Overshoot,
    Metrics,
    Governed,
    Observed,
    Policy,
    Overload,
}

/// Name on the command line, case, what it does.
pub const ALL: &[(&str, Guarantee, &str)] = &[
    (
        "p01-latency",
        Guarantee::Latency,
        "1,000 requests per second, 1 KiB, a provider that takes 20 ms: time added to direct",
    ),
    ("p02-image", Guarantee::Image, "10 MB body: time added to direct, growth of resident memory"),
    (
        "p03-chunk",
        Guarantee::Chunk,
        "64 chunks 5 ms apart, each with its time: how long a chunk is on its way",
    ),
    (
        "p04-rss",
        Guarantee::Rss,
        "resident memory idle and after mixed requests: whole, streamed, failed, cancelled, many keys",
    ),
    (
        "p15-overshoot",
        Guarantee::Overshoot,
        "a budget of 1 $ spent by 1 to 256 streams on 1, 3 and 6 replicas, also with one killed: never overshot, nearly \
         all usable, nobody refused while there is room",
    ),
    (
        "p39-metrics",
        Guarantee::Metrics,
        "what metrics take: a scrape with 1,000 live keys, CPU of a request, memory with 10,000 keys",
    ),
    (
        "p42-governed",
        Guarantee::Governed,
        "throughput with virtual key, budget, ledger and metrics against plain",
    ),
    (
        "p42-observed",
        Guarantee::Observed,
        "throughput with metrics, json_logs and a webhook besides, against plain",
    ),
    (
        "p42-policy",
        Guarantee::Policy,
        "CPU of a request with every budget and limit that there is against one with a key and nothing else",
    ),
    (
        "p49-overload",
        Guarantee::Overload,
        "ten times the load it carries: sheds, answers probes, recovers, stays small",
    ),
];

pub async fn run(guarantee: Guarantee, context: &Context) -> anyhow::Result<Section> {
    let (name, _, about) = ALL.iter().find(|(_, one, _)| *one == guarantee).context("not in the table")?;
    let mut section = Section {
        name: (*name).to_owned(),
        about: (*about).to_owned(),
        figures: Vec::new(),
        curves: Vec::new(),
        tables: Vec::new(),
        notes: Vec::new(),
    };
    tracing::info!(case = name, "begins");
    match guarantee {
        Guarantee::Latency => p01_latency::run(context, &mut section).await?,
        Guarantee::Image => p02_image::run(context, &mut section).await?,
        Guarantee::Chunk => p03_chunk::run(context, &mut section).await?,
        Guarantee::Rss => p04_rss::run(context, &mut section).await?,
        Guarantee::Overshoot => p15_overshoot::run(context, &mut section).await?,
        Guarantee::Metrics => p39_metrics::run(context, &mut section).await?,
        Guarantee::Governed => p42_governed::governed(context, &mut section).await?,
        Guarantee::Observed => p42_governed::observed(context, &mut section).await?,
        Guarantee::Policy => p42_policy::run(context, &mut section).await?,
        Guarantee::Overload => p49_overload::run(context, &mut section).await?,
    }
    for figure in &section.figures {
        tracing::info!("{name}: {} {}", figure.name, figure.shown());
    }
    Ok(section)
}

// --- impl Section ---

impl Section {
    fn show(&mut self, name: String, value: f64, unit: &'static str) {
        self.figures.push(Figure { name, value, unit, verdict: None });
    }

    /// Judged when `target` is the one that the guarantees speak of.
    fn at_most(&mut self, target: &Target, name: &str, value: f64, unit: &'static str, limit: f64) {
        let verdict = (target.name == JUDGED).then(|| Verdict::at_most(value, limit, unit));
        self.figures.push(Figure { name: format!("{} {name}", target.name), value, unit, verdict });
    }

    /// Judged, whatever target it is of.
    fn no_more_than(&mut self, limit: f64, name: String, value: f64, unit: &'static str) {
        let verdict = Some(Verdict::at_most(value, limit, unit));
        self.figures.push(Figure { name, value, unit, verdict });
    }

    fn no_less_than(&mut self, limit: f64, name: String, value: f64, unit: &'static str) {
        let verdict = Some(Verdict::at_least(value, limit, unit));
        self.figures.push(Figure { name, value, unit, verdict });
    }

    /// Says aloud that nothing was measured.
    fn skip(&mut self, why: &str) {
        tracing::warn!(case = self.name, "skipped: {why}");
        self.notes.push(format!("skipped: {why}"));
    }

    /// Errors by kind as a note, their number as a figure that must be zero.
    fn errors(&mut self, target: &Target, stats: &crate::load::Stats) {
        self.at_most(target, "errors", stats.failed() as f64, "", 0.0);
        if stats.failed() > 0 {
            self.notes.push(format!("{} errors: {:?}", target.name, stats.errors));
        }
        if stats.overruns > 0 {
            self.notes.push(format!("{}: {} requests were not sent (overruns)", target.name, stats.overruns));
        }
    }
}

impl Figure {
    /// The value with its unit.
    pub fn shown(&self) -> String {
        with_unit(self.value, self.unit)
    }
}

// --- impl Context ---

impl Context {
    async fn fleet(&self, mock: &Mock) -> anyhow::Result<Fleet> {
        Fleet::start(&self.setup, &self.wanted, mock).await
    }

    /// Only these of the targets asked for; all of them when none was.
    async fn fleet_of(&self, kinds: &[Kind], more_models: usize) -> anyhow::Result<Fleet> {
        let setup = Setup { more_models, ..self.setup.clone() };
        let wanted: Vec<Wanted> = kinds.iter().map(|kind| Wanted::Known(*kind)).collect();
        Fleet::start(&setup, &wanted, &Mock::Canned).await
    }
}

/// Everything but the mock itself, and the mock.
fn split(fleet: &Fleet) -> (Option<Arc<Target>>, Vec<Arc<Target>>) {
    let rest = fleet.targets.iter().filter(|target| target.name != Kind::Direct.name()).cloned().collect();
    (fleet.find(Kind::Direct.name()), rest)
}
