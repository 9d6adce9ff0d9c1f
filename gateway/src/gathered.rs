//! Pieces of a body, put together.

use bytes::{Bytes, BytesMut};

/// Takes pieces one after the other. One that comes alone is never copied.
pub struct Gathered {
    first: Bytes,
    /// All of them, once there are two.
    whole: BytesMut,
    expected: usize,
}

impl Gathered {
    /// `expected`: how long all of them are together, as far as that may be believed; 0 where nobody knows.
    pub fn new(expected: usize) -> Self {
        Self { first: Bytes::new(), whole: BytesMut::new(), expected }
    }

    pub fn len(&self) -> usize {
        self.first.len() + self.whole.len()
    }

    pub fn push(&mut self, piece: Bytes) {
        if self.len() == 0 {
            self.first = piece;
            return;
        }
        if self.whole.is_empty() {
            self.whole.reserve(self.expected.max(self.first.len() + piece.len()));
            self.whole.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.whole.extend_from_slice(&piece);
    }

    pub fn end(self) -> Bytes {
        if self.whole.is_empty() { self.first } else { self.whole.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(expected: usize, pieces: &[&'static [u8]]) -> Bytes {
        let mut all = Gathered::new(expected);
        pieces.iter().for_each(|piece| all.push(Bytes::from_static(piece)));
        assert_eq!(all.len(), pieces.concat().len());
        all.end()
    }

    #[test]
    fn pieces_come_out_in_their_order_and_a_single_one_as_it_is() {
        for expected in [0, 3, 100] {
            assert_eq!(gathered(expected, &[]), "");
            assert_eq!(gathered(expected, &[b"", b"one", b"", b"two", b"three"]), "onetwothree");
        }
        let one: &[u8] = b"one";
        assert_eq!(gathered(9, &[one]).as_ptr(), one.as_ptr());
    }
}
