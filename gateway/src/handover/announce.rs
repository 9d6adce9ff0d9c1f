//! The moment from which a process is in charge: all its listeners are open.

use super::{Handover, manager};
use crate::state::App;
use async_trait::async_trait;
use pingora::server::{ListenFds, ShutdownWatch};
use pingora::services::Service;
use std::sync::Arc;
use std::time::Duration;

/// Pingora gives its table of listeners to services only, so this is one.
pub struct Announcer {
    pub app: Arc<App>,
    pub handover: Arc<Handover>,
    /// Every address that this process listens at.
    pub addresses: Vec<String>,
}

const POLL: Duration = Duration::from_millis(10);

#[async_trait]
impl Service for Announcer {
    async fn start_service(&mut self, fds: Option<ListenFds>, mut shutdown: ShutdownWatch, _per_fd: usize) {
        let Some(table) = fds else { return };
        while !self.is_in_charge(&table) {
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                _ = shutdown.wait_for(|stop| *stop) => return,
            }
        }
        // It is started once.
        let _ = self.handover.listeners.set(table);
        if let Err(error) = self.handover.pid_file.take() {
            tracing::warn!("weir.pid cannot be written to the data directory: {error}");
        }
        manager::tell_ready(&self.app.snapshot.load().config.env);
    }

    fn name(&self) -> &str {
        "announcer"
    }

    fn threads(&self) -> Option<usize> {
        Some(1)
    }

    /// None of its own. Without this answer Pingora would keep listeners that nobody asked for.
    fn listen_addresses(&self) -> Option<Vec<String>> {
        Some(Vec::new())
    }
}

impl Announcer {
    fn is_in_charge(&self, table: &ListenFds) -> bool {
        let open = table.lock();
        self.addresses.iter().all(|address| open.get(address).is_some())
    }
}
