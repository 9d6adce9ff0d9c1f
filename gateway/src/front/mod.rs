//! In front of Pingora's HTTP parser: whole heads only, in time, with one meaning.
//!
//! Pingora resolves ambiguous requests its own way (a length beside chunked is dropped) or answers with an empty 400,
//! and has no deadline for a head that drips in. `head.rs` decides about the bytes of a head, `guard.rs` holds them
//! back until they are whole, `certificate.rs` checks what TLS needs.

pub mod certificate;
mod guard;
mod head;

pub use head::refusal;

use async_trait::async_trait;
use guard::Guard;
use pingora::apps::ServerApp;
use pingora::protocols::{ALPN, Stream};
use pingora::server::ShutdownWatch;
use std::sync::Arc;
use std::time::Duration;

/// A server whose connections are guarded: HTTP/1 in full, HTTP/2 against clients that connect and stay silent.
pub struct Front<A> {
    pub inner: Arc<A>,
    /// From connecting, or the first byte of a later head, to the head's last byte.
    pub head_timeout: Duration,
    /// Whether HTTP/2 is spoken without TLS.
    pub h2c: bool,
}

/// How HTTP/2 begins. RFC 9113, section 3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> ServerApp for Front<A> {
    async fn process_new(self: &Arc<Self>, mut stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let h2 = matches!(stream.selected_alpn_proto(), Some(ALPN::H2))
            || self.h2c && stream.get_ssl_digest().is_none() && self.has_preface(&mut stream).await?;
        let guard =
            if h2 { Guard::http2(stream, self.head_timeout) } else { Guard::new(stream, self.head_timeout) };
        self.inner.process_new(Box::new(guard), shutdown).await
    }

    async fn cleanup(&self) {
        self.inner.cleanup().await;
    }
}

impl<A> Front<A> {
    /// Whether a connection without TLS begins as HTTP/2 does; `None` when its first bytes do not come in time. No
    /// whole HTTP/1.1 head is shorter than a preface.
    async fn has_preface(&self, stream: &mut Stream) -> Option<bool> {
        let mut first = [0; PREFACE.len()];
        let peeked = tokio::time::timeout(self.head_timeout, stream.try_peek(&mut first)).await;
        Some(peeked.ok()?.ok()? && first == *PREFACE)
    }
}

/// Tells the guard of a connection that its request is done: the next byte begins a head.
pub fn request_done(stream: Option<&Stream>) {
    if let Some(guard) = stream.and_then(|s| s.as_any().downcast_ref::<Guard>()) {
        guard.expect_head();
    }
}
