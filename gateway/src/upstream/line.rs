//! A connection to a provider over HTTP/1, on which a request leaves in one piece.
//!
//! Pingora sends a head as soon as it has one, and each piece of the body by itself: packets, system calls and wake-ups of
//! the provider that nobody needs. Here the head waits until it is flushed, and the body goes out with it.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream,
    TimingDigest, UniqueID, UniqueIDType,
};
use smallvec::SmallVec;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use weir_core::body::Pieces;

pub struct Line {
    inner: Stream,
    /// Of the request that is to be sent: its head, as far as it was written, and its body.
    head: Vec<u8>,
    body: Pieces,
    /// How much of both has gone out.
    sent: usize,
    /// Whether there is a body that goes out with its head.
    loaded: bool,
    /// Whether the other side has said anything since.
    heard: bool,
}

/// Room for a head that is kept while nothing is sent.
const USUAL_HEAD: usize = 4 * 1024;

/// Whether a body goes out with its head: whoever writes the request has nothing more to write then.
pub fn goes_with_head(body: &Pieces) -> bool {
    body.iter().any(|piece| !piece.is_empty())
}

impl Line {
    pub fn new(inner: Stream) -> Self {
        Self { inner, head: Vec::new(), body: Pieces::new(), sent: 0, loaded: false, heard: false }
    }

    /// The body of the next request.
    pub fn load(&mut self, body: &Pieces) {
        self.unload();
        self.heard = false;
        self.loaded = goes_with_head(body);
        if self.loaded {
            self.body = body.clone();
        }
    }

    /// Whether the other side has said anything since the request was loaded, whole or not.
    pub fn heard(&self) -> bool {
        self.heard
    }

    /// Whether the other side has neither closed it nor said something that nobody asked for.
    pub fn is_open(&mut self) -> bool {
        let mut byte = [0];
        let read = poll_fn(|cx| Pin::new(&mut self.inner).poll_read(cx, &mut ReadBuf::new(&mut byte)));
        tokio::task::unconstrained(read).now_or_never().is_none()
    }

    fn unload(&mut self) {
        self.head.clear();
        self.head.shrink_to(USUAL_HEAD);
        self.body.clear();
        (self.sent, self.loaded) = (0, false);
    }

    /// Sends head and body.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { inner, head, body, sent, .. } = self;
        let all = head.len() + body.iter().map(Bytes::len).sum::<usize>();
        while *sent < all {
            match ready!(Pin::new(&mut *inner).poll_write_vectored(cx, &left(head, body, *sent)))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => *sent += written,
            }
        }
        self.unload();
        Poll::Ready(Ok(()))
    }
}

/// What has not gone out yet.
fn left<'l>(head: &'l [u8], body: &'l [Bytes], sent: usize) -> SmallVec<[IoSlice<'l>; 9]> {
    let mut gone = sent;
    let pieces = std::iter::once(head).chain(body.iter().map(AsRef::as_ref));
    let rest = pieces.map(|piece| {
        let of_it = gone.min(piece.len());
        gone -= of_it;
        IoSlice::new(&piece[of_it..])
    });
    rest.filter(|rest| !rest.is_empty()).collect()
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.heard |= buf.filled().len() > before;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.loaded {
            self.head.extend_from_slice(buf);
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.loaded && !self.head.is_empty() {
            ready!(self.poll_send(cx))?;
        }
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

// --- what Pingora asks of a stream ---

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A head holds credentials.
        f.debug_struct("Line").field("sent", &self.sent).finish_non_exhaustive()
    }
}

#[async_trait]
impl Shutdown for Line {
    async fn shutdown(&mut self) {
        self.inner.shutdown().await;
    }
}

impl UniqueID for Line {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

// Nobody asks how a connection to a provider came about.

impl Ssl for Line {}

impl GetTimingDigest for Line {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}

impl GetProxyDigest for Line {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        None
    }
}

impl GetSocketDigest for Line {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        None
    }
}

impl Peek for Line {}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    fn line() -> (Line, DuplexStream) {
        let (ours, theirs) = duplex(64);
        (Line::new(Box::new(ours)), theirs)
    }

    fn heard(theirs: &mut DuplexStream) -> String {
        let mut buf = [0; 64];
        let read = theirs.read(&mut buf).now_or_never().map_or(0, Result::unwrap);
        String::from_utf8_lossy(&buf[..read]).into_owned()
    }

    #[tokio::test]
    async fn a_body_waits_for_its_head_and_goes_out_with_it_once() {
        let (mut line, mut theirs) = line();
        line.load(&Pieces::from_iter([Bytes::from_static(b"bo"), Bytes::new(), Bytes::from_static(b"dy")]));
        line.flush().await.unwrap();
        line.write_all(b"he").await.unwrap();
        line.write_all(b"ad ").await.unwrap();
        assert_eq!(heard(&mut theirs), "");
        line.flush().await.unwrap();
        assert_eq!(heard(&mut theirs), "head body");
        // What follows is none of a request.
        line.write_all(b"more").await.unwrap();
        assert_eq!(heard(&mut theirs), "more");
    }

    #[tokio::test]
    async fn what_does_not_fit_goes_on_where_it_stopped() {
        let (mut line, mut theirs) = line();
        line.load(&Pieces::from_iter([Bytes::from(vec![b'x'; 100]), Bytes::from_static(b"end")]));
        line.write_all(b"head").await.unwrap();
        let send = async {
            line.flush().await.unwrap();
            drop(line);
        };
        let mut all = String::new();
        let (_, read) = tokio::join!(send, theirs.read_to_string(&mut all));
        assert_eq!(read.unwrap(), 107);
        assert_eq!(all, format!("head{}end", "x".repeat(100)));
    }

    #[tokio::test]
    async fn what_is_heard_belongs_to_one_request() {
        let (mut line, mut theirs) = line();
        line.load(&Pieces::new());
        assert!(!line.heard());
        theirs.write_all(b"H").await.unwrap();
        line.read_u8().await.unwrap();
        assert!(line.heard());
        line.load(&Pieces::new());
        drop(theirs);
        assert!(line.read_u8().await.is_err() && !line.heard(), "an end says nothing");
    }

    #[tokio::test]
    async fn without_a_body_nothing_waits() {
        let (mut line, mut theirs) = line();
        line.load(&Pieces::from_iter([Bytes::new()]));
        line.write_all(b"head").await.unwrap();
        assert_eq!(heard(&mut theirs), "head");
    }

    #[tokio::test]
    async fn a_connection_is_open_until_the_other_side_closes_or_speaks() {
        let (mut silent, theirs) = line();
        assert!(silent.is_open());
        drop(theirs);
        assert!(!silent.is_open());
        let (mut spoken_to, mut theirs) = line();
        theirs.write_all(b"?").await.unwrap();
        assert!(!spoken_to.is_open());
    }
}
