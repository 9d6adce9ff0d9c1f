//! What a callback writes: a file for each form. None of them knows sockets, clocks or queues.

pub(super) mod aws;
mod bodies;
pub(super) mod datadog;
pub(super) mod dynamodb;
pub(super) mod gcs;
pub(super) mod generic;
pub(super) mod langfuse;
mod langfuse_tags;
pub(super) mod objects;
pub(super) mod otel;
mod otel_messages;
mod otel_metrics;
mod otel_wire;
mod otlp;
pub(super) mod s3;
pub(super) mod sqs;

pub(super) use bodies::Buffers;

use super::kinds::Build;
use super::record::Told;
use crate::auth::Identity;
use crate::auth::aws::Source;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use std::time::Duration;
use weir_core::config::problems::Problems;
use weir_core::config::tree::Node;

/// Writes what is told as requests.
pub(super) trait Sink: Send + Sync {
    /// Requests that tell all of these that it has anything to say of. `buffers`: memory for long ones.
    fn write(&self, told: &[Told<'_>], buffers: &mut Buffers) -> Vec<Parcel>;

    /// What a service that took the request says against it. Never quotes what was sent.
    fn objection(&self, _answer: &[u8]) -> Option<Refused> {
        None
    }

    /// Whether audit entries mean something to it.
    fn takes_audits(&self) -> bool {
        true
    }
}

/// One request. Cheap to clone.
#[derive(Clone)]
pub(super) struct Parcel {
    pub(super) method: Method,
    pub(super) url: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// How many records it tells.
    pub(super) records: usize,
}

/// How the gateway proves who it is, beside what stands in the headers, and over what.
pub(super) enum Door {
    Open,
    /// Over gRPC, which is HTTP/2; the headers say who it is. What is sent is framed already.
    Grpc,
    Aws {
        source: Box<Source>,
        region: String,
        service: &'static str,
    },
    Token(Identity),
}

/// Why a request was not taken, or not all of it.
#[derive(Default)]
pub(super) struct Refused {
    pub(super) why: String,
    /// Another try may do better.
    pub(super) again: bool,
    /// It does not want to be tried before.
    pub(super) after: Duration,
    /// How many of the records are not taken; `None`: all.
    pub(super) records: Option<usize>,
}

// --- Parcel ---

impl Parcel {
    pub(super) fn post(url: &Uri, headers: &HeaderMap, body: impl Into<Bytes>, records: usize) -> Self {
        let (url, headers) = (url.clone(), headers.clone());
        Self { method: Method::POST, url, headers, body: body.into(), records }
    }
}

// --- Refused ---

impl Refused {
    pub(super) fn now(why: String) -> Self {
        Self { why, again: true, ..Self::default() }
    }

    pub(super) fn for_good(why: String) -> Self {
        Self { why, ..Self::default() }
    }

    /// AWS says 400 to who is only too quick.
    pub(super) fn with(status: u16, answer: &[u8]) -> Self {
        let says = |word: &[u8]| memchr::memmem::find(answer, word).is_some();
        let hurried = status == 400 && (says(b"Throttl") || says(b"ThroughputExceeded"));
        let again = hurried || matches!(status, 408 | 429 | 500..);
        Self { why: format!("it answered {status}"), again, ..Self::default() }
    }
}

// --- shared ---

/// A header that is never shown.
pub(super) fn secret(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The map `headers` of the settings, else `name=value,name=value` of the first of these variables that is set.
pub(super) fn headers(build: &Build<'_>, variables: &[&str], problems: &mut Problems) -> HeaderMap {
    let of_env = variables.iter().find_map(|name| build.env.filled(name)).filter(|_| !build.own);
    let written: Vec<(&str, &str)> = match build.params.node("headers").map(Node::entries) {
        Some(map) => map.iter().filter_map(|(name, node)| Some((name.as_str(), node.as_text()?))).collect(),
        None => of_env.unwrap_or_default().split(',').filter_map(|pair| pair.split_once('=')).collect(),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        let pair = name.trim().parse::<HeaderName>().ok().zip(secret(value.trim()));
        if pair.is_none() {
            // Neither is quoted: one that is misplaced may be the other.
            problems.warn(&build.at, "a header is not valid, and is left out", "");
        }
        headers.extend(pair);
    }
    headers
}

/// Runs that are at most so many, and so long together; what is longer goes alone.
pub(super) fn runs<T>(all: &[T], length: impl Fn(&T) -> usize, most: usize, bytes: usize) -> Vec<&[T]> {
    let mut runs = Vec::new();
    let (mut from, mut size) = (0, 0);
    for (at, length) in all.iter().map(length).enumerate() {
        if at > from && (at - from >= most || size + length > bytes) {
            runs.extend(all.get(from..at));
            (from, size) = (at, 0);
        }
        size += length;
    }
    runs.extend(all.get(from..).filter(|rest| !rest.is_empty()));
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_short_enough_and_lose_nothing() {
        let lengths = [3, 3, 9, 1, 1, 1];
        let sizes = |most, bytes| {
            runs(&lengths, |length| *length, most, bytes).iter().map(|r| r.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(2, 100), [2, 2, 2]);
        assert_eq!(sizes(9, 6), [2, 1, 3]);
        assert!(runs(&[], |length: &usize| *length, 9, 9).is_empty());
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        for (status, body, again) in [
            (400, "bad", false),
            (400, "{\"__type\":\"com.amazon#ThrottlingException\"}", true),
            (401, "", false),
            (429, "", true),
            (503, "", true),
        ] {
            assert_eq!(Refused::with(status, body.as_bytes()).again, again, "{status} {body}");
        }
    }
}
