//! In front of Pingora's HTTP parser: whole heads only, in time, with one meaning.
//!
//! Pingora resolves ambiguous requests its own way (a length beside chunked is dropped) or answers with an empty 400,
//! and has no deadline for a head that drips in. `head.rs` decides about the bytes of a head, `guard.rs` holds them
//! back until they are whole, `certificate.rs` checks what TLS needs. Requests that this process answers itself never
//! enter Pingora's proxy: that costs a fifth of a small request, and memory for every idle client.

pub mod certificate;
mod guard;
mod head;
pub mod probes;

pub use head::refusal;

use crate::patience::Patience;
use crate::proxy::{self, KEEPALIVE};
use crate::state::App;
use async_trait::async_trait;
use futures_util::FutureExt;
use guard::Guard;
use pingora::apps::{HttpServerApp, ServerApp};
use pingora::prelude::timeout;
use pingora::protocols::http::ServerSession;
use pingora::protocols::{ALPN, Shutdown, Stream};
use pingora::server::ShutdownWatch;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// A server whose connections are guarded: HTTP/1 in full, HTTP/2 against clients that connect and stay silent.
pub struct Front<P> {
    pub app: Arc<App>,
    /// Takes HTTP/2, and of HTTP/1 what is not answered here.
    pub proxy: Arc<P>,
    /// From connecting, or the first byte of a later head, to the head's last byte.
    pub head_timeout: Duration,
    /// Whether HTTP/2 is spoken without TLS.
    pub h2c: bool,
}

/// How HTTP/2 begins. RFC 9113, section 3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[async_trait]
impl<P: HttpServerApp + Send + Sync + 'static> ServerApp for Front<P> {
    async fn process_new(self: &Arc<Self>, mut stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let Some(_place) = self.app.limits.client() else {
            turn_away(stream).await;
            return None;
        };
        let h2 = matches!(stream.selected_alpn_proto(), Some(ALPN::H2))
            || self.h2c && stream.get_ssl_digest().is_none() && self.has_preface(&mut stream).await?;
        if h2 {
            let guard = Guard::http2(stream, self.head_timeout);
            return self.proxy.process_new(Box::new(guard), shutdown).await;
        }
        self.http1(Guard::new(stream, self.head_timeout), shutdown).await;
        None
    }

    async fn cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}

/// What a client reads that finds no room. Written without a parser: thousands may come at once.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
    connection: close\r\ncontent-length: 124\r\n\r\n\
    {\"error\":{\"message\":\"The gateway has too many connections; try again.\",\"type\":\"overloaded_error\",\"param\":null,\"code\":\"503\"}}";

/// How long a client that finds no room may take to send a request and take its answer.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long a connection may take for its first request when the process stops.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Closing before the request was read would look like a broken connection rather than an answer.
async fn turn_away(stream: Stream) {
    let mut guard = Guard::new(stream, FAREWELL);
    let told = async {
        if matches!(guard.next_head().await, Ok(Some(_))) {
            // Whoever does not take it gets a closed connection.
            let _ = guard.write_all(NO_ROOM).await;
            let _ = guard.flush().await;
        }
        Shutdown::shutdown(&mut guard).await;
    };
    let _ = timeout(FAREWELL, told).await;
}

/// Lets what a client is sent over HTTP/1 wait for what follows at once, until it is told not to.
pub fn wait_for_more(down: &ServerSession, waits: bool) {
    if let Some(guard) = guarded(down) {
        guard.wait_for_more(waits);
    }
}

/// Whether lines can be added to a head.
pub fn takes_lines(down: &ServerSession) -> bool {
    guarded(down).is_some()
}

/// Adds lines to the head that is written next, which must wait for more. Each begins with the end of the line before it.
pub fn add_to_head(down: &ServerSession, lines: String) {
    if let Some(guard) = guarded(down) {
        guard.add_to_head(lines);
    }
}

/// What stands before an HTTP/1 session.
fn guarded(down: &ServerSession) -> Option<&Guard> {
    let ServerSession::H1(session) = down else { return None };
    session.stream().as_any().downcast_ref()
}

impl<P: HttpServerApp + Send + Sync + 'static> Front<P> {
    /// Whether a connection without TLS begins as HTTP/2 does; `None` when its first bytes do not come in time. No
    /// whole HTTP/1.1 head is shorter than a preface.
    async fn has_preface(&self, stream: &mut Stream) -> Option<bool> {
        let mut first = [0; PREFACE.len()];
        let peeked = tokio::time::timeout(self.head_timeout, stream.try_peek(&mut first)).await;
        Some(peeked.ok()?.ok()? && first == *PREFACE)
    }

    /// One request after the other, until either side has had enough.
    async fn http1(&self, guard: Guard, shutdown: &ShutdownWatch) {
        let (mut guard, mut stopping) = (Box::new(guard), shutdown.clone());
        let stop = stopping.wait_for(|stop| *stop).map(drop).fuse();
        tokio::pin!(stop);
        let mut owing = Some(self.app.limits.owe());
        let mut patience = Patience::default();
        loop {
            let fresh = owing.is_some();
            let stopped = async {
                stop.as_mut().await;
                // Taken a moment ago, perhaps: what it came for is on its way.
                if fresh {
                    Box::pin(tokio::time::sleep(FIRST_REQUEST)).await;
                }
            };
            let head = tokio::select! {
                biased;
                head = guard.next_head() => head,
                () = patience.lost(Duration::from_secs(KEEPALIVE)) => return,
                () = stopped => return,
            };
            let Ok(Some(head)) = head else { return };
            owing.get_or_insert_with(|| self.app.limits.owe());
            let ours = proxy::is_ours(head, &self.app.root);
            let session = ServerSession::new_http1(guard);
            // Boxed, since an idle connection should not hold the room of a busy one.
            let next = if ours {
                Box::pin(self.answer(session)).await
            } else {
                self.proxy.process_new_http(session, shutdown).await.map(|reused| reused.consume().0)
            };
            let Some(Ok(same)) = next.map(|stream| stream.into_any().downcast()) else { return };
            guard = same;
            owing = None;
            patience.renew();
        }
    }

    /// Answers one request; gives the connection back if it can be used again.
    async fn answer(&self, mut session: ServerSession) -> Option<Stream> {
        session.set_keepalive(proxy::keepalive(&self.app));
        match session.read_request().await {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                tracing::debug!("a request that cannot be parsed: {error}");
                // Whether anybody reads it changes nothing.
                let _ = session.respond_error(400).await;
                return None;
            }
        }
        match proxy::answer(&self.app, &mut session).await {
            Ok(true) => session.finish().await.ok().flatten().map(|reusable| reusable.into_parts().0),
            Ok(false) => None,
            Err(error) => {
                tracing::debug!("a connection is closed: {error}");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NO_ROOM;

    #[test]
    fn p49_the_answer_without_room_is_whole() {
        let text = std::str::from_utf8(NO_ROOM).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
