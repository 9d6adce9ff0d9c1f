//! Reading segments while they are written: whole records, each once, and which segments are done with.

use super::FileJournal;
use super::frame::{self, Frame, Kind};
use super::ids::ById;
use super::instance::Orphan;
use super::layout;
use super::mark::Mark;
use super::shard::Segment;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use weir_core::domain::spend::{Begin, Entry, Status};

/// The state of reading one journal.
#[derive(Default)]
pub(crate) struct Reader {
    /// How far each segment has been read.
    read: HashMap<Arc<Path>, u64>,
    /// Begun exchanges. The segments of their last begins must stay until the end is booked.
    open: ById<Begun>,
    /// Segments with ends of which no row tells, and where the eldest begin of these stands: without its end it would count
    /// as interrupted, so the end must stay as long as the begin may.
    rowless: HashMap<Arc<Path>, Arc<Path>>,
    /// Ends were read since it was noted how far all is booked.
    unmarked: bool,
    /// Used again for every read: fresh memory must be cleared by the kernel first.
    window: Vec<u8>,
    /// Taken and not known to be in the ledger: whoever breaks off while it books them leaves them to the next. Its room is
    /// used again, too.
    taken: Booked,
}

/// Where the begins of an exchange stand.
struct Begun {
    first: Arc<Path>,
    last: Arc<Path>,
}

/// Ended entries of one pass.
#[derive(Default)]
pub(crate) struct Booked {
    pub entries: Vec<Entry>,
    /// Those, and the ones that are not to be booked.
    pub ended: u64,
    /// More was there than the limit allowed.
    pub more: bool,
}

/// Whether an entry is to be booked at all.
pub(crate) type Keeps<'k> = &'k (dyn Fn(&Entry) -> bool + Sync);

/// Bytes read from a segment at one time.
const WINDOW: usize = 1 << 20;

impl Reader {
    /// New ended entries, about `limit` at most, until [`Reader::clean`] is told that these are booked. Records that cannot
    /// be decoded are told and skipped.
    pub(crate) fn take(&mut self, journal: &FileJournal, limit: usize, keeps: Keeps<'_>) -> &Booked {
        if self.taken.entries.is_empty() {
            let booked = std::mem::take(&mut self.taken);
            self.taken = self.read_on(journal, limit, keeps, booked);
        } else {
            // Left by somebody else: what came meanwhile follows.
            self.taken.more = true;
        }
        &self.taken
    }

    fn read_on(
        &mut self,
        journal: &FileJournal,
        limit: usize,
        keeps: Keeps<'_>,
        mut booked: Booked,
    ) -> Booked {
        for segment in journal.segments() {
            if booked.entries.len() >= limit {
                booked.more = true;
                break;
            }
            if let Err(error) = self.take_segment(&segment, limit, keeps, &mut booked) {
                tracing::error!("a journal segment cannot be read: {error}");
            }
        }
        booked
    }

    fn take_segment(
        &mut self,
        segment: &Segment,
        limit: usize,
        keeps: Keeps<'_>,
        booked: &mut Booked,
    ) -> std::io::Result<()> {
        let published = segment.published.load(Ordering::Acquire);
        let mut at = self.read.get(&segment.path).copied().unwrap_or_default();
        if at >= published {
            return Ok(());
        }
        let file = File::open(&segment.path)?;
        while at < published && booked.entries.len() < limit {
            let mut room = std::mem::take(&mut self.window);
            let bytes = window(&file, at, published, &mut room)?;
            let used = self.records(bytes, &segment.path, keeps, booked);
            self.window = room;
            if used == 0 {
                tracing::error!(
                    "a record in {} is broken; the rest of it is skipped",
                    segment.path.display()
                );
                at = published;
            }
            at += used as u64;
        }
        booked.more |= at < published;
        self.read.insert(Arc::clone(&segment.path), at);
        Ok(())
    }

    /// Reads whole records from the start of `bytes`; answers how many bytes they were.
    fn records(&mut self, bytes: &[u8], path: &Arc<Path>, keeps: Keeps<'_>, booked: &mut Booked) -> usize {
        let mut used = 0;
        while let Some(frame) = frame::read(&bytes[used..]) {
            used += frame.size;
            match frame.kind {
                // What this process wrote itself is never foreign.
                Kind::Foreign => {}
                kind if kind.is_begin() => self.begin(&frame, path),
                _ => {
                    self.unmarked = true;
                    let begun = self.open.remove(&frame.id);
                    let Some(entry) = decode(&frame) else { continue };
                    booked.ended += 1;
                    if keeps(&entry) {
                        booked.entries.push(entry);
                    } else if let Some(begun) = begun {
                        self.leave_out(begun, path);
                    }
                }
            }
        }
        used
    }

