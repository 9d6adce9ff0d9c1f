//! Requests shaped to mean two things are refused whole.

use crate::rig::{MASTER, Rig};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn raw(rig: &Rig, request: &str) -> String {
    let address = rig.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn requests_with_two_meanings_are_refused_and_not_forwarded() {
    let rig = Rig::start().await;
    let body = r#"{"model":"gpt-4o","messages":[]}"#;
    let length = body.len();
    let start =
        format!("POST /v1/chat/completions HTTP/1.1\r\nhost: weir\r\nauthorization: Bearer {MASTER}\r\n");
    for (what, rest) in [
        (
            "length and chunked",
            format!(
                "content-length: {length}\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
            ),
        ),
        ("two lengths", format!("content-length: {length}\r\ncontent-length: 5\r\n\r\n{body}")),
        ("folded header", format!("content-length: {length}\r\nx-a: b\r\n c: d\r\n\r\n{body}")),
        (
            "chunked not last",
            format!("transfer-encoding: chunked, identity\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
        ),
        ("space before colon", format!("content-length : {length}\r\n\r\n{body}")),
        ("two hosts", format!("host: other\r\ncontent-length: {length}\r\n\r\n{body}")),
        ("bad length", format!("content-length: +{length}\r\n\r\n{body}")),
    ] {
        let answer = raw(&rig, &format!("{start}{rest}")).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with('4'), "{what}: {answer}");
        assert!(answer.contains("\"error\""), "{what}: said in OpenAI's shape: {answer}");
    }
    assert_eq!(rig.mock.seen_count(), 0);
    assert_eq!(rig.chat("gpt-4o", "still alive").await.status, 200);
}
