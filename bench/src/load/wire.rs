//! HTTP/1.1 answers, decoded from bytes in any cut. No I/O here.

use std::fmt;

use bytes::{Buf, BytesMut};
use memchr::{memchr, memmem};

/// Larger heads are refused.
const MAX_HEAD: usize = 64 << 10;
/// Longest line that carries a chunk's size, and longest trailer.
const MAX_LINE: usize = 4 << 10;
/// Larger bodies are refused; metrics of ten thousand keys are the largest that are asked for.
pub const MAX_BODY: usize = 256 << 20;

/// Status line and the headers that matter to a load driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    pub framing: Framing,
    /// The connection may carry another request.
    pub keep_alive: bool,
    pub retry_after: bool,
}

/// How the end of the body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

/// The answer is not HTTP/1.1 as this reader understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// Decodes one body.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    taken: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Length(usize),
    UntilClose,
    ChunkSize,
    ChunkData(usize),
    ChunkEnd,
    Trailer,
    Done,
}

// --- impl Head ---

impl Head {
    /// Takes a complete head off the front of `input`; none while it is incomplete. Interim answers (1xx) are
    /// skipped.
    pub fn take(input: &mut BytesMut) -> Result<Option<Head>, Malformed> {
        loop {
            let Some(end) = memmem::find(input, b"\r\n\r\n") else {
                return if input.len() > MAX_HEAD { Err(Malformed("head too large")) } else { Ok(None) };
            };
            let head = Head::parse(&input[..end + 2])?;
            input.advance(end + 4);
            if head.status >= 200 {
                return Ok(Some(head));
            }
        }
    }

    fn parse(text: &[u8]) -> Result<Head, Malformed> {
        let (line, mut rest) = split_line(text).ok_or(Malformed("no status line"))?;
        let mut head = Head {
            status: status(line)?,
            framing: Framing::UntilClose,
            keep_alive: line.starts_with(b"HTTP/1.1"),
            retry_after: false,
        };
        while let Some((line, after)) = split_line(rest) {
            head.header(line)?;
            rest = after;
        }
        if matches!(head.status, 204 | 304) {
            head.framing = Framing::Length(0);
        }
        head.keep_alive &= head.framing != Framing::UntilClose;
        Ok(head)
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let colon = memchr(b':', line).ok_or(Malformed("header without a colon"))?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = number(value, 10).ok_or(Malformed("content-length"))?;
            // Transfer-encoding wins over content-length, RFC 9112 6.3.
            if self.framing != Framing::Chunked {
                self.framing = Framing::Length(length);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case(b"connection") {
            self.keep_alive &= !value.eq_ignore_ascii_case(b"close");
        } else if name.eq_ignore_ascii_case(b"retry-after") {
            self.retry_after = true;
        }
        Ok(())
    }
}

// --- impl Decoder ---

impl Decoder {
    pub fn new(framing: Framing) -> Decoder {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
            Framing::UntilClose => State::UntilClose,
        };
        Decoder { state, taken: 0 }
    }

    /// Moves what can be decoded from `input` to the end of `out`; true when the body is complete. What follows
    /// the body stays in `input`.
    pub fn feed(&mut self, input: &mut BytesMut, out: &mut Vec<u8>) -> Result<bool, Malformed> {
        while self.step(input, out)? {}
        Ok(self.state == State::Done)
    }

    /// The peer has closed; true when the body may end like that.
    pub fn closed(&self) -> bool {
        matches!(self.state, State::UntilClose | State::Done)
    }

    /// One move; false when more input is needed or the body is complete.
    fn step(&mut self, input: &mut BytesMut, out: &mut Vec<u8>) -> Result<bool, Malformed> {
        match self.state {
            State::Done => return Ok(false),
            State::Length(left) | State::ChunkData(left) => return self.data(left, input, out),
            State::UntilClose => {
                self.data(usize::MAX, input, out)?;
                return Ok(false);
            }
            State::ChunkSize | State::ChunkEnd | State::Trailer => {}
        }
        let Some((line, _)) = split_line(input) else {
            return if input.len() > MAX_LINE { Err(Malformed("line too long")) } else { Ok(false) };
        };
        self.state = self.after_line(line)?;
        let length = line.len();
        input.advance(length + 2);
        Ok(self.state != State::Done)
    }

