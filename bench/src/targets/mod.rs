//! Who is asked: the mock itself, nginx, a bare Pingora, two Weirs, and whatever the operator names.
//!
//! `process.rs` starts and stops a process, `nginx.rs`, `pingora.rs` and `weir.rs` each know one kind, `policy.rs` sets
//! every budget and limit of a Weir, `control.rs` is the few requests the harness makes for itself. A [`Fleet`] is the
//! mock and everything in front of it.

pub mod control;
mod external;
mod nginx;
mod pingora;
mod policy;
mod process;
mod weir;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use tempfile::TempDir;

pub use external::External;
pub(crate) use policy::body as body_for_everything;
use process::{Process, Stop};
pub use weir::{Caller, MASTER_KEY, READINESS, Shape};
pub(crate) use weir::{DEAR, DEAR_INPUT, DEAR_OUTPUT, generate_key, make_key};

use crate::cases::{Case, PATH};
use crate::cpu::{self, Usage};
use crate::load::{Expect, Plan};

/// One thing that requests go to.
#[derive(Debug)]
pub struct Target {
    pub name: String,
    pub addr: SocketAddr,
    /// What stands before the path of every request, without a slash at the end.
    pub prefix: String,
    /// Root of the process tree that is measured; none when the operator named no PID.
    pub pid: Option<u32>,
    pub key: String,
    /// A Weir of ours: its master key and its readiness page can be used.
    pub weir: bool,
    /// Where its probes have a listener of their own.
    pub probes: Option<SocketAddr>,
    _process: Option<Process>,
}

/// What the operator asked for with `--target`.
#[derive(Debug, Clone)]
pub enum Wanted {
    Known(Kind),
    External(External),
}

/// The targets that the harness starts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Direct,
    Nginx,
    Pingora,
    WeirPlain,
    WeirGoverned,
}

pub const KINDS: &[(&str, Kind)] = &[
    ("direct", Kind::Direct),
    ("nginx", Kind::Nginx),
    ("pingora", Kind::Pingora),
    ("weir-plain", Kind::WeirPlain),
    ("weir-governed", Kind::WeirGoverned),
];

/// How processes are started.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The binary of the gateway.
    pub weir: PathBuf,
    /// This program, for the mock and the bare Pingora.
    pub own: PathBuf,
    pub nginx: PathBuf,
    /// Address of the mock; port 0 for a free one.
    pub mock: SocketAddr,
    /// Ledger of the governed Weir; none for its embedded one.
    pub database_url: Option<String>,
    /// Where temporary folders are made: logs, configuration, data.
    pub temporary: PathBuf,
    /// Models in a Weir's configuration beside the one that is asked for.
    pub more_models: usize,
    /// Models that are asked for beside the usual one, of those that `weir.rs` knows.
    pub models: Vec<&'static str>,
}

/// What the mock process does.
#[derive(Debug, Clone)]
pub enum Mock {
    /// Obeys [`Fleet::switch`].
    Canned,
    /// Every answer a stream with times, see `stamped.rs`.
    Stamped { chunks: usize, pace_us: u64 },
    /// Keeps to `max_tokens`, see `mock/obedient.rs`.
    Obedient { pace_us: u64 },
}

/// The mock and the targets before it. Dropping it ends every process.
pub struct Fleet {
    // Dropped in this order: who asks, then who answers, then the folder with their files.
    pub targets: Vec<Arc<Target>>,
    mock: SocketAddr,
    mock_pid: u32,
    _mock: Process,
    dir: TempDir,
}

// --- impl Fleet ---

impl Fleet {
    /// Starts the mock, then the targets, and waits until each answers.
    pub async fn start(setup: &Setup, wanted: &[Wanted], mock: &Mock) -> anyhow::Result<Fleet> {
        let dir = tempfile::Builder::new().prefix("weir-bench-").tempdir_in(&setup.temporary)?;
        let (process, addr) = start_mock(setup, mock, dir.path()).await?;
        let pid = process.pid();
        let mut fleet = Fleet { targets: Vec::new(), mock: addr, mock_pid: pid, _mock: process, dir };
        for wanted in wanted {
            let target =
                fleet.start_one(setup, wanted).await.with_context(|| format!("target {}", wanted.name()))?;
            tracing::info!(target = %target.name, addr = %target.addr, pid = target.pid, "ready");
            fleet.targets.push(Arc::new(target));
        }
        Ok(fleet)
    }

    async fn start_one(&self, setup: &Setup, wanted: &Wanted) -> anyhow::Result<Target> {
        let kind = match wanted {
            Wanted::External(external) => return external.resolve().await,
            Wanted::Known(kind) => *kind,
        };
        let (dir, mock) = (self.dir.path(), self.mock);
        match kind {
            Kind::Direct => Ok(Target::new("direct", mock, Some(self.mock_pid), None)),
            Kind::Nginx => nginx::start(setup, mock, dir).await,
            Kind::Pingora => pingora::start(setup, mock, dir).await,
            Kind::WeirPlain => weir::start(setup, &Shape::plain(kind.name()), mock, dir).await,
            Kind::WeirGoverned => weir::start(setup, &Shape::governed(kind.name(), setup), mock, dir).await,
        }
    }

