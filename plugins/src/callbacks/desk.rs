//! The queue of what is to be told. Requests put down what they have and go; one task hands it on to a lane for each
//! callback.

use super::lane::Lane;
use super::record::{Finished, Record, What};
use super::select::To;
use super::Callback;
use crate::metrics::Metrics;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use weir_core::metrics::Name;
use weir_core::ports::AuditEntry;

/// One of a process.
pub struct Desk {
    sender: mpsc::Sender<Message>,
    receiver: Mutex<Option<mpsc::Receiver<Message>>>,
    held: Arc<AtomicUsize>,
    bound: usize,
    metrics: Arc<Metrics>,
}

enum Message {
    Tell(Arc<Record>, To),
    /// Tell what is left, and say when that is done.
    Close(oneshot::Sender<()>),
}

/// Room that a record takes, given back when nobody has it any more.
pub(super) struct Room {
    held: Arc<AtomicUsize>,
    bytes: usize,
}

/// Records that wait for the task that hands them on.
const PLACES: usize = 65_536;
/// Callbacks at once, those of keys and teams among them.
const MOST_LANES: usize = 1_024;

// --- Desk ---

impl Desk {
    /// `bound`: bytes that wait at most.
    pub fn new(bound: u64, metrics: Arc<Metrics>) -> Self {
        let (sender, receiver) = mpsc::channel(PLACES);
        Self {
            sender,
            receiver: Mutex::new(Some(receiver)),
            held: Arc::default(),
            bound: usize::try_from(bound).unwrap_or(usize::MAX),
            metrics,
        }
    }

    /// Never waits.
    pub fn tell(&self, finished: Finished, to: To) {
        self.put(What::Exchange(Box::new(finished)), to);
    }

    /// What admins changed. Never waits.
    pub fn tell_of_changes(&self, entries: &[AuditEntry], to: &[Arc<Callback>]) {
        if to.is_empty() {
            return;
        }
        entries.iter().for_each(|entry| self.put(What::Audit(Box::new(entry.clone())), To::from(to)));
    }

    fn put(&self, what: What, to: To) {
        let Some(room) = Room::take(&self.held, what.weight(), self.bound) else {
            return self.lost(&to);
        };
        let record = Arc::new(Record::new(what, room));
        if let Err(full) = self.sender.try_send(Message::Tell(record, to))
            && let Message::Tell(_, to) = full.into_inner()
        {
            self.lost(&to);
        }
    }

    fn lost(&self, to: &To) {
        to.iter().for_each(|callback| self.metrics.count(Name::CallbacksDropped, &callback.name));
    }

    /// Runs until it is closed. Once.
    pub async fn run(self: Arc<Self>) {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut receiver) = receiver else { return };
        let mut lanes = Lanes { open: HashMap::new(), bound: self.bound, metrics: Arc::clone(&self.metrics) };
        while let Some(message) = receiver.recv().await {
            match message {
                Message::Tell(record, to) => to.into_iter().for_each(|callback| lanes.give(&record, callback)),
                Message::Close(done) => {
                    lanes.close().await;
                    // Nobody may wait for it any more.
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    /// Tells what is left, for that long at most.
    pub async fn close(&self, within: Duration) {
        let (done, closed) = oneshot::channel();
        let closing = async {
            if self.sender.send(Message::Close(done)).await.is_ok() {
                let _ = closed.await;
            }
        };
        if tokio::time::timeout(within, closing).await.is_err() {
            tracing::warn!("callbacks were not told of everything before the end");
        }
    }
}

// --- Room ---

impl Room {
    /// `None`: there is none.
    pub(super) fn take(held: &Arc<AtomicUsize>, bytes: usize, bound: usize) -> Option<Self> {
        let room = Self { held: Arc::clone(held), bytes };
        // Given back where it does not fit.
        let before = held.fetch_add(bytes, Ordering::Relaxed);
        (before.saturating_add(bytes) <= bound).then_some(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

// --- lanes ---

/// By the address of the callback, which a lane keeps alive: after a reload there are others.
struct Lanes {
    open: HashMap<usize, Lane>,
    bound: usize,
    metrics: Arc<Metrics>,
}

impl Lanes {
    /// A lane that has its share is full, whatever room the others leave.
    fn give(&mut self, record: &Arc<Record>, callback: Arc<Callback>) {
        let key = Arc::as_ptr(&callback).addr();
        if self.open.get(&key).is_none_or(Lane::is_closed) {
            self.open.retain(|_, lane| !lane.is_closed());
            if self.open.len() >= MOST_LANES {
                return self.metrics.count(Name::CallbacksDropped, &callback.name);
            }
            self.open.insert(key, Lane::open(callback, Arc::clone(&self.metrics)));
        }
        let share = self.bound / (self.open.len() + 1);
        if let Some(lane) = self.open.get(&key) {
            lane.give(record, share);
        }
    }

    async fn close(&mut self) {
        let lanes: Vec<Lane> = self.open.drain().map(|(_, lane)| lane).collect();
        let ends: Vec<_> = lanes.into_iter().map(Lane::end).collect();
        for end in ends {
            end.await;
        }
    }
}
