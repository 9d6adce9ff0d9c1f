//! Sending requests and timing them.
//!
//! `plan.rs` is one request, ready to be sent, `wire.rs` decodes HTTP/1.1 answers without doing I/O, `client.rs` is one
//! connection, `closed.rs` and `open.rs` are the two drivers, `stats.rs` what they count. Every driver runs on one
//! thread of its own (`driver`).

pub mod client;
pub mod closed;
pub mod open;
pub mod plan;
pub mod stats;
pub mod wire;

use std::future::Future;
use std::thread;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

pub use client::Client;
pub use plan::{Expect, Plan};
pub use stats::Stats;

/// Runs `job` on a thread and a single-threaded runtime of its own, so that neither the report nor another driver
/// takes time from it. The thread ends with the job; when the caller stops waiting, the job still runs to its end.
pub async fn driver<T, F, Fut>(job: F) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = T>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (done, result) = oneshot::channel();
    thread::Builder::new().name("load-driver".to_owned()).spawn(move || {
        let value = LocalSet::new().block_on(&runtime, job());
        // The receiver is gone when the run was interrupted.
        let _ = done.send(value);
    })?;
    result.await.context("the load driver ended without a result")
}
