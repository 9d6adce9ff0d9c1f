//! In front of Pingora's HTTP parser: whole heads only, in time, with one meaning.
//!
//! Pingora resolves ambiguous requests its own way (a length beside chunked is dropped) or answers with an empty 400,
//! and has no deadline for a head that drips in. `head.rs` decides about the bytes of a head, `guard.rs` holds them
//! back until they are whole.

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

/// A server whose HTTP/1 connections are guarded. HTTP/2 has neither problem.
pub struct Front<A> {
    pub inner: Arc<A>,
    /// From the first byte of a head to its last.
    pub head_timeout: Duration,
    /// HTTP/2 without TLS is recognised by its preface, which is no HTTP/1 head.
    pub h2c: bool,
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> ServerApp for Front<A> {
    async fn process_new(self: &Arc<Self>, stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let h2 = self.h2c || matches!(stream.selected_alpn_proto(), Some(ALPN::H2));
        if h2 {
            return self.inner.process_new(stream, shutdown).await;
        }
        let guarded: Stream = Box::new(Guard::new(stream, self.head_timeout));
        self.inner.process_new(guarded, shutdown).await
    }

    async fn cleanup(&self) {
        self.inner.cleanup().await;
    }
}

/// Tells the guard of a connection that its request is done: the next byte begins a head.
pub fn request_done(stream: Option<&Stream>) {
    if let Some(guard) = stream.and_then(|s| s.as_any().downcast_ref::<Guard>()) {
        guard.expect_head();
    }
}
