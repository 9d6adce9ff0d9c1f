//! The folder of one process, and the folders of dead ones.

use super::frame::{self, Kind};
use super::layout;
use super::mark::Mark;
use super::shard::{Segment, Shard};
use super::spares::Spares;
use fs4::FileExt;
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use weir_core::domain::ids::EntryId;
use weir_core::domain::spend::Entry;
use weir_core::ports::{Journal, JournalFull};
use weir_core::time::{self, Micros};

/// Bounds of a journal.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// Bytes of all segments of this instance. Beyond it nothing new is begun.
    pub max_bytes: u64,
    /// A segment is closed when it has grown to this.
    pub segment_bytes: u64,
    pub shards: usize,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { max_bytes: 1 << 30, segment_bytes: 2 << 20, shards: 4 }
    }
}

/// What the journal holds right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalStats {
    pub bytes: u64,
    /// Exchanges begun and not ended.
    pub open: u64,
    /// Ended entries that are not in the ledger yet.
    pub waiting: u64,
    /// Records that the file system did not take.
    pub failed_writes: u64,
    /// Bytes at which nothing new is begun.
    pub max_bytes: u64,
    /// When the oldest of the entries ended that the ledger is being asked to take; `None`: it is asked nothing.
    pub oldest: Option<Micros>,
}

impl JournalStats {
    /// How long ago the oldest entry ended that the ledger is being asked to take; nothing while it is asked for nothing.
    pub fn lag(&self) -> Duration {
        let waits = self.oldest.map_or(0, |oldest| time::now().since(oldest));
        Duration::from_micros(waits.unsigned_abs())
    }
}

/// The journal of this process.
pub struct FileJournal {
    options: JournalOptions,
    folder: PathBuf,
    shards: Vec<Mutex<Shard>>,
    segments: Mutex<Vec<Segment>>,
    spares: Arc<Spares>,
    bytes: AtomicU64,
    reserved: AtomicU64,
    pub(crate) waiting: AtomicU64,
    failed: AtomicU64,
    /// Microseconds; 0 for none.
    oldest: AtomicI64,
    /// Held as long as this process lives; the kernel gives it up when it dies.
    _lock: File,
}

/// A folder whose process is dead, locked by us.
pub(crate) struct Orphan {
    pub folder: PathBuf,
    _lock: File,
}

/// An `end` is rarely larger than this; what is set aside for it when an exchange begins.
const END_ROOM: u64 = 4 * 1024;

const LOCK: &str = "lock";

pub(super) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

// --- FileJournal ---

impl FileJournal {
    /// Makes a folder of its own below `data_dir/journal`.
    pub fn open(data_dir: &Path, options: JournalOptions) -> std::io::Result<Self> {
        let folder = data_dir.join("journal").join(uuid::Uuid::now_v7().to_string());
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let lock = File::create_new(folder.join(LOCK))?;
        FileExt::try_lock(&lock)?;
        let spares = Arc::new(Spares::new(options.segment_bytes));
        let shard = |number| Mutex::new(Shard::new(&folder, number, options.segment_bytes, &spares));
        Ok(Self {
            shards: (0..options.shards.clamp(1, 64)).map(shard).collect(),
            segments: Mutex::new(Vec::new()),
            bytes: AtomicU64::new(0),
            reserved: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            oldest: AtomicI64::new(0),
            spares,
            folder,
            options,
            _lock: lock,
        })
    }

    /// A name that no other process has.
    pub fn name(&self) -> String {
        name(&self.folder)
    }

    pub fn stats(&self) -> JournalStats {
        JournalStats {
            bytes: self.bytes.load(Ordering::Relaxed),
            open: self.shards.iter().map(|shard| guard(shard).begun.len() as u64).sum(),
            waiting: self.waiting.load(Ordering::Relaxed),
            failed_writes: self.failed.load(Ordering::Relaxed),
            max_bytes: self.options.max_bytes,
            oldest: Some(Micros(self.oldest.load(Ordering::Relaxed))).filter(|at| at.0 > 0),
        }
    }

    /// The ledger is asked to take entries, the oldest of which ended then; or it has.
    pub(crate) fn is_booking(&self, oldest: Option<Micros>) {
        self.oldest.store(oldest.unwrap_or_default().0, Ordering::Relaxed);
    }

