//! One client connection.
//!
//! A plain socket and `wire.rs` instead of hyper's client: the request is one write of bytes built beforehand and the
//! answer needs four headers, so the driver takes a fraction of the CPU that it shares with the targets on a small
//! machine, and the time of each piece is known where it is read.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::plan::{Expect, Plan};
use super::wire::{Decoder, Head, Malformed};

/// Small, as overload cases have thousands of connections.
const READ_BUFFER: usize = 16 << 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that is opened when needed and again after an error.
#[derive(Debug, Default)]
pub struct Client {
    open: Option<Connection>,
    body: Vec<u8>,
    connects: u64,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    input: BytesMut,
    used: bool,
}

/// When an answer came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    pub status: u16,
    /// First byte of the body (of the head when there is no body).
    pub first: Instant,
    pub last: Instant,
}

/// Why a request does not count as done; the label is its kind in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub String);

enum Fault {
    /// A kept connection was closed by the peer before it answered anything: not an error, ask again.
    Stale,
    Failed(Failure),
}

// --- impl Client ---

impl Client {
    pub fn new() -> Client {
        Client::default()
    }

    /// Connections opened so far.
    pub fn connects(&self) -> u64 {
        self.connects
    }

    /// The last answer's body, decoded.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Sends the request and reads the whole answer.
    pub async fn exchange(&mut self, plan: &Plan) -> Result<Arrival, Failure> {
        self.watch(plan, |_| ()).await
    }

    /// As [`Client::exchange`]; `seen` gets each piece of the decoded body as it arrives.
    pub async fn watch(&mut self, plan: &Plan, mut seen: impl FnMut(&[u8])) -> Result<Arrival, Failure> {
        match timeout(plan.timeout, self.attempts(plan, &mut seen)).await {
            Ok(result) => result,
            Err(_) => {
                self.open = None;
                Err(failure("timeout"))
            }
        }
    }

    async fn attempts(&mut self, plan: &Plan, seen: &mut impl FnMut(&[u8])) -> Result<Arrival, Failure> {
        loop {
            match self.attempt(plan, seen).await {
                Ok(arrival) => return Ok(arrival),
                // Ends: the next connection is new, and a new one is never stale.
                Err(Fault::Stale) => {}
                Err(Fault::Failed(failure)) => return Err(failure),
            }
        }
    }

    async fn attempt(&mut self, plan: &Plan, seen: &mut impl FnMut(&[u8])) -> Result<Arrival, Fault> {
        // Taken out, so that whatever goes wrong below the connection is closed.
        let mut connection = match self.open.take() {
            Some(connection) => connection,
            None => self.connect(plan).await?,
        };
        self.body.clear();
        let written = connection.stream.write_all(&plan.request).await;
        let head = match connection.head().await {
            Ok(head) => head,
            // A peer that refuses early may close before the body was taken; then its answer counts.
            Err(_) if written.is_err() && !connection.used => return Err(failed("write")),
            Err(fault) => return Err(fault),
        };
        let arrival = self.read_body(&mut connection, &head, plan.expect, seen).await?;
        if head.keep_alive && written.is_ok() && plan.expect != Expect::Cut {
            connection.used = true;
            self.open = Some(connection);
        }
        match plan.expect.complaint(&head, &self.body) {
            None => Ok(arrival),
            Some(kind) => Err(Fault::Failed(Failure(kind))),
        }
    }

    async fn connect(&mut self, plan: &Plan) -> Result<Connection, Fault> {
        self.connects += 1;
        let stream = match timeout(CONNECT_TIMEOUT, TcpStream::connect(plan.addr)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) => return Err(failed("connect")),
            Err(_) => return Err(failed("connect_timeout")),
        };
        stream.set_nodelay(true).map_err(|_| failed("connect"))?;
        Ok(Connection { stream, input: BytesMut::with_capacity(READ_BUFFER), used: false })
    }

    async fn read_body(
        &mut self,
        connection: &mut Connection,
        head: &Head,
        expect: Expect,
        seen: &mut impl FnMut(&[u8]),
    ) -> Result<Arrival, Fault> {
        let mut decoder = Decoder::new(head.framing);
        let mut first = None;
        loop {
            let before = self.body.len();
            let done = decoder.feed(&mut connection.input, &mut self.body).map_err(malformed)?;
            if self.body.len() > before {
                first.get_or_insert_with(Instant::now);
                seen(&self.body[before..]);
            }
            let cut = expect == Expect::Cut && first.is_some();
            if done || cut {
                break;
            }
            match connection.fill().await {
                Ok(0) if decoder.closed() => break,
                Ok(0) => return Err(failed("body_cut_short")),
                Ok(_) => {}
                Err(_) => return Err(failed("read")),
            }
        }
        let last = Instant::now();
        Ok(Arrival { status: head.status, first: first.unwrap_or(last), last })
    }
}

// --- impl Connection ---

impl Connection {
    async fn head(&mut self) -> Result<Head, Fault> {
        loop {
            if let Some(head) = Head::take(&mut self.input).map_err(malformed)? {
                return Ok(head);
            }
            let silent = self.input.is_empty();
            match self.fill().await {
                Ok(0) | Err(_) if silent && self.used => return Err(Fault::Stale),
                Ok(0) => return Err(failed("closed_without_answer")),
                Err(_) => return Err(failed("read")),
                Ok(_) => {}
            }
        }
    }

    async fn fill(&mut self) -> std::io::Result<usize> {
        self.input.reserve(READ_BUFFER / 4);
        self.stream.read_buf(&mut self.input).await
    }
}

fn failure(kind: &str) -> Failure {
    Failure(kind.to_owned())
}

fn failed(kind: &str) -> Fault {
    Fault::Failed(failure(kind))
}

fn malformed(error: Malformed) -> Fault {
    tracing::debug!(%error, "answer");
    failed("malformed")
}
