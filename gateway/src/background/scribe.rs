//! Keeps what was said, behind the requests: they never wait for it, and what there is no room for is dropped.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use weir_core::metrics::Name;
use weir_core::ports::SpendStore;
use weir_plugins::metrics::Metrics;
use weir_plugins::said::{Heard, Scribe};

/// Bytes that wait at most.
const ROOM: usize = 64 << 20;
/// Exchanges that wait at most.
const PLACES: usize = 4_096;
/// In one transaction.
const BATCH: usize = 64;
const TRIES: u32 = 5;
const WAIT: Duration = Duration::from_secs(1);

/// What waits to be kept.
pub struct Queue {
    sender: mpsc::Sender<Heard>,
    receiver: Mutex<Option<mpsc::Receiver<Heard>>>,
    waiting: AtomicUsize,
    dropped: AtomicU64,
    longest: usize,
}

impl Queue {
    /// `longest`: bytes of one text.
    pub fn new(longest: usize) -> Self {
        let (sender, receiver) = mpsc::channel(PLACES);
        let receiver = Mutex::new(Some(receiver));
        Self { sender, receiver, waiting: AtomicUsize::new(0), dropped: AtomicU64::new(0), longest }
    }

    /// Runs for the life of the process.
    pub async fn run(self: Arc<Self>, store: Arc<dyn SpendStore>, metrics: Arc<Metrics>) {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut receiver) = receiver else { return };
        let mut batch = Vec::with_capacity(BATCH);
        while receiver.recv_many(&mut batch, BATCH).await > 0 {
            let bytes: usize = batch.iter().map(Heard::len).sum();
            let mut said = Vec::with_capacity(batch.len());
            for heard in batch.drain(..) {
                said.push(heard.told(self.longest).await);
            }
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
            if !keep(store.as_ref(), &said).await {
                said.iter().for_each(|_| metrics.count(Name::SaidDropped, "ledger"));
            }
            for _ in 0..self.dropped.swap(0, Ordering::Relaxed) {
                metrics.count(Name::SaidDropped, "queue");
            }
        }
    }
}

impl Scribe for Queue {
    fn take(&self, heard: Heard) {
        let bytes = heard.len();
        let fits = self.waiting.fetch_add(bytes, Ordering::Relaxed) + bytes <= ROOM;
        if !fits || self.sender.try_send(heard).is_err() {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// With patience for a ledger that is away for a moment: entries wait in the journal, this does not.
async fn keep(store: &dyn SpendStore, said: &[weir_core::domain::spend::Said]) -> bool {
    for _ in 0..TRIES {
        match store.keep_said(said).await {
            Ok(()) => return true,
            Err(error) => tracing::debug!("what was said is not kept yet: {error}"),
        }
        tokio::time::sleep(WAIT).await;
    }
    tracing::warn!(
        exchanges = said.len(),
        "the ledger is not accepting prompts and answers: they are not kept"
    );
    false
}
