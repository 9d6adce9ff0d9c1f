//! Work for a build that notes which ways it takes, so that its code can be laid out along them (`scripts/bolt.sh`): every
//! case once, on a governed Weir that is told to end, since only then it writes what it has noted.

use std::time::Duration;

use anyhow::bail;

use crate::cases::{Case, STANDARD, TRANSLATION};
use crate::run::{Mode, Settings, visit};
use crate::targets::{Caller, Fleet, Mock, Setup, Shape};

/// Who asks: usual keys, and those that every limit applies to.
const CALLERS: &[(&str, Caller)] = &[("weir-trained", Caller::Budget), ("weir-limited", Caller::Everything)];

/// Drives each case for `time`.
///
/// # Errors
/// A process does not start, or a request fails.
pub async fn run(setup: &Setup, time: Duration) -> anyhow::Result<()> {
    let mut fleet = Fleet::start(setup, &[], &Mock::Canned).await?;
    for (name, caller) in CALLERS {
        let shape = Shape {
            caller: *caller,
            weir: String::from(", drain_delay: 0"),
            // Run by something, it is told to end rather than killed.
            within: vec![String::from("env")],
            ..Shape::governed(name, setup)
        };
        fleet.add(setup, &shape).await?;
        for case in STANDARD.iter().chain(TRANSLATION) {
            drive(&fleet, name, case, time).await?;
        }
        fleet.end(name);
    }
    Ok(())
}

async fn drive(fleet: &Fleet, name: &str, case: &Case, time: Duration) -> anyhow::Result<()> {
    fleet.switch(case.mock).await?;
    let Some(target) = fleet.find(name) else { bail!("{name} is gone") };
    let settings =
        Settings { rounds: 1, requests: None, time: Some(time), connections: None, mode: Mode::Closed };
    let visit = visit(&target, case, &settings, 0).await?;
    tracing::info!("{}", visit.line());
    if visit.failed() > 0 {
        bail!("{} requests of {} failed: {:?}", visit.failed(), case.name, visit.errors);
    }
    Ok(())
}
