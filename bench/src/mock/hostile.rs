//! Answers that no provider should give, made from those that it gives: `__hostile=KIND`.
//!
//! Works on bytes and frames, so every kind exists in every dialect; what a frame is, the content type tells.

use bytes::Bytes;

use super::frames;
use super::reply::{End, Reply, Step};

/// The name in the request, and what is done.
const KINDS: &[(&str, Kind)] = &[
    ("badjson", Kind::BadJson),
    ("truncated", Kind::Truncated),
    ("order", Kind::Order),
    ("crc", Kind::Crc),
    ("errbody", Kind::ErrorBody),
    ("endless", Kind::Endless),
    ("bigline", Kind::BigLine),
    ("cut", Kind::Cut),
    ("hang", Kind::Hang),
    ("empty", Kind::Empty),
    ("html", Kind::Html),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The JSON of the second frame (of the body) is broken, its frame is not.
    BadJson,
    /// Half of the frames (of the body), then a clean end.
    Truncated,
    /// All frames but the last in reverse. A whole answer stays as it is.
    Order,
    /// One bit flipped in the middle, checksums left as they were.
    Crc,
    /// Status 200 and the body of an error.
    ErrorBody,
    /// The frame in the middle again and again, until the peer leaves. A whole body never ends.
    Endless,
    /// A frame (a body) of 100 MB.
    BigLine,
    /// The connection closes in the middle of a frame.
    Cut,
    /// Half of the frames (of the body), then silence.
    Hang,
    /// Status 200 and nothing.
    Empty,
    /// Status 200 and a page for people.
    Html,
}

/// What a frame looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Whole,
    Sse,
    Ndjson,
    Binary,
}

pub(super) const BIG: usize = 100 << 20;
const FILLER: usize = 1 << 20;
/// No JSON, but without a line end, so that only the reader of JSON sees it.
const BROKEN: &[u8] = b"{\"broken\": [1, 2,, {\"\\q\"";
const PAGE: &str = "<!doctype html><html><body><h1>Service temporarily away</h1></body></html>";

pub(super) fn kind(name: &str) -> Option<Kind> {
    KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// `error` is the dialect's answer with status 500.
pub(super) fn spoil(reply: Reply, kind: Kind, error: impl FnOnce() -> Reply) -> Reply {
    match kind {
        Kind::ErrorBody => with_status_200(error()),
        Kind::Html => Reply::full(200, "text/html; charset=utf-8", PAGE),
        _ => match reply {
            Reply::Full { status, headers, body, delay } => {
                let (steps, end, keeps_length) = whole(&body, kind);
                let mut reply = Reply::Stream { status, headers, steps, end, delay };
                if keeps_length {
                    reply = reply.header("content-length", &body.len().to_string());
                }
                reply
            }
            Reply::Stream { status, mut headers, steps, end, delay } => {
                let framing = framing(&headers);
                let (steps, end) = stream(steps, end, framing, kind);
                headers.retain(|(name, _)| name != "content-length");
                Reply::Stream { status, headers, steps, end, delay }
            }
        },
    }
}

fn with_status_200(reply: Reply) -> Reply {
    match reply {
        Reply::Full { headers, body, delay, .. } => Reply::Full { status: 200, headers, body, delay },
        stream @ Reply::Stream { .. } => stream,
    }
}

pub(super) fn framing(headers: &[(String, String)]) -> Framing {
    let value = headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, value)| value);
    match value.split(';').next().unwrap_or_default() {
        "text/event-stream" => Framing::Sse,
        "application/x-ndjson" => Framing::Ndjson,
        "application/vnd.amazon.eventstream" => Framing::Binary,
        _ => Framing::Whole,
    }
}

