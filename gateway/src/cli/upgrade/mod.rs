//! `weir upgrade`: this program in the place of a gateway that runs. The new process is started as the old one was, and
//! gets its listeners once it has read its configuration and opened its ledger; the old one then answers what it has
//! begun, and goes. Whatever goes wrong before the new one serves, the old one serves on.
//!
//! `old.rs` is what the kernel tells of the old process; `handover/` is how the two of them do it.

mod old;

use super::say;
use crate::handover;
use crate::handover::pid_file::PidFile;
use crate::settings::Loader;
use anyhow::{Context, bail};
use clap::Args;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use old::Old;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};
use weir_core::config::Env;

#[derive(Args)]
pub(super) struct Upgrade {
    /// The configuration, which says where the data directory is.
    #[arg(short, long, env = "CONFIG_FILE_PATH")]
    config: Option<PathBuf>,
    /// The process to replace; by default the one in the data directory's weir.pid.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(i32::MAX)))]
    pid: Option<u32>,
    /// The new program; by default this one.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Starts the new process with this command's environment instead of the old process's.
    #[arg(long)]
    own_environment: bool,
    /// Seconds within which the new process must be serving.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    wait: u64,
}

/// The new process, until it serves.
struct Heir {
    child: Child,
    /// The old one's.
    pid: u32,
    until: Instant,
}

const POLL: Duration = Duration::from_millis(20);

pub(super) fn run(args: &Upgrade) -> anyhow::Result<()> {
    let env = Env::process();
    let program = match &args.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => std::env::current_exe().context("this program cannot be found; name it with --binary")?,
    };
    let old = Old::look(args.old(&env)?)?;
    // Paths on its command line are meant from there.
    std::env::set_current_dir(&old.folder).context("the old process's folder cannot be entered")?;
    let env = if args.own_environment { env } else { old.environment() };
    let data = data_dir(old.config(&env)?, &env)?;
    let _turn = turn(&data)?;
    let sock =
        PathBuf::from(handover::sock(&data).context("the data directory's path is too long for a socket")?);
    if sock.exists() {
        std::fs::remove_file(&sock).context("what an earlier try has left cannot be removed")?;
    }
    let child = old.heir(&program, &env).spawn();
    let child = child.with_context(|| format!("{} cannot be started", program.display()))?;
    let mut heir = Heir { child, pid: old.pid, until: Instant::now() + Duration::from_secs(args.wait) };
    super::runtime()?.block_on(heir.succeed(&sock, &PidFile::new(&data)))
}

impl Upgrade {
    fn old(&self, env: &Env) -> anyhow::Result<u32> {
        if let Some(pid) = self.pid {
            return Ok(pid);
        }
        let data = data_dir(self.config.clone(), env)?;
        PidFile::new(&data).holder().with_context(|| {
            format!("no gateway runs with the data directory {}: name its process with --pid", data.display())
        })
    }
}

/// The data directory of a configuration.
fn data_dir(config: Option<PathBuf>, env: &Env) -> anyhow::Result<PathBuf> {
    let loader = Loader::new(config, env.clone());
    let (config, problems) = loader.config();
    let Some(config) = config else {
        problems.iter().for_each(|problem| say(&problem.to_string()));
        bail!("the configuration cannot be served; nothing was changed");
    };
    Ok(std::path::absolute(crate::data_dir::choose(&config, env))?)
}

/// One upgrade at a time, until this is dropped.
fn turn(data: &Path) -> anyhow::Result<File> {
    let path = data.join("upgrade.lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("{} cannot be opened", path.display()))?;
    if file.try_lock().is_err() {
        bail!("another `weir upgrade` is at work with this data directory");
    }
    Ok(file)
}

// --- Heir ---

impl Heir {
    async fn succeed(&mut self, sock: &Path, in_charge: &PidFile) -> anyhow::Result<()> {
        let (new, old) = (self.child.id(), self.pid);
        self.wait("before it could take over", || sock.exists()).await?;
        signal(old, Signal::SIGQUIT).context("the old process cannot be told")?;
        self.wait("before it served", || in_charge.holder() == Some(new)).await?;
        say(&format!("process {new} is serving; process {old} finishes its open requests and exits"));
        Ok(())
    }

    /// Waits for the new process to come as far as this.
    async fn wait(&mut self, when: &str, is_done: impl Fn() -> bool) -> anyhow::Result<()> {
        while !is_done() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the new process ended {when} ({status}); process {} serves on", self.pid);
            }
            if Instant::now() >= self.until {
                // It may have been about to: then it answers what it has begun.
                signal(self.child.id(), Signal::SIGTERM).context("the new process cannot be ended")?;
                bail!("the new process took too long {when}, and was ended; process {} serves on", self.pid);
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}

fn signal(pid: u32, signal: Signal) -> anyhow::Result<()> {
    Ok(kill(Pid::from_raw(i32::try_from(pid)?), signal)?)
}
