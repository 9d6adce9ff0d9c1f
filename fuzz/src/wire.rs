//! AWS's binary messages out of input that a fuzzer can change without knowing a checksum.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Lines of `KIND PAYLOAD`, or `!KIND PAYLOAD` for an exception, as messages. `wrap` makes the payload.
pub fn messages(text: &[u8], wrap: fn(&str, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let end = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
        let kind = String::from_utf8_lossy(&line[..end]).into_owned();
        let payload = wrap(&kind, line.get(end + 1..).unwrap_or_default());
        // What cannot be written, such as a kind that is too long for a header, is left out.
        drop(write_message_to(&message(kind, payload), &mut out));
    }
    out
}

fn message(kind: String, payload: Vec<u8>) -> Message {
    let (sort, name, kind) = match kind.strip_prefix('!') {
        Some(kind) => ("exception", ":exception-type", kind.to_owned()),
        None => ("event", ":event-type", kind),
    };
    let header = |name: &'static str, value: String| Header::new(name, HeaderValue::String(value.into()));
    Message::new(payload).add_header(header(":message-type", sort.to_owned())).add_header(header(name, kind))
}

/// The payload as it is.
pub fn plain(_: &str, payload: &[u8]) -> Vec<u8> {
    payload.to_vec()
}

/// InvokeModel's chunks hold their JSON as base64.
pub fn chunk(kind: &str, payload: &[u8]) -> Vec<u8> {
    if kind != "chunk" {
        return payload.to_vec();
    }
    format!("{{\"bytes\":\"{}\"}}", STANDARD.encode(payload)).into_bytes()
}

const PRELUDE: usize = 8;
const CHECKSUM: usize = 4;

/// Binary messages with their checksums put right, as far as their lengths make sense.
pub fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(length) = out.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes) {
        let Some(message) = usize::try_from(length).ok().and_then(|l| out[at..].get_mut(..l)) else { break };
        if message.len() < PRELUDE + 2 * CHECKSUM {
            break;
        }
        seal(message, PRELUDE);
        seal(message, message.len() - CHECKSUM);
        at += message.len();
    }
    out
}

/// Writes the checksum of everything before it.
fn seal(message: &mut [u8], at: usize) {
    let sum = crc32fast::hash(&message[..at]);
    message[at..at + CHECKSUM].copy_from_slice(&sum.to_be_bytes());
}
