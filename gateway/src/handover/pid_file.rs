//! `weir.pid` in the data directory: the process that is in charge. Locked as long as that lives, so that a file which
//! outlived its process names nobody.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub struct PidFile {
    path: PathBuf,
    held: OnceLock<File>,
}

impl PidFile {
    pub fn new(folder: &Path) -> Self {
        Self { path: folder.join("weir.pid"), held: OnceLock::new() }
    }

    /// Writes this process into it.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn take(&self) -> io::Result<()> {
        let own = std::process::id();
        let fresh = self.path.with_extension(format!("pid.{own}"));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
        file.try_lock().map_err(|_| io::Error::from(io::ErrorKind::WouldBlock))?;
        writeln!(file, "{own}")?;
        // In one step, so that there is always somebody in charge.
        std::fs::rename(&fresh, &self.path)?;
        // It can be taken once only; the lock lasts as long as the file is open.
        let _ = self.held.set(file);
        Ok(())
    }

    /// The process that is in charge, if it lives.
    pub fn holder(&self) -> Option<u32> {
        let mut file = File::open(&self.path).ok()?;
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        let locked = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        text.trim().parse().ok().filter(|_| locked)
    }

    /// Removes it, if it still names this process.
    pub fn leave(&self) {
        if self.held.get().is_some() && self.holder() == Some(std::process::id()) {
            // What is left names a dead process, which everybody can see.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_who_lives_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, others) = (PidFile::new(folder.path()), PidFile::new(folder.path()));
        assert_eq!(others.holder(), None, "no file");
        std::fs::write(&ours.path, "4711\n").unwrap();
        assert_eq!(others.holder(), None, "a file that nobody holds");
        ours.take().unwrap();
        assert_eq!(others.holder(), Some(std::process::id()));
        others.leave();
        assert!(ours.path.exists(), "who never took it does not remove it");
        ours.leave();
        assert!(!ours.path.exists());
    }
}
