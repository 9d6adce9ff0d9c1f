//! A connection that hands out the head of a request only when it is whole and has been checked.

use super::head::{self, Fault, MAX_HEAD};
use async_trait::async_trait;
use pingora::protocols::tls::SslDigest;
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream,
    TimingDigest, UniqueID, UniqueIDType,
};
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

pub struct Guard {
    inner: Stream,
    timeout: Duration,
    /// Whether the next byte begins a head.
    head: bool,
    /// Bytes of a head that is not whole yet, or that the reader has not taken.
    held: Vec<u8>,
    /// How much of `held` has been handed out.
    taken: usize,
    /// Whether the connection has not begun to speak: silence is allowed between requests, not before the first.
    fresh: bool,
    /// Runs while a head is awaited that must come.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether what is written waits for what follows at once.
    waits: AtomicBool,
    /// What waits, and how much of it has gone out since.
    waiting: Vec<u8>,
    gone: usize,
    /// Lines for the head that is written next.
    lines: Mutex<String>,
    /// How long the client may take nothing of what it is sent.
    patience: Duration,
    /// Runs while it takes nothing.
    stuck: Option<Pin<Box<Sleep>>>,
}

/// Bytes of one read: a head and a small body.
const READ: usize = 4 * 1024;

/// How long a client may take nothing of what it is sent: its request holds its place, and the provider's connection.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is written waits for what follows only up to here: copying more would cost what a packet does.
const MOST_WAITING: usize = 32 * 1024;

impl Guard {
    pub fn new(inner: Stream, timeout: Duration) -> Self {
        let (head, held, fresh, waits) = (true, Vec::new(), true, AtomicBool::new(false));
        let (deadline, stuck, patience) = (None, None, PATIENCE);
        let (waiting, gone, lines) = (Vec::new(), 0, Mutex::default());
        Self {
            inner,
            timeout,
            head,
            held,
            taken: 0,
            fresh,
            deadline,
            waits,
            waiting,
            gone,
            lines,
            patience,
            stuck,
        }
    }

    /// Lets what is written wait for more, and go out with it in one piece; Pingora sends each piece by itself.
    pub fn wait_for_more(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
    }

