//! Segments that are booked and wait to be written to again. The first byte that is written to a page of a new file
//! makes the kernel find it a place in memory and on the disk, which takes longer than all the rest of writing an entry
//! down; pages that stay mapped have both.

use super::instance::guard;
use super::shard::Segment;
use memmap2::MmapMut;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Bytes that stay mapped at most beside the segments that are written to: of segments that are not booked yet, and of
/// spare ones. With the ledger away a journal grows far beyond this.
const KEPT: u64 = 8 << 20;

/// A spare one that nobody has needed for so long is removed.
const IDLE: Duration = Duration::from_secs(30);

/// The spare segments of a journal.
pub(super) struct Spares {
    /// Segments of other sizes are not kept.
    size: u64,
    most: usize,
    /// Those that are sealed, and those that are free.
    kept: AtomicUsize,
    /// The last one is used first, so that those that are too many are left alone.
    free: Mutex<Vec<Spare>>,
}

/// A file that is all zeros, as a new one.
struct Spare {
    path: PathBuf,
    map: MmapMut,
    since: Instant,
}

impl Spares {
    pub(super) fn new(size: u64) -> Self {
        let most = usize::try_from(KEPT / size.max(1)).unwrap_or(usize::MAX);
        Self { size, most, kept: AtomicUsize::new(0), free: Mutex::default() }
    }

    /// Leaves the pages with a segment that is sealed, where there is room for that.
    pub(super) fn keep(&self, map: MmapMut, segment: &Segment) {
        let more = |kept: usize| (kept < self.most).then_some(kept + 1);
        let usual = map.len() as u64 == self.size;
        if usual && self.kept.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more).is_ok() {
            *guard(&segment.pages) = Some(map);
        }
    }

    /// Takes a segment all of whose records are booked; removes it where its pages are not kept.
    pub(super) fn take_back(&self, segment: &Segment) {
        let Some(mut map) = guard(&segment.pages).take() else { return remove(&segment.path) };
        let used = usize::try_from(segment.published.load(Ordering::Acquire)).unwrap_or(usize::MAX);
        // Behind the last record there must be none. Who dies in between leaves records that are marked as booked.
        let used = used.min(map.len());
        map[..used].fill(0);
        guard(&self.free).push(Spare { path: segment.path.to_path_buf(), map, since: Instant::now() });
    }

    /// One under a new name.
    pub(super) fn reuse(&self, path: &Path) -> Option<MmapMut> {
        let Spare { path: old, map, .. } = guard(&self.free).pop()?;
        self.kept.fetch_sub(1, Ordering::AcqRel);
        match std::fs::rename(&old, path) {
            Ok(()) => Some(map),
            Err(error) => {
                tracing::warn!("a journal segment could not be used again: {error}");
                remove(&old);
                None
            }
        }
    }

    /// Removes those that are too many.
    pub(super) fn trim(&self) {
        let idle: Vec<Spare> = {
            let mut free = guard(&self.free);
            let idle = free.iter().take_while(|spare| spare.since.elapsed() > IDLE).count();
            free.drain(..idle).collect()
        };
        self.kept.fetch_sub(idle.len(), Ordering::AcqRel);
        idle.iter().for_each(|spare| remove(&spare.path));
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!("a booked journal segment could not be removed: {error}");
    }
}
