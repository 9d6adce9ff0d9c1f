//! P42: what budgets and limits take of a request, when there is one wherever there can be one.

use std::sync::Arc;

use super::pairs::{judge_cpu, judge_errors, visits};
use super::{Context, Section};
use crate::load::Expect;
use crate::report::summary;
use crate::targets::{Caller, Kind, Shape, body_for_everything};

const CASE: &str = "p42-policy";
const KEYED: &str = "weir-keyed";
const LIMITED: &str = "weir-limited";
const MUST_US: f64 = 4.0;

pub(super) async fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let beside: &[Kind] = if context.setup.nginx.exists() { &[Kind::Nginx] } else { &[] };
    let mut fleet = context.fleet_of(beside, 0).await?;
    for (name, caller) in [(KEYED, Caller::Key), (LIMITED, Caller::Everything)] {
        let shape = Shape { caller, ..Shape::governed(name, &context.setup) };
        fleet.add(&context.setup, &shape).await?;
    }
    fleet.switch("").await?;
    let body = body_for_everything()?;
    let visits =
        visits(context, &fleet, CASE, |target| Arc::from([target.plan(&body, Expect::Json)])).await?;
    for row in summary::rows(&visits) {
        section.show(format!("{} CPU", row.target), row.cpu_us.unwrap_or(0.0), "µs/req");
        if let Some(ratio) = row.cpu_to_nginx.filter(|_| row.target != Kind::Nginx.name()) {
            section.show(format!("{} CPU", row.target), ratio, "× nginx");
        }
    }
    judge_cpu(section, &visits, "all budgets and limits", [LIMITED, KEYED], MUST_US);
    judge_errors(section, &visits);
    section.notes.push(
        "Both Weirs have metrics, journal and ledger, and get the same request. One knows a key; the other holds it to \
         budgets of key, member, team, organisation, customer, tag and model, and to limits of requests, tokens and \
         parallel requests at each of them and at the user."
            .to_owned(),
    );
    Ok(())
}
