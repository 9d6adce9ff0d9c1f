//! Whose certificates of providers are trusted, beyond the system's choice.

use anyhow::{Context, bail};
use base64::Engine;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;

/// Where distributions keep their roots.
static SYSTEM_ROOTS: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// The system's roots and an own CA in one file, whose path is answered: Pingora's setting replaces the system's.
pub fn bundle(own: &str, folder: &Path) -> anyhow::Result<String> {
    let mut all = own_roots(own)?;
    all.extend(system_roots());
    let merged = folder.join("ca-bundle.pem");
    let text: String = all.iter().map(pem).collect();
    std::fs::write(&merged, text).with_context(|| format!("{} cannot be written", merged.display()))?;
    Ok(merged.display().to_string())
}

/// Every certificate counts: one that cannot be used is an operator's mistake.
fn own_roots(path: &str) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let text = std::fs::read(path).with_context(|| format!("the CA file {path} cannot be read"))?;
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let roots = roots.map_err(|e| anyhow::anyhow!("the CA file {path} is no PEM file: {e}"))?;
    if roots.is_empty() || !roots.iter().all(is_usable) {
        bail!("the CA file {path} holds no certificates that can be used; it must be PEM, with BEGIN CERTIFICATE");
    }
    Ok(roots)
}

/// Old roots that today's rules refuse are left out: Pingora panics over them.
fn system_roots() -> Vec<CertificateDer<'static>> {
    let text = SYSTEM_ROOTS.iter().find_map(|file| std::fs::read(file).ok()).unwrap_or_default();
    CertificateDer::pem_slice_iter(&text).flatten().filter(is_usable).collect()
}

fn is_usable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

fn pem(certificate: &CertificateDer<'static>) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")
}
