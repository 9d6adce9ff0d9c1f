//! Stopping without losing anything: readiness turns to 503 at once, new connections are still taken for a while, open
//! exchanges finish, the journal is written to the ledger.

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
}

/// Waits for open exchanges, then flushes and ends the process.
pub struct Drain {
    pub app: Arc<App>,
    pub grace: Duration,
    pub flush: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

const POLL: Duration = Duration::from_millis(20);

#[async_trait]
impl ShutdownSignalWatch for Stop {
    async fn recv(&self) -> ShutdownSignal {
        let (Ok(mut term), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            tracing::error!("signals cannot be watched; stop this process with SIGKILL");
            return std::future::pending().await;
        };
        let delay = tokio::select! {
            _ = term.recv() => self.app.snapshot.load().config.weir.drain_delay,
            _ = interrupt.recv() => Duration::ZERO,
        };
        self.app.draining.start();
        tracing::info!(
            open = self.app.limits.open(),
            "stopping: readiness is 503, open requests will finish"
        );
        wait_or_interrupt(delay, &mut interrupt).await;
        ShutdownSignal::GracefulTerminate
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
        while self.app.limits.open() > 0 && Instant::now() < deadline {
            tokio::time::sleep(POLL).await;
        }
        let left = self.app.limits.open();
        (self.flush)().await;
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
