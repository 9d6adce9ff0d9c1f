//! Server-sent events (WHATWG HTML, section 9.2): cutting a byte stream at event boundaries without copying where a
//! chunk ends on one. Lines may end with LF, CR LF or CR: which of them is seen at the first line, and CRs alone become
//! LFs.

use bytes::{Bytes, BytesMut};
use memchr::memmem;
use std::borrow::Cow;

/// An event longer than the limit: not worth buffering.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("event longer than {0} bytes")]
pub struct EventTooLong(pub usize);

/// Collects bytes until events are whole.
#[derive(Debug)]
pub struct Framer {
    pending: BytesMut,
    limit: usize,
    lines: Lines,
    /// The first bytes of a mark of byte order, or a CR that may be half of a line end.
    unsure: Bytes,
}

/// How lines end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    /// Nothing has come.
    Begin,
    /// None has ended.
    Unknown,
    /// With LF, or CR LF.
    Lf,
    /// With CR alone; whether the last byte was one, to which an LF may belong.
    Cr(bool),
}

/// What some programs put before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

impl Framer {
    /// `limit`: the largest unfinished event that is kept, in bytes.
    pub fn new(limit: usize) -> Self {
        Self { pending: BytesMut::new(), limit, lines: Lines::Begin, unsure: Bytes::new() }
    }

    /// Takes the next bytes, gives all events that are now whole (maybe none), terminators included.
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, EventTooLong> {
        let chunk = if self.lines == Lines::Lf { chunk } else { self.plain(chunk) };
        if self.pending.is_empty() {
            return self.cut(chunk);
        }
        // A terminator may lie across the seam.
        let seam = self.pending.len().saturating_sub(3);
        self.pending.extend_from_slice(&chunk);
        let end = match last_boundary(&self.pending[seam..]) {
            Some(end) => seam + end,
            None => 0,
        };
        let whole = self.pending.split_to(end).freeze();
        self.check(whole)
    }

    /// What is left at the end of the stream: an event without its terminator.
    pub fn rest(&mut self) -> Bytes {
        self.pending.extend_from_slice(&std::mem::take(&mut self.unsure));
        self.pending.split().freeze()
    }

    /// Whether the stream stands between two events.
    pub fn at_boundary(&self) -> bool {
        self.pending.is_empty() && self.unsure.is_empty()
    }

    /// The bytes with lines that end with LF, without a mark of byte order.
    fn plain(&mut self, chunk: Bytes) -> Bytes {
        let mut chunk = match std::mem::take(&mut self.unsure) {
            unsure if unsure.is_empty() => chunk,
            unsure => Bytes::from([unsure, chunk].concat()),
        };
        if self.lines == Lines::Begin {
            if chunk.len() < MARK.len() && MARK.starts_with(&chunk) {
                self.unsure = chunk;
                return Bytes::new();
            }
            if chunk.starts_with(MARK) {
                chunk = chunk.slice(MARK.len()..);
            }
            self.lines = Lines::Unknown;
        }
        if self.lines == Lines::Unknown {
            let Some(at) = memchr::memchr2(b'\r', b'\n', &chunk) else { return chunk };
            self.lines = match (chunk[at], chunk.get(at + 1)) {
                (b'\n', _) | (_, Some(b'\n')) => Lines::Lf,
                (_, Some(_)) => Lines::Cr(false),
                (_, None) => {
                    self.unsure = chunk.split_off(at);
                    return chunk;
                }
            };
        }
        match self.lines {
            Lines::Cr(after) => self.without_cr(&chunk, after),
            _ => chunk,
        }
    }

    fn without_cr(&mut self, chunk: &[u8], mut after: bool) -> Bytes {
        let mut out = BytesMut::with_capacity(chunk.len());
        for byte in chunk {
            match byte {
                b'\r' => out.extend_from_slice(b"\n"),
                b'\n' if after => {}
                other => out.extend_from_slice(&[*other]),
            }
            after = *byte == b'\r';
        }
        self.lines = Lines::Cr(after);
        out.freeze()
    }

    fn cut(&mut self, mut chunk: Bytes) -> Result<Bytes, EventTooLong> {
        let end = last_boundary(&chunk).unwrap_or(0);
        let tail = chunk.split_off(end);
        self.pending.extend_from_slice(&tail);
        self.check(chunk)
    }

    fn check(&self, whole: Bytes) -> Result<Bytes, EventTooLong> {
        if self.pending.len() + self.unsure.len() > self.limit {
            return Err(EventTooLong(self.limit));
        }
        Ok(whole)
    }
}

/// Index after the last event terminator.
fn last_boundary(bytes: &[u8]) -> Option<usize> {
    // The usual case first: the chunk ends with a blank line.
    if bytes.ends_with(b"\n\n") || bytes.ends_with(b"\n\r\n") {
        return Some(bytes.len());
    }
    let lf = memmem::rfind(bytes, b"\n\n").map(|at| at + 2);
    let crlf = memmem::rfind(bytes, b"\n\r\n").map(|at| at + 3);
    lf.max(crlf)
}

/// The single events of a block of whole events, terminators included.
pub fn events(block: &[u8]) -> Events<'_> {
    Events { rest: block }
}

