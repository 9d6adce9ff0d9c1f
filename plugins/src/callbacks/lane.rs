//! What is told to one callback: in batches, again when it was not taken, and for as long as it takes. Other callbacks
//! do not notice.

use super::Callback;
use super::record::{Record, Told};
use super::sinks::{Buffers, Parcel, Refused};
use super::tally::Tally;
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use weir_core::metrics::Name;

pub(super) struct Lane {
    sender: mpsc::Sender<Arc<Record>>,
    /// Bytes of records that it has.
    waiting: Arc<AtomicUsize>,
    task: JoinHandle<()>,
    callback: Arc<Callback>,
    metrics: Arc<Metrics>,
    tally: Arc<Tally>,
}

/// The lane's own end.
struct Worker {
    receiver: mpsc::Receiver<Arc<Record>>,
    waiting: Arc<AtomicUsize>,
    callback: Arc<Callback>,
    metrics: Arc<Metrics>,
    tally: Arc<Tally>,
    /// What bodies are written into, as long as there is something to tell.
    buffers: Buffers,
}

/// What is to be sent again.
#[derive(Default)]
struct Again {
    parcels: Vec<Parcel>,
    why: String,
    /// Not before that.
    after: Duration,
}

/// A request, and what became of it.
type Sent = (Parcel, Result<(), Refused>);

/// Records that one lane has at most.
const PLACES: usize = 65_536;
/// Bytes of a batch, as records weigh.
const BATCH_BYTES: usize = 4 << 20;
/// A lane that has nothing to tell for so long gives back its memory.
const PAUSE: Duration = Duration::from_secs(1);
/// A lane that nobody needs for so long ends.
const IDLE: Duration = Duration::from_secs(60);
/// Requests of one batch at once.
const AT_ONCE: usize = 32;
/// How often a batch is sent, and how long the first wait is; each is twice the one before.
const TRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(250);

// --- Lane ---

