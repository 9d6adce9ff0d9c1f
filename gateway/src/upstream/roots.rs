//! Whose certificates are trusted: the system's roots, and an operator's own CA beside them.
//!
//! Pingora would load the system's roots itself, but panics over one that it cannot use and over an empty
//! `SSL_CERT_FILE`, and an own file would replace them. So it always gets one file, made here.

use anyhow::{Context, bail};
use base64::Engine;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use weir_core::config::SslVerify;
use weir_core::config::env::Env;

/// Where distributions keep their roots.
static SYSTEM_ROOTS: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// Where the file is.
pub fn path(folder: &Path) -> String {
    folder.join("ca-bundle.pem").display().to_string()
}

/// The operator's own file: the one that the configuration names, else `SSL_CERT_FILE`.
pub fn own<'a>(verify: &'a SslVerify, env: &'a Env) -> Option<&'a str> {
    match verify {
        SslVerify::CaFile(path) => Some(path.as_str()),
        _ => env.filled("SSL_CERT_FILE"),
    }
}

/// Reads whom to trust.
pub struct Roots {
    env: Env,
    folder: PathBuf,
}

/// Roots as they were read, and the file that they are for.
pub struct Bundle {
    path: PathBuf,
    text: String,
    /// Whether any of the system's are among them.
    pub of_system: bool,
}

impl Roots {
    pub fn new(env: &Env, folder: &Path) -> Self {
        Self { env: env.clone(), folder: folder.to_owned() }
    }

    /// The system's roots, and those of the file that `verify` or the environment names: for all that trust nobody else.
    ///
    /// # Errors
    /// That file cannot be used.
    pub fn of_all(&self, verify: &SslVerify) -> anyhow::Result<Bundle> {
        self.bundle(PathBuf::from(path(&self.folder)), own(verify, &self.env))
    }

    /// The system's roots and those of `own`.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn with(&self, own: &str) -> anyhow::Result<Bundle> {
        let mut hasher = DefaultHasher::new();
        own.hash(&mut hasher);
        let path = self.folder.join(format!("ca-bundle-{:016x}.pem", hasher.finish()));
        self.bundle(path, Some(own))
    }

    fn bundle(&self, path: PathBuf, own: Option<&str>) -> anyhow::Result<Bundle> {
        let own = own.map(own_roots).transpose()?.unwrap_or_default();
        let system = system_roots(&self.env);
        let text = own.iter().chain(&system).map(pem).collect();
        Ok(Bundle { path, text, of_system: !system.is_empty() })
    }
}

impl Bundle {
    /// Tells it from one with other roots.
    pub fn mark(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.text.hash(&mut hasher);
        hasher.finish()
    }

    /// Writes the file; answers where it is.
    pub fn written(&self) -> anyhow::Result<String> {
        let told = self.path.display();
        std::fs::write(&self.path, &self.text).with_context(|| format!("{told} cannot be written"))?;
        Ok(told.to_string())
    }
}

/// All of them in memory.
pub fn store(own: Option<&str>, env: &Env) -> anyhow::Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(own.map(own_roots).transpose()?.unwrap_or_default());
    store.add_parsable_certificates(system_roots(env));
    Ok(store)
}

/// Every certificate counts: one that cannot be used is an operator's mistake.
fn own_roots(path: &str) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let text = std::fs::read(path).with_context(|| format!("the CA file {path} cannot be read"))?;
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let roots = roots.map_err(|e| anyhow::anyhow!("the CA file {path} is no PEM file: {e}"))?;
    if roots.is_empty() || !roots.iter().all(is_usable) {
        bail!(
            "the CA file {path} holds no certificates that can be used; it must be PEM, with BEGIN CERTIFICATE"
        );
    }
    Ok(roots)
}

/// Old roots that today's rules refuse are left out.
fn system_roots(env: &Env) -> Vec<CertificateDer<'static>> {
    let text = match env.filled("SSL_CERT_DIR") {
        Some(folder) => {
            files(folder).filter_map(|file| std::fs::read(file).ok()).collect::<Vec<_>>().concat()
        }
        None => SYSTEM_ROOTS.iter().find_map(|file| std::fs::read(file).ok()).unwrap_or_default(),
    };
    CertificateDer::pem_slice_iter(&text).flatten().filter(is_usable).collect()
}

fn files(folder: &str) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file())
}

fn is_usable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

fn pem(certificate: &CertificateDer<'static>) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")
}
