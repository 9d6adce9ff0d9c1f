//! Where and when a report was made.

use std::fs;
use std::process::Command;

use serde::Serialize;
use weir_core::time;

#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_mib: u64,
    pub kernel: String,
    /// RFC 3339, UTC.
    pub date: String,
    /// Of the working directory; empty outside a checkout.
    pub commit: String,
    /// This program, and with it the mock and the bare Pingora, was built with optimisation; without, ratios mean
    /// nothing.
    pub optimised: bool,
}

// --- impl Machine ---

impl Machine {
    pub fn here() -> Machine {
        Machine {
            cpu: value("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: value("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0)
                / 1024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            date: time::now().rfc3339(),
            commit: commit(),
            optimised: !cfg!(debug_assertions),
        }
    }
}

/// The soft limit of open files of this process, which its children inherit.
pub fn open_files() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?
        .split_ascii_whitespace()
        .next()?
        .parse()
        .ok()
}

fn value(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':')).map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

fn commit() -> String {
    let out =
        Command::new("git").args(["rev-parse", "HEAD"]).output().ok().filter(|out| out.status.success());
    out.map_or_else(String::new, |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}
