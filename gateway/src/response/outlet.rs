//! The client's side of a stream: when the head goes out, what keeps an idle connection open, whether model content
//! has been sent (after which no other deployment may answer).

use crate::front::wait_for_more;
use crate::patience::Patience;
use crate::response::head::{self, Head};
use bytes::Bytes;
use pingora::Result;
use pingora::protocols::http::ServerSession;
use std::time::Duration;

/// One per exchange.
pub struct Outlet {
    head: Option<Head>,
    /// What keeps an idle stream alive, in the client's dialect.
    comment: &'static [u8],
    interval: Option<Duration>,
    /// Until it must be kept alive.
    patience: Patience,
    content_sent: bool,
    carries: bool,
}

impl Outlet {
    /// `interval`: between keep-alives of a stream; `None` for a plain answer, which cannot be kept alive.
    pub fn new(interval: Option<Duration>, comment: &'static [u8]) -> Self {
        Self {
            head: None,
            comment,
            interval,
            patience: Patience::default(),
            content_sent: false,
            carries: false,
        }
    }

    /// The head to send with the first byte. A head that was sent already stays what it was.
    pub fn prepare(&mut self, head: impl Into<Head>) {
        self.head = Some(head.into());
    }

    /// What is sent is none of a dialect's: no event can be put into it, and no comment.
    pub fn carry(&mut self) {
        self.carries = true;
        self.interval = None;
    }

    /// Whether an error can be told in what is sent.
    pub fn tells(&self) -> bool {
        !self.carries
    }

    /// Whether a deployment's content has reached the client.
    pub fn content_sent(&self) -> bool {
        self.content_sent
    }

    /// Whether the status line has been sent.
    pub fn started(&self, down: &ServerSession) -> bool {
        // 101 is the last thing that is said in HTTP.
        down.response_written().is_some_and(|h| h.status.as_u16() >= 200 || h.status == 101)
    }

    /// Sends model content.
    pub async fn send(&mut self, down: &mut ServerSession, bytes: Bytes) -> Result<()> {
        self.content_sent = true;
        self.write(down, bytes, false).await
    }

    /// Sends model content in one packet with what follows at once: more of it, the end, or an error.
    pub async fn send_with_next(&mut self, down: &mut ServerSession, bytes: Bytes) -> Result<()> {
        self.content_sent = true;
        self.write_waiting(down, bytes).await
    }

    /// Sends the last bytes and ends the answer.
    pub async fn end(&mut self, down: &mut ServerSession, bytes: Bytes) -> Result<()> {
        if !bytes.is_empty() {
            self.write_waiting(down, bytes).await?;
        }
        self.write(down, Bytes::new(), true).await
    }

    /// Resolves when nothing was sent for the interval; never for plain answers.
    pub async fn tick(&mut self) {
        let Some(interval) = self.interval else { return std::future::pending().await };
        self.patience.lost(interval).await;
    }

    /// Sends a comment, and the head if it has not gone out yet: from here on errors are events.
    pub async fn keep_alive(&mut self, down: &mut ServerSession) -> Result<()> {
        if self.head.is_none() && !self.started(down) {
            self.prepare(head::bare_stream());
        }
        self.write(down, Bytes::from_static(self.comment), false).await
    }

    async fn write_waiting(&mut self, down: &mut ServerSession, bytes: Bytes) -> Result<()> {
        self.begin(down).await?;
        wait_for_more(down, true);
        let written = self.write(down, bytes, false).await;
        wait_for_more(down, false);
        written
    }

    async fn write(&mut self, down: &mut ServerSession, bytes: Bytes, end: bool) -> Result<()> {
        self.begin(down).await?;
        if self.interval.is_some() {
            self.patience.renew();
        }
        down.write_response_body(bytes, end).await
    }

    /// Writes the head, if it has not been written, to go out with what follows at once.
    async fn begin(&mut self, down: &mut ServerSession) -> Result<()> {
        if self.started(down) {
            return Ok(());
        }
        let Some(head) = self.head.take() else { return Ok(()) };
        head.write(down).await
    }
}
