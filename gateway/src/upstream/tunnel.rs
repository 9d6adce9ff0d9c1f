//! `HTTPS_PROXY`: a TCP connection to the proxy, then `CONNECT`. Pingora's own proxy support dials unix sockets only.

use super::resolve::Resolver;
use async_trait::async_trait;
use base64::Engine;
use pingora::connectors::L4Connect;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::{Error, ErrorType, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use weir_core::{ExposeSecret, SecretString};

/// The proxy that upstream connections go through, and the hosts that they do not.
#[derive(Clone, Debug)]
pub struct Proxy {
    host: String,
    port: u16,
    credentials: Option<SecretString>,
    direct: Vec<String>,
}

/// Dials one target through the proxy.
pub struct Tunnel {
    pub proxy: Proxy,
    pub target: String,
    pub resolver: Arc<Resolver>,
}

const HANDSHAKE: Duration = Duration::from_secs(10);
const MAX_REPLY: usize = 8 * 1024;

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tunnel to {} through {}:{}", self.target, self.proxy.host, self.proxy.port)
    }
}

// --- Proxy ---

impl Proxy {
    /// From `HTTPS_PROXY` (`http://[user:password@]host:port`) and `NO_PROXY`. `None` when the first is no such URL.
    pub fn parse(url: &str, no_proxy: &str) -> Option<Self> {
        let uri: http::Uri =
            if url.contains("://") { url.parse().ok()? } else { format!("http://{url}").parse().ok()? };
        let authority = uri.authority()?;
        let credentials = authority.as_str().rsplit_once('@').map(|(user, _)| SecretString::from(user));
        let direct = no_proxy.split(',').map(|h| h.trim().trim_start_matches('.').to_ascii_lowercase());
        Some(Self {
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(80),
            credentials,
            direct: direct.filter(|h| !h.is_empty()).collect(),
        })
    }

    /// Whether a host is dialled directly: named in `NO_PROXY`, or below a domain named there, or `*`.
    pub fn bypasses(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.direct.iter().any(|d| {
            d == "*" || *d == host || host.strip_suffix(d.as_str()).is_some_and(|h| h.ends_with('.'))
        })
    }

    fn greeting(&self, target: &str) -> String {
        let mut text = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n");
        if let Some(credentials) = &self.credentials {
            let encoded = base64::engine::general_purpose::STANDARD.encode(credentials.expose_secret());
            text.push_str(&format!("proxy-authorization: Basic {encoded}\r\n"));
        }
        text.push_str("\r\n");
        text
    }
}

// --- Tunnel ---

#[async_trait]
impl L4Connect for Tunnel {
    async fn connect(&self, _target: &SocketAddr) -> Result<Stream> {
        let connected = tokio::time::timeout(HANDSHAKE, self.open()).await;
        match connected {
            Ok(Ok(stream)) => Ok(Stream::from(stream)),
            Ok(Err(why)) => Error::e_explain(ErrorType::ConnectProxyFailure, why),
            Err(_) => Error::e_explain(ErrorType::ConnectTimedout, "the proxy did not answer in time"),
        }
    }
}

impl Tunnel {
    async fn open(&self) -> std::result::Result<TcpStream, String> {
        let addresses = self.resolver.addresses(&self.proxy.host, self.proxy.port).await?;
        let mut stream = TcpStream::connect(&addresses[..]).await.map_err(|e| format!("proxy: {e}"))?;
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        let greeting = self.proxy.greeting(&self.target);
        stream.write_all(greeting.as_bytes()).await.map_err(|e| format!("proxy: {e}"))?;
        let status = read_reply(&mut stream).await?;
        if (200..300).contains(&status) {
            Ok(stream)
        } else {
            Err(format!("the proxy refused with {status}"))
        }
    }
}

/// Reads exactly the reply's head: what follows belongs to the tunnel.
async fn read_reply(stream: &mut TcpStream) -> std::result::Result<u16, String> {
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_REPLY {
            return Err(String::from("the proxy's answer is too long"));
        }
        head.push(stream.read_u8().await.map_err(|e| format!("proxy: {e}"))?);
    }
    let line = head.split(|b| *b == b' ').nth(1).and_then(|s| std::str::from_utf8(s).ok());
    line.and_then(|s| s.parse().ok()).ok_or_else(|| String::from("the proxy does not speak HTTP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_names_hosts_and_domains() {
        let proxy = Proxy::parse("http://u:p@proxy.corp:3128", "localhost, .internal,api.x.ai").unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.corp", 3128));
        assert!(proxy.bypasses("localhost") && proxy.bypasses("vllm.internal") && proxy.bypasses("API.x.ai"));
        assert!(!proxy.bypasses("api.openai.com") && !proxy.bypasses("notinternal"));
        assert!(!format!("{proxy:?}").contains("u:p"), "p35: credentials are not shown");
    }
}