    fn after_line(&self, line: &[u8]) -> Result<State, Malformed> {
        match self.state {
            State::ChunkSize => {
                let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
                let size = number(digits, 16).ok_or(Malformed("chunk size"))?;
                Ok(if size == 0 { State::Trailer } else { State::ChunkData(size) })
            }
            State::ChunkEnd if line.is_empty() => Ok(State::ChunkSize),
            State::ChunkEnd => Err(Malformed("no line end after a chunk")),
            State::Trailer if line.is_empty() => Ok(State::Done),
            state => Ok(state),
        }
    }

    fn data(&mut self, left: usize, input: &mut BytesMut, out: &mut Vec<u8>) -> Result<bool, Malformed> {
        let take = left.min(input.len());
        self.taken += take;
        if self.taken > MAX_BODY {
            return Err(Malformed("body too large"));
        }
        out.extend_from_slice(&input[..take]);
        input.advance(take);
        self.state = match self.state {
            State::Length(_) if take == left => State::Done,
            State::Length(_) => State::Length(left - take),
            State::ChunkData(_) if take == left => State::ChunkEnd,
            State::ChunkData(_) => State::ChunkData(left - take),
            state => state,
        };
        Ok(take == left)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed answer: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// The first line without its CRLF, and what follows it.
fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memmem::find(text, b"\r\n")?;
    Some((&text[..end], &text[end + 2..]))
}

fn status(line: &[u8]) -> Result<u16, Malformed> {
    let code = line.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
    code.and_then(|digits| number(digits, 10)).map(|code| code as u16).ok_or(Malformed("status line"))
}

fn number(digits: &[u8], radix: u32) -> Option<usize> {
    // from_str_radix would take a sign.
    let plain = digits.first().is_some_and(|first| char::from(*first).is_digit(radix));
    let text = std::str::from_utf8(digits).ok().filter(|_| plain)?;
    usize::from_str_radix(text, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nRetry-After: 1\r\n\r\n\
        5;x=1\r\nhello\r\n6\r\n world\r\n0\r\nx-trailer: 1\r\n\r\nHTTP";
    const LENGTH: &[u8] =
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\ncontent-length: 11\r\nConnection: Close\r\n\r\nhello worldHTTP";

    fn decode(cuts: &[&[u8]]) -> (Head, Vec<u8>, BytesMut) {
        let (mut input, mut out) = (BytesMut::new(), Vec::new());
        let mut open: Option<(Head, Decoder)> = None;
        for piece in cuts {
            input.extend_from_slice(piece);
            if open.is_none() {
                open = Head::take(&mut input).unwrap().map(|head| (head, Decoder::new(head.framing)));
            }
            if let Some((_, decoder)) = &mut open {
                decoder.feed(&mut input, &mut out).unwrap();
            }
        }
        let (head, decoder) = open.unwrap();
        assert!(decoder.closed());
        (head, out, input)
    }

    #[test]
    fn every_cut_decodes_to_the_same_body() {
        for (text, status, keep_alive) in [(CHUNKED, 200, true), (LENGTH, 503, false)] {
            for cut in 0..=text.len() {
                let (head, body, rest) = decode(&[&text[..cut], &text[cut..]]);
                assert_eq!((head.status, head.keep_alive), (status, keep_alive));
                assert_eq!(head.retry_after, status == 200);
                assert_eq!((&body[..], &rest[..]), (&b"hello world"[..], &b"HTTP"[..]));
            }
        }
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for text in [
            "SMTP ready\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ] {
            assert!(Head::take(&mut BytesMut::from(text)).is_err(), "{text}");
        }
        for body in ["zz\r\n", "+5\r\nhello\r\n", "5\r\nhello!\r\n"] {
            let mut decoder = Decoder::new(Framing::Chunked);
            assert!(decoder.feed(&mut BytesMut::from(body), &mut Vec::new()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_body_cut_short_is_noticed() {
        for (framing, text) in [(Framing::Length(9), "hello"), (Framing::Chunked, "5\r\nhello\r\n")] {
            let mut decoder = Decoder::new(framing);
            assert!(!decoder.feed(&mut BytesMut::from(text), &mut Vec::new()).unwrap());
            assert!(!decoder.closed());
        }
    }
}
