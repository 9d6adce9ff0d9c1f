//! CPU time and memory of a process and all its descendants, from `/proc`.
//!
//! `/proc/PID/stat` holds user and system time of the whole process, ended threads included, but cut down to ticks of
//! 10 ms, each of the two. `/proc/PID/task/TID/schedstat` counts the same run time in nanoseconds, but a thread that has
//! ended takes its time with it. So the sum of the threads' nanoseconds is the figure, and the ticks are the check: when
//! they say more than their own grain can explain, a thread has ended in between and the ticks are used instead.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

/// `USER_HZ` is 100 on every architecture Linux runs on.
const TICK_NS: u64 = 10_000_000;

/// Counters of a process tree at one moment.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// Nanoseconds on a CPU by process and thread.
    threads: BTreeMap<(u32, u32), u64>,
    /// User and system time by process, nanoseconds in steps of a tick.
    ticks: BTreeMap<u32, u64>,
    /// Resident memory, all processes added, in KiB. Pages that they share count once each.
    pub rss_kib: u64,
    /// The highest the resident memory has been, in KiB.
    pub peak_kib: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Schedstat,
    Ticks,
}

/// CPU time between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    pub ns: u64,
    pub source: Source,
}

/// Reads the counters of `root` and everything below it; fails when `root` is gone.
pub fn usage(root: u32) -> io::Result<Usage> {
    let mut usage = Usage::default();
    for pid in tree(root)? {
        // A descendant may end while it is read; what it had is then part of neither reading.
        match usage.add(pid) {
            Err(error) if pid == root => return Err(error),
            _ => {}
        }
    }
    Ok(usage)
}

/// Sets the peak of resident memory back to what is resident now; not every system allows it.
pub fn reset_peak(root: u32) -> io::Result<()> {
    tree(root)?.into_iter().try_for_each(|pid| fs::write(format!("/proc/{pid}/clear_refs"), "5"))
}

// --- impl Usage ---

impl Usage {
    /// What was spent between the earlier reading and this one.
    pub fn since(&self, before: &Usage) -> Spent {
        let nanos = growth(&before.threads, &self.threads);
        let ticks = growth(&before.ticks, &self.ticks);
        // Two floors per reading, two readings.
        let grain = 2 * TICK_NS * self.ticks.len() as u64;
        if ticks > nanos + grain {
            return Spent { ns: ticks, source: Source::Ticks };
        }
        Spent { ns: nanos, source: Source::Schedstat }
    }

    fn add(&mut self, pid: u32) -> io::Result<()> {
        let dir = format!("/proc/{pid}");
        self.ticks.insert(pid, ticks(&fs::read_to_string(format!("{dir}/stat"))?) * TICK_NS);
        let status = fs::read_to_string(format!("{dir}/status"))?;
        self.rss_kib += kib(&status, "VmRSS:");
        self.peak_kib += kib(&status, "VmHWM:");
        for tid in numbers(Path::new(&format!("{dir}/task")))? {
            let text = fs::read_to_string(format!("{dir}/task/{tid}/schedstat")).unwrap_or_default();
            let on_cpu = text.split_ascii_whitespace().next().and_then(|field| field.parse().ok());
            self.threads.insert((pid, tid), on_cpu.unwrap_or(0));
        }
        Ok(())
    }
}

fn growth<K: Ord>(before: &BTreeMap<K, u64>, after: &BTreeMap<K, u64>) -> u64 {
    after.iter().map(|(key, now)| now.saturating_sub(before.get(key).copied().unwrap_or(0))).sum()
}

/// `root` and its descendants.
fn tree(root: u32) -> io::Result<Vec<u32>> {
    let parents: Vec<(u32, u32)> = numbers(Path::new("/proc"))?
        .into_iter()
        .filter_map(|pid| Some((pid, parent(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect();
    let mut found = vec![root];
    let mut at = 0;
    while at < found.len() {
        let here = found[at];
        found.extend(parents.iter().filter(|(pid, up)| *up == here && *pid != root).map(|(pid, _)| *pid));
        at += 1;
    }
    Ok(found)
}

/// Names in a folder that are numbers.
fn numbers(dir: &Path) -> io::Result<Vec<u32>> {
    let entries = fs::read_dir(dir)?.filter_map(Result::ok);
    Ok(entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// Field of `/proc/PID/stat`, counted as in proc(5), from 3. The name before them may hold spaces and brackets.
fn field(stat: &str, number: usize) -> Option<u64> {
    let rest = &stat[stat.rfind(')')? + 1..];
    rest.split_ascii_whitespace().nth(number - 3)?.parse().ok()
}

fn parent(stat: &str) -> Option<u32> {
    field(stat, 4).and_then(|pid| u32::try_from(pid).ok())
}

fn ticks(stat: &str) -> u64 {
    field(stat, 14).unwrap_or(0) + field(stat, 15).unwrap_or(0)
}

fn kib(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_name() {
        let stat = "42 (we)ir (x)) S 7 1 1 0 -1 4194560 1 2 3 4 55 66 0 0 20 0";
        assert_eq!((parent(stat), ticks(stat)), (Some(7), 121));
        assert_eq!(kib("VmHWM:\t  123 kB\nVmRSS:\t 45 kB\n", "VmRSS:"), 45);
    }

    #[test]
    fn time_of_ended_threads_comes_from_the_ticks() {
        let reading = |thread, ticks| Usage {
            threads: BTreeMap::from([((1, 1), thread)]),
            ticks: BTreeMap::from([(1, ticks * TICK_NS)]),
            ..Usage::default()
        };
        let before = reading(5, 10);
        let exact = reading(15_000_005, 12).since(&before);
        assert_eq!(exact, Spent { ns: 15_000_000, source: Source::Schedstat });
        let lost = reading(15_000_005, 40).since(&before);
        assert_eq!(lost, Spent { ns: 300_000_000, source: Source::Ticks });
    }

    #[test]
    fn own_work_is_seen() {
        let me = std::process::id();
        let before = usage(me).unwrap();
        let start = std::time::Instant::now();
        while start.elapsed() < std::time::Duration::from_millis(100) {
            std::hint::black_box(fs::read_dir("/proc").map(Iterator::count).unwrap_or(0));
        }
        let after = usage(me).unwrap();
        assert!(after.since(&before).ns > 0 && after.rss_kib > 0 && after.peak_kib >= after.rss_kib);
    }
}