    fn begin(&mut self, frame: &Frame<'_>, path: &Arc<Path>) {
        let new = || Begun { first: Arc::clone(path), last: Arc::clone(path) };
        let begun = self.open.entry(frame.id).or_insert_with(new);
        if begun.last != *path {
            begun.last = Arc::clone(path);
        }
    }

    /// It ended in this segment, and nothing else will tell.
    fn leave_out(&mut self, begun: Begun, path: &Arc<Path>) {
        if begun.first != *path {
            let eldest = self.rowless.entry(Arc::clone(path)).or_insert_with(|| Arc::clone(&begun.first));
            if begun.first < *eldest {
                *eldest = begun.first;
            }
        }
    }

    /// Drops segments that are read to their end and hold nothing that is needed. To be called when everything taken so far
    /// is in the ledger. Answers whether there is more to take.
    pub(crate) fn clean(&mut self, journal: &FileJournal) -> bool {
        self.taken.entries.clear();
        self.taken.ended = 0;
        let more = std::mem::take(&mut self.taken.more);
        self.mark(journal);
        let mut kept = Vec::new();
        for segment in journal.segments() {
            let done = self.read.get(&segment.path).copied().unwrap_or_default();
            let sealed = segment.sealed.load(Ordering::Acquire);
            let read = sealed && done >= segment.published.load(Ordering::Acquire);
            if !read || self.is_needed(&segment.path, &kept) {
                kept.push(segment.path);
                continue;
            }
            self.read.remove(&segment.path);
            self.rowless.remove(&segment.path);
            journal.drop_segment(&segment);
        }
        journal.trim();
        more
    }

    /// Notes how far all is booked. Where that cannot be written, rows tell as long as they are kept.
    fn mark(&mut self, journal: &FileJournal) {
        if !self.unmarked {
            return;
        }
        let read = self.read.iter().map(|(path, at)| (&**path, *at));
        let marked = journal.mark(&Mark::new(read, self.open.keys().copied()));
        if let Err(error) = &marked {
            tracing::error!("it cannot be noted how far the journal is booked: {error}");
        }
        self.unmarked = marked.is_err();
    }

    /// Whether a begin of an open exchange stands there, or an end of one that may have begun in a segment that is kept.
    /// Names of a shard's segments are in the order in which it wrote them.
    fn is_needed(&self, path: &Arc<Path>, kept: &[Arc<Path>]) -> bool {
        let begins = |eldest: &Arc<Path>| kept.iter().any(|other| eldest <= other && other < path);
        self.open.values().any(|begun| begun.last == *path) || self.rowless.get(path).is_some_and(begins)
    }
}

/// Reads what is published, at most two windows of it.
fn window<'b>(file: &File, at: u64, published: u64, room: &'b mut Vec<u8>) -> std::io::Result<&'b [u8]> {
    let left = usize::try_from(published - at).unwrap_or(usize::MAX);
    // A record is never larger than a window.
    let size = left.min(WINDOW * 2);
    // Only ever longer: what is added has to be cleared.
    if room.len() < size {
        room.resize(size, 0);
    }
    let bytes = &mut room[..size];
    file.read_exact_at(bytes, at)?;
    Ok(bytes)
}

fn decode(frame: &Frame<'_>) -> Option<Entry> {
    let decoded = layout::end(frame.kind, frame.payload);
    decoded.inspect_err(|error| tracing::error!("a journal entry cannot be read: {error}")).ok()
}

/// What a dead process left.
#[derive(Default)]
pub(crate) struct Replayed {
    /// Its ends, and its begins without end as interrupted.
    pub entries: Vec<Entry>,
    /// Records of a later program: its journal must stay.
    pub foreign: usize,
}

/// Reads what a dead process has not booked.
pub(crate) fn replay(orphan: &Orphan) -> Replayed {
    let mark = Mark::read(&orphan.folder);
    let mut replayed = Replayed::default();
    let mut open: ById<Begin> = ById::default();
    for path in orphan.segments() {
        let bytes = std::fs::read(&path).unwrap_or_default();
        let mut at = 0;
        while let Some(frame) = frame::read(&bytes[at..]) {
            if !mark.is_done(&path, at as u64, frame.id) {
                replayed.take(&frame, &mut open);
            }
            at += frame.size;
        }
    }
    let interrupted = open.into_values().map(|begin| Entry { status: Status::Interrupted, ..begin.entry });
    replayed.entries.extend(interrupted);
    replayed
}

impl Replayed {
    fn take(&mut self, frame: &Frame<'_>, open: &mut ById<Begin>) {
        match frame.kind {
            Kind::Foreign => self.foreign += 1,
            kind if kind.is_begin() => {
                open.extend(layout::begin(frame.kind, frame.payload).ok().map(|begin| (frame.id, begin)));
            }
            _ => {
                open.remove(&frame.id);
                self.entries.extend(decode(frame));
            }
        }
    }
}