    /// All segments that have not been dropped, oldest first within each shard.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        guard(&self.segments).clone()
    }

    /// Forgets a segment whose records are all booked.
    pub(crate) fn drop_segment(&self, segment: &Segment) {
        guard(&self.segments).retain(|s| s.path != segment.path);
        self.bytes.fetch_sub(segment.published.load(Ordering::Relaxed), Ordering::Relaxed);
        self.spares.take_back(segment);
    }

    /// Notes beside the segments how far they are booked.
    pub(super) fn mark(&self, mark: &Mark) -> std::io::Result<()> {
        mark.write(&self.folder)
    }

    /// Removes files that nothing was written to for a while.
    pub(crate) fn trim(&self) {
        self.spares.trim();
    }

    /// Removes the folder, if everything in it is booked.
    pub(crate) fn close(&self) {
        let clean = self.shards.iter().all(|shard| guard(shard).begun.is_empty());
        if clean && self.waiting.load(Ordering::Relaxed) == 0 {
            // What cannot be removed is adopted, and found empty, by the next process.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    fn shard_of(&self, id: EntryId) -> MutexGuard<'_, Shard> {
        guard(&self.shards[usize::from(id.as_bytes()[15]) % self.shards.len()])
    }

    fn append(
        &self,
        shard: &mut Shard,
        kind: Kind,
        id: EntryId,
        payload: &impl serde::Serialize,
    ) -> Result<(), JournalFull> {
        shard.buffer.clear();
        frame::write(&mut shard.buffer, kind, id, payload).map_err(|_| JournalFull)?;
        let size = shard.buffer.len() as u64;
        match shard.append() {
            Ok(begun) => {
                self.bytes.fetch_add(size, Ordering::Relaxed);
                if let Some(segment) = begun {
                    guard(&self.segments).push(segment);
                }
                Ok(())
            }
            Err(error) => {
                shard.seal();
                self.failed.fetch_add(1, Ordering::Relaxed);
                tracing::error!("the spend journal cannot be written: {error}");
                Err(JournalFull)
            }
        }
    }

    fn has_room(&self) -> bool {
        let used = self.bytes.load(Ordering::Relaxed) + self.reserved.load(Ordering::Relaxed);
        used + END_ROOM <= self.options.max_bytes
    }
}

impl Journal for FileJournal {
    fn begin(&self, attempt: u16, entry: &Entry) -> Result<(), JournalFull> {
        let mut shard = self.shard_of(entry.id);
        let is_new = shard.begun.insert(entry.id);
        if is_new && !self.has_room() {
            shard.begun.remove(&entry.id);
            return Err(JournalFull);
        }
        if is_new {
            self.reserved.fetch_add(END_ROOM, Ordering::Relaxed);
        }
        let written = self.append(&mut shard, Kind::Begin, entry.id, &layout::of_begin(attempt, entry));
        if is_new && written.is_err() {
            shard.begun.remove(&entry.id);
            self.reserved.fetch_sub(END_ROOM, Ordering::Relaxed);
        }
        written
    }

    fn end(&self, entry: &Entry) -> Result<(), JournalFull> {
        let mut shard = self.shard_of(entry.id);
        if shard.begun.remove(&entry.id) {
            self.reserved.fetch_sub(END_ROOM, Ordering::Relaxed);
        } else if !self.has_room() {
            return Err(JournalFull);
        }
        // Counted first: the writer may have booked it before this line returns.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let written = self.append(&mut shard, Kind::End, entry.id, &layout::of_end(entry));
        if written.is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        written
    }
}

/// A panic elsewhere does not make a counter or a file unusable.
pub(super) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// --- orphans ---

/// Folders of dead processes below `data_dir/journal`, locked.
pub(crate) fn orphans(data_dir: &Path) -> Vec<Orphan> {
    let Ok(folders) = std::fs::read_dir(data_dir.join("journal")) else { return Vec::new() };
    folders.filter_map(|folder| adopt(&folder.ok()?.path())).collect()
}

fn adopt(folder: &Path) -> Option<Orphan> {
    let lock = File::options().write(true).open(folder.join(LOCK)).ok()?;
    FileExt::try_lock(&lock).ok()?;
    Some(Orphan { folder: folder.to_owned(), _lock: lock })
}

impl Orphan {
    /// Its segments, in the order in which each shard wrote them.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let paths = files.filter_map(|file| Some(file.ok()?.path()));
        let mut segments: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == "seg")).collect();
        segments.sort();
        segments
    }

    /// The name of its process.
    pub(crate) fn name(&self) -> String {
        name(&self.folder)
    }

    /// Removes a folder whose records are all booked.
    pub(crate) fn remove(&self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!("a booked journal could not be removed: {error}");
        }
    }
}
