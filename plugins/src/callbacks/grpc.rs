//! gRPC's unary calls: how a message is framed, and what an answer's trailers say of it.
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>; what may be sent again is OTLP's rule,
//! specification 1.5, "OTLP/gRPC", "Failures".

use super::sinks::Refused;
use crate::auth::Answered;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::HeaderMap;
use prost::Message;
use std::time::Duration;

/// Before each message: whether it is compressed, and its length.
const HEAD: usize = 5;
const PLAIN: u8 = 0;

const STATUS: &str = "grpc-status";
const DETAILS: &str = "grpc-status-details-bin";
const RETRY_INFO: &str = "/google.rpc.RetryInfo";
/// What a receiver may ask for at most: meanwhile what waits for it fills its share of the queue.
const LONGEST: Duration = Duration::from_secs(30);

const RESOURCE_EXHAUSTED: usize = 8;

/// Codes by their number, and whether the same may be sent again.
static CODES: [(&str, bool); 17] = [
    ("OK", false),
    ("CANCELLED", true),
    ("UNKNOWN", false),
    ("INVALID_ARGUMENT", false),
    ("DEADLINE_EXCEEDED", true),
    ("NOT_FOUND", false),
    ("ALREADY_EXISTS", false),
    ("PERMISSION_DENIED", false),
    // Only where it says when: who is full for good (a message that is too large) says nothing.
    ("RESOURCE_EXHAUSTED", false),
    ("FAILED_PRECONDITION", false),
    ("ABORTED", true),
    ("OUT_OF_RANGE", true),
    ("UNIMPLEMENTED", false),
    ("INTERNAL", false),
    ("UNAVAILABLE", true),
    ("DATA_LOSS", true),
    ("UNAUTHENTICATED", false),
];

/// `google.rpc.Status`, as much of it as is read.
#[derive(Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`.
#[derive(Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Message)]
struct RetryInfo {
    #[prost(message, required, tag = "1")]
    retry_delay: Delay,
}

/// `google.protobuf.Duration`.
#[derive(Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// A message as it is sent, not compressed.
pub(super) fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut framed = Vec::with_capacity(HEAD + length);
    framed.push(PLAIN);
    framed.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    // A vector has room for all of it.
    let _ = message.encode(&mut framed);
    framed.into()
}

/// What a receiver says that took a call.
///
/// # Errors
/// It did not take it. `grpc-message` is left out: it may quote what was sent.
pub(super) fn taken(answered: &Answered) -> Result<&[u8], Refused> {
    if answered.status != 200 {
        return Err(Refused::with(answered.status, &[]));
    }
    let status = answered.headers.get(STATUS).and_then(|code| code.to_str().ok()?.parse::<usize>().ok());
    match status {
        Some(0) => Ok(message(&answered.body)),
        Some(code) => Err(refused(code, &answered.headers)),
        None => Err(Refused::for_good(format!("its answer has no {STATUS}: it speaks no gRPC there"))),
    }
}

/// The first message of an answer; empty where there is none that can be read.
fn message(body: &[u8]) -> &[u8] {
    let Some((head, rest)) = body.split_first_chunk::<HEAD>() else { return &[] };
    let [flag, length @ ..] = *head;
    let length = u32::from_be_bytes(length) as usize;
    rest.get(..length).filter(|_| flag == PLAIN).unwrap_or_default()
}

fn refused(code: usize, headers: &HeaderMap) -> Refused {
    let (name, again) = CODES.get(code).copied().unwrap_or(("a code that is none", false));
    let pause = pause(headers);
    let told_when = code == RESOURCE_EXHAUSTED && pause.is_some();
    Refused {
        why: format!("it answered {name} ({code})"),
        again: again || told_when,
        after: pause.unwrap_or_default().min(LONGEST),
        records: None,
    }
}

/// How long a receiver asks to be left alone.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(DETAILS)?.to_str().ok()?;
    let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    let details = Status::decode(bytes.as_slice()).ok()?.details;
    let info = details.iter().find(|detail| detail.type_url.ends_with(RETRY_INFO))?;
    let Delay { seconds, nanos } = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay;
    let nanos = u32::try_from(nanos).unwrap_or_default().min(999_999_999);
    Some(Duration::new(u64::try_from(seconds).unwrap_or_default().min(LONGEST.as_secs()), nanos))
}

#[cfg(test)]
mod tests;
