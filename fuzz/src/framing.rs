//! Bytes to frames: the same frames wherever the bytes are cut, and never more kept than was allowed.

use bytes::Bytes;
use std::fmt::Debug;
use weir_core::codec::frames::{self, Deframer, FrameError};
use weir_core::codec::{Frame, Framing};

/// Larger than any input.
pub const ROOMY: usize = 8 << 20;
/// Smaller than many.
const TIGHT: usize = 48;

pub fn check(framing: Framing, bytes: &[u8]) {
    let told = |pieces: &[&[u8]]| {
        let mut seen = Vec::new();
        let note = |frame: Frame<'_>| {
            seen.push(format!("{frame:?}"));
            Ok::<(), FrameError>(())
        };
        let end = read(framing, pieces, note);
        (seen, end)
    };
    anywhere(bytes, told);
    tight(framing, bytes);
}

/// Hands every frame to `take`, in the order in which a gateway would.
pub fn read<E: From<FrameError>>(
    framing: Framing,
    pieces: &[&[u8]],
    mut take: impl FnMut(Frame<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut deframer = Deframer::new(framing, ROOMY);
    for piece in pieces {
        let block = deframer.push(Bytes::copy_from_slice(piece))?;
        frames::each(framing, &block, &mut take)?;
    }
    frames::each(framing, &deframer.rest(), take)
}

/// What is told must not depend on how the bytes arrive: at once, in two pieces, or one by one. After an error, what was
/// told before it may be more or less.
pub fn anywhere<T: Debug + PartialEq, E: Debug + PartialEq>(
    bytes: &[u8],
    tell: impl Fn(&[&[u8]]) -> (Vec<T>, Result<(), E>),
) {
    let whole = tell(&[bytes]);
    let cut = cut(bytes);
    same(&whole, &tell(&[&bytes[..cut], &bytes[cut..]]));
    if bytes.len() <= 512 {
        same(&whole, &tell(&bytes.chunks(1).collect::<Vec<_>>()));
    }
}

fn same<T: Debug + PartialEq, E: Debug + PartialEq>(
    a: &(Vec<T>, Result<(), E>),
    b: &(Vec<T>, Result<(), E>),
) {
    assert_eq!(a.1.is_err(), b.1.is_err(), "{:?} and {:?}", a.1, b.1);
    let common = if a.1.is_err() { a.0.len().min(b.0.len()) } else { a.0.len().max(b.0.len()) };
    assert_eq!(a.0[..common.min(a.0.len())], b.0[..common.min(b.0.len())]);
}

/// A place to cut that is another one for every input, so that no byte of the input is needed to say it.
pub fn cut(bytes: &[u8]) -> usize {
    crc32fast::hash(bytes) as usize % (bytes.len() + 1)
}

/// With a small limit: an error, or no more is kept than that.
fn tight(framing: Framing, bytes: &[u8]) {
    let mut deframer = Deframer::new(framing, TIGHT);
    let pieces = bytes.chunks(1 + cut(bytes) % 64);
    if pieces.into_iter().all(|piece| deframer.push(Bytes::copy_from_slice(piece)).is_ok()) {
        let rest = deframer.rest();
        assert!(rest.len() <= TIGHT, "{} bytes were kept", rest.len());
    }
}
