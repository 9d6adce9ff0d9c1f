//! Which settings suit this machine: `knobs.rs` says what is tried, `choice.rs` what follows from the measurements,
//! `told.rs` how it is told.
//!
//! One setting after the other, each with what was chosen for those before it. All values of a setting run at the same
//! time and are visited in turn, round by round, so that what drifts on the machine drifts for all alike.

pub mod choice;
pub mod knobs;
mod told;

use std::time::Duration;

use anyhow::bail;

use crate::cases::{Case, STANDARD};
use crate::machine::{Machine, open_files};
use crate::run::{Mode, Settings, Visit, rotated, visit};
use crate::targets::{Fleet, Mock, Setup, Shape};
use choice::{Choice, Round, Trial, choose};
use knobs::{KNOBS, Knob, Place};

/// What is asked while a setting is tried: small requests, and streams.
const CASES: [&str; 2] = ["chat-1k", "sse-64"];

/// Seconds that a visit takes beside its measurement: warming up, settling, a share of starting processes.
const BESIDE: f64 = 1.0;
const SHORTEST: f64 = 0.5;
const LONGEST: f64 = 20.0;

/// What is to be tried, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    setup: Setup,
    knobs: Vec<&'static Knob>,
    rounds: usize,
    /// Of one measurement.
    time: Duration,
    machine: Machine,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Tuned {
    machine: Machine,
    rounds: usize,
    time: Duration,
    found: Vec<Found>,
}

/// What came of one setting.
#[derive(Debug, Clone)]
struct Found {
    knob: &'static Knob,
    usual: String,
    choice: Choice,
    trials: Vec<Trial>,
}

// --- impl Plan ---

impl Plan {
    /// # Errors
    /// A name of no setting, or one that only counts with a database where there is none.
    pub fn new(
        setup: Setup,
        only: &[String],
        rounds: usize,
        time: Option<Duration>,
        minutes: f64,
    ) -> anyhow::Result<Plan> {
        let machine = Machine::here();
        let there = |knob: &&Knob| knob.place != Place::General || setup.database_url.is_some();
        let known: Vec<&'static Knob> = KNOBS.iter().filter(there).collect();
        for name in only {
            if !known.iter().any(|knob| knob.name == name) {
                let names: Vec<_> = known.iter().map(|knob| knob.name).collect();
                bail!("--only {name}: these are tried: {}", names.join(", "));
            }
        }
        let wanted = |knob: &&&Knob| only.is_empty() || only.iter().any(|name| name == knob.name);
        let knobs: Vec<_> = known.iter().filter(wanted).copied().collect();
        let visits: usize = knobs.iter().map(|knob| (knob.values)(machine.cores).len()).sum();
        let each = minutes * 60.0 / (visits * rounds * CASES.len()).max(1) as f64 - BESIDE;
        let time = time.unwrap_or(Duration::from_secs_f64(each.clamp(SHORTEST, LONGEST)));
        Ok(Plan { setup, knobs, rounds, time, machine })
    }
}

/// Tries everything.
///
/// # Errors
/// A process cannot be started, or an answer of the harness's own requests is wrong.
pub async fn run(plan: &Plan) -> anyhow::Result<Tuned> {
    let mut fleet = Fleet::start(&plan.setup, &[], &Mock::Canned).await?;
    let mut found: Vec<Found> = Vec::new();
    for &knob in &plan.knobs {
        let usual = (knob.usual)(plan.machine.cores);
        for value in (knob.values)(plan.machine.cores) {
            fleet.add(&plan.setup, &shape(plan, &found, knob, &value)).await?;
        }
        let trials = measure(&fleet, plan, knob).await?;
        let choice = choose(&usual, &trials);
        tracing::info!("{}: {}", knob.name, choice.value);
        found.push(Found { knob, usual, choice, trials });
        fleet.targets.clear();
    }
    Ok(Tuned { machine: plan.machine.clone(), rounds: plan.rounds, time: plan.time, found })
}

/// What a Weir is called that has this value.
fn name(knob: &Knob, value: &str) -> String {
    format!("{}={value}", knob.name)
}

