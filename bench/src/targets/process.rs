//! A process of ours: its output goes to a file, and it ends when its handle is dropped.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

const POLL: Duration = Duration::from_millis(20);
/// Lines of output that are shown when a process does not start.
const TAIL: usize = 20;

#[derive(Debug)]
pub(super) struct Process {
    name: String,
    child: Child,
    output: PathBuf,
    stop: Stop,
    patience: Patience,
}

/// How long a process may take to start and to end. What still runs then is killed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    start: Duration,
    stop: Duration,
}

/// How a process is ended.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    Term,
    Kill,
    /// A program that ends it, with its arguments.
    Run(PathBuf, Vec<String>),
}

// --- impl Patience ---

impl Patience {
    const USUAL: Patience = Patience { start: Duration::from_secs(30), stop: Duration::from_secs(5) };
    /// Of what runs within another program that counts what it does.
    pub(super) const WITHIN: Patience =
        Patience { start: Duration::from_secs(600), stop: Duration::from_secs(120) };
}

// --- impl Process ---

impl Process {
    pub(super) fn start(name: &str, mut command: Command, dir: &Path, stop: Stop) -> anyhow::Result<Process> {
        let output = dir.join(format!("{name}.log"));
        let file = File::create(&output)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        Ok(Process { name: name.to_owned(), child, output, stop, patience: Patience::USUAL })
    }

    pub(super) fn with_patience(mut self, patience: Patience) -> Process {
        self.patience = patience;
        self
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the process accepts connections.
    pub(super) async fn accepts(&mut self, addr: SocketAddr) -> anyhow::Result<()> {
        let deadline = self.deadline();
        while tokio::net::TcpStream::connect(addr).await.is_err() {
            self.still_starting(deadline).await?;
        }
        Ok(())
    }

    /// Waits for a line that begins with `before`, and reads the address after it.
    pub(super) async fn announced(&mut self, before: &str) -> anyhow::Result<SocketAddr> {
        let deadline = self.deadline();
        loop {
            let text = fs::read_to_string(&self.output).unwrap_or_default();
            // A line without its end is still being written.
            let complete = text.rfind('\n').map_or("", |end| &text[..end]);
            if let Some(rest) = complete.lines().find_map(|line| line.strip_prefix(before)) {
                return rest.trim().parse().with_context(|| format!("{}: address {rest:?}", self.name));
            }
            self.still_starting(deadline).await?;
        }
    }

    /// Rests between two looks; fails when there is no use in another.
    pub(super) async fn still_starting(&mut self, deadline: Instant) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended ({status}):\n{}", self.name, self.tail());
        }
        if Instant::now() > deadline {
            bail!("{} is not ready after {:?}:\n{}", self.name, self.patience.start, self.tail());
        }
        tokio::time::sleep(POLL).await;
        Ok(())
    }

    /// Until when it should be ready, if it was started now.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.patience.start
    }

    fn tail(&self) -> String {
        let text = fs::read(&self.output).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    fn ask_to_stop(&mut self) {
        let result = match &self.stop {
            Stop::Kill => self.child.kill(),
            // Through the program, as the standard library sends no signal but the last.
            Stop::Term => run("kill", &["-TERM".to_owned(), self.child.id().to_string()]),
            Stop::Run(program, arguments) => run(program, arguments),
        };
        if let Err(error) = result {
            tracing::debug!(process = %self.name, %error, "cannot ask it to stop");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a destructor cannot await; nothing is measured any more")]
    fn wait_for_end(&mut self) -> bool {
        let deadline = Instant::now() + self.patience.stop;
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return true;
            }
            std::thread::sleep(POLL);
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.ask_to_stop();
        if !self.wait_for_end() {
            tracing::warn!(process = %self.name, "does not stop, killed");
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[String]) -> std::io::Result<()> {
    Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().map(drop)
}