/// See [`events`].
pub struct Events<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Events<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = first_boundary(self.rest).unwrap_or(self.rest.len());
        let (event, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(event)
    }
}

fn first_boundary(bytes: &[u8]) -> Option<usize> {
    for at in memchr::memchr_iter(b'\n', bytes) {
        match bytes.get(at + 1..) {
            Some([b'\n', ..]) => return Some(at + 2),
            Some([b'\r', b'\n', ..]) => return Some(at + 3),
            _ => {}
        }
    }
    None
}

/// The data of one event: its `data:` lines joined by line feeds. `None` for a comment or an event without data.
pub fn data(event: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut lines = event.split(|b| *b == b'\n').filter_map(data_line);
    let first = lines.next()?;
    let Some(second) = lines.next() else { return Some(Cow::Borrowed(first)) };
    let mut joined = first.to_vec();
    for line in std::iter::once(second).chain(lines) {
        joined.push(b'\n');
        joined.extend_from_slice(line);
    }
    Some(Cow::Owned(joined))
}

/// The name of one event: its `event:` line. Empty where there is none.
pub fn name(event: &[u8]) -> &str {
    let named = event.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"event:"));
    named.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default().trim()
}

fn data_line(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let value = line.strip_prefix(b"data:")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] =
        b": hi\n\ndata: {\"a\":1}\n\ndata: x\r\ndata: y\r\n\r\nevent: e\ndata:z\n\ndata: [DONE]";

    fn whole(parts: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::new(1024);
        let mut out = Vec::new();
        for part in parts {
            let block = framer.push(Bytes::copy_from_slice(part)).unwrap();
            out.extend(events(&block).map(|e| String::from_utf8_lossy(e).into_owned()));
        }
        out.push(String::from_utf8_lossy(&framer.rest()).into_owned());
        out
    }

    #[test]
    fn any_cut_gives_the_same_events() {
        let expected = whole(&[STREAM]);
        assert_eq!(expected.len(), 5);
        for cut in 0..=STREAM.len() {
            assert_eq!(whole(&[&STREAM[..cut], &STREAM[cut..]]), expected, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(whole(&bytes), expected);
    }

    #[test]
    fn an_event_is_given_at_its_blank_line_however_lines_end() {
        for end in ["\n\n", "\r\n\r\n", "\n\r\n", "\r\n\n"] {
            let mut framer = Framer::new(1024);
            let event = format!("data: 1{end}");
            for byte in event.bytes().take(event.len() - 1) {
                assert!(framer.push(Bytes::copy_from_slice(&[byte])).unwrap().is_empty(), "{end:?}");
            }
            assert_eq!(framer.push(Bytes::from_static(b"\n")).unwrap(), event, "{end:?}");
        }
    }

    #[test]
    fn lines_may_end_with_a_cr_and_a_mark_of_byte_order_says_nothing() {
        let plain = "event: e\ndata: x\ndata: y\n\n: hi\n\ndata: [DONE]\n\n";
        let expected = whole(&[plain.as_bytes()]);
        for mark in ["", "\u{feff}"] {
            for end in ["\n", "\r", "\r\n"] {
                let stream = format!("{mark}{}", plain.replace('\n', end)).into_bytes();
                let pieces: Vec<Vec<&[u8]>> = (0..=stream.len())
                    .map(|cut| vec![&stream[..cut], &stream[cut..]])
                    .chain([stream.chunks(1).collect()])
                    .collect();
                for pieces in pieces {
                    let found = whole(&pieces);
                    let found: Vec<_> = found.iter().map(|event| event.replace("\r\n", "\n")).collect();
                    assert_eq!(found, expected, "{mark:?} {end:?} {pieces:?}");
                }
            }
        }
    }

    #[test]
    fn a_stream_may_end_where_nothing_is_sure() {
        for (stream, rest) in [(&b"data: x\r"[..], "data: x\r"), (b"\xef\xbb", "\u{fffd}"), (b"", "")] {
            let mut framer = Framer::new(1024);
            framer.push(Bytes::copy_from_slice(stream)).unwrap();
            assert_eq!(framer.at_boundary(), stream.is_empty());
            assert_eq!(String::from_utf8_lossy(&framer.rest()), rest);
        }
    }

    #[test]
    fn data_lines_are_joined() {
        assert_eq!(data(b"data: x\r\ndata: y\r\n\r\n").as_deref(), Some(&b"x\ny"[..]));
        assert_eq!(data(b"event: e\ndata:z\n\n").as_deref(), Some(&b"z"[..]));
        assert_eq!(data(b": ping\n\n"), None);
    }

    #[test]
    fn an_endless_event_is_an_error() {
        let mut framer = Framer::new(8);
        assert!(framer.push(Bytes::from_static(b"data: 1")).is_ok());
        assert_eq!(framer.push(Bytes::from_static(b"234")), Err(EventTooLong(8)));
        // A CR that waits for what follows it is kept, too.
        let mut framer = Framer::new(8);
        assert_eq!(framer.push(Bytes::from_static(b"12345678\r")), Err(EventTooLong(8)));
    }
}
