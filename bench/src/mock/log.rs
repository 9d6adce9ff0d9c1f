//! The counters of a mock server, its bounded log, and the two pages that show them over HTTP.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Method;
use serde_json::{Map, Value, json};

use super::json;
use super::reply::Reply;
use super::seen::Seen;

const DEFAULT_LIMIT: usize = 2000;
/// A second bound, because one body may have 64 MiB.
const MAX_LOGGED_BYTES: usize = 256 << 20;
/// How much of a body that is not JSON `/__log` shows.
const RAW_PREFIX: usize = 400;

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) seen: AtomicU64,
    pub(super) hangups: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) connections: AtomicU64,
}

/// The requests seen last, oldest first.
#[derive(Debug)]
pub(super) struct Log {
    entries: Mutex<Entries>,
}

#[derive(Debug)]
struct Entries {
    list: VecDeque<Seen>,
    bytes: usize,
    limit: usize,
}

// --- impl Log ---

impl Log {
    pub(super) fn new() -> Log {
        Log { entries: Mutex::new(Entries { list: VecDeque::new(), bytes: 0, limit: DEFAULT_LIMIT }) }
    }

    pub(super) fn set_limit(&self, limit: usize) {
        let mut entries = self.lock();
        entries.limit = limit;
        entries.shrink();
    }

    pub(super) fn push(&self, seen: &Seen) {
        let mut entries = self.lock();
        if entries.limit == 0 {
            return;
        }
        entries.bytes += seen.body.len();
        entries.list.push_back(seen.clone());
        entries.shrink();
    }

    pub(super) fn copy(&self) -> Vec<Seen> {
        self.lock().list.iter().cloned().collect()
    }

    pub(super) fn take(&self) -> Vec<Seen> {
        let mut entries = self.lock();
        entries.bytes = 0;
        std::mem::take(&mut entries.list).into()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        // A test that panics while it reads the log leaves the list itself whole.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// --- impl Entries ---

impl Entries {
    fn shrink(&mut self) {
        while self.list.len() > self.limit || self.bytes > MAX_LOGGED_BYTES {
            let Some(oldest) = self.list.pop_front() else { return };
            self.bytes -= oldest.body.len();
        }
    }
}

// --- pages ---

/// The answer to a path that steers the mock; none when the path is not one of these pages.
pub(super) fn page(seen: &Seen, log: &Log, counters: &Counters) -> Option<Reply> {
    match (&seen.method, seen.route()) {
        (&Method::GET, "/__log") => Some(log_page(&log.take())),
        (&Method::GET, "/__stats") => Some(stats_page(counters)),
        _ => None,
    }
}

fn log_page(entries: &[Seen]) -> Reply {
    let list: Vec<Value> = entries.iter().map(log_entry).collect();
    Reply::full(200, "application/json; charset=utf-8", json::spaced(&Value::Array(list)))
}

fn log_entry(seen: &Seen) -> Value {
    json!({
        "method": seen.method.as_str(),
        "path": seen.path,
        "headers": log_headers(seen),
        "body": log_body(seen),
    })
}

fn log_headers(seen: &Seen) -> Value {
    let mut headers = Map::new();
    for (name, value) in &seen.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str())
            .and_modify(|all| *all = format!("{}, {value}", all.as_str().unwrap_or_default()).into())
            .or_insert_with(|| value.as_ref().into());
    }
    headers.into()
}

fn log_body(seen: &Seen) -> Value {
    if seen.body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(&seen.body).unwrap_or_else(|_| {
        let prefix = &seen.body[..seen.body.len().min(RAW_PREFIX)];
        json!({"_raw_len": seen.body.len(), "_raw_prefix": String::from_utf8_lossy(prefix)})
    })
}

fn stats_page(counters: &Counters) -> Reply {
    let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
    let stats = json!({
        "seen": read(&counters.seen),
        "hangups": read(&counters.hangups),
        "open": read(&counters.open),
        "connections": read(&counters.connections),
    });
    Reply::json(200, &stats)
}
