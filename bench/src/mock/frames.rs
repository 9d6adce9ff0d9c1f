//! AWS's event stream (`application/vnd.amazon.eventstream`), written with AWS's own crate, checksums and all.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;

pub(super) const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
const PRELUDE: usize = 12;

pub(super) fn event(kind: &str, payload: &[u8]) -> Bytes {
    message(":event-type", kind, "event", payload)
}

pub(super) fn exception(kind: &str, payload: &[u8]) -> Bytes {
    message(":exception-type", kind, "exception", payload)
}

/// The first bytes of a message that claims `total` bytes, headers none, with the checksum that belongs to them.
pub(super) fn prelude(total: usize) -> Bytes {
    let mut bytes = u32::try_from(total).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    bytes.extend([0; 4]);
    bytes.extend(crc32(&bytes).to_be_bytes());
    debug_assert_eq!(bytes.len(), PRELUDE);
    bytes.into()
}

/// The order of the headers is that of the recorded provider.
fn message(name: &'static str, kind: &str, message_type: &'static str, payload: &[u8]) -> Bytes {
    let header =
        |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let message = Message::new(payload.to_vec())
        .add_header(header(name, kind))
        .add_header(header(":content-type", "application/json"))
        .add_header(header(":message-type", message_type));
    let mut out = Vec::new();
    if let Err(error) = write_message_to(&message, &mut out) {
        // Only a payload beyond AWS's own limit; an empty frame ends the stream for any reader.
        tracing::error!(%error, "mock: frame not written");
    }
    out.into()
}

/// Bit by bit: twelve bytes at a time need no table.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prelude_has_the_checksum_that_aws_writes() {
        let frame = event("a", b"{}");
        assert_eq!(crc32(&frame[..8]).to_be_bytes(), frame[8..PRELUDE]);
        assert_eq!(prelude(7)[..8], [0, 0, 0, 7, 0, 0, 0, 0]);
    }
}
