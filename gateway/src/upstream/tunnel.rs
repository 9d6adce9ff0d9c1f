//! `HTTPS_PROXY`: a TCP connection to the proxy, then `CONNECT`. Pingora's own proxy support dials unix sockets only.

use super::resolve::Resolver;
use async_trait::async_trait;
use base64::Engine;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use pingora::connectors::L4Connect;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::{Error, ErrorType, Result};
use std::net::IpAddr;
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
    direct: Vec<Direct>,
}

/// An entry of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Direct {
    Everything,
    Network(IpNet),
    /// A host and everything below it; `None` is every port.
    Domain(String, Option<u16>),
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
    /// From `HTTPS_PROXY` (`http://[user:password@]host:port`) and `NO_PROXY`; or what is wrong with the first. The
    /// fault never quotes it: it may hold a password.
    pub fn parse(url: &str, no_proxy: &str) -> Result<Self, &'static str> {
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: http::Uri = url.parse().map_err(|_| "it is no URL")?;
        if uri.scheme_str() != Some("http") {
            return Err("only proxies that are themselves spoken to over http:// are supported");
        }
        let authority = uri.authority().ok_or("it has no host")?;
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            credentials: authority.as_str().rsplit_once('@').map(|(user, _)| decoded(user)),
            direct: no_proxy.split(',').filter_map(Direct::parse).collect(),
        })
    }

    /// Whether a host is dialled directly.
    pub fn bypasses(&self, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        self.direct.iter().any(|direct| direct.covers(&host, port))
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

/// Passwords with an `@` or a `:` are written percent-encoded.
fn decoded(user: &str) -> SecretString {
    SecretString::from(percent_decode_str(user).decode_utf8_lossy().into_owned())
}

impl Direct {
    /// `*`, an address, a network, or a domain (also as `.domain` or `*.domain`) with or without a port.
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim();
        if entry == "*" {
            return Some(Self::Everything);
        }
        let address = entry.trim_matches(['[', ']']).parse::<IpAddr>().map(IpNet::from);
        if let Ok(network) = address.or_else(|_| entry.parse()) {
            return Some(Self::Network(network));
        }
        let with_port = entry.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = with_port.map_or((entry, None), |(host, port)| (host, Some(port)));
        let host = host.trim_start_matches('*').trim_start_matches('.').to_ascii_lowercase();
        (!host.is_empty()).then_some(Self::Domain(host, port))
    }

    fn covers(&self, host: &str, at: u16) -> bool {
        match self {
            Self::Everything => true,
            Self::Network(network) => host.parse().is_ok_and(|ip: IpAddr| network.contains(&ip)),
            Self::Domain(domain, port) => {
                let below = host.strip_suffix(domain.as_str());
                below.is_some_and(|sub| sub.is_empty() || sub.ends_with('.')) && port.is_none_or(|p| p == at)
            }
        }
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
    /// A stream to the target, with the proxy's agreement. Not bounded in time.
    pub async fn open(&self) -> std::result::Result<TcpStream, String> {
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
        let list = "localhost, .internal,api.x.ai,10.0.0.0/8,::1,*.corp:8443,";
        let proxy = Proxy::parse("http://u:p@proxy.corp:3128", list).unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.corp", 3128));
        for host in ["localhost", "vllm.internal", "API.x.ai", "10.1.2.3", "::1"] {
            assert!(proxy.bypasses(host, 443), "{host}");
        }
        for host in ["api.openai.com", "notinternal", "11.1.2.3", "llm.corp"] {
            assert!(!proxy.bypasses(host, 443), "{host}");
        }
        assert!(proxy.bypasses("llm.corp", 8443));
        assert!(Proxy::parse("proxy:1", "*").unwrap().bypasses("anything", 1));
        assert!(!format!("{proxy:?}").contains("u:p"), "p35: credentials are not shown");
    }

    #[test]
    fn a_proxy_that_could_not_be_used_is_refused_rather_than_bypassed() {
        for url in ["socks5://proxy:1080", "https://proxy:443", "http://", "http://a b"] {
            assert!(Proxy::parse(url, "").is_err(), "{url}");
        }
        let proxy = Proxy::parse("http://us%40er:p%3Aw@[::1]:3128", "").unwrap();
        assert_eq!(proxy.host, "::1");
        assert_eq!(proxy.credentials.unwrap().expose_secret(), "us@er:p:w");
    }
}
