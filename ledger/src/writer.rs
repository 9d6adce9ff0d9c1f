//! From the journal into the ledger: small batches while all is well, patience while the ledger is away.

use crate::journal::{FileJournal, Reader, orphans, replay};
use crate::leases::LeaseBook;
use crate::spend::write::{Counts, write};
use crate::store::Ledger;
use crate::sweep::Swept;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use weir_core::config::KeepingSettings;
use weir_core::domain::period::TimeZone;
use weir_core::domain::spend::Entry;
use weir_core::ports::meter::WRITE;
use weir_core::ports::{LedgerHealth, LedgerResult, LedgerState, ResponseStore};
use weir_core::time::Micros;

/// How often and how much.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    pub interval: Duration,
    /// Entries per transaction.
    pub batch: usize,
    pub data_dir: PathBuf,
    /// How long nobody may have heard of a process before what it holds of budgets is given to others. Longer than the
    /// longest exchange.
    pub reclaim: Duration,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(500),
            batch: 4_096,
            data_dir: PathBuf::from("data"),
            reclaim: RECLAIM,
        }
    }
}

/// Carries entries into the ledger. One per process.
pub struct Writer {
    ledger: Ledger,
    journal: Arc<FileJournal>,
    leases: Arc<LeaseBook>,
    options: WriterOptions,
    /// As the operator had it last.
    keeping: RwLock<KeepingSettings>,
    /// Held while a batch is under way.
    reader: Mutex<Reader>,
}

const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Half of what may pass between the ledger coming back and everything being booked.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const PROBE: Duration = Duration::from_secs(1);
const RENEWAL: Duration = Duration::from_secs(10);
const RECLAIM: Duration = Duration::from_secs(3_600);
/// Microseconds for which the accounts of a period are kept after its end.
const PERIODS_KEPT: i64 = 90 * 86_400 * 1_000_000;
/// Between two rounds of housekeeping.
const HOUSEKEEPING: Duration = Duration::from_secs(3_600);

impl Writer {
    pub fn new(
        ledger: Ledger,
        journal: Arc<FileJournal>,
        leases: Arc<LeaseBook>,
        options: WriterOptions,
    ) -> Self {
        let (keeping, reader) = (RwLock::default(), Mutex::new(Reader::default()));
        Self { ledger, journal, leases, options, keeping, reader }
    }

    /// Runs for the life of the process: first what dead processes left, then what this one writes. `keeping`: what is
    /// kept, as the configuration has it at that moment, and where midnights are.
    pub async fn run(&self, keeping: impl Fn() -> (KeepingSettings, TimeZone) + Send + Sync) {
        // Side by side: slices must be renewed however long booking takes.
        tokio::join!(self.book(keeping), self.keep_slices());
    }

    fn keep_to(&self, settings: &KeepingSettings) {
        self.keeping.write().unwrap_or_else(PoisonError::into_inner).clone_from(settings);
    }

