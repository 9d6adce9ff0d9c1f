//! P42: what key, budget, ledger and metrics take from the throughput; and what logs and a webhook take besides.

use std::fs;
use std::time::Duration;

use super::pairs::judge_errors;
use super::{Context, Section};
use crate::cases::{Case, Figure as Must, JUDGED, STANDARD, limit};
use crate::report::summary::{self, median, of, paired, ratio};
use crate::run::{Mode, Settings, Visit, standard};
use crate::sink;
use crate::targets::{Fleet, Kind, Setup, Shape};

const CASE: &str = "chat-1k";
const OBSERVED: &str = "weir-observed";
const MUST_OBSERVED: f64 = 0.80;
/// What is told later than this is not told.
const TOLD_WITHIN: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(500);

pub(super) async fn governed(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let fleet = context.fleet_of(&[Kind::WeirPlain, Kind::WeirGoverned], 0).await?;
    let must = limit(CASE, Must::Governed).unwrap_or(1.0);
    compare(context, section, &fleet, JUDGED, must).await?;
    Ok(())
}

pub(super) async fn observed(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let mut fleet = context.fleet_of(&[Kind::WeirPlain], 0).await?;
    fleet.add(&context.setup, &with_all_told(&context.setup)).await?;
    let visits = compare(context, section, &fleet, OBSERVED, MUST_OBSERVED).await?;
    let asked: u64 = of(&visits, CASE, OBSERVED).iter().map(|visit| requests(visit)).sum();
    let (posts, records) = told(&fleet, asked).await?;
    let share = records as f64 / asked.max(1) as f64;
    section.no_less_than(1.0, "requests that the webhook was told of".to_owned(), share, "of all");
    section.show("records in one post to the webhook".to_owned(), records as f64 / posts.max(1) as f64, "");
    let written = fs::metadata(fleet.dir().join(format!("{OBSERVED}.log")))?.len();
    section.show("log".to_owned(), (written / asked.max(1)) as f64, "bytes/req");
    section.notes.push(
        "Mock, driver and the receiver of the webhook share the machine: what they do for the webhook is missing to the \
         gateway too."
            .to_owned(),
    );
    Ok(())
}

/// Governed, with metrics, a JSON line for each request, and one webhook.
fn with_all_told(setup: &Setup) -> Shape {
    Shape {
        settings: String::from(
            "litellm_settings:\n  callbacks: [prometheus, generic_api]\n  json_logs: true\n",
        ),
        env: vec![("GENERIC_LOGGER_ENDPOINT", format!("http://MOCK{}", sink::PATH))],
        ..Shape::governed(OBSERVED, setup)
    }
}

async fn compare(
    context: &Context,
    section: &mut Section,
    fleet: &Fleet,
    name: &str,
    must: f64,
) -> anyhow::Result<Vec<Visit>> {
    let cases: Vec<Case> = STANDARD.iter().filter(|case| case.name == CASE).copied().collect();
    let settings = Settings {
        rounds: context.rounds,
        requests: None,
        time: Some(context.time),
        connections: None,
        mode: Mode::Closed,
    };
    let visits = standard(fleet, &cases, &settings).await?;
    for row in summary::rows(&visits) {
        section.show(format!("{} throughput", row.target), row.per_second, "req/s");
        section.show(format!("{} CPU", row.target), row.cpu_us.unwrap_or(0.0), "µs/req");
    }
    let plain = Kind::WeirPlain.name();
    let ratios = paired(&of(&visits, CASE, name), &of(&visits, CASE, plain), |own, plain| {
        ratio(own.per_second, plain.per_second)
    });
    let what = name.trim_start_matches("weir-");
    section.no_less_than(must, format!("{what} / plain"), median(ratios).unwrap_or(0.0), "of plain");
    judge_errors(section, &visits);
    Ok(visits)
}

fn requests(visit: &Visit) -> u64 {
    visit.warm_up + visit.done + visit.failed()
}

/// Posts and records, when all are told or no more come.
async fn told(fleet: &Fleet, all: u64) -> anyhow::Result<(u64, u64)> {
    let looks = TOLD_WITHIN.as_millis() / LOOK.as_millis();
    let mut counts = fleet.told().await?;
    for _ in 0..looks {
        if counts.1 >= all {
            break;
        }
        tokio::time::sleep(LOOK).await;
        counts = fleet.told().await?;
    }
    Ok(counts)
}
