//! Reaching a provider as requests would: name, proxy, TCP, TLS. Nothing is asked of it, so nothing is paid.

use crate::upstream::resolve::Resolver;
use crate::upstream::tunnel::{Proxy, Tunnel};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where something listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

/// How it went.
pub(super) struct Reached {
    pub connect: Duration,
    /// `None`: it is spoken to without TLS.
    pub handshake: Option<Duration>,
    /// The last second of its certificate, since 1970.
    pub until: Option<i64>,
}

/// What it did not come to, and the certificate as far as one was shown.
pub(super) struct Unreached {
    pub why: String,
    pub until: Option<i64>,
}

/// The way that requests go.
pub(super) struct Way {
    pub proxy: Option<Proxy>,
    pub resolver: Arc<Resolver>,
    pub roots: Arc<RootCertStore>,
    /// Whether certificates are checked at all.
    pub verify: bool,
}

/// Notes until when a certificate is good, whatever is thought of it.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    /// `None`: everything is believed.
    judge: Option<Arc<WebPkiServerVerifier>>,
    /// 0: none was seen.
    until: AtomicI64,
}

// --- Way ---

impl Way {
    /// Not bounded in time.
    pub(super) async fn reach(&self, target: &Target) -> Result<Reached, Unreached> {
        let begun = Instant::now();
        let stream = self.stream(target).await.map_err(|why| Unreached { why, until: None })?;
        let connect = begun.elapsed();
        if !target.tls {
            return Ok(Reached { connect, handshake: None, until: None });
        }
        let witness = self.witness().map_err(|why| Unreached { why, until: None })?;
        let begun = Instant::now();
        match handshake(stream, &target.host, &witness).await {
            Ok(()) => Ok(Reached { connect, handshake: Some(begun.elapsed()), until: witness.until() }),
            Err(why) => Err(Unreached { why, until: witness.until() }),
        }
    }

    async fn stream(&self, target: &Target) -> Result<TcpStream, String> {
        let (host, port) = (target.host.as_str(), target.port);
        let proxy = self.proxy.as_ref().filter(|proxy| target.tls && !proxy.bypasses(host, port));
        if let Some(proxy) = proxy {
            let resolver = Arc::clone(&self.resolver);
            return Tunnel { proxy: proxy.clone(), target: format!("{host}:{port}"), resolver }.open().await;
        }
        let addresses = self.resolver.addresses(host, port).await?;
        TcpStream::connect(&addresses[..]).await.map_err(|e| format!("cannot connect: {e}"))
    }

    fn witness(&self) -> Result<Arc<Witness>, String> {
        let provider = Arc::new(ring::default_provider());
        let judge = match self.verify {
            true => {
                let builder = WebPkiServerVerifier::builder_with_provider(
                    Arc::clone(&self.roots),
                    Arc::clone(&provider),
                );
                Some(builder.build().map_err(|e| format!("no certificates are trusted here: {e}"))?)
            }
            false => None,
        };
        Ok(Arc::new(Witness { provider, judge, until: AtomicI64::new(0) }))
    }
}

async fn handshake(stream: TcpStream, host: &str, witness: &Arc<Witness>) -> Result<(), String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} is no host name"))?;
    let config = ClientConfig::builder_with_provider(Arc::clone(&witness.provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(witness) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    connected.map(drop).map_err(|e| format!("no TLS: {e}"))
}

// --- Witness ---

impl Witness {
    fn until(&self) -> Option<i64> {
        Some(self.until.load(Ordering::Relaxed)).filter(|at| *at != 0)
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.until.store(not_after(end_entity).unwrap_or_default(), Ordering::Relaxed);
        match &self.judge {
            Some(judge) => {
                judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Seconds since 1970.
fn not_after(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate.as_ref()).ok()?;
    Some(certificate.validity().not_after.timestamp())
}