    /// Starts one more Weir.
    pub async fn add(&mut self, setup: &Setup, shape: &Shape) -> anyhow::Result<()> {
        let started = weir::start(setup, shape, self.mock, self.dir.path()).await;
        self.targets.push(Arc::new(started.with_context(|| format!("target {}", shape.name))?));
        Ok(())
    }

    /// Ends a target's process, as soon as nobody else has it in hand; one with [`Shape::within`] in peace, any other Weir
    /// by SIGKILL. Its data stay: a Weir of the same name begins with them.
    pub fn end(&mut self, name: &str) {
        self.targets.retain(|target| target.name != name);
    }

    /// Where processes keep their files; gone with the fleet.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What the mock's webhook was told, see `sink.rs`: posts, and records in them.
    pub async fn told(&self) -> anyhow::Result<(u64, u64)> {
        let (_, body) = control::get(self.mock, crate::sink::PATH, "").await?;
        let counts: serde_json::Value = serde_json::from_slice(&body)?;
        let count = |name: &str| counts[name].as_u64().context("the mock has no webhook");
        Ok((count("posts")?, count("records")?))
    }

    /// Puts options of the mock in force (`pairs` as `switch.rs` takes them).
    pub async fn switch(&self, pairs: &str) -> anyhow::Result<()> {
        let path = if pairs.is_empty() {
            crate::switch::PATH.to_owned()
        } else {
            format!("{}?{pairs}", crate::switch::PATH)
        };
        let (status, body) = control::get(self.mock, &path, "").await?;
        if status != 200 {
            bail!("the mock refuses {pairs:?}: {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }

    pub fn find(&self, name: &str) -> Option<Arc<Target>> {
        self.targets.iter().find(|target| target.name == name).cloned()
    }
}

// --- impl Target ---

impl Target {
    fn new(name: &str, addr: SocketAddr, pid: Option<u32>, process: Option<Process>) -> Target {
        Target {
            name: name.to_owned(),
            addr,
            prefix: String::new(),
            pid,
            key: "sk-none".to_owned(),
            weir: false,
            probes: None,
            _process: process,
        }
    }

    /// A chat request with this target's key.
    pub fn plan(&self, body: &Bytes, expect: Expect) -> Plan {
        self.plan_with(&self.key, body, expect)
    }

    pub fn plan_with(&self, key: &str, body: &Bytes, expect: Expect) -> Plan {
        Plan::post(self.addr, &format!("{}{PATH}", self.prefix), key, body, expect)
    }

    /// The request of a case, in the API it speaks.
    pub fn plan_of(&self, case: &Case) -> Plan {
        let path = format!("{}{}", self.prefix, case.api.path());
        Plan::post(self.addr, &path, &self.key, &case.request(), case.expect())
    }

    /// CPU time and memory now; none without a PID or when the process has gone.
    pub fn usage(&self) -> Option<Usage> {
        cpu::usage(self.pid?).ok()
    }
}

// --- impl Mock ---

impl Mock {
    /// For `weir-bench mock`.
    fn arguments(&self) -> Vec<String> {
        let words = match self {
            Mock::Canned => String::from("--dialect canned"),
            Mock::Stamped { chunks, pace_us } => {
                format!("--dialect stamped --chunks {chunks} --pace {pace_us}us")
            }
            Mock::Obedient { pace_us } => format!("--dialect obedient --pace {pace_us}us"),
        };
        words.split(' ').map(str::to_owned).collect()
    }
}

// --- impl Wanted ---

impl Wanted {
    pub fn name(&self) -> &str {
        match self {
            Wanted::External(external) => &external.name,
            Wanted::Known(kind) => kind.name(),
        }
    }

    /// One `--target`: a known name, several with commas between them, or `name=URL[,pid=PID][,key=KEY]`.
    pub fn parse(text: &str) -> anyhow::Result<Vec<Wanted>> {
        if text.contains('=') {
            return Ok(vec![Wanted::External(External::parse(text)?)]);
        }
        text.split(',').map(|name| Kind::parse(name).map(Wanted::Known)).collect()
    }
}

// --- impl Kind ---

impl Kind {
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    fn parse(text: &str) -> anyhow::Result<Kind> {
        let known = KINDS.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind);
        known.with_context(|| {
            let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
            format!("no target {text:?}; known are {}, and name=URL[,pid=PID][,key=KEY]", names.join(", "))
        })
    }
}

async fn start_mock(setup: &Setup, mock: &Mock, dir: &Path) -> anyhow::Result<(Process, SocketAddr)> {
    let mut command = std::process::Command::new(&setup.own);
    command.args(["mock", "--listen", &setup.mock.to_string()]).args(mock.arguments());
    let mut process = Process::start("mock", command, dir, Stop::Term)?;
    let addr = process.announced("mock listening on http://").await?;
    Ok((process, addr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_named_or_described() {
        let names = |text: &str| -> Vec<String> {
            Wanted::parse(text).unwrap().iter().map(|wanted| wanted.name().to_owned()).collect()
        };
        for (name, _) in KINDS {
            assert_eq!(names(name), [*name]);
        }
        assert_eq!(names("direct,nginx"), ["direct", "nginx"]);
        assert_eq!(names("mine=http://127.0.0.1:9/base,pid=7,key=sk-1"), ["mine"]);
        for wrong in ["", "apache", "direct,", "mine=ftp://x", "mine=http://127.0.0.1:9,pid=x", "=http://x"] {
            assert!(Wanted::parse(wrong).is_err(), "{wrong}");
        }
    }
}
