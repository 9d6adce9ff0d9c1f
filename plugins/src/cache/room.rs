//! How much of answers under way is collected to be kept: of one, and of all together.

use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Longer answers are not kept. LiteLLM's bound.
pub const MAX_ANSWER: usize = 1 << 20;

/// Bytes that may still be collected by all exchanges together.
#[derive(Debug)]
pub struct Room(AtomicUsize);

impl Room {
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(bytes)))
    }

    fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// One answer as far as it is there.
pub(super) struct Collected {
    room: Arc<Room>,
    bytes: BytesMut,
    taken: usize,
    too_long: bool,
}

impl Collected {
    pub(super) fn new(room: &Arc<Room>) -> Self {
        Self { room: Arc::clone(room), bytes: BytesMut::new(), taken: 0, too_long: false }
    }

    /// What does not fit makes the whole of it worth nothing.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        if self.too_long {
            return;
        }
        if self.taken + bytes.len() > MAX_ANSWER || !self.room.take(bytes.len()) {
            self.too_long = true;
            self.bytes = BytesMut::new();
            self.room.give_back(std::mem::take(&mut self.taken));
            return;
        }
        self.taken += bytes.len();
        self.bytes.extend_from_slice(bytes);
    }

    /// `None`: it did not fit, or nothing came.
    pub(super) fn whole(mut self) -> Option<Bytes> {
        let bytes = std::mem::take(&mut self.bytes);
        // In a buffer of its own size, since it stays.
        (!self.too_long && !bytes.is_empty()).then(|| Bytes::copy_from_slice(&bytes))
    }
}

impl Drop for Collected {
    fn drop(&mut self) {
        self.room.give_back(self.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p49_what_is_collected_is_bounded_and_given_back() {
        let room = Room::new(10);
        let mut first = Collected::new(&room);
        let mut second = Collected::new(&room);
        first.take(b"1234");
        first.take(b"56");
        second.take(b"12345");
        second.take(b"1");
        assert_eq!(second.whole(), None, "there was no room, and a part is no answer");
        assert_eq!(first.whole().as_deref(), Some(&b"123456"[..]));
        let mut third = Collected::new(&room);
        third.take(&[0; 10]);
        assert!(third.whole().is_some(), "all of it is free again");
    }

    #[test]
    fn an_answer_that_is_too_long_is_not_kept() {
        let mut long = Collected::new(&Room::new(usize::MAX));
        long.take(&vec![b'a'; MAX_ANSWER]);
        long.take(b"a");
        assert_eq!(long.whole(), None);
        assert_eq!(Collected::new(&Room::new(1)).whole(), None, "nothing came");
    }
}
