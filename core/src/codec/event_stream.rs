//! AWS's event stream (`application/vnd.amazon.eventstream`): length-prefixed messages with typed headers and a
//! checksum over the prelude and one over the whole. Read with AWS's own crate.

use super::frames::{Frame, FrameError};
use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::event_stream::Message;

/// Calls `take` with every message of a block of whole messages. A wrong checksum is an error.
pub(super) fn messages<E: From<FrameError>>(
    mut block: &[u8],
    mut take: impl FnMut(Frame<'_>) -> Result<(), E>,
) -> Result<(), E> {
    while !block.is_empty() {
        let message = read_message_from(&mut block).map_err(|e| FrameError::Broken(e.to_string()))?;
        let exception = text(&message, ":message-type") == "exception";
        let named = text(&message, if exception { ":exception-type" } else { ":event-type" });
        // An unmodelled error names itself in `:error-code`.
        let kind = if named.is_empty() { text(&message, ":error-code") } else { named };
        let exception = exception || text(&message, ":message-type") == "error";
        take(Frame::Message { kind, exception, payload: message.payload() })?;
    }
    Ok(())
}

fn text<'m>(message: &'m Message, name: &str) -> &'m str {
    let header = message.headers().iter().find(|h| h.name().as_str() == name);
    header.and_then(|h| h.value().as_string().ok()).map_or("", |s| s.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::frames::{self, Deframer, Framing};
    use super::*;
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue};
    use bytes::Bytes;

    fn message(kind: &'static str, payload: &'static str) -> Vec<u8> {
        let mut out = Vec::new();
        let header =
            |name: &'static str, value: &'static str| Header::new(name, HeaderValue::String(value.into()));
        let message = Message::new(payload.as_bytes())
            .add_header(header(":message-type", "event"))
            .add_header(header(":event-type", kind));
        write_message_to(&message, &mut out).unwrap();
        out
    }

    fn read(parts: &[&[u8]]) -> Result<Vec<String>, FrameError> {
        let mut deframer = Deframer::new(Framing::EventStream, 1024);
        let mut seen = Vec::new();
        for part in parts {
            let block = deframer.push(Bytes::copy_from_slice(part))?;
            frames::each(Framing::EventStream, &block, |frame| {
                seen.push(format!("{frame:?}"));
                Ok::<(), FrameError>(())
            })?;
        }
        Ok(seen)
    }

    #[test]
    fn any_cut_gives_the_same_messages() {
        let stream = [message("a", "{}"), message("b", "{\"x\":1}")].concat();
        let whole = read(&[&stream]).unwrap();
        assert_eq!(whole.len(), 2);
        for cut in 0..stream.len() {
            assert_eq!(read(&[&stream[..cut], &stream[cut..]]).unwrap(), whole, "cut at {cut}");
        }
        assert_eq!(read(&stream.chunks(1).collect::<Vec<_>>()).unwrap(), whole);
    }

    #[test]
    fn a_flipped_bit_is_told() {
        let stream = message("a", "{}");
        for at in 0..stream.len() {
            let mut bad = stream.clone();
            bad[at] ^= 1;
            // A longer length waits for more; everything else is seen at once.
            let read = read(&[&bad]);
            assert!(read.is_err() || read.is_ok_and(|seen| seen.is_empty()), "byte {at}");
        }
    }
}
