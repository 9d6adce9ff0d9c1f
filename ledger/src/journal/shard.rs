//! One stream of segments. Appending is a copy into a mapped file: the pages belong to the kernel from that moment on, so
//! the death of this process loses nothing, and no system call is made. What lies behind the last record is zero, which
//! is no record.

use super::ids::Ids;
use super::spares::Spares;
use memmap2::MmapMut;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A segment as its reader sees it.
#[derive(Clone)]
pub(crate) struct Segment {
    pub path: Arc<Path>,
    /// Bytes that are whole records.
    pub published: Arc<AtomicU64>,
    /// Nothing more will be written to it.
    pub sealed: Arc<AtomicBool>,
    /// Those of a sealed one that may be written to again. Written by `spares.rs`.
    pub pages: Arc<Mutex<Option<MmapMut>>>,
}

/// The writing end.
pub(super) struct Shard {
    folder: PathBuf,
    number: usize,
    sequence: u64,
    size: u64,
    open: Option<(MmapMut, Segment)>,
    spares: Arc<Spares>,
    /// Exchanges that were begun and not ended: their ends have room set aside.
    pub begun: Ids,
    /// Reused for every record.
    pub buffer: Vec<u8>,
}

impl Shard {
    pub(super) fn new(folder: &Path, number: usize, size: u64, spares: &Arc<Spares>) -> Self {
        Self {
            folder: folder.to_owned(),
            number,
            sequence: 0,
            size,
            open: None,
            spares: Arc::clone(spares),
            begun: Ids::default(),
            buffer: Vec::with_capacity(2_048),
        }
    }

    /// Appends the buffer. Answers the new segment when one was begun.
    pub(super) fn append(&mut self) -> std::io::Result<Option<Segment>> {
        let length = self.buffer.len();
        if self.open.as_ref().is_some_and(|(map, segment)| used(segment) + length > map.len()) {
            self.seal();
        }
        let begun = if self.open.is_none() { Some(self.begin(length)?) } else { None };
        if let Some((map, segment)) = &mut self.open {
            let at = used(segment);
            map[at..at + length].copy_from_slice(&self.buffer);
            segment.published.store((at + length) as u64, Ordering::Release);
        }
        self.buffer.clear();
        Ok(begun)
    }

    /// Nothing more is written to the open segment.
    pub(super) fn seal(&mut self) {
        if let Some((map, segment)) = self.open.take() {
            self.spares.keep(map, &segment);
            segment.sealed.store(true, Ordering::Release);
        }
    }

    /// Begins a segment of the usual size, or of a record's that is larger.
    fn begin(&mut self, length: usize) -> std::io::Result<Segment> {
        let path = self.folder.join(format!("{:03}-{:08}.seg", self.number, self.sequence));
        self.sequence += 1;
        let size = self.size.max(length as u64);
        let spare = if size == self.size { self.spares.reuse(&path) } else { None };
        let map = match spare {
            Some(map) => map,
            None => make(&path, size)?,
        };
        let segment = Segment {
            path: Arc::from(path),
            published: Arc::default(),
            sealed: Arc::default(),
            pages: Arc::default(),
        };
        self.open = Some((map, segment.clone()));
        Ok(segment)
    }
}

fn used(segment: &Segment) -> usize {
    usize::try_from(segment.published.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
}

fn make(path: &Path, size: u64) -> std::io::Result<MmapMut> {
    let file = File::options().create_new(true).read(true).write(true).mode(0o600).open(path)?;
    allocate(&file, size)?;
    map(&file)
}

/// Really takes the space: writing to a mapped hole of a full disk would kill the process.
fn allocate(file: &File, size: u64) -> std::io::Result<()> {
    fs4::FileExt::allocate(file, size)
}

#[expect(unsafe_code, reason = "mapping a file is unsafe because others could shorten it")]
fn map(file: &File) -> std::io::Result<MmapMut> {
    // SAFETY: the file was made by us a moment ago with mode 0600 in our own locked folder; nobody shortens it, and
    // it is only removed, never truncated, after its last record is booked.
    unsafe { MmapMut::map_mut(file) }
}
