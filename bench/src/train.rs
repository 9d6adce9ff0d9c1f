//! Work for a build that notes which ways it takes (`-Cprofile-generate`), so that the next one can be laid out for them:
//! every case once, on a governed Weir that is told to end, since only then is written what it has noted.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;

use crate::cases::{Case, STANDARD, TRANSLATION};
use crate::run::{Mode, Settings, visit};
use crate::targets::{Caller, Fleet, Mock, Setup, Shape};

/// Who asks: usual keys, and those that every limit applies to.
const CALLERS: &[(&str, Caller)] = &[("weir-trained", Caller::Budget), ("weir-limited", Caller::Everything)];

/// Drives each case for `time`. What the build notes goes to `profiles`, a file for each process.
///
/// # Errors
/// A process does not start, a request fails, or nothing was written.
pub async fn run(setup: &Setup, time: Duration, profiles: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(profiles)?;
    let mut fleet = Fleet::start(setup, &[], &Mock::Canned).await?;
    for (name, caller) in CALLERS {
        let shape = Shape {
            caller: *caller,
            weir: String::from(", drain_delay: 0"),
            within: vec![String::from("env"), format!("LLVM_PROFILE_FILE={}/%p.profraw", profiles.display())],
            ..Shape::governed(name, setup)
        };
        fleet.add(setup, &shape).await?;
        for case in STANDARD.iter().chain(TRANSLATION) {
            drive(&fleet, name, case, time).await?;
        }
        fleet.end(name);
    }
    if std::fs::read_dir(profiles)?.next().is_none() {
        bail!("nothing was noted: is this a build with -Cprofile-generate?");
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
