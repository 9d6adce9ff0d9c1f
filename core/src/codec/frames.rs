//! The three framings behind one door: bytes in, frames out, however the bytes were cut.

use super::{ndjson, sse};
use bytes::{Bytes, BytesMut};
use std::borrow::Cow;

/// How a stream is cut into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Sse,
    /// One JSON value to a line.
    Ndjson,
    /// AWS's binary event stream with its two checksums.
    EventStream,
}

/// One frame, borrowed from the block it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// `event` is empty where the stream names none. Comments are no frames.
    Sse {
        event: &'a str,
        data: Cow<'a, [u8]>,
    },
    Line(&'a [u8]),
    /// `kind`: `:event-type`, or `:exception-type` of an exception.
    Message {
        kind: &'a str,
        exception: bool,
        payload: &'a [u8],
    },
}

impl Frame<'_> {
    /// The JSON inside, whatever is around it.
    pub fn json(&self) -> &[u8] {
        match self {
            Frame::Sse { data, .. } => data,
            Frame::Line(line) => line,
            Frame::Message { payload, .. } => payload,
        }
    }
}

/// The bytes are no frames.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame is longer than {0} bytes")]
    TooLong(usize),
    #[error("a frame is broken: {0}")]
    Broken(String),
}

/// Collects bytes until frames are whole. Bounded: an unfinished frame of more than `limit` bytes is an error.
#[derive(Debug)]
pub struct Deframer {
    framing: Framing,
    sse: sse::Framer,
    pending: BytesMut,
    limit: usize,
}

impl Deframer {
    pub fn new(framing: Framing, limit: usize) -> Self {
        Self { framing, sse: sse::Framer::new(limit), pending: BytesMut::new(), limit }
    }

    /// Takes the next bytes, gives back all frames that are now whole as one block; see [`each`].
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, FrameError> {
        match self.framing {
            Framing::Sse => self.sse.push(chunk).map_err(|e| FrameError::TooLong(e.0)),
            Framing::Ndjson => {
                // What is pending has no line end: looking there again would take a long line's square of time.
                let seen = self.pending.len();
                let end = |bytes: &[u8]| memchr::memrchr(b'\n', &bytes[seen..]).map_or(0, |at| seen + at + 1);
                self.cut(&chunk, |bytes| Ok(end(bytes)))
            }
            Framing::EventStream => self.cut(&chunk, whole_messages),
        }
    }

    /// What is left at the end of the stream: a last frame without its end, or half of one.
    pub fn rest(&mut self) -> Bytes {
        match self.framing {
            Framing::Sse => self.sse.rest(),
            Framing::Ndjson | Framing::EventStream => self.pending.split().freeze(),
        }
    }

    fn cut(
        &mut self,
        chunk: &[u8],
        end: impl Fn(&[u8]) -> Result<usize, FrameError>,
    ) -> Result<Bytes, FrameError> {
        self.pending.extend_from_slice(chunk);
        let end = end(&self.pending)?;
        let whole = self.pending.split_to(end).freeze();
        if self.pending.len() > self.limit {
            return Err(FrameError::TooLong(self.limit));
        }
        Ok(whole)
    }
}

/// The smallest message: prelude of twelve bytes and a closing checksum.
const SMALLEST_MESSAGE: usize = 16;
/// AWS allows 24 MiB; no answer of a model comes near.
const LARGEST_MESSAGE: usize = 24 * 1024 * 1024;

/// Index after the last whole message: each begins with its own length.
fn whole_messages(bytes: &[u8]) -> Result<usize, FrameError> {
    let mut at = 0;
    while let Some(length) = bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(SMALLEST_MESSAGE..=LARGEST_MESSAGE).contains(&length) {
            return Err(FrameError::Broken(format!("a message of {length} bytes")));
        }
        if bytes.len() - at < length {
            break;
        }
        at += length;
    }
    Ok(at)
}

/// Calls `take` with every frame of a block of whole frames.
pub fn each<E: From<FrameError>>(
    framing: Framing,
    block: &[u8],
    take: impl FnMut(Frame<'_>) -> Result<(), E>,
) -> Result<(), E> {
    match framing {
        Framing::Sse => sse::events(block).filter_map(sse_frame).try_for_each(take),
        Framing::Ndjson => ndjson::lines(block).map(Frame::Line).try_for_each(take),
        Framing::EventStream => super::event_stream::messages(block, take),
    }
}

/// Some proxies keep connections alive with events that hold nothing: they say nothing, as comments do.
fn sse_frame(event: &[u8]) -> Option<Frame<'_>> {
    let data = sse::data(event).filter(|data| !data.trim_ascii().is_empty())?;
    Some(Frame::Sse { event: sse::name(event), data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_holds_nothing_is_no_frame() {
        let block = b"data:\n\nevent: ping\r\ndata: \r\n\r\ndata: {}\n\n: hi\n\n";
        let mut seen = Vec::new();
        let told: Result<(), FrameError> = each(Framing::Sse, block, |frame| {
            seen.push(frame.json().to_vec());
            Ok(())
        });
        assert_eq!((told, seen), (Ok(()), vec![b"{}".to_vec()]));
    }
}
