//! Stopping without losing anything: readiness turns to 503 at once, new connections are still taken for a while, open
//! exchanges finish, the journal is written to the ledger. A process that another one has taken over from does the same,
//! but says nothing of it: the listener is the other's.

use crate::handover::Handover;
use crate::state::App;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use pingora::server::{ShutdownSignal, ShutdownSignalWatch, ShutdownWatch};
use pingora::services::background::BackgroundService;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Turns signals into Pingora's shutdown.
pub struct Stop {
    pub app: Arc<App>,
    pub handover: Arc<Handover>,
}

/// Waits for open exchanges, then flushes and ends the process.
pub struct Drain {
    pub app: Arc<App>,
    pub handover: Arc<Handover>,
    pub grace: Duration,
    pub flush: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

const POLL: Duration = Duration::from_millis(20);

/// What was taken from the listener last is through with TLS by then, and is counted.
const SETTLE: Duration = Duration::from_secs(1);

#[async_trait]
impl ShutdownSignalWatch for Stop {
    async fn recv(&self) -> ShutdownSignal {
        let (Ok(mut term), Ok(mut interrupt), Ok(mut quit)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::quit()))
        else {
            tracing::error!("signals cannot be watched; stop this process with SIGKILL");
            return std::future::pending().await;
        };
        let draining = &self.app.draining;
        let delay = tokio::select! {
            _ = term.recv() => {
                draining.start();
                self.delay()
            }
            _ = interrupt.recv() => {
                draining.start();
                Duration::ZERO
            }
            () = self.handover.done(&mut quit) => {
                draining.succeed();
                self.delay()
            }
        };
        let open = self.app.limits.open();
        let readiness = if draining.is_told() { "readiness is 503" } else { "another process serves" };
        tracing::info!(open, "stopping: {readiness}, open requests will finish");
        wait_or_interrupt(delay, &mut interrupt).await;
        ShutdownSignal::GracefulTerminate
    }
}

impl Stop {
    /// For how long new connections are still taken.
    fn delay(&self) -> Duration {
        self.app.snapshot.load().config.weir.drain_delay
    }
}

/// A second Ctrl-C cuts the wait short.
async fn wait_or_interrupt(delay: Duration, interrupt: &mut Signal) {
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        _ = interrupt.recv() => {}
    }
}

#[async_trait]
impl BackgroundService for Drain {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        while !*shutdown.borrow() {
            if shutdown.changed().await.is_err() {
                break;
            }
        }
        let deadline = Instant::now() + self.grace;
        if self.app.draining.is_succeeded() {
            tokio::time::sleep(SETTLE).await;
        }
        while !self.app.limits.is_idle() && Instant::now() < deadline {
            tokio::time::sleep(POLL).await;
        }
        let left = self.app.limits.open();
        (self.flush)().await;
        self.handover.pid_file.leave();
        // Nobody can connect to it any more.
        let _ = std::fs::remove_file(&self.app.admin_socket);
        tracing::info!(cut = left, "stopped");
        crate::logging::flush();
        leave();
    }
}

/// Pingora itself would sleep for the whole grace period.
#[expect(
    clippy::disallowed_methods,
    reason = "everything has finished and is flushed: this is the planned end"
)]
fn leave() -> ! {
    std::process::exit(0)
}