/// A Weir with what was found so far, and with this value.
fn shape(plan: &Plan, found: &[Found], knob: &Knob, value: &str) -> Shape {
    let mut shape = Shape::governed(&name(knob, value), &plan.setup);
    shape.workers = plan.machine.cores.to_string();
    for (knob, value) in found.iter().map(|one| (one.knob, one.choice.value.as_str())).chain([(knob, value)])
    {
        knob.set(value, &mut shape);
    }
    shape
}

async fn measure(fleet: &Fleet, plan: &Plan, knob: &Knob) -> anyhow::Result<Vec<Trial>> {
    let cases: Vec<Case> = CASES.iter().filter_map(|name| fitting(name)).collect();
    let settings = Settings {
        rounds: plan.rounds,
        requests: None,
        time: Some(plan.time),
        connections: None,
        mode: Mode::Closed,
    };
    let mut visits = Vec::new();
    for round in 0..plan.rounds {
        for (number, case) in cases.iter().enumerate() {
            fleet.switch(case.mock).await?;
            for target in rotated(&fleet.targets, round + number) {
                visits.push(visit(target, case, &settings, round).await?);
            }
        }
    }
    let trial = |value: String| {
        let name = name(knob, &value);
        let rounds = (0..plan.rounds).map(|round| of_round(&visits, &name, round)).collect();
        Trial { value, rounds }
    };
    Ok((knob.values)(plan.machine.cores).into_iter().map(trial).collect())
}

/// A case, with no more connections than this process may open.
fn fitting(name: &str) -> Option<Case> {
    let case = STANDARD.iter().find(|case| case.name == name)?;
    let most = open_files().unwrap_or(usize::MAX) / 4;
    Some(Case { connections: case.connections.min(most.max(1)), ..*case })
}

/// All cases of one value in one round, as one.
fn of_round(visits: &[Visit], name: &str, round: usize) -> Round {
    let mine = || visits.iter().filter(|visit| visit.target == name && visit.round == round);
    let count = mine().count().max(1) as f64;
    Round {
        // Geometric, so that each case weighs the same however many requests it makes.
        per_second: (mine().map(|visit| visit.per_second.max(f64::MIN_POSITIVE).ln()).sum::<f64>() / count)
            .exp(),
        cpu_us: mine().filter_map(|visit| visit.cpu_us).sum::<f64>() / count,
        p99_us: mine().map(|visit| visit.p99_us).fold(0.0, f64::max),
        failed: mine().map(Visit::failed).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(only: &[&str], database: bool) -> anyhow::Result<Plan> {
        let (weir, own, nginx, temporary) = Default::default();
        let database_url = database.then(|| String::from("postgres://localhost/x"));
        let mock = "127.0.0.1:0".parse().unwrap();
        let setup =
            Setup { weir, own, nginx, mock, database_url, temporary, more_models: 0, models: Vec::new() };
        let only: Vec<String> = only.iter().map(ToString::to_string).collect();
        Plan::new(setup, &only, 3, None, 10.0)
    }

    #[test]
    fn what_is_tried_fits_into_the_time_that_it_may_take() {
        let all = plan(&[], false).unwrap();
        let values: usize = all.knobs.iter().map(|knob| (knob.values)(all.machine.cores).len()).sum();
        let seconds = (all.time.as_secs_f64() + BESIDE) * (values * all.rounds * CASES.len()) as f64;
        assert!(seconds < 620.0 || all.time.as_secs_f64() <= SHORTEST, "{seconds}");
    }

    #[test]
    fn connections_to_a_database_are_tried_only_where_there_is_one() {
        let name = "database_connection_pool_limit";
        assert!(plan(&[name], false).unwrap_err().to_string().contains("work_stealing"));
        assert_eq!(plan(&[name], true).unwrap().knobs.len(), 1);
        assert_eq!(plan(&[], true).unwrap().knobs.len(), plan(&[], false).unwrap().knobs.len() + 1);
    }

    #[test]
    fn what_was_found_stays_while_the_next_one_is_tried() {
        let plan = plan(&[], false).unwrap();
        let &[first, second, ..] = plan.knobs.as_slice() else { panic!("{:?}", plan.knobs) };
        let choice = Choice { value: String::from("3"), verdicts: Vec::new() };
        let found = [Found { knob: first, usual: String::from("4"), choice, trials: Vec::new() }];
        let shape = shape(&plan, &found, second, "false");
        assert_eq!((shape.workers.as_str(), shape.weir.as_str()), ("3", ", work_stealing: false"));
    }
}
