//! The listener's certificate. Checked here first, because Pingora panics over one that it cannot use.

use anyhow::{Context, anyhow};
use pingora::listeners::tls::TlsSettings;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;

/// TLS with HTTP/2 by ALPN, or why the files do not make it.
pub fn tls(certificate: &Path, key: &Path) -> anyhow::Result<TlsSettings> {
    check(certificate, key)?;
    let (certificate, key) = (certificate.to_string_lossy(), key.to_string_lossy());
    let mut tls = TlsSettings::intermediate(&certificate, &key).map_err(|e| anyhow!("{e}"))?;
    tls.enable_h2();
    Ok(tls)
}

fn check(certificate: &Path, key: &Path) -> anyhow::Result<()> {
    let of = |what: &str, file: &Path| format!("--ssl_{what}file_path {} cannot be used", file.display());
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.with_context(|| of("cert", certificate))?;
    let private = PrivateKeyDer::from_pem_file(key).with_context(|| of("key", key))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    let fits = builder.with_single_cert(chain, private);
    fits.map(drop).with_context(|| format!("{} and {} do not fit", certificate.display(), key.display()))
}
