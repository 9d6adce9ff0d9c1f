//! Instructions that a request takes, counted by valgrind's callgrind: before and after a change they can be compared to a
//! fraction of a percent, whatever else the machine does.
//!
//! Each configuration runs twice, for few requests and for many, one at a time. What both runs have in common, such as
//! starting, cancels out. User instructions of all threads are counted, booking included; the kernel's are not.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::load::closed::Closed;
use crate::load::{Expect, Plan};
use crate::machine::Machine;
use crate::run::drive_closed;
use crate::targets::{Caller, Fleet, Mock, Setup, Shape, body_for_everything};

/// Of the shorter run, so that nothing of the longer one happens for the first time.
const FEW: u64 = 200;
const PATIENCE: Duration = Duration::from_secs(3_600);

/// What is configured, from nothing on.
const STEPS: &[Step] = &[
    Step { name: "nothing configured", caller: Caller::Master, governed: false },
    Step { name: "a virtual key", caller: Caller::Key, governed: false },
    Step { name: "a virtual key, metrics", caller: Caller::Key, governed: true },
    Step { name: "a key with a budget, metrics", caller: Caller::Budget, governed: true },
    Step { name: "every budget and limit, metrics", caller: Caller::Everything, governed: true },
];

struct Step {
    name: &'static str,
    caller: Caller,
    governed: bool,
}

/// Instructions per request, step by step.
#[derive(Debug, Clone)]
pub struct Counted {
    machine: Machine,
    requests: u64,
    now: Vec<f64>,
    /// Of the build that this one is compared with.
    before: Option<Vec<f64>>,
}

/// `against`: an earlier build of the gateway.
///
/// # Errors
/// Valgrind is missing, a process does not start, or a request fails.
pub async fn run(setup: &Setup, requests: u64, against: Option<&Path>) -> anyhow::Result<Counted> {
    let now = steps(setup, requests).await?;
    let before = match against {
        Some(weir) => Some(steps(&Setup { weir: weir.to_owned(), ..setup.clone() }, requests).await?),
        None => None,
    };
    Ok(Counted { machine: Machine::here(), requests, now, before })
}

async fn steps(setup: &Setup, requests: u64) -> anyhow::Result<Vec<f64>> {
    let mut counts = Vec::new();
    for step in STEPS {
        let (few, many) = (count(setup, step, FEW).await?, count(setup, step, FEW + requests).await?);
        let each = many.saturating_sub(few) as f64 / requests.max(1) as f64;
        tracing::info!("{}: {each:.0} instructions", step.name);
        counts.push(each);
    }
    Ok(counts)
}

/// Instructions of a whole life with so many requests.
async fn count(setup: &Setup, step: &Step, requests: u64) -> anyhow::Result<u64> {
    let mut fleet = Fleet::start(setup, &[], &Mock::Canned).await?;
    let file = fleet.dir().join("callgrind.out");
    let shape = step.shape(setup, &file);
    fleet.add(setup, &shape).await?;
    ask(&fleet, &shape.name, requests).await?;
    // It writes the file at its end.
    fleet.end(&shape.name);
    total(&file)
}

async fn ask(fleet: &Fleet, name: &str, requests: u64) -> anyhow::Result<()> {
    let target = fleet.find(name).with_context(|| format!("{name} is gone"))?;
    let plans: Arc<[Plan]> = Arc::from([target.plan(&body_for_everything()?, Expect::Json)]);
    let stats = drive_closed(&plans, Closed { connections: 1, requests, time: PATIENCE }).await?;
    if stats.done != requests {
        bail!("{} of {requests} requests succeeded: {:?}", stats.done, stats.errors);
    }
    Ok(())
}

// --- impl Step ---

impl Step {
    fn shape(&self, setup: &Setup, file: &Path) -> Shape {
        let name = "weir-counted";
        let shape = if self.governed { Shape::governed(name, setup) } else { Shape::plain(name) };
        Shape {
            caller: self.caller,
            weir: String::from(", drain_delay: 0"),
            within: callgrind(file),
            ..shape
        }
    }
}

fn callgrind(file: &Path) -> Vec<String> {
    let out = format!("--callgrind-out-file={}", file.display());
    vec!["valgrind".to_owned(), "--tool=callgrind".to_owned(), out]
}

/// What the file says of the whole run.
fn total(file: &Path) -> anyhow::Result<u64> {
    let text = fs::read(file).with_context(|| format!("callgrind wrote no {}", file.display()))?;
    totals(&text).with_context(|| format!("{} has no total", file.display()))
}

/// Functions are named in any bytes, so it is not read as text.
fn totals(file: &[u8]) -> Option<u64> {
    let said = |name: &[u8]| {
        let line = file.split(|byte| *byte == b'\n').rev().find_map(|line| line.strip_prefix(name))?;
        std::str::from_utf8(line).ok()?.trim().parse::<u64>().ok()
    };
    said(b"totals:").or_else(|| said(b"summary:"))
}

// --- Display ---

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { date, commit, .. } = &self.machine;
        writeln!(f, "# Instructions of a request\n\n{date} · commit {commit}\n")?;
        writeln!(
            f,
            "User instructions per request of 1 KiB, over {} requests, one at a time.\n",
            self.requests
        )?;
        let (head, rule) = match self.before {
            Some(_) => (" before | change |", "--:|--:|"),
            None => ("", ""),
        };
        writeln!(f, "| configured | instructions | more than the row above |{head}\n|---|--:|--:|{rule}")?;
        for (number, step) in STEPS.iter().enumerate() {
            self.row(f, number, step.name)?;
        }
        Ok(())
    }
}

impl Counted {
    fn row(&self, f: &mut fmt::Formatter<'_>, number: usize, name: &str) -> fmt::Result {
        let of = |counts: &[f64], at: usize| counts.get(at).copied().unwrap_or(f64::NAN);
        let now = of(&self.now, number);
        let more = number.checked_sub(1).map(|above| format!("{:.0}", now - of(&self.now, above)));
        write!(f, "| {name} | {now:.0} | {} |", more.unwrap_or_else(|| String::from("–")))?;
        if let Some(before) = &self.before {
            let before = of(before, number);
            write!(f, " {before:.0} | {:+.1} % |", 100.0 * (now / before - 1.0))?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_file_is_found_whatever_functions_are_called() {
        let file = b"version: 1\nevents: Ir\nsummary: 12\nfn=(1) \xff\xfe\n0 5\ntotals: 123456\n";
        assert_eq!(totals(file), Some(123_456));
        assert_eq!(totals(b"events: Ir\nsummary: 12\n\n"), Some(12));
        assert_eq!(totals(b"events: Ir\n"), None);
    }

    #[test]
    fn rows_tell_what_each_step_adds_and_what_has_changed() {
        let now: Vec<f64> = (1..=STEPS.len()).map(|step| step as f64 * 1000.0).collect();
        let before = now.iter().map(|count| count * 2.0).collect();
        let text = Counted { machine: Machine::here(), requests: 10, now, before: Some(before) }.to_string();
        assert!(text.contains("| nothing configured | 1000 | – | 2000 | -50.0 % |"), "{text}");
        assert!(text.contains("| a virtual key | 2000 | 1000 | 4000 | -50.0 % |"), "{text}");
    }
}
