//! The listener, and what handlers may use.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use tokio::net::UnixListener;
use weir_core::access::MasterKey;
use weir_core::ports::{KeyLookup, KeyStore, SpendStore};

/// Injected once, at composition.
pub struct Services {
    pub keys: Arc<dyn KeyStore>,
    /// The data plane's cache, told of every change.
    pub lookup: Arc<dyn KeyLookup>,
    pub spend: Arc<dyn SpendStore>,
    /// The master key of the configuration in force.
    pub master: Arc<dyn Fn() -> Option<MasterKey> + Send + Sync>,
}

/// A socket that only this user may reach. What a dead process left at `path` is replaced.
pub fn bind(path: &str) -> std::io::Result<UnixListener> {
    let path = Path::new(path);
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves until the runtime ends.
pub async fn serve(listener: UnixListener, services: Arc<Services>) {
    if let Err(error) = axum::serve(listener, crate::router(services)).await {
        tracing::error!("the admin service ended: {error}");
    }
}
