//! The listener, and what handlers may use.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use tokio::net::UnixListener;
use weir_core::access::MasterKey;
use weir_core::config::Config;
use weir_core::model::prices::Catalogue;
use weir_core::ports::control::Control;
use weir_core::ports::identity::{Bearers, Fetch};
use weir_core::ports::{AuditEntry, AuditListener, Directory, KeyLookup, SpendStore};

/// Injected once, at composition.
pub struct Services {
    pub directory: Arc<dyn Directory>,
    /// The data plane's cache, told of every change.
    pub lookup: Arc<dyn KeyLookup>,
    /// Callers without a key of ours; `None`: there are none.
    pub bearers: Option<Arc<dyn Bearers>>,
    pub spend: Arc<dyn SpendStore>,
    /// The configuration in force.
    pub config: Arc<dyn Fn() -> Arc<Config> + Send + Sync>,
    /// The master key of that configuration.
    pub master: Arc<dyn Fn() -> Option<MasterKey> + Send + Sync>,
    pub control: Arc<dyn Control>,
    /// Identity providers are asked with it.
    pub http: Arc<dyn Fetch>,
    /// Who hears of what was changed, once it is audited.
    pub audited: Option<Arc<dyn AuditListener>>,
    /// What models cost and can, as far as is known by now.
    pub catalogue: Arc<dyn Fn() -> Arc<Catalogue> + Send + Sync>,
}

impl Services {
    /// Whether changes are written down. They are, unless the operator says otherwise.
    pub(crate) fn audited(&self) -> bool {
        (self.config)().litellm.store_audit_logs
    }

    pub(crate) fn tell(&self, entries: &[AuditEntry]) {
        if let Some(listener) = self.audited.as_ref().filter(|_| !entries.is_empty()) {
            listener.kept(entries);
        }
    }
}

/// A socket that only this user may reach. A socket that a dead process left at `path` is replaced; any other
/// file is an error. Bound where it stays: Pingora compares the path of a pooled connection with the one it asks for.
pub fn bind(path: &str) -> std::io::Result<UnixListener> {
    let path = Path::new(path);
    remove_socket(path)?;
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn remove_socket(path: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path),
        Ok(_) => Err(std::io::Error::new(
            std::io::ErrorKind::AlreadyExists,
            format!("no socket: {}", path.display()),
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Serves until the runtime ends.
pub async fn serve(listener: UnixListener, services: Arc<Services>) {
    if let Err(error) = axum::serve(listener, crate::router(services)).await {
        tracing::error!("the admin service ended: {error}");
    }
}
