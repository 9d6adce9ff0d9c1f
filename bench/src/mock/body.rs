//! The body of a streamed answer: step after step, each flushed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::vec;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep_until};

use super::exchange::Exchange;
use super::reply::{End, Step};

/// A year: beyond it the clock may not reach.
const MAX_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

pub(super) type ReplyBody = Either<Full<Bytes>, StreamBody>;

/// Why hyper drops the connection: the stream was told to end without its final chunk.
#[derive(Debug)]
pub(super) struct Aborted;

pub(super) struct StreamBody {
    steps: vec::IntoIter<Step>,
    next: Option<Step>,
    /// Kept for an end that repeats it.
    last: Option<Step>,
    end: End,
    /// When the last step that was sent had been due.
    due: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    flush: bool,
    exchange: Exchange,
}

// --- impl StreamBody ---

impl StreamBody {
    pub(super) fn new(steps: Vec<Step>, end: End, exchange: Exchange) -> StreamBody {
        let mut steps = steps.into_iter();
        let next = steps.next();
        StreamBody { steps, next, last: None, end, due: Instant::now(), timer: None, flush: false, exchange }
    }

    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(wait) = self.next.as_ref().map(|step| step.wait).filter(|wait| !wait.is_zero()) else {
            return Poll::Ready(());
        };
        let due = self.due + wait.min(MAX_WAIT);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        ready!(timer.as_mut().poll(cx));
        self.due = due;
        Poll::Ready(())
    }

    fn advance(&mut self, sent: &Step) {
        if self.end == End::Endless && self.last.is_none() && self.steps.len() == 0 {
            self.last = Some(sent.clone());
        }
        self.next = self.steps.next().or_else(|| self.last.clone());
        // A clean end may share a packet with the last step; a hang or an abort must find it gone.
        self.flush = self.next.is_some() || self.end != End::Clean;
    }

    fn poll_end(&mut self) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match self.end {
            End::Clean => {
                self.exchange.finish();
                Poll::Ready(None)
            }
            End::Abort => {
                self.exchange.finish();
                Poll::Ready(Some(Err(Aborted)))
            }
            // No waker is kept: the connection watches its read half and drops this body with it. An endless stream gets
            // here only without a step to repeat.
            End::Hang | End::Endless => Poll::Pending,
        }
    }
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        // hyper flushes when a body has nothing to give, so one pending turn makes one write of one step.
        if std::mem::take(&mut self.flush) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(self.poll_due(cx));
        let Some(step) = self.next.take() else { return self.poll_end() };
        self.advance(&step);
        Poll::Ready(Some(Ok(Frame::data(step.send))))
    }
}

impl std::fmt::Display for Aborted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the mock ends this stream without its final chunk")
    }
}

impl std::error::Error for Aborted {}
