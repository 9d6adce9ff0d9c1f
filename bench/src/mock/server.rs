//! The server: a listener, its connections, and the handle that tests hold.

use std::net::{self, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::exchange::{Shared, handle};
use super::log::{Counters, Log};
use super::seen::{Seen, Upstream};

/// How long the listener rests when it cannot accept (out of file descriptors, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// A running mock provider, HTTP/1.1 and HTTP/2 with prior knowledge.
///
/// Dropping it closes the listener and every connection.
pub struct MockServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    runner: Runner,
}

enum Runner {
    Task(JoinHandle<()>),
    Thread { stop: Option<oneshot::Sender<()>>, thread: Option<thread::JoinHandle<()>> },
}

// --- impl MockServer ---

impl MockServer {
    /// Runs on the caller's tokio runtime, on a free port of the loopback interface.
    pub async fn start(upstream: impl Upstream) -> anyhow::Result<MockServer> {
        MockServer::start_on(any_port(), upstream).await
    }

    /// As [`MockServer::start`], on a given address.
    pub async fn start_on(addr: SocketAddr, upstream: impl Upstream) -> anyhow::Result<MockServer> {
        let listener = TcpListener::bind(addr).await.with_context(|| format!("mock: bind {addr}"))?;
        let addr = listener.local_addr()?;
        let shared = share(upstream);
        let runner = Runner::Task(tokio::spawn(accept(listener, Arc::clone(&shared))));
        Ok(MockServer { addr, shared, runner })
    }

    /// Runs on a thread and a runtime of its own, for callers that have no runtime or block theirs.
    pub fn spawn_thread(upstream: impl Upstream) -> anyhow::Result<MockServer> {
        MockServer::spawn_thread_on(any_port(), upstream)
    }

    /// As [`MockServer::spawn_thread`], on a given address.
    pub fn spawn_thread_on(addr: SocketAddr, upstream: impl Upstream) -> anyhow::Result<MockServer> {
        // Bound with std: the caller may stand inside a runtime, where no other one may block.
        let listener = net::TcpListener::bind(addr).with_context(|| format!("mock: bind {addr}"))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let shared = share(upstream);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let serving = accept_std(listener, Arc::clone(&shared));
        let thread = thread::Builder::new().name("mock-provider".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! { () = serving => (), _ = stopped => () }
            });
        })?;
        Ok(MockServer { addr, shared, runner: Runner::Thread { stop: Some(stop), thread: Some(thread) } })
    }

    /// Keeps at most `limit` requests, the newest; 0 only counts. The default is 2000, and in any case never
    /// more than 256 MiB of bodies.
    #[must_use]
    pub fn with_log_limit(self, limit: usize) -> MockServer {
        self.shared.log.set_limit(limit);
        self
    }

    /// As in `http://127.0.0.1:40123`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The requests seen, oldest first, except those under `/__`.
    pub fn log(&self) -> Vec<Seen> {
        self.shared.log.copy()
    }

    /// As [`MockServer::log`], and empties the log.
    pub fn take_log(&self) -> Vec<Seen> {
        self.shared.log.take()
    }

    /// Requests that arrived complete with their body since the start, logged or not.
    pub fn seen_count(&self) -> u64 {
        read(&self.shared.counters.seen)
    }

    /// Streams and delayed answers whose peer went away before everything was handed to the connection.
    pub fn hangups(&self) -> u64 {
        read(&self.shared.counters.hangups)
    }

    /// Exchanges in progress: the head has arrived, and part of the body or of the answer is missing.
    pub fn open_now(&self) -> u64 {
        read(&self.shared.counters.open)
    }

    /// Connections accepted since the start.
    pub fn connections(&self) -> u64 {
        read(&self.shared.counters.connections)
    }

    /// As dropping, but the port is free and every connection closed when this returns.
    pub async fn stop(mut self) {
        if let Runner::Task(task) = &mut self.runner {
            task.abort();
            // The only error here is the cancellation that was asked for.
            let _ = task.await;
        }
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        match &mut self.runner {
            Runner::Task(task) => task.abort(),
            Runner::Thread { stop, thread } => {
                drop(stop.take());
                if thread.take().is_some_and(|thread| thread.join().is_err()) {
                    tracing::error!("mock: the server thread panicked");
                }
            }
        }
    }
}

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(super) fn share(upstream: impl Upstream) -> Arc<Shared> {
    Arc::new(Shared { upstream: Box::new(upstream), log: Log::new(), counters: Counters::default() })
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}

// --- connections ---

async fn accept_std(listener: net::TcpListener, shared: Arc<Shared>) {
    match TcpListener::from_std(listener) {
        Ok(listener) => accept(listener, shared).await,
        Err(error) => tracing::error!(%error, "mock: the listener cannot be used"),
    }
}

/// Runs until it is dropped, and every connection with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => { connections.spawn(connect(socket, Arc::clone(&shared))); }
                Err(error) => pause(error).await,
            },
            // Reaps what has ended, so that the set holds live connections only.
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn pause(error: std::io::Error) {
    tracing::warn!(%error, "mock: accept failed");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

async fn connect(socket: TcpStream, shared: Arc<Shared>) {
    shared.counters.connections.fetch_add(1, Ordering::SeqCst);
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "mock: no TCP_NODELAY");
    }
    serve(socket, shared).await;
}

/// Generic over the stream, so that a TLS acceptor can stand between `connect` and this.
pub(super) async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(10_000);
    let service = service_fn(move |request| handle(request, Arc::clone(&shared)));
    if let Err(error) = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "mock: connection ended early");
    }
}
