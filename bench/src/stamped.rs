//! A provider whose stream tells when each chunk was sent, for measuring how long a gateway holds a chunk.
//!
//! The time is taken when the chunk is handed to the connection, microseconds since the epoch as text in
//! `choices[0].delta.content`, between `t=` and `;`. Sender and reader must be on one machine.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use memchr::{memchr, memmem};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Interval, MissedTickBehavior, interval};
use weir_core::time;

/// Accepts for ever; streams `chunks` events `pace` apart, whatever is asked.
pub async fn serve(listener: TcpListener, chunks: usize, pace: Duration) -> anyhow::Result<()> {
    loop {
        let (socket, _) = listener.accept().await.context("accept")?;
        socket.set_nodelay(true)?;
        tokio::spawn(connection(socket, chunks, pace));
    }
}

async fn connection(socket: TcpStream, chunks: usize, pace: Duration) {
    let service = service_fn(move |request| answer(request, chunks, pace));
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await {
        tracing::debug!(%error, "stamped: connection ended early");
    }
}

async fn answer(
    request: Request<Incoming>,
    chunks: usize,
    pace: Duration,
) -> anyhow::Result<Response<Stamps>> {
    request.into_body().collect().await?;
    let response = Response::builder().header("content-type", "text/event-stream; charset=utf-8");
    Ok(response.body(Stamps::new(chunks, pace))?)
}

/// The moments, in microseconds since the epoch, that a piece of a stream carries.
pub fn stamps(piece: &[u8]) -> impl Iterator<Item = i64> + '_ {
    memmem::find_iter(piece, b"\"t=").filter_map(|at| {
        let digits = &piece[at + 3..];
        let end = memchr(b';', digits)?;
        std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
    })
}

struct Stamps {
    left: usize,
    ticks: Interval,
    done: bool,
}

// --- impl Stamps ---

impl Stamps {
    fn new(chunks: usize, pace: Duration) -> Stamps {
        let mut ticks = interval(pace.max(Duration::from_micros(100)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Stamps { left: chunks, ticks, done: false }
    }
}

impl Body for Stamps {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.done {
            return Poll::Ready(None);
        }
        if self.left == 0 {
            self.done = true;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"data: [DONE]\n\n")))));
        }
        if self.ticks.poll_tick(cx).is_pending() {
            return Poll::Pending;
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(event(self.left == 0)))))
    }
}

fn event(last: bool) -> Bytes {
    let finish = if last { "\"stop\"" } else { "null" };
    format!(
        "data: {{\"id\":\"chatcmpl-stamped\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
         \"model\":\"bench\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"t={};\"}},\
         \"finish_reason\":{finish}}}]}}\n\n",
        time::now().0
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Client, Expect, Plan};

    #[tokio::test]
    async fn every_chunk_carries_its_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let before = time::now().0;
        tokio::spawn(serve(listener, 5, Duration::from_millis(1)));
        let plan = Plan::post(addr, "/v1/chat/completions", "", b"{}", Expect::Stream { chunks: 5 });
        let mut seen = Vec::new();
        Client::new().watch(&plan, |piece| seen.extend(stamps(piece))).await.unwrap();
        assert_eq!(seen.len(), 5);
        assert!(seen.is_sorted() && seen[0] >= before && seen[4] <= time::now().0);
    }
}
