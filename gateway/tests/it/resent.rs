//! A request goes to a provider a second time only where the first cannot have been received: whoever has said anything may
//! have begun, and wants to be paid.

use crate::pki::{Pki, TlsEnd};
use crate::rig::{CONFIG, Rig};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &str = r#"{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;

/// A provider, and how many requests it has received.
struct Provider {
    address: SocketAddr,
    seen: Arc<AtomicUsize>,
}

impl Provider {
    /// Serves one connection after the other.
    async fn start<S: Future<Output = io::Result<()>> + Send + 'static>(
        serve: impl Fn(TcpStream, Arc<AtomicUsize>) -> S + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
        let count = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ended = serve(stream, Arc::clone(&count)).await;
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// Answers the first request of a connection, says this to the second, and closes.
async fn once(mut stream: TcpStream, seen: Arc<AtomicUsize>, then: &[u8]) -> io::Result<()> {
    let length = ANSWER.len();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
    let whole = head + ANSWER;
    for said in [whole.as_bytes(), then] {
        received(&mut stream).await?;
        seen.fetch_add(1, Ordering::SeqCst);
        stream.write_all(said).await?;
    }
    Ok(())
}

/// A body is a JSON object.
async fn received(stream: &mut TcpStream) -> io::Result<()> {
    while stream.read_u8().await? != b'{' {}
    let mut open = 1;
    while open > 0 {
        match stream.read_u8().await? {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_provider_that_has_said_anything_is_not_asked_again() {
    // One that closes without a word may have closed before the request came.
    for (then, served, requests) in
        [(&b""[..], true, 3), (&b"HTTP/1.1 2"[..], false, 2), (&b"no HTTP\r\n\r\n"[..], false, 2)]
    {
        let provider = Provider::start(move |stream, seen| once(stream, seen, then)).await;
        let config = CONFIG.replace("MOCK", &format!("http://{}", provider.address));
        let rig = Rig::config(&config).start().await;
        assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200);
        let answer = rig.chat("gpt-4o", "hi").await;
        assert_eq!((answer.status == 200, provider.seen()), (served, requests), "{}", answer.text());
    }
}

// --- HTTP/2 ---

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200`, by its place in the table.
const OK: &[u8] = &[0x88];
const INTERNAL_ERROR: [u8; 4] = [0, 0, 0, 2];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags][..], &stream.to_be_bytes()[..], payload].concat()
}

/// Answers the first request of a connection and resets all others.
async fn resetting(mut stream: TcpStream, seen: Arc<AtomicUsize>) -> io::Result<()> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    stream.write_all(&frame(SETTINGS, 0, 0, b"")).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload).await?;
        let id = u32::from_be_bytes(id);
        let said = match kind {
            SETTINGS if flags & ACK == 0 => frame(SETTINGS, ACK, 0, b""),
            DATA | HEADERS if flags & END_STREAM != 0 => {
                seen.fetch_add(1, Ordering::SeqCst);
                match id {
                    1 => {
                        [frame(HEADERS, END_HEADERS, id, OK), frame(DATA, END_STREAM, id, ANSWER.as_bytes())]
                            .concat()
                    }
                    _ => frame(RESET, 0, id, &INTERNAL_ERROR),
                }
            }
            _ => continue,
        };
        stream.write_all(&said).await?;
    }
}

#[tokio::test]
async fn a_request_that_is_reset_over_http2_is_not_sent_again() {
    let (pki, provider) = (Pki::new(), Provider::start(resetting).await);
    let end = TlsEnd::start(&pki, &["h2"]).await;
    end.forward_to(provider.address);
    let config = CONFIG
        .replace("MOCK", &format!("https://localhost:{}", end.address.port()))
        .replace("num_retries: 0", &format!("num_retries: 0, ssl_verify: {}", pki.file("ca.pem")));
    let rig = Rig::config(&config).start().await;
    let first = rig.chat("slow", "hi").await;
    assert_eq!(first.status, 200, "{}", first.text());
    let answer = rig.chat("slow", "hi").await;
    assert_ne!(answer.status, 200);
    assert_eq!(provider.seen(), 2, "{}", answer.text());
}
