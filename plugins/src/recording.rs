//! How long a recording is that somebody wants to read as text. Models that hear are paid by the second, and with plain text
//! or subtitles they do not say how many there were.

use std::time::Duration;

/// Bytes to a second of what is not told by its head: 128 kbit/s, the usual rate of MP3 and MPEG-4.
const USUAL_RATE: u32 = 16_000;

/// By the recording's head where that says it, else by its size.
pub fn length(bytes: &[u8]) -> Duration {
    wave(bytes).unwrap_or_else(|| lasting(bytes.len(), USUAL_RATE))
}

/// RIFF WAVE tells how many bytes there are to a second. They are never more than its samples take uncompressed, by which
/// it is played whatever else its head says.
fn wave(bytes: &[u8]) -> Option<Duration> {
    let chunks = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
    let format = chunk(chunks, *b"fmt ")?;
    let half = |at: usize| Some(u32::from(u16::from_le_bytes(format.get(at..at + 2)?.try_into().ok()?)));
    let word = |at: usize| Some(u32::from_le_bytes(format.get(at..at + 4)?.try_into().ok()?));
    let frame = half(2)?.saturating_mul(half(14)?.div_ceil(8).max(1));
    let rate = word(8)?.min(word(4)?.saturating_mul(frame));
    Some(lasting(chunk(chunks, *b"data")?.len(), rate)).filter(|_| rate > 0)
}

/// What is in the first chunk of this name. One that was written while its length was not known has all that follows.
fn chunk(mut rest: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    loop {
        let (head, body) = rest.split_at_checked(8)?;
        let size = u32::from_le_bytes(head.get(4..)?.try_into().ok()?);
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(body.len());
        if head.starts_with(&name) {
            return Some(if size == 0 { body } else { &body[..size] });
        }
        rest = body.get(size + size % 2..)?;
    }
}

fn lasting(bytes: usize, rate: u32) -> Duration {
    let millis = (bytes as u64).saturating_mul(1_000) / u64::from(rate.max(1));
    Duration::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of 16 bits at 8 kHz is 16,000 bytes.
    fn recorded(said: u32, data: usize) -> Vec<u8> {
        let mut out = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x01\0".to_vec();
        out.extend_from_slice(&8_000_u32.to_le_bytes());
        out.extend_from_slice(&16_000_u32.to_le_bytes());
        out.extend_from_slice(b"\x02\0\x10\0data");
        out.extend_from_slice(&said.to_le_bytes());
        out.resize(out.len() + data, 7);
        out
    }

    #[test]
    fn p12_the_head_of_a_recording_says_how_long_it_is() {
        for (said, data, millis) in
            [(24_000, 24_000, 1_500), (24_000, 90_000, 1_500), (u32::MAX, 8_000, 500), (0, 32_000, 2_000)]
        {
            assert_eq!(length(&recorded(said, data)), Duration::from_millis(millis), "{said} of {data}");
        }
    }

    /// Such a recording is played like any other, and would cost nothing.
    #[test]
    fn p12_a_head_does_not_make_a_recording_shorter_than_its_samples() {
        let mut bytes = recorded(24_000, 24_000);
        let at = bytes.windows(4).position(|four| four == 16_000_u32.to_le_bytes()).unwrap();
        bytes[at..at + 4].fill(0xff);
        assert_eq!(length(&bytes), Duration::from_millis(1_500));
    }

    #[test]
    fn p12_what_has_no_such_head_is_as_long_as_its_size_suggests() {
        assert_eq!(length(&[0xff; 32_000]), Duration::from_secs(2));
        assert_eq!(length(b""), Duration::ZERO);
        let whole = recorded(8_000, 8_000);
        for cut in 0..whole.len() {
            assert!(length(&whole[..cut]) <= Duration::from_secs(1), "cut at {cut}");
        }
    }
}
