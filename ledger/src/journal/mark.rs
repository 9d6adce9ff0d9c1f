//! How far a journal is booked. Rows tell that too, but they are not kept for ever, and a segment stays as long as an exchange
//! that began in it: what is read once more of a journal whose process has died would be booked once more.

use super::ids::Ids;
use super::instance::name;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Error, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use weir_core::domain::ids::EntryId;

/// Of one journal. It does not describe itself: a new member stands behind the others.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Up to where the ends of a segment are booked, by its name.
    booked: HashMap<String, u64>,
    /// Exchanges that had begun there and had not ended.
    open: Ids,
}

/// Beside the segments, and called like none of them.
const NAME: &str = "booked";
const FRESH: &str = "booked.new";

impl Mark {
    /// `read`: how far each segment was read, all of which is booked.
    pub(super) fn new<'a>(
        read: impl Iterator<Item = (&'a Path, u64)>,
        open: impl Iterator<Item = EntryId>,
    ) -> Self {
        Self { booked: read.map(|(path, at)| (name(path), at)).collect(), open: open.collect() }
    }

    /// In the place of the last one, in one step: whoever dies meanwhile leaves the one or the other.
    pub(super) fn write(&self, folder: &Path) -> std::io::Result<()> {
        let payload = postcard::to_stdvec(self).map_err(|error| Error::other(error.to_string()))?;
        let fresh = folder.join(FRESH);
        let mut file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&crc32fast::hash(&payload).to_le_bytes())?;
        file.write_all(&payload)?;
        std::fs::rename(fresh, folder.join(NAME))
    }

    /// Where none is there, or none that is whole, nothing is known to be booked.
    pub(super) fn read(folder: &Path) -> Self {
        let bytes = std::fs::read(folder.join(NAME)).unwrap_or_default();
        parse(&bytes).unwrap_or_default()
    }

    /// Whether nothing is left to do for a record that begins there.
    pub(super) fn is_done(&self, segment: &Path, at: u64, id: EntryId) -> bool {
        let booked = self.booked.get(&name(segment)).copied().unwrap_or_default();
        at < booked && !self.open.contains(&id)
    }
}

fn parse(bytes: &[u8]) -> Option<Mark> {
    let (crc, payload) = bytes.split_first_chunk::<4>()?;
    if crc32fast::hash(payload) != u32::from_le_bytes(*crc) {
        return None;
    }
    postcard::from_bytes(payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::domain::ids::new_entry_id;

    #[test]
    fn p40_a_mark_is_read_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Mark::read(dir.path()), Mark::default());
        let (open, ended, segment) = (new_entry_id(), new_entry_id(), Path::new("/j/000-00000001.seg"));
        let mark = Mark::new([(segment, 700)].into_iter(), [open].into_iter());
        mark.write(dir.path()).unwrap();
        assert_eq!(Mark::read(dir.path()), mark);
        for (at, id, done) in [(699, ended, true), (700, ended, false), (0, open, false)] {
            assert_eq!(mark.is_done(segment, at, id), done, "{at}");
        }
        assert!(!mark.is_done(Path::new("/j/000-00000002.seg"), 0, ended));
        let whole = std::fs::read(dir.path().join(NAME)).unwrap();
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole[..cut]), None, "cut at {cut}");
        }
    }
}
