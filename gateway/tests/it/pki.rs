//! A certificate authority made for a test, and TLS at either end: clients that trust it, and a TLS end in front of a
//! mock provider.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A CA and a certificate of it.
pub struct Pki {
    dir: tempfile::TempDir,
    ca: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

const NAMES: &[&str] = &["localhost", "127.0.0.1", "api.provider.test"];

impl Pki {
    /// For `localhost`, `127.0.0.1` and `api.provider.test`.
    pub fn new() -> Arc<Pki> {
        Pki::named(NAMES)
    }

    pub fn named(names: &[&str]) -> Arc<Pki> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "CA of a test");
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &ca).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in
            [("ca.pem", ca.pem()), ("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())]
        {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let (ca, certificate) = (ca.der().clone(), certificate.der().clone());
        Arc::new(Pki { dir, ca, certificate, key: key.serialize_der() })
    }

    /// `ca.pem`, `cert.pem` or `key.pem`.
    pub fn file(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Another text in a file of its own.
    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.file(name)
    }

    /// A client's TLS connection, with what it offers by ALPN.
    pub async fn connect(&self, address: &str, alpn: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = wire(alpn);
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    /// `asks`: who shows no certificate of the CA is refused.
    fn acceptor(&self, alpn: &[&str], asks: bool) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = match asks {
            true => config.with_client_cert_verifier(verifier.build().unwrap()),
            false => config.with_no_client_auth(),
        };
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut config = config.with_single_cert(vec![self.certificate.clone()], key).unwrap();
        config.alpn_protocols = wire(alpn);
        TlsAcceptor::from(Arc::new(config))
    }
}

fn wire(alpn: &[&str]) -> Vec<Vec<u8>> {
    alpn.iter().map(|name| name.as_bytes().to_vec()).collect()
}

/// A TLS end. What it decrypts goes to a plain mock, which tells HTTP/2 by its preface.
pub struct TlsEnd {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// Known only when the mock runs, which is after the address of this end stands in a config.
    mock: OnceLock<SocketAddr>,
    protocols: Mutex<Vec<String>>,
}

impl TlsEnd {
    pub async fn start(pki: &Pki, alpn: &[&str]) -> TlsEnd {
        TlsEnd::over(pki.acceptor(alpn, false)).await
    }

    /// One that serves nobody who does not show a certificate of the CA.
    pub async fn asking(pki: &Pki, alpn: &[&str]) -> TlsEnd {
        TlsEnd::over(pki.acceptor(alpn, true)).await
    }

    async fn over(acceptor: TlsAcceptor) -> TlsEnd {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let task = tokio::spawn(accept(listener, acceptor, Arc::clone(&shared)));
        TlsEnd { address, shared, task }
    }

    pub fn forward_to(&self, mock: SocketAddr) {
        self.shared.mock.set(mock).unwrap();
    }

    /// For each connection whose handshake succeeded: the protocol agreed on, or an empty text.
    pub fn protocols(&self) -> Vec<String> {
        self.shared.protocols.lock().unwrap().clone()
    }
}

impl Drop for TlsEnd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(forward(stream, acceptor.clone(), Arc::clone(&shared)));
    }
}

async fn forward(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let Ok(mut outside) = acceptor.accept(stream).await else { return };
    let protocol = outside.get_ref().1.alpn_protocol().unwrap_or_default();
    shared.protocols.lock().unwrap().push(String::from_utf8_lossy(protocol).into_owned());
    let mut inside = TcpStream::connect(*shared.mock.get().unwrap()).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
}
