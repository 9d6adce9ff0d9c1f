//! P42: what key, budget, ledger and metrics take from the throughput.

use super::{Context, Section};
use crate::cases::{Figure as Must, JUDGED, STANDARD, limit};
use crate::report::summary::median;
use crate::report::{Verdict, summary};
use crate::run::{Mode, Settings, standard};
use crate::targets::Kind;

const CASE: &str = "chat-1k";

pub(super) async fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let fleet = context.fleet_of(&[Kind::WeirPlain, Kind::WeirGoverned], 0).await?;
    let cases: Vec<_> = STANDARD.iter().filter(|case| case.name == CASE).copied().collect();
    let settings = Settings {
        rounds: context.rounds,
        requests: None,
        time: Some(context.time),
        connections: None,
        mode: Mode::Closed,
    };
    let visits = standard(&fleet, &cases, &settings).await?;
    for row in summary::rows(&visits) {
        section.show(format!("{} throughput", row.target), row.per_second, "req/s");
        section.show(format!("{} CPU", row.target), row.cpu_us.unwrap_or(0.0), "µs/req");
    }
    let of = |name: &str, round| visits.iter().find(|visit| visit.target == name && visit.round == round);
    let ratios = (0..context.rounds).filter_map(|round| {
        let (governed, plain) = (of(JUDGED, round)?, of(Kind::WeirPlain.name(), round)?);
        Some(governed.per_second / plain.per_second)
    });
    let value = median(ratios.filter(|ratio| ratio.is_finite()).collect()).unwrap_or(0.0);
    section.show("governed / plain".to_owned(), value, "");
    if let (Some(figure), Some(limit)) = (section.figures.last_mut(), limit(CASE, Must::Governed)) {
        figure.verdict = Some(Verdict::at_least(value, limit, "of plain"));
    }
    Ok(())
}
