//! Bodies of requests that tell of many records: documents are written one after another where they are sent from, and
//! the memory is written again when it was sent. A fresh megabyte costs the kernel a page fault every four kilobytes.

use bytes::Bytes;
use std::mem;

/// Memory of bodies that were sent. A lane has its own.
#[derive(Default)]
pub(in super::super) struct Buffers(Vec<Vec<u8>>);

/// How documents stand in a body.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) open: &'static str,
    pub(super) between: &'static str,
    pub(super) close: &'static str,
    /// Documents of one body.
    pub(super) most: usize,
    /// Bytes of one body; a document that is longer goes alone.
    pub(super) bytes: usize,
}

pub(super) struct Body {
    pub(super) text: Vec<u8>,
    pub(super) records: usize,
}

/// Buffers that are kept, and what one may hold: the largest body there is, and a document that was too much for it.
const KEPT: usize = 2;
const LARGEST: usize = 8 << 20;

/// Writes documents into bodies that are short enough, and loses none.
pub(super) fn bodies<T>(
    frame: &Frame,
    all: impl IntoIterator<Item = T>,
    mut write: impl FnMut(T, &mut Vec<u8>),
    buffers: &mut Buffers,
) -> Vec<Body> {
    let mut full = Vec::new();
    let mut body = frame.open(buffers);
    for one in all {
        if body.records >= frame.most {
            full.push(mem::replace(&mut body, frame.open(buffers)));
        }
        let before = body.text.len();
        if body.records > 0 {
            body.text.extend_from_slice(frame.between.as_bytes());
        }
        let from = body.text.len();
        write(one, &mut body.text);
        if body.records > 0 && body.text.len() + frame.close.len() > frame.bytes {
            let mut next = frame.open(buffers);
            next.text.extend_from_slice(&body.text[from..]);
            body.text.truncate(before);
            full.push(mem::replace(&mut body, next));
        }
        body.records += 1;
    }
    match body.records {
        0 => buffers.keep(body.text),
        _ => full.push(body),
    }
    full.iter_mut().for_each(|body| body.text.extend_from_slice(frame.close.as_bytes()));
    full
}

// --- Frame ---

impl Frame {
    /// A JSON array.
    pub(super) const fn list(most: usize, bytes: usize) -> Self {
        Self { open: "[", between: ",", close: "]", most, bytes }
    }

    fn open(&self, buffers: &mut Buffers) -> Body {
        let mut text = buffers.0.pop().unwrap_or_default();
        text.extend_from_slice(self.open.as_bytes());
        Body { text, records: 0 }
    }
}

// --- Buffers ---

impl Buffers {
    /// Takes back what was sent, if nobody else has it any more.
    pub(in super::super) fn give(&mut self, body: Bytes) {
        if let Ok(mut body) = body.try_into_mut() {
            // Else all of it would be moved.
            body.clear();
            self.keep(body.into());
        }
    }

    fn keep(&mut self, mut text: Vec<u8>) {
        if self.0.len() < KEPT && text.capacity() <= LARGEST {
            text.clear();
            self.0.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Frame = Frame { open: "", between: "", close: "", most: 9, bytes: 100 };

    fn written(frame: Frame, lengths: &[usize], buffers: &mut Buffers) -> Vec<(String, usize)> {
        let write = |length: &usize, out: &mut Vec<u8>| out.extend(std::iter::repeat_n(b'x', *length));
        let all = bodies(&frame, lengths, write, buffers).into_iter();
        all.map(|body| (String::from_utf8(body.text).unwrap(), body.records)).collect()
    }

    #[test]
    fn bodies_are_short_enough_and_lose_nothing() {
        let sizes = |most, bytes| {
            let all = written(Frame { most, bytes, ..BARE }, &[3, 3, 9, 1, 1, 1], &mut Buffers::default());
            all.iter().map(|(text, records)| (text.len(), *records)).collect::<Vec<_>>()
        };
        assert_eq!(sizes(2, 100), [(6, 2), (10, 2), (2, 2)]);
        assert_eq!(sizes(9, 6), [(6, 2), (9, 1), (3, 3)]);
        assert_eq!(sizes(1, 0), [(3, 1), (3, 1), (9, 1), (1, 1), (1, 1), (1, 1)]);
        assert!(written(BARE, &[], &mut Buffers::default()).is_empty());
    }

    #[test]
    fn each_body_has_its_frame() {
        let told = written(Frame::list(2, 6), &[1, 1, 1, 9, 1], &mut Buffers::default());
        let expected = [("[x,x]", 2), ("[x]", 1), ("[xxxxxxxxx]", 1), ("[x]", 1)];
        assert_eq!(told, expected.map(|(text, records)| (text.to_owned(), records)));
    }

    #[test]
    fn memory_is_used_again_and_holds_nothing_of_what_it_held() {
        let mut buffers = Buffers::default();
        let first = Bytes::from(Vec::from(&b"a secret"[..]));
        let at = first.as_ptr();
        let elsewhere = first.clone();
        buffers.give(first);
        assert!(buffers.0.is_empty(), "somebody still has it");
        buffers.give(elsewhere);
        let told = bodies(&BARE, [()], |(), out| out.push(b'b'), &mut buffers);
        assert_eq!((told[0].text.as_ptr(), told[0].text.as_slice()), (at, &b"b"[..]));
    }

    #[test]
    fn little_is_kept() {
        let mut buffers = Buffers::default();
        buffers.give(Bytes::from(vec![0_u8; LARGEST + 1]));
        assert!(buffers.0.is_empty());
        (0..9).for_each(|_| buffers.give(Bytes::from(vec![0_u8; 10])));
        assert_eq!(buffers.0.len(), KEPT);
    }
}