impl Lane {
    pub(super) fn open(callback: Arc<Callback>, metrics: Arc<Metrics>, tally: Arc<Tally>) -> Self {
        let (sender, receiver) = mpsc::channel(PLACES);
        let waiting = Arc::<AtomicUsize>::default();
        tally.opened(&waiting);
        let worker = Worker {
            receiver,
            waiting: Arc::clone(&waiting),
            callback: Arc::clone(&callback),
            metrics: Arc::clone(&metrics),
            tally: Arc::clone(&tally),
            buffers: Buffers::default(),
        };
        Self { sender, waiting, task: tokio::spawn(worker.run()), callback, metrics, tally }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// `share`: bytes that it may have. What does not fit is dropped and counted. Answers whether the lane is still there.
    pub(super) fn give(&self, record: &Arc<Record>, share: usize) -> bool {
        let before = self.waiting.fetch_add(record.bytes, Ordering::Relaxed);
        let fits = before == 0 || before.saturating_add(record.bytes) <= share;
        if fits && self.sender.try_send(Arc::clone(record)).is_ok() {
            return true;
        }
        self.waiting.fetch_sub(record.bytes, Ordering::Relaxed);
        if self.is_closed() {
            return false;
        }
        self.metrics.count(Name::CallbacksDropped, &self.callback.name);
        self.tally.dropped(1);
        true
    }

    /// Tells what is left, and is over then.
    pub(super) fn end(self) -> impl Future<Output = ()> {
        let Self { sender, task, .. } = self;
        drop(sender);
        async move {
            // A panic of the lane's would be its own.
            let _ = task.await;
        }
    }
}

// --- Worker ---

impl Worker {
    async fn run(mut self) {
        while let Some(first) = self.first().await {
            let batch = self.batch(first).await;
            self.tell(&batch).await;
            let bytes: usize = batch.iter().map(|record| record.bytes).sum();
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// `None`: nobody needs the lane any more.
    async fn first(&mut self) -> Option<Arc<Record>> {
        if let Ok(first) = timeout(PAUSE, self.receiver.recv()).await {
            return first;
        }
        self.buffers = Buffers::default();
        if let Ok(first) = timeout(IDLE, self.receiver.recv()).await {
            return first;
        }
        // What came in the meantime is still told.
        self.receiver.close();
        self.receiver.recv().await
    }

    /// Waits for more as long as a batch may wait.
    async fn batch(&mut self, first: Arc<Record>) -> Vec<Arc<Record>> {
        let until = Instant::now() + self.callback.batch.wait;
        let mut bytes = first.bytes;
        let mut batch = vec![first];
        while batch.len() < self.callback.batch.most && bytes < BATCH_BYTES {
            // A clock is set only where there is something to wait for.
            let record = match self.receiver.try_recv() {
                Ok(record) => record,
                Err(_) => match timeout_at(until, self.receiver.recv()).await {
                    Ok(Some(record)) => record,
                    _ => break,
                },
            };
            bytes += record.bytes;
            batch.push(record);
        }
        batch
    }

    async fn tell(&mut self, batch: &[Arc<Record>]) {
        let mut parcels = self.written(batch).await;
        if parcels.is_empty() {
            return;
        }
        for attempt in 1..=TRIES {
            let Again { parcels: again, why, after } = self.send_all(parcels).await;
            if again.is_empty() {
                return;
            }
            tracing::debug!(callback = self.callback.name, attempt, "not told yet: {why}");
            if attempt == TRIES {
                return self.lost(again.iter().map(|parcel| parcel.records).sum(), &why);
            }
            sleep(after.max(FIRST_WAIT * 2_u32.pow(attempt - 1))).await;
            parcels = again;
        }
    }

    async fn written(&mut self, batch: &[Arc<Record>]) -> Vec<Parcel> {
        let mut told = Vec::with_capacity(batch.len());
        for record in batch {
            told.push(Told::of(record, self.callback.silent).await);
        }
        self.callback.sink.write(&told, &mut self.buffers)
    }

    async fn send_all(&mut self, parcels: Vec<Parcel>) -> Again {
        let mut failed = Vec::new();
        let mut under_way: JoinSet<Sent> = JoinSet::new();
        for parcel in parcels {
            if under_way.len() >= AT_ONCE
                && let Some(ended) = under_way.join_next().await
            {
                failed.extend(self.noted(ended));
            }
            let callback = Arc::clone(&self.callback);
            under_way.spawn(async move {
                let sent = callback.send(&parcel).await;
                (parcel, sent)
            });
        }
        while let Some(ended) = under_way.join_next().await {
            failed.extend(self.noted(ended));
        }
        let last = failed.last().map(|(_, refused)| refused.why.clone());
        let sorted = self.sorted(failed);
        match last {
            Some(why) => self.tally.failed(&why),
            None => self.tally.well(),
        }
        sorted
    }

    /// What was not taken. The memory of what was is free again.
    fn noted(&mut self, ended: Result<Sent, JoinError>) -> Option<(Parcel, Refused)> {
        match ended.ok()? {
            (parcel, Ok(())) => {
                self.tally.delivered(parcel.records);
                self.buffers.give(parcel.body);
                None
            }
            (parcel, Err(refused)) => Some((parcel, refused)),
        }
    }

    /// What is refused for good is lost at once.
    fn sorted(&self, failed: Vec<(Parcel, Refused)>) -> Again {
        let mut all = Again::default();
        for (parcel, refused) in failed {
            if refused.again {
                all.parcels.push(parcel);
                all.after = all.after.max(refused.after);
                all.why = refused.why;
            } else {
                let lost = refused.records.unwrap_or(parcel.records).min(parcel.records);
                self.lost(lost, &refused.why);
                self.tally.delivered(parcel.records - lost);
            }
        }
        all
    }

    fn lost(&self, records: usize, why: &str) {
        let name = &self.callback.name;
        tracing::warn!(callback = name, records, "not told: {why}");
        self.metrics.count(Name::CallbackFailures, name);
        self.tally.dropped(records);
        for _ in 0..records {
            self.metrics.count(Name::CallbacksDropped, name);
        }
    }
}
