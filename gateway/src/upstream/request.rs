//! The request that goes to a provider.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use pingora::http::RequestHeader;
use weir_core::body::Pieces;
use weir_core::error::ApiError;
use weir_plugins::exchange::{Attempt, Exchange};

/// Head and body, ready to send.
pub struct Outgoing {
    pub head: Box<RequestHeader>,
    pub body: Pieces,
}

/// Bodies up to this size are sent in one piece: copying is cheaper than another system call.
const COPY_LIMIT: usize = 64 * 1024;

/// OpenAI documents this header for the caller's own id of a request; others ignore it.
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-client-request-id");

impl Outgoing {
    pub fn new(x: &Exchange, attempt: &Attempt) -> Result<Self, ApiError> {
        let request = &x.request;
        let deployment = &attempt.deployment;
        let body = deployment.rules.apply(&request.body, request.operation, request.stream)?;
        let length: usize = body.iter().map(Bytes::len).sum();
        Ok(Self {
            head: Box::new(head(x, attempt, length)),
            body: if length <= COPY_LIMIT { joined(&body, length) } else { body },
        })
    }
}

fn joined(pieces: &Pieces, length: usize) -> Pieces {
    let mut whole = BytesMut::with_capacity(length);
    pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
    Pieces::from_iter([whole.freeze()])
}

fn head(x: &Exchange, attempt: &Attempt, length: usize) -> RequestHeader {
    let wire = &attempt.deployment.wire;
    let mut headers = HeaderMap::with_capacity(wire.headers.len() + 4);
    if x.snapshot.config.general.forward_client_headers_to_llm_api {
        forward(x, &mut headers);
    }
    headers.extend(wire.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    if let Ok(id) = HeaderValue::from_str(&format!("{}-{}", x.id, attempt.number)) {
        headers.insert(CLIENT_REQUEST_ID, id);
    }
    let (mut parts, ()) = http::Request::new(()).into_parts();
    (parts.method, parts.uri, parts.headers) =
        (Method::POST, wire.path(x.request.operation).clone(), headers);
    RequestHeader::from(parts)
}

/// Only `x-*` headers that are neither credentials nor ours, as LiteLLM forwards them.
fn forward(x: &Exchange, headers: &mut HeaderMap) {
    static KEPT_BACK: &[&str] =
        &["x-litellm", "x-api-key", "x-goog-api-key", "x-stainless", "x-forwarded", "x-real-ip"];
    for (name, value) in &x.request.headers {
        let text = name.as_str();
        if text.starts_with("x-")
            && !KEPT_BACK.iter().any(|k| text.starts_with(k))
            && *name != CLIENT_REQUEST_ID
        {
            headers.insert(name.clone(), value.clone());
        }
    }
}
