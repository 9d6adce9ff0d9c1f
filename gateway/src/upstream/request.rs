//! The request that goes to a provider.

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Method};
use pingora::http::RequestHeader;
use weir_core::body::Pieces;
use weir_core::error::{ApiError, Kind};
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
        let head = head(x, attempt, length).map_err(|error| {
            ApiError::new(Kind::Internal, "The request could not be built.").because(error)
        })?;
        Ok(Self {
            head: Box::new(head),
            body: if length <= COPY_LIMIT { joined(&body, length) } else { body },
        })
    }
}

fn joined(pieces: &Pieces, length: usize) -> Pieces {
    let mut whole = BytesMut::with_capacity(length);
    pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
    Pieces::from_iter([whole.freeze()])
}

fn head(x: &Exchange, attempt: &Attempt, length: usize) -> pingora::Result<RequestHeader> {
    let wire = &attempt.deployment.wire;
    let path = wire.path(x.request.operation);
    let mut head = RequestHeader::build_no_case(Method::POST, path.as_bytes(), Some(8 + wire.headers.len()))?;
    head.insert_header(http::header::HOST, wire.authority.clone())?;
    head.insert_header(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))?;
    head.insert_header(http::header::CONTENT_LENGTH, HeaderValue::from(length))?;
    // Compressed streams could be neither scanned nor flushed event by event.
    head.insert_header(http::header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))?;
    head.insert_header(CLIENT_REQUEST_ID, format!("{}-{}", x.id, attempt.number))?;
    if x.snapshot.config.general.forward_client_headers_to_llm_api {
        forward(x, &mut head)?;
    }
    for (name, value) in &wire.headers {
        head.insert_header(name.clone(), value.clone())?;
    }
    Ok(head)
}

/// Only `x-*` headers that are neither credentials nor ours, as LiteLLM forwards them.
fn forward(x: &Exchange, head: &mut RequestHeader) -> pingora::Result<()> {
    static KEPT_BACK: &[&str] =
        &["x-litellm", "x-api-key", "x-goog-api-key", "x-stainless", "x-forwarded", "x-real-ip"];
    for (name, value) in &x.request.headers {
        let text = name.as_str();
        if text.starts_with("x-")
            && !KEPT_BACK.iter().any(|k| text.starts_with(k))
            && *name != CLIENT_REQUEST_ID
        {
            head.insert_header(name.clone(), value.clone())?;
        }
    }
    Ok(())
}
