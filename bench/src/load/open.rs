//! Open loop: requests are due at a constant rate whatever the answers do.
//!
//! Latency counts from the moment a request was due, so that a stalled target is charged for every request it kept
//! waiting (no coordinated omission). A thread of its own keeps the beat: tokio's timer has a grain of a millisecond.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Client, Plan, Stats};

/// Beats that may wait for the driver before they count as overruns.
const BEATS: usize = 4096;

#[derive(Debug, Clone, Copy)]
pub struct Open {
    /// Requests per second.
    pub rate: f64,
    pub time: Duration,
    /// Requests under way at once; what is due beyond that is not sent but counted as an overrun.
    pub outstanding: usize,
}

struct Shared {
    plans: Arc<[Plan]>,
    stats: RefCell<Stats>,
    /// Last in, first out, so that no more connections are used than needed.
    idle: RefCell<Vec<Client>>,
    next: Cell<usize>,
}

/// Must run on a [`super::driver`]. The plans are sent in turn.
pub async fn run(plans: Arc<[Plan]>, open: Open) -> Stats {
    let shared =
        Rc::new(Shared { plans, stats: RefCell::default(), idle: RefCell::default(), next: Cell::new(0) });
    let (start, missed) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut beats = match metronome(open, start, Arc::clone(&missed)) {
        Ok(beats) => beats,
        Err(error) => return no_thread(&error),
    };
    let mut under_way = JoinSet::new();
    while let Some(due) = beats.recv().await {
        // Reaps what has ended, so that the set's length is what is under way.
        while under_way.try_join_next().is_some() {}
        if under_way.len() >= open.outstanding || shared.plans.is_empty() {
            shared.stats.borrow_mut().overruns += 1;
        } else {
            under_way.spawn_local(one(Rc::clone(&shared), due));
        }
    }
    while under_way.join_next().await.is_some() {}
    shared.finish(start, missed.load(Ordering::SeqCst))
}

async fn one(shared: Rc<Shared>, due: Instant) {
    let number = shared.next.get();
    shared.next.set(number + 1);
    let mut client = shared.idle.borrow_mut().pop().unwrap_or_default();
    let result = client.exchange(&shared.plans[number % shared.plans.len()]).await;
    shared.stats.borrow_mut().book(due, result);
    shared.idle.borrow_mut().push(client);
}

// --- impl Shared ---

impl Shared {
    fn finish(&self, start: Instant, missed: u64) -> Stats {
        let mut stats = self.stats.take();
        stats.overruns += missed;
        stats.connects = self.idle.borrow().iter().map(Client::connects).sum();
        stats.elapsed = start.elapsed();
        stats
    }
}

/// Sends the moment at which each request is due, not before it. A beat that finds the queue full is missed.
fn metronome(open: Open, start: Instant, missed: Arc<AtomicU64>) -> std::io::Result<mpsc::Receiver<Instant>> {
    let (beat, beats) = mpsc::channel(BEATS);
    let count = (open.rate * open.time.as_secs_f64()) as u64;
    thread::Builder::new().name("metronome".to_owned()).spawn(move || {
        for number in 0..count {
            let due = start + Duration::from_secs_f64(number as f64 / open.rate);
            sleep_until(due);
            match beat.try_send(due) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => drop(missed.fetch_add(1, Ordering::SeqCst)),
                Err(mpsc::error::TrySendError::Closed(_)) => return,
            }
        }
    })?;
    Ok(beats)
}

#[expect(clippy::disallowed_methods, reason = "a thread that does nothing but wait")]
fn sleep_until(due: Instant) {
    let wait = due.saturating_duration_since(Instant::now());
    if !wait.is_zero() {
        thread::sleep(wait);
    }
}

fn no_thread(error: &std::io::Error) -> Stats {
    tracing::error!(%error, "the open loop has no thread to keep its rate");
    let mut stats = Stats::default();
    stats.errors.insert("no_thread".to_owned(), 1);
    stats
}
