//! Where texts of JSON end or need care: quotes, backslashes and control characters, found for 64 bytes at a time.

use wide::u8x16;

/// Bytes of one look.
const BLOCK: usize = 64;

/// The marks of the block that was looked at last. Blocks begin at multiples of [`BLOCK`].
#[derive(Default)]
pub(super) struct Marks {
    block: Option<usize>,
    /// A bit for each byte of the block, the first one lowest.
    marks: u64,
    /// Of all bytes that were looked at.
    bits: u8x16,
}

impl Marks {
    /// The place of the first mark at `at` or behind it; `None`: there is none.
    pub(super) fn next(&mut self, text: &[u8], mut at: usize) -> Option<usize> {
        while at < text.len() {
            let block = at - at % BLOCK;
            if self.block != Some(block) {
                self.look(text, block);
            }
            let ahead = self.marks >> (at % BLOCK);
            if ahead != 0 {
                return Some(at + ahead.trailing_zeros() as usize).filter(|found| *found < text.len());
            }
            at = block + BLOCK;
        }
        None
    }

    /// Whether nothing but ASCII was looked at.
    pub(super) fn ascii(&self) -> bool {
        self.bits.to_array().is_ascii()
    }

    fn look(&mut self, text: &[u8], block: usize) {
        self.block = Some(block);
        self.marks = 0;
        let mut filled = [0; BLOCK];
        let rest = text.get(block..).unwrap_or_default();
        let bytes = rest.first_chunk().unwrap_or_else(|| {
            filled[..rest.len()].copy_from_slice(rest);
            &filled
        });
        for (at, bytes) in bytes.as_chunks::<16>().0.iter().enumerate() {
            let bytes = u8x16::new(*bytes);
            self.bits |= bytes;
            self.marks |= u64::from(marked(bytes)) << (at * 16);
        }
    }
}

fn marked(bytes: u8x16) -> u32 {
    let control = bytes.min(u8x16::splat(b' ' - 1)).simd_eq(bytes);
    let ends = bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'));
    (control | ends).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_found_wherever_it_stands() {
        for length in [0, 1, 15, 16, 63, 64, 65, 200] {
            for at in 0..length {
                for mark in [b'"', b'\\', 0, 0x1f] {
                    let mut text = vec![b'x'; length];
                    text[at] = mark;
                    let mut marks = Marks::default();
                    assert_eq!(marks.next(&text, 0), Some(at));
                    assert_eq!(marks.next(&text, at), Some(at));
                    assert_eq!(marks.next(&text, at + 1), None);
                    assert_eq!(marks.next(&text, length), None);
                }
            }
        }
    }

    #[test]
    fn nothing_else_is_a_mark() {
        let text: Vec<u8> = (b' '..=255).filter(|byte| !b"\"\\".contains(byte)).collect();
        assert_eq!(Marks::default().next(&text, 0), None);
    }

    #[test]
    fn what_is_not_ascii_is_noticed() {
        for at in [0, 63, 64, 99] {
            let mut text = vec![b'x'; 100];
            let mut marks = Marks::default();
            assert_eq!(marks.next(&text, 0), None);
            assert!(marks.ascii());
            text[at] = 0xc3;
            let mut marks = Marks::default();
            assert_eq!(marks.next(&text, 0), None);
            assert!(!marks.ascii());
        }
    }
}