    fn keeping(&self) -> KeepingSettings {
        self.keeping.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn keep_slices(&self) {
        loop {
            self.renew().await;
            tokio::time::sleep(RENEWAL).await;
        }
    }

    async fn book(&self, keeping: impl Fn() -> (KeepingSettings, TimeZone) + Send + Sync) {
        self.keep_to(&keeping().0);
        self.adopt().await;
        self.keep_house().await;
        let (mut probed, mut kept, mut swept) = (Instant::now(), Instant::now(), Swept::never());
        loop {
            tokio::time::sleep(self.options.interval).await;
            let (settings, zone) = keeping();
            self.keep_to(&settings);
            self.drain().await;
            if probed.elapsed() > PROBE {
                probed = Instant::now();
                self.ledger.probe().await;
            }
            if kept.elapsed() > HOUSEKEEPING {
                kept = Instant::now();
                self.keep_house().await;
            }
            if swept.is_due(settings.sweep, &zone)
                && let Some(longest) = settings.retention
            {
                self.forget(longest).await;
            }
        }
    }

    /// Keeps the slices of budgets, and frees those of processes that are gone. While the ledger is away nobody can.
    async fn renew(&self) {
        let renewed = self.leases.renew().await;
        match self.leases.reclaim(self.options.reclaim).await {
            Ok(0) => {}
            Ok(dead) => tracing::info!(dead, "budgets have back what processes that are gone had held"),
            Err(error) => tracing::debug!("{error}"),
        }
        if let Err(error) = renewed {
            tracing::debug!("slices of budgets are not renewed: {error}");
        }
    }

    /// Makes room for what comes, and deletes what has expired. What fails is tried again the next time.
    async fn keep_house(&self) {
        // Told by itself; entries go to the default partition meanwhile.
        let _ = self.ledger.partitions().await;
        match self.ledger.expire_responses(weir_core::time::now()).await {
            Ok(0) => {}
            Ok(expired) => tracing::info!(expired, "expired responses were deleted"),
            Err(error) => tracing::warn!("expired responses could not be deleted: {error}"),
        }
        // Entries of a period may be booked late, but hardly by months.
        let over = Micros(weir_core::time::now().0.saturating_sub(PERIODS_KEPT));
        if let Err(error) = self.ledger.forget_periods(over).await {
            tracing::debug!("accounts of periods that are over stay: {error}");
        }
        if let Err(error) = self.ledger.forget_told(over).await {
            tracing::debug!("notes of alerts that are over stay: {error}");
        }
    }

    /// Deletes entries that are older than they are to be kept.
    async fn forget(&self, kept: Duration) {
        let kept = i64::try_from(kept.as_micros()).unwrap_or(i64::MAX);
        let before = Micros(weir_core::time::now().0.saturating_sub(kept));
        match self.ledger.forget_entries(before).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "entries past their retention were deleted"),
            Err(error) => tracing::warn!("old entries could not be deleted: {error}"),
        }
    }

    /// Books the journals of dead processes. A folder is removed only when everything in it is in the ledger.
    async fn adopt(&self) {
        for orphan in orphans(&self.options.data_dir) {
            let mut left = replay(&orphan);
            self.leave_out(&mut left.entries);
            tracing::info!(entries = left.entries.len(), "adopting the journal of a process that is gone");
            for batch in left.entries.chunks(self.options.batch.max(1)) {
                // Its slices of budgets are its own.
                self.insist(batch, None).await;
            }
            if let Err(error) = self.leases.free(&orphan.name()).await {
                tracing::warn!("what it held of budgets comes back later: {error}");
            }
            if left.foreign == 0 {
                orphan.remove();
                continue;
            }
            // After a step back to this version: the later one books the rest. What was booked now is not booked again.
            tracing::error!(
                records = left.foreign,
                "a later version left a journal that this one cannot read whole"
            );
        }
    }

    /// Books everything that is in the journal now. Whoever breaks it off loses nothing: the next one goes on.
    async fn drain(&self) {
        loop {
            let mut reader = self.reader.lock().await;
            let keeping = self.keeping();
            let keeps = |entry: &Entry| !keeping.leaves_out(entry.status, entry.cost);
            let taken = reader.take(&self.journal, self.options.batch, &keeps);
            if !taken.entries.is_empty() {
                self.journal.is_booking(taken.entries.iter().map(|entry| entry.ended_at).min());
                self.insist(&taken.entries, Some(&self.leases)).await;
                self.journal.is_booking(None);
            }
            self.journal.waiting.fetch_sub(taken.ended, Ordering::Relaxed);
            if !reader.clean(&self.journal) {
                return;
            }
        }
    }

    /// Takes away what the operator does not keep.
    fn leave_out(&self, entries: &mut Vec<Entry>) {
        let keeping = self.keeping();
        if keeping.without_failures {
            entries.retain(|entry| !keeping.leaves_out(entry.status, entry.cost));
        }
    }

    /// Tries until the ledger has them. Entries that it refuses for what they are do not hold up the others.
    async fn insist(&self, entries: &[Entry], leases: Option<&LeaseBook>) {
        let mut wait = FIRST_WAIT;
        while let Err(error) = self.write(entries, leases).await {
            if self.ledger.state() == LedgerState::Connected {
                tracing::error!("a batch was refused, trying its entries one by one: {error}");
                return self.one_by_one(entries, leases).await;
            }
            tracing::warn!(waiting = entries.len(), "the ledger is not accepting entries: {error}");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn one_by_one(&self, entries: &[Entry], leases: Option<&LeaseBook>) {
        for entry in entries {
            let mut wait = FIRST_WAIT;
            while let Err(error) = self.write(std::slice::from_ref(entry), leases).await {
                if self.ledger.state() == LedgerState::Connected {
                    tracing::error!(id = %entry.id, ?entry, "an entry cannot be booked: {error}");
                    break;
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }

    async fn write(&self, entries: &[Entry], leases: Option<&LeaseBook>) -> LedgerResult<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let writing = write(&self.ledger, entries, Counts::by(&self.keeping()), leases);
        self.ledger.timed(WRITE, writing).await.map(drop)
    }

    /// Waits until everything journalled so far is in the ledger, at most `limit`. Answers whether it is.
    pub async fn flush(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.drain()).await.is_ok()
    }

    /// The last act of a process: flushes, then removes the empty journal.
    pub async fn close(&self, limit: Duration) {
        if self.flush(limit).await {
            if let Err(error) = self.leases.close().await {
                tracing::warn!("what was held of budgets comes back later: {error}");
            }
            self.journal.close();
        } else {
            tracing::warn!("the ledger is away; the journal stays for the next process");
        }
    }
}
