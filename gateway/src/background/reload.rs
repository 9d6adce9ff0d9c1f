//! SIGHUP, a changed file, or a change in the ledger: the configuration is read again and swapped in whole. A bad one
//! changes nothing.

use crate::control::Configuration;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};
use weir_core::ports::control::Control;

/// How often the file is looked at. Its folder is not watched: whoever does that is woken by whatever else is written
/// there, such as this process's log.
const LOOK: Duration = Duration::from_millis(500);
/// Editors write in several steps, ConfigMaps swap links: wait until it is quiet.
const QUIET: Duration = Duration::from_millis(300);

/// Who hears of changes. It hears from the moment it is made: a signal that nobody listens for ends the process.
pub struct Ear {
    watched: Option<Watched>,
    hangup: Signal,
}

/// A file that may be written, replaced, or reached by another link.
struct Watched {
    path: PathBuf,
    looks: Interval,
    last: Option<Stamp>,
}

/// What tells a file from what it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Of its content and of all else, with nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Ear {
    /// Listens to SIGHUP and looks at this file. Wants a runtime around it.
    ///
    /// # Errors
    /// If the signal cannot be listened for.
    pub fn new(path: Option<&Path>) -> io::Result<Self> {
        Ok(Self { watched: path.map(Watched::new), hangup: signal(SignalKind::hangup())? })
    }

    /// Runs for the life of the process; `in_ledger` tells of changes there.
    pub async fn run(mut self, configuration: Arc<Configuration>, in_ledger: Arc<Notify>) {
        loop {
            tokio::select! {
                () = changed(self.watched.as_mut()) => {}
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

/// Never, where there is no file.
async fn changed(watched: Option<&mut Watched>) {
    match watched {
        Some(watched) => watched.changed().await,
        None => std::future::pending().await,
    }
}

// --- Watched ---

impl Watched {
    fn new(path: &Path) -> Self {
        let mut looks = interval_at(Instant::now() + LOOK, LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let last = std::fs::metadata(path).ok().as_ref().map(Stamp::of);
        Self { path: path.to_owned(), looks, last }
    }

    /// Waits until it has changed and is quiet. May be given up and asked again: nothing is missed.
    async fn changed(&mut self) {
        loop {
            self.looks.tick().await;
            if self.stamp().await != self.last {
                sleep(QUIET).await;
                self.last = self.stamp().await;
                return;
            }
        }
    }

    /// Links are followed. `None`: there is no such file now.
    async fn stamp(&self) -> Option<Stamp> {
        tokio::fs::metadata(&self.path).await.ok().as_ref().map(Stamp::of)
    }
}

// --- Stamp ---

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[tokio::test]
    async fn a_file_that_is_written_or_replaced_is_heard_of() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.yaml");
        fs::write(&file, "model_list: []").unwrap();
        let mut watched = Watched::new(&file);
        fs::write(&file, "model_list: [1]").unwrap();
        watched.changed().await;
        // The same length, under another inode.
        fs::write(folder.path().join("new"), "model_list: [2]").unwrap();
        fs::rename(folder.path().join("new"), &file).unwrap();
        watched.changed().await;
        fs::remove_file(&file).unwrap();
        watched.changed().await;
        assert_eq!(watched.last, None);
        fs::write(&file, "model_list: []").unwrap();
        watched.changed().await;
        assert!(watched.last.is_some());
    }

    /// As Kubernetes does it with a ConfigMap.
    #[tokio::test]
    async fn a_link_that_leads_elsewhere_is_heard_of() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for version in ["1", "2"] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("config.yaml"), "model_list: []").unwrap();
        }
        symlink("1", at("..data")).unwrap();
        symlink("..data/config.yaml", at("config.yaml")).unwrap();
        let mut watched = Watched::new(&at("config.yaml"));
        symlink("2", at("..new")).unwrap();
        fs::rename(at("..new"), at("..data")).unwrap();
        watched.changed().await;
    }

    #[tokio::test]
    async fn what_is_written_beside_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.yaml");
        fs::write(&file, "model_list: []").unwrap();
        let watched = Watched::new(&file);
        fs::write(folder.path().join("weir.log"), "a line").unwrap();
        assert_eq!(watched.stamp().await, watched.last);
    }
}
