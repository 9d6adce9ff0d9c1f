//! Our own certificate, for providers that ask who is calling (`ssl_certificate`). Checked here first, because Pingora
//! panics over one that it cannot use.

use anyhow::{Context, ensure};
pub use pingora::utils::tls::CertKey;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// What is shown, and what tells it from another one: Pingora's own hash is of serial numbers alone.
pub struct Shown {
    pub certificate: Arc<CertKey>,
    pub mark: u64,
}

/// A PEM file with the certificate, those that it follows from, and its key.
///
/// # Errors
/// It cannot be read, or does not hold both, or they do not fit.
pub fn read(path: &str) -> anyhow::Result<Shown> {
    let of = || format!("litellm_settings.ssl_certificate {path} cannot be used");
    let text = std::fs::read(path).with_context(of)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.with_context(of)?;
    ensure!(!chain.is_empty(), "{}: it holds no certificate", of());
    let key = PrivateKeyDer::from_pem_slice(&text).with_context(of)?;
    let raw = chain.iter().map(|certificate| certificate.to_vec()).collect();
    let secret = key.secret_der().to_vec();
    fits(chain, key).with_context(of)?;
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    Ok(Shown { certificate: Arc::new(CertKey::new(raw, secret)), mark: hasher.finish() })
}

fn fits(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> anyhow::Result<()> {
    let mut roots = RootCertStore::empty();
    for certificate in &chain {
        // Nobody is trusted by it: it is only read.
        roots.add(certificate.clone())?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions()?.with_root_certificates(RootCertStore::empty());
    config.with_client_auth_cert(chain, key)?;
    Ok(())
}
