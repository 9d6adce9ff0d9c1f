//! One stream of segments. Appending is one `write` to the open segment.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A segment as its reader sees it.
#[derive(Clone)]
pub(crate) struct Segment {
    pub path: PathBuf,
    /// Bytes that are whole records.
    pub published: Arc<AtomicU64>,
    /// Nothing more will be written to it.
    pub sealed: Arc<AtomicBool>,
}

/// The writing end.
pub(super) struct Shard {
    folder: PathBuf,
    number: usize,
    sequence: u64,
    size: u64,
    open: Option<(File, Segment)>,
    /// Reused for every record.
    pub buffer: Vec<u8>,
}

impl Shard {
    pub(super) fn new(folder: &Path, number: usize, size: u64) -> Self {
        Self { folder: folder.to_owned(), number, sequence: 0, size, open: None, buffer: Vec::with_capacity(2_048) }
    }

    /// Appends the buffer. Answers the new segment when one was begun.
    pub(super) fn append(&mut self) -> std::io::Result<Option<Segment>> {
        let begun = if self.open.is_none() { Some(self.begin()?) } else { None };
        if let Some((file, segment)) = &mut self.open {
            file.write_all(&self.buffer)?;
            let published = segment.published.fetch_add(self.buffer.len() as u64, Ordering::Release);
            if published + self.buffer.len() as u64 >= self.size {
                self.seal();
            }
        }
        self.buffer.clear();
        Ok(begun)
    }

    /// A failed write leaves a torn record; nothing may follow it.
    pub(super) fn seal(&mut self) {
        if let Some((_, segment)) = self.open.take() {
            segment.sealed.store(true, Ordering::Release);
        }
    }

    fn begin(&mut self) -> std::io::Result<Segment> {
        let path = self.folder.join(format!("{:03}-{:08}.seg", self.number, self.sequence));
        self.sequence += 1;
        let file = File::options().create_new(true).append(true).mode(0o600).open(&path)?;
        let segment = Segment {
            path,
            published: Arc::new(AtomicU64::new(0)),
            sealed: Arc::new(AtomicBool::new(false)),
        };
        self.open = Some((file, segment.clone()));
        Ok(segment)
    }
}
