//! Another process takes over: it gets the listeners, and this one leaves when the other serves. Pingora's table of
//! listeners and its socket carry them; who is in charge stands in the data directory (`pid_file.rs`) and is told to the
//! service manager (`manager.rs`). `announce.rs` is the moment from which a process is in charge.
//!
//! `weir upgrade` (`cli/upgrade/`) is the operator's side of it.

pub mod announce;
mod manager;
pub mod pid_file;

use pid_file::PidFile;
use pingora::server::ListenFds;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::signal::unix::Signal;

/// What this process needs to give its listeners away.
pub struct Handover {
    /// Set when all of them are open.
    listeners: OnceLock<ListenFds>,
    /// `None`: the path would be too long.
    sock: Option<String>,
    pub pid_file: PidFile,
}

/// The longest path of a unix socket.
const LONGEST: usize = 107;

const POLL: Duration = Duration::from_millis(50);

/// Where a new process waits for the listeners of the old one. `None`: the path of the data directory is too long.
pub fn sock(folder: &Path) -> Option<String> {
    let path = std::path::absolute(folder).ok()?.join("upgrade.sock");
    path.to_str().filter(|path| path.len() <= LONGEST).map(str::to_owned)
}

impl Handover {
    pub fn new(folder: &Path) -> Self {
        Self { listeners: OnceLock::new(), sock: sock(folder), pid_file: PidFile::new(folder) }
    }

    /// Waits until another process has the listeners and is in charge. Each SIGQUIT is a try; whatever becomes of the
    /// other process, this one goes on serving until then.
    pub async fn done(&self, quit: &mut Signal) {
        let (mut before, mut given) = (None, false);
        loop {
            tokio::select! {
                _ = quit.recv() => {
                    before = self.pid_file.holder();
                    given = self.give().await;
                }
                () = self.succeeded(before), if given => return,
            }
        }
    }

    /// Sends the listeners to who waits for them.
    async fn give(&self) -> bool {
        let (Some(table), Some(sock)) = (self.listeners.get().cloned(), self.sock.clone()) else {
            tracing::warn!(
                "SIGQUIT: there are no listeners to hand over yet, or the path of the data directory is too long"
            );
            return false;
        };
        if !Path::new(&sock).exists() {
            tracing::warn!("SIGQUIT: no process waits for the listeners; `weir upgrade` starts one");
            return false;
        }
        // Pingora waits for the other side on the thread that calls.
        let sent = tokio::task::spawn_blocking(move || {
            table.lock().send_to_sock(sock.as_str()).map_err(|error| error.to_string())
        });
        match sent.await.map_err(|error| error.to_string()).and_then(|sent| sent) {
            Ok(_) => {
                tracing::info!(
                    "the listeners were given to a new process; this one leaves when that one serves"
                );
                true
            }
            Err(error) => {
                tracing::warn!("the listeners could not be given to the new process: {error}");
                false
            }
        }
    }

    /// Waits until a process is in charge that was not before.
    async fn succeeded(&self, before: Option<u32>) {
        let own = std::process::id();
        let is_new = |pid: &u32| *pid != own && Some(*pid) != before;
        while self.pid_file.holder().as_ref().is_none_or(|pid| !is_new(pid)) {
            tokio::time::sleep(POLL).await;
        }
    }
}
