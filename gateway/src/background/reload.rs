//! SIGHUP, a changed file, or a change in the ledger: the configuration is read again and swapped in whole. A bad one
//! changes nothing.

use crate::control::Configuration;
use notify::{RecursiveMode, Watcher};
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use weir_core::ports::control::Control;

/// Editors write in several steps, ConfigMaps swap links: wait until it is quiet.
const QUIET: Duration = Duration::from_millis(300);

/// Who hears of changes. It hears from the moment it is made: a signal that nobody listens for ends the process.
pub struct Ear {
    changed: mpsc::Receiver<()>,
    hangup: Signal,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Ear {
    /// Listens to SIGHUP and to the folder of this file. Wants a runtime around it.
    ///
    /// # Errors
    /// If the signal cannot be listened for. A folder that cannot be watched is no error: the signal is left.
    pub fn new(path: Option<&Path>) -> io::Result<Self> {
        let (tell, changed) = mpsc::channel(1);
        let watcher = path.and_then(|path| watch(path, tell));
        Ok(Self { changed, hangup: signal(SignalKind::hangup())?, _watcher: watcher })
    }

    /// Runs for the life of the process; `in_ledger` tells of changes there.
    pub async fn run(mut self, configuration: Arc<Configuration>, in_ledger: Arc<Notify>) {
        loop {
            tokio::select! {
                Some(()) = self.changed.recv() => {
                    tokio::time::sleep(QUIET).await;
                    while self.changed.try_recv().is_ok() {}
                }
                _ = self.hangup.recv() => {}
                () = in_ledger.notified() => {
                    configuration.refresh().await;
                    continue;
                }
            }
            configuration.reload().await;
        }
    }
}

/// Watches the folder: the file itself may be replaced.
fn watch(path: &Path, tell: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let file = path.file_name()?.to_owned();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|e| !e.kind.is_access() && concerns(&e, &file)) {
            // A full channel already says that something changed.
            let _ = tell.try_send(());
        }
    })
    .ok()?;
    watcher.watch(&folder, RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}

/// The file itself, or the link that Kubernetes swaps when a ConfigMap changes.
fn concerns(event: &notify::Event, file: &OsStr) -> bool {
    event.paths.iter().filter_map(|p| p.file_name()).any(|name| name == file || name == "..data")
}
