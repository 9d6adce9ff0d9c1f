//! The record format: length, CRC-32, kind, entry id, postcard payload. Little endian. A record whose length or CRC is
//! wrong is the torn end of its segment.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use weir_core::domain::ids::EntryId;
use weir_core::ports::LedgerError;

/// What a record is, and by which layout its payload is read (`layout.rs`). Numbers are on disk: none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BeginV1 = 0,
    EndV1 = 1,
    /// Of the second layout, as `EndV2`.
    BeginV2 = 2,
    EndV2 = 3,
    BeginV3 = 4,
    EndV3 = 5,
    BeginV4 = 6,
    EndV4 = 7,
    BeginV5 = 8,
    EndV5 = 9,
    BeginV6 = 10,
    EndV6 = 11,
    End = 12,
    Begin = 13,
    /// Of a later program. Skipped, and what holds it is kept for that program.
    Foreign = 255,
}

impl Kind {
    pub(crate) fn is_begin(self) -> bool {
        use Kind::{Begin, BeginV1, BeginV2, BeginV3, BeginV4, BeginV5, BeginV6};
        matches!(self, BeginV1 | BeginV2 | BeginV3 | BeginV4 | BeginV5 | BeginV6 | Begin)
    }

    fn of(number: u8) -> Self {
        use Kind::{Begin, BeginV1, BeginV2, BeginV3, BeginV4, BeginV5, BeginV6};
        use Kind::{End, EndV1, EndV2, EndV3, EndV4, EndV5, EndV6};
        let begins = [BeginV1, BeginV2, BeginV3, BeginV4, BeginV5, BeginV6, Begin];
        let mut known = begins.into_iter().chain([EndV1, EndV2, EndV3, EndV4, EndV5, EndV6, End]);
        known.find(|kind| *kind as u8 == number).unwrap_or(Kind::Foreign)
    }
}

/// One record.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub kind: Kind,
    pub id: EntryId,
    pub payload: &'a [u8],
    /// Bytes of the whole record.
    pub size: usize,
}

const HEAD: usize = 8;
const PREFIX: usize = 17;

/// Larger records are no records.
const MAX_BODY: usize = 1 << 20;

/// Appends a record to `out`.
pub(crate) fn write(
    out: &mut Vec<u8>,
    kind: Kind,
    id: EntryId,
    payload: &impl Serialize,
) -> Result<(), LedgerError> {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    out.push(kind as u8);
    out.extend_from_slice(id.as_bytes());
    postcard::serialize_with_flavor(payload, Behind(out)).map_err(|e| LedgerError::Broken(e.to_string()))?;
    let body = &out[start + HEAD..];
    let (length, crc) = (u32::try_from(body.len()).unwrap_or(u32::MAX), crc32fast::hash(body));
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + HEAD].copy_from_slice(&crc.to_le_bytes());
    Ok(())
}

/// Behind what is there. Postcard's own way to extend a buffer takes texts byte by byte.
struct Behind<'b>(&'b mut Vec<u8>);

impl Flavor for Behind<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// The record at the start of `bytes`; `None` where none is whole.
pub(crate) fn read(bytes: &[u8]) -> Option<Frame<'_>> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let crc = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if !(PREFIX..=MAX_BODY).contains(&length) {
        return None;
    }
    let body = rest.get(..length).filter(|body| crc32fast::hash(body) == crc)?;
    let kind = Kind::of(body[0]);
    let id = EntryId::from_slice(&body[1..PREFIX]).ok()?;
    Some(Frame { kind, id, payload: &body[PREFIX..], size: HEAD + length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_torn_anywhere_is_no_record() {
        let mut bytes = Vec::new();
        let id = weir_core::domain::ids::new_entry_id();
        write(&mut bytes, Kind::End, id, &"payload").unwrap();
        let whole = read(&bytes).unwrap();
        assert_eq!((whole.kind, whole.id, whole.size), (Kind::End, id, bytes.len()));
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_none(), "cut at {cut}");
        }
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x40;
            assert!(read(&bad).is_none_or(|f| f.size != bytes.len()), "flipped at {at}");
        }
    }
}