/// The steps, the end, and whether the length of the untouched body is announced.
fn whole(body: &Bytes, kind: Kind) -> (Vec<Step>, End, bool) {
    let half = body.slice(..body.len() / 2);
    let one = |bytes: Bytes| vec![Step::now(bytes)];
    match kind {
        Kind::BadJson => (one(Bytes::from_static(BROKEN)), End::Clean, false),
        Kind::Truncated => (one(half), End::Clean, false),
        Kind::Crc => (one(flipped(body)), End::Clean, false),
        Kind::Cut => (one(half), End::Abort, true),
        Kind::Hang => (one(half), End::Hang, true),
        Kind::Empty => (Vec::new(), End::Clean, false),
        Kind::Endless => (vec![Step::now(&b"{\"text\": \""[..]), Step::now(filler())], End::Endless, false),
        Kind::BigLine => (big(Framing::Whole), End::Clean, false),
        Kind::Order | Kind::ErrorBody | Kind::Html => (one(body.clone()), End::Clean, false),
    }
}

fn stream(mut steps: Vec<Step>, end: End, framing: Framing, kind: Kind) -> (Vec<Step>, End) {
    let middle = steps.len() / 2;
    match kind {
        Kind::BadJson => replace(&mut steps, framed(framing, BROKEN)),
        Kind::Truncated => steps.truncate(middle),
        Kind::Order => {
            let last = steps.len().saturating_sub(1);
            steps[..last].reverse();
        }
        Kind::Crc => {
            if let Some(step) = steps.get_mut(middle) {
                step.send = flipped(&step.send);
            }
        }
        Kind::Cut => return (cut(steps, middle), End::Abort),
        Kind::Hang => {
            steps.truncate(middle);
            return (steps, End::Hang);
        }
        Kind::Endless => {
            steps.truncate(middle + 1);
            return (steps, End::Endless);
        }
        Kind::BigLine => {
            steps.truncate(1);
            steps.extend(big(framing));
        }
        Kind::Empty => steps.clear(),
        Kind::ErrorBody | Kind::Html => {}
    }
    (steps, end)
}

/// In the place of the second frame, or of the only one.
fn replace(steps: &mut [Step], frame: Bytes) {
    let at = 1.min(steps.len().saturating_sub(1));
    if let Some(step) = steps.get_mut(at) {
        step.send = frame;
    }
}

fn cut(mut steps: Vec<Step>, middle: usize) -> Vec<Step> {
    steps.truncate(middle + 1);
    if let Some(step) = steps.last_mut() {
        step.send.truncate(step.send.len() / 2);
    }
    steps
}

/// The lowest bit of the byte in the middle.
fn flipped(bytes: &Bytes) -> Bytes {
    let mut changed = bytes.to_vec();
    let middle = changed.len() / 2;
    if let Some(byte) = changed.get_mut(middle) {
        *byte ^= 1;
    }
    changed.into()
}

fn framed(framing: Framing, data: &[u8]) -> Bytes {
    match framing {
        Framing::Sse => [b"data: ", data, b"\n\n"].concat().into(),
        Framing::Ndjson => [data, b"\n"].concat().into(),
        Framing::Binary => frames::event("contentBlockDelta", data),
        Framing::Whole => data.to_vec().into(),
    }
}

fn filler() -> Bytes {
    vec![b'a'; FILLER].into()
}

/// One frame in many steps, which share their bytes: the mock itself stays small.
fn big(framing: Framing) -> Vec<Step> {
    let (before, after): (Bytes, &[u8]) = match framing {
        Framing::Sse => (Bytes::from_static(b"data: {\"x\": \""), b"\"}\n\n"),
        Framing::Ndjson => (Bytes::from_static(b"{\"x\": \""), b"\"}\n"),
        Framing::Binary => (frames::prelude(BIG), b""),
        Framing::Whole => (Bytes::from_static(b"{\"x\": \""), b"\"}"),
    };
    let filler = filler();
    let mut steps = vec![Step::now(before)];
    steps.extend((0..BIG / FILLER).map(|_| Step::now(filler.clone())));
    steps.push(Step::now(after.to_vec()));
    steps.retain(|step| !step.send.is_empty());
    steps
}
