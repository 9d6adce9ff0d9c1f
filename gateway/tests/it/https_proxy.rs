//! `HTTPS_PROXY`: providers are reached through a CONNECT proxy, never around it, except where `NO_PROXY` says so.

use crate::pki::{Pki, TlsEnd};
use crate::rig::{Builder, CONFIG, Rig};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A name that no resolver knows: only the proxy can reach it.
const HOST: &str = "api.provider.test";

/// A CONNECT proxy that leads wherever the test wants, whatever the target.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy)]
enum Manner {
    Open,
    /// Wants these credentials, in the header's form.
    Guarded(&'static str),
    Refusing(&'static str),
    /// Takes the request and says nothing.
    Mute,
}

impl Proxy {
    async fn start(to: SocketAddr, manner: Manner) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(serve(stream, to, manner, Arc::clone(&log)));
            }
        });
        Proxy { address, asked, task }
    }

    /// Targets asked for so far.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut client: TcpStream, to: SocketAddr, manner: Manner, asked: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("CONNECT ") && head.contains(" HTTP/1.1\r\n"), "{head}");
    let target = head.split(' ').nth(1).unwrap().to_owned();
    assert!(head.contains(&format!("\r\nhost: {target}\r\n")), "{head}");
    asked.lock().unwrap().push(target);
    let refusal = match manner {
        Manner::Open => None,
        Manner::Guarded(credentials) if head.contains(credentials) => None,
        Manner::Guarded(_) => Some("407 Proxy Authentication Required"),
        Manner::Refusing(status) => Some(status),
        Manner::Mute => return std::future::pending().await,
    };
    if let Some(status) = refusal {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 6\r\n\r\nnot me");
        return client.write_all(answer.as_bytes()).await.unwrap();
    }
    client.write_all(b"HTTP/1.1 200 Connection established\r\nvia: a test\r\n\r\n").await.unwrap();
    let mut provider = TcpStream::connect(to).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut client, &mut provider).await;
}

/// What stands between a gateway and its provider.
struct Path {
    pki: Arc<Pki>,
    end: TlsEnd,
    proxy: Proxy,
}

impl Path {
    async fn new(manner: Manner) -> Path {
        let pki = Pki::new();
        let end = TlsEnd::start(&pki, &["h2", "http/1.1"]).await;
        let proxy = Proxy::start(end.address, manner).await;
        Path { pki, end, proxy }
    }

    /// Over a provider of that name.
    fn config(&self, host: &str) -> Builder {
        let verify = format!("num_retries: 0, ssl_verify: {}", self.pki.file("ca.pem"));
        let provider = format!("https://{host}:{}", self.end.address.port());
        Rig::config(&CONFIG.replace("MOCK", &provider).replace("num_retries: 0", &verify))
    }

    fn url(&self, credentials: &str) -> String {
        format!("http://{credentials}{}", self.proxy.address)
    }

    async fn start(&self, builder: Builder) -> Rig {
        let rig = builder.start().await;
        self.end.forward_to(rig.mock.addr());
        rig
    }
}

#[tokio::test]
async fn providers_are_reached_through_the_proxy() {
    let path = Path::new(Manner::Open).await;
    let rig = path.start(path.config(HOST).env("HTTPS_PROXY", &path.url(""))).await;
    let answer = rig.chat("gpt-4o", "hi").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(rig.stream("gpt-4o", "hi").await.content(), "Hello from mock.");
    assert_eq!(rig.chat("azure-gpt4", "hi").await.status, 200);
    let target = format!("{HOST}:{}", path.end.address.port());
    assert_eq!(path.proxy.asked(), [target], "one tunnel, kept alive");
    assert_eq!(rig.mock.seen_count(), 3);
}

