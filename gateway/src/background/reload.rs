//! SIGHUP, a changed file, or a change in the ledger: the configuration is read again and swapped in whole. A bad one
//! changes nothing.

use crate::control::Configuration;
use notify::{RecursiveMode, Watcher};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use weir_core::ports::control::Control;

/// Editors write in several steps, ConfigMaps swap links: wait until it is quiet.
const QUIET: Duration = Duration::from_millis(300);

/// Runs for the life of the process.
pub async fn run(configuration: Arc<Configuration>, in_ledger: Arc<Notify>) {
    let (tell, mut changed) = mpsc::channel(1);
    let _watcher = configuration.loader.path.as_deref().and_then(|path| watch(path, tell));
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        tracing::error!("SIGHUP cannot be watched");
        return;
    };
    loop {
        tokio::select! {
            Some(()) = changed.recv() => {
                tokio::time::sleep(QUIET).await;
                while changed.try_recv().is_ok() {}
            }
            _ = hangup.recv() => {}
            () = in_ledger.notified() => {
                configuration.refresh().await;
                continue;
            }
        }
        configuration.reload().await;
    }
}

/// Watches the folder: the file itself may be replaced.
fn watch(path: &Path, tell: mpsc::Sender<()>) -> Option<impl Watcher> {
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