    /// Adds lines to the head of an answer that is written next, while it waits for more. Each begins with the end of the line
    /// before it. Pingora writes heads out of maps, which takes longer than to write many lines that hardly change.
    pub fn add_to_head(&self, lines: String) {
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) = lines;
    }

    /// Only sees to it that something comes: HTTP/2 has frames, and its parser deadlines and limits for them.
    pub fn http2(inner: Stream, timeout: Duration) -> Self {
        Self { head: false, ..Self::new(inner, timeout) }
    }

    /// Waits for the next request. Answers its head, or what stands for a bad one; `None` when the client closed.
    /// Fails when a head that has begun is not whole in time. An idle connection holds no buffer here.
    pub async fn next_head(&mut self) -> io::Result<Option<&[u8]>> {
        self.head = true;
        poll_fn(|cx| self.poll_head(cx)).await?;
        Ok(head::end(&self.held).map(|end| &self.held[..end]))
    }

    /// Reads until the head is whole, or the other side is done.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut space = [MaybeUninit::uninit(); READ];
        while self.head {
            let mut buf = ReadBuf::uninit(&mut space);
            ready!(self.poll_in_time(cx, &mut buf))?;
            if buf.filled().is_empty() {
                self.head_ended();
            } else {
                self.held.extend_from_slice(buf.filled());
                self.judge();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads; fails when the time of a head that must come is over.
    fn poll_in_time(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if read.is_ready() || !self.fresh && self.held.is_empty() {
            return read;
        }
        let timeout = self.timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// What came of a write; fails when the client has taken nothing for too long.
    fn moved<T>(&mut self, cx: &mut Context<'_>, write: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.stuck = None;
            return write;
        }
        let patience = self.patience;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(stuck.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Keeps what must wait, and what follows it; whether it could be kept.
    fn keeps(&mut self, pieces: &[io::IoSlice<'_>]) -> bool {
        let waits = *self.waits.get_mut() || !self.waiting.is_empty();
        let more: usize = pieces.iter().map(|piece| piece.len()).sum();
        let lines = std::mem::take(self.lines.get_mut().unwrap_or_else(PoisonError::into_inner));
        let fits = self.waiting.len() + more <= MOST_WAITING || !lines.is_empty();
        let keeps = waits && self.gone == 0 && fits;
        if keeps {
            self.waiting.reserve(more + lines.len());
            pieces.iter().for_each(|piece| self.waiting.extend_from_slice(piece));
            self.put_lines(&lines);
        }
        keeps
    }

    /// Puts lines in front of the end of a head.
    fn put_lines(&mut self, lines: &str) {
        const END: &[u8] = b"\r\n\r\n";
        if !lines.is_empty() && self.waiting.ends_with(END) {
            self.waiting.truncate(self.waiting.len() - END.len());
            self.waiting.extend_from_slice(lines.as_bytes());
            self.waiting.extend_from_slice(END);
        }
    }

    /// Sends what has waited.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gone < self.waiting.len() {
            match ready!(Pin::new(&mut self.inner).poll_write(cx, &self.waiting[self.gone..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.gone += written,
            }
        }
        // An idle connection holds no buffer.
        (self.waiting, self.gone) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }

    /// Writes what does not wait, behind what has waited.
    fn poll_pieces(&mut self, cx: &mut Context<'_>, pieces: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        ready!(self.poll_waiting(cx))?;
        Pin::new(&mut self.inner).poll_write_vectored(cx, pieces)
    }

    fn head_ended(&mut self) {
        self.head = false;
        self.fresh = false;
        self.deadline = None;
    }

    /// Opens a whole head, puts a substitute in the place of a bad one.
    fn judge(&mut self) {
        let verdict = match head::end(&self.held) {
            Some(end) => head::check(&self.held[..end]),
            None if self.held.len() > MAX_HEAD => Err(Fault::TooLarge),
            None => return,
        };
        if let Err(fault) = verdict {
            self.held = fault.substitute().into_bytes();
        }
        self.head_ended();
    }

    fn hand_out(&mut self, buf: &mut ReadBuf<'_>) {
        let left = &self.held[self.taken..];
        let count = left.len().min(buf.remaining());
        buf.put_slice(&left[..count]);
        self.taken += count;
        if self.taken == self.held.len() {
            (self.held, self.taken) = (Vec::new(), 0);
        }
    }
}

impl AsyncRead for Guard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.head {
            ready!(this.poll_head(cx))?;
        }
        if !this.held.is_empty() {
            this.hand_out(buf);
            return Poll::Ready(Ok(()));
        }
        ready!(this.poll_in_time(cx, buf))?;
        if this.fresh {
            this.head_ended();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(buf)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if *self.waits.get_mut() {
            return Poll::Ready(Ok(()));
        }
        let flush = self.poll_waiting(cx);
        ready!(self.moved(cx, flush))?;
        let flush = Pin::new(&mut self.inner).poll_flush(cx);
        self.moved(cx, flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let waiting = self.poll_waiting(cx);
        ready!(self.moved(cx, waiting))?;
        let shutdown = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.moved(cx, shutdown)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.keeps(bufs) {
            return Poll::Ready(Ok(bufs.iter().map(|piece| piece.len()).sum()));
        }
        let write = self.poll_pieces(cx, bufs);
        self.moved(cx, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

// --- what Pingora asks of a stream, passed on ---

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Held bytes may be credentials.
        f.debug_struct("Guard").field("held", &self.held.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Shutdown for Guard {
    async fn shutdown(&mut self) {
        self.inner.shutdown().await;
    }
}

impl UniqueID for Guard {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

impl Ssl for Guard {
    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

impl GetTimingDigest for Guard {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }
}

impl GetProxyDigest for Guard {
    fn get_proxy_digest(&self) -> Option<Arc<pingora::protocols::raw_connect::ProxyDigest>> {
        self.inner.get_proxy_digest()
    }
}

impl GetSocketDigest for Guard {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }
}

#[async_trait]
impl Peek for Guard {
    async fn try_peek(&mut self, buf: &mut [u8]) -> io::Result<bool> {
        self.inner.try_peek(buf).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn what_waits_goes_out_with_what_follows_in_one_piece() {
        let (ours, mut theirs) = duplex(2 * MOST_WAITING);
        let mut guard = Guard::new(Box::new(ours), PATIENCE);
        let mut piece = vec![0; 2 * MOST_WAITING];
        guard.wait_for_more(true);
        guard.write_all(b"head ").await.unwrap();
        guard.flush().await.unwrap();
        guard.wait_for_more(false);
        guard.write_all(b"body").await.unwrap();
        assert!(theirs.read(&mut piece).now_or_never().is_none(), "it is not flushed yet");
        guard.flush().await.unwrap();
        let read = theirs.read(&mut piece).await.unwrap();
        assert_eq!(&piece[..read], b"head body");
        // More than may wait is not held, nor overtakes what is.
        guard.wait_for_more(true);
        guard.write_all(b"head ").await.unwrap();
        guard.write_all(&[b'x'; MOST_WAITING]).await.unwrap();
        guard.wait_for_more(false);
        guard.flush().await.unwrap();
        theirs.read_exact(&mut piece[..5 + MOST_WAITING]).await.unwrap();
        assert!(piece.starts_with(b"head xxx"));
    }

    #[tokio::test]
    async fn lines_are_added_to_one_head() {
        let (ours, mut theirs) = duplex(1024);
        let mut guard = Guard::new(Box::new(ours), PATIENCE);
        for (lines, sent) in [
            ("\r\nb: 2\r\nc: 3", "HTTP/1.1 200 OK\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\nbody"),
            ("", "HTTP/1.1 200 OK\r\na: 1\r\n\r\nbody"),
        ] {
            guard.wait_for_more(true);
            guard.add_to_head(lines.into());
            guard.write_all(b"HTTP/1.1 200 OK\r\na: 1\r\n\r\n").await.unwrap();
            guard.wait_for_more(false);
            guard.write_all(b"body").await.unwrap();
            guard.flush().await.unwrap();
            let mut piece = [0; 1024];
            let read = theirs.read(&mut piece).await.unwrap();
            assert_eq!(std::str::from_utf8(&piece[..read]), Ok(sent));
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_client_that_takes_nothing() {
        let (ours, mut theirs) = duplex(64);
        let mut guard = Guard::new(Box::new(ours), PATIENCE);
        guard.patience = Duration::from_secs(1);
        // One that takes a little now and then may go on.
        let slowly = async {
            let mut piece = [0; 64];
            for _ in 0..8 {
                tokio::time::sleep(Duration::from_millis(200)).await;
                theirs.read_exact(&mut piece).await.unwrap();
            }
        };
        let (sent, ()) = tokio::join!(guard.write_all(&[b'x'; 64 * 8]), slowly);
        sent.unwrap();
        let stuck = guard.write_all(&[b'x'; 64 * 2]).await;
        assert_eq!(stuck.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
    }
}