#[tokio::test]
async fn the_variable_may_be_lower_case_or_stand_in_the_config() {
    for (name, in_config) in [("https_proxy", false), ("HTTPS_PROXY", true)] {
        let path = Path::new(Manner::Open).await;
        let mut builder = path.config(HOST);
        if in_config {
            builder = builder.more(&format!("environment_variables: {{{name}: \"{}\"}}\n", path.url("")));
        } else {
            builder = builder.env(name, &path.url(""));
        }
        let rig = path.start(builder).await;
        assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200, "{name}");
        assert_eq!(path.proxy.asked().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn p35_credentials_go_to_the_proxy_and_nowhere_else() {
    // `us@er:p:w`, as RFC 7617 wants it.
    let wanted = "proxy-authorization: Basic dXNAZXI6cDp3";
    let path = Path::new(Manner::Guarded(wanted)).await;
    let builder = path.config(HOST).env("HTTPS_PROXY", &path.url("us%40er:p%3Aw@"));
    let rig = path.start(builder.args(&["--detailed_debug"])).await;
    let answer = rig.chat("gpt-4o", "hi").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = &rig.mock.log()[0];
    assert!(seen.headers.get("proxy-authorization").is_none(), "{:?}", seen.headers);
    for secret in ["p%3Aw", "p:w", "dXNAZXI6cDp3"] {
        assert!(!rig.log().contains(secret), "{secret} is logged");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_from_a_provider_that_is_away() {
    for (manner, says) in [
        (Manner::Guarded("nobody has these"), "407"),
        (Manner::Refusing("403 Forbidden"), "403"),
        (Manner::Refusing("502 Bad Gateway"), "502"),
    ] {
        let path = Path::new(manner).await;
        let rig = path.start(path.config(HOST).env("HTTPS_PROXY", &path.url("u:secret-pw@"))).await;
        for answer in [rig.chat("gpt-4o", "hi").await, rig.stream("gpt-4o", "hi").await] {
            assert_eq!(answer.status, 500, "{}", answer.text());
            assert!(
                answer.text().contains("HTTPS_PROXY") && answer.text().contains(says),
                "{}",
                answer.text()
            );
            assert!(!answer.text().contains("secret-pw"), "{}", answer.text());
        }
        assert_eq!((rig.mock.seen_count(), path.end.protocols().len()), (0, 0), "nobody went around it");
    }
}

#[tokio::test]
async fn a_proxy_that_is_away_or_mute_is_an_error_in_time() {
    let path = Path::new(Manner::Mute).await;
    let nobody = format!("http://127.0.0.1:{}", crate::rig::free_port());
    for proxy in [path.url(""), nobody] {
        let short = "weir_settings: {connect_timeout: 0.4, ";
        let builder = path.config(HOST).replace("weir_settings: {", short).env("HTTPS_PROXY", &proxy);
        let rig = builder.start().await;
        let answer = tokio::time::timeout(std::time::Duration::from_secs(5), rig.chat("gpt-4o", "hi")).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, 500, "{}", answer.text());
        assert!(answer.text().contains("Connection error"), "{}", answer.text());
        assert_eq!(path.end.protocols().len(), 0, "nobody went around it");
    }
}

#[tokio::test]
async fn no_proxy_names_what_is_reached_directly() {
    let path = Path::new(Manner::Open).await;
    let port = path.end.address.port();
    let ported = format!("localhost:{port}");
    for (host, list) in [
        ("localhost", "internal,localhost"),
        ("localhost", "*"),
        ("localhost", &ported),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.0/8, 127.0.0.0/8"),
    ] {
        let path = Path::new(Manner::Open).await;
        let list = list.replace(&port.to_string(), &path.end.address.port().to_string());
        let builder = path.config(host).env("HTTPS_PROXY", &path.url("")).env("NO_PROXY", &list);
        let rig = path.start(builder).await;
        let answer = rig.chat("gpt-4o", "hi").await;
        assert_eq!(answer.status, 200, "{host} {list}: {}", answer.text());
        assert_eq!(path.proxy.asked(), [""; 0], "{host} {list}");
    }
    let builder = path.config("localhost").env("HTTPS_PROXY", &path.url("")).env("NO_PROXY", "other.test");
    let rig = path.start(builder).await;
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200);
    assert_eq!(path.proxy.asked().len(), 1, "whatever is not named goes through");
}

#[tokio::test]
async fn providers_without_tls_need_no_https_proxy() {
    let path = Path::new(Manner::Open).await;
    let rig = Rig::config(CONFIG).env("HTTPS_PROXY", &path.url("")).start().await;
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200);
    assert_eq!(path.proxy.asked(), [""; 0]);
}

#[tokio::test]
async fn a_proxy_that_could_not_be_used_is_told_at_start() {
    for url in ["socks5://user:secret-pw@127.0.0.1:1080", "https://user:secret-pw@127.0.0.1:443"] {
        let said = Rig::config(CONFIG).env("HTTPS_PROXY", url).refused().await;
        assert!(said.contains("HTTPS_PROXY") && said.contains("http://["), "{said}");
        assert!(!said.contains("secret-pw"), "p35: {said}");
    }
}
