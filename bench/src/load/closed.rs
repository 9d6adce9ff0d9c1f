//! Closed loop: each connection sends its next request when the answer to the one before is complete.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Client, Plan, Stats};

/// Ends at whichever bound comes first.
#[derive(Debug, Clone, Copy)]
pub struct Closed {
    pub connections: usize,
    pub requests: u64,
    pub time: Duration,
}

struct Shared {
    plans: Arc<[Plan]>,
    stats: RefCell<Stats>,
    next: Cell<u64>,
    requests: u64,
    until: Instant,
}

/// Must run on a [`super::driver`]. The plans are sent in turn.
pub async fn run(plans: Arc<[Plan]>, closed: Closed) -> Stats {
    let start = Instant::now();
    let shared = Rc::new(Shared {
        plans,
        stats: RefCell::default(),
        next: Cell::new(0),
        requests: closed.requests,
        until: start + closed.time,
    });
    let mut loops = JoinSet::new();
    for _ in 0..closed.connections {
        loops.spawn_local(connection(Rc::clone(&shared)));
    }
    while loops.join_next().await.is_some() {}
    let mut stats = shared.stats.take();
    stats.elapsed = start.elapsed();
    stats
}

async fn connection(shared: Rc<Shared>) {
    let mut client = Client::new();
    while let Some(plan) = shared.take() {
        let from = Instant::now();
        let result = client.exchange(plan).await;
        shared.stats.borrow_mut().book(from, result);
    }
    shared.stats.borrow_mut().connects += client.connects();
}

// --- impl Shared ---

impl Shared {
    fn take(&self) -> Option<&Plan> {
        let number = self.next.get();
        if number >= self.requests || Instant::now() >= self.until || self.plans.is_empty() {
            return None;
        }
        self.next.set(number + 1);
        self.plans.get(number as usize % self.plans.len())
    }
}
