//! What a mock provider sends back, as data.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::json;

/// One answer. Header names and values that HTTP does not allow are left out, with a warning.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A whole body with its content-length. Nothing is sent before `delay` has passed.
    Full { status: u16, headers: Vec<(String, String)>, body: Bytes, delay: Duration },
    /// A body of unknown length, chunked in HTTP/1.1. Nothing, not even the status, is sent before `delay`
    /// has passed.
    Stream { status: u16, headers: Vec<(String, String)>, steps: Vec<Step>, end: End, delay: Duration },
}

/// One write, flushed before the next step or an end other than [`End::Clean`].
///
/// `wait` counts from the moment the step before was due, not from when it was written, so that a
/// paced stream keeps its rate however coarse the timer is.
#[derive(Debug, Clone)]
pub struct Step {
    pub wait: Duration,
    pub send: Bytes,
}

/// What follows the last step of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The body ends as the protocol wants it.
    Clean,
    /// The connection is closed without the final chunk (HTTP/2: the stream is reset).
    Abort,
    /// Nothing more is sent, and the connection stays open until the peer goes away.
    Hang,
    /// The last step is sent again and again until the peer goes away.
    Endless,
}

// --- impl Step ---

impl Step {
    pub fn now(send: impl Into<Bytes>) -> Step {
        Step::after(Duration::ZERO, send)
    }

    pub fn after(wait: Duration, send: impl Into<Bytes>) -> Step {
        Step { wait, send: send.into() }
    }
}

// --- impl Reply ---

impl Reply {
    pub fn full(status: u16, content_type: &str, body: impl Into<Bytes>) -> Reply {
        let headers = content_type_header(content_type);
        Reply::Full { status, headers, body: body.into(), delay: Duration::ZERO }
    }

    /// `value` in compact form.
    pub fn json(status: u16, value: &Value) -> Reply {
        Reply::full(status, "application/json", json::compact(value))
    }

    /// Status 200 and a clean end.
    pub fn stream(content_type: &str, steps: Vec<Step>) -> Reply {
        let headers = content_type_header(content_type);
        Reply::Stream { status: 200, headers, steps, end: End::Clean, delay: Duration::ZERO }
    }

    /// Adds a header; one of the same name that is already there stays.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers_mut().push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the delay before the first byte.
    #[must_use]
    pub fn delayed(mut self, wait: Duration) -> Reply {
        match &mut self {
            Reply::Full { delay, .. } | Reply::Stream { delay, .. } => *delay = wait,
        }
        self
    }

    /// Puts this pause before each step of a stream but the first.
    #[must_use]
    pub(super) fn paced(mut self, pace: Duration) -> Reply {
        if let Reply::Stream { steps, .. } = &mut self {
            steps.iter_mut().skip(1).for_each(|step| step.wait += pace);
        }
        self
    }

    /// Sets how a stream ends; a whole body has no other end than the clean one.
    #[must_use]
    pub fn ending(mut self, with: End) -> Reply {
        if let Reply::Stream { end, .. } = &mut self {
            *end = with;
        }
        self
    }

    pub(super) fn delay(&self) -> Duration {
        match self {
            Reply::Full { delay, .. } | Reply::Stream { delay, .. } => *delay,
        }
    }

    fn headers_mut(&mut self) -> &mut Vec<(String, String)> {
        match self {
            Reply::Full { headers, .. } | Reply::Stream { headers, .. } => headers,
        }
    }
}

fn content_type_header(content_type: &str) -> Vec<(String, String)> {
    vec![("content-type".to_owned(), content_type.to_owned())]
}
