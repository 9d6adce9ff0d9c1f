//! The listener's TLS: HTTP/1.1 and HTTP/2 by ALPN. HTTP/2 without TLS only where the operator trusts every client.

use crate::client::{self, Answer, Http2};
use crate::pki::Pki;
use crate::rig::{CONFIG, MASTER, Rig, chat};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use weir_bench::mock::{Reply, Step};

fn streamed(text: &str) -> Value {
    let mut body = chat("gpt-4o", text);
    body["stream"] = true.into();
    body
}

#[tokio::test]
async fn https_serves_what_http_serves() {
    let pki = Pki::new();
    let rig = Rig::config(CONFIG).tls(&pki).start().await;
    let plain = rig.chat("priced", "hi").await;
    assert_eq!(plain.status, 200, "{}", plain.text());
    let stream = rig.stream("gpt-4o", "hi").await;
    assert_eq!(stream.content(), plain.json()["choices"][0]["message"]["content"]);
    assert_eq!(stream.events().last().unwrap(), "[DONE]");
    assert_eq!(rig.post("/v1/chat/completions", "sk-wrong", chat("gpt-4o", "hi")).await.status, 401);
    assert_eq!(rig.row(plain.header("x-litellm-call-id")).await["status"], "success");
    assert!(rig.log().contains("https://"), "the address is told with its scheme");
}

#[tokio::test]
async fn alpn_decides_between_http1_and_http2() {
    let pki = Pki::new();
    let rig = Rig::config(CONFIG).tls(&pki).start().await;
    for (offered, agreed) in [
        (&["h2", "http/1.1"][..], Some(&b"h2"[..])),
        (&["http/1.1"], Some(b"http/1.1")),
        (&["h2"], Some(b"h2")),
        (&[], None),
    ] {
        let stream = pki.connect(&rig.address(), offered).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed, "{offered:?}");
        let answer = match agreed {
            Some(b"h2") => Http2::over(stream).await.unwrap().chat(MASTER, chat("gpt-4o", "hi")).await,
            _ => {
                let auth = format!("Bearer {MASTER}");
                let body = chat("gpt-4o", "hi").to_string();
                let path = "/v1/chat/completions";
                client::send_http1(stream, "POST", path, &[("authorization", &auth)], body).await
            }
        };
        assert_eq!(answer.status, 200, "{offered:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn one_http2_connection_carries_many_exchanges() {
    let pki = Pki::new();
    let rig = Rig::config(CONFIG).tls(&pki).start().await;
    let h2 = Http2::over(pki.connect(&rig.address(), &["h2"]).await).await.unwrap();
    let plain = h2.chat(MASTER, chat("gpt-4o", "hi")).await;
    assert_eq!(plain.json()["choices"][0]["message"]["content"], "Hello from mock.");
    let refused = h2.chat(MASTER, chat("no-such-model", "hi")).await;
    assert_eq!(refused.status, 400, "an error leaves the connection as it was");
    let tasks: Vec<_> = (10..26)
        .map(|chunks| {
            let h2 = h2.clone();
            tokio::spawn(async move { h2.chat(MASTER, streamed(&format!("hi __chunks={chunks}"))).await })
        })
        .collect();
    for (task, chunks) in tasks.into_iter().zip(10..26) {
        let answer = task.await.unwrap();
        let expected: String = (0..chunks).map(|i| format!("w{i} ")).collect();
        assert_eq!(answer.content(), expected, "no stream takes another's chunks");
        assert_eq!(answer.events().last().unwrap(), "[DONE]");
    }
}

#[tokio::test]
async fn a_large_body_arrives_whole_over_http2() {
    let pki = Pki::new();
    let rig = Rig::config(CONFIG).tls(&pki).start().await;
    let h2 = Http2::over(pki.connect(&rig.address(), &["h2"]).await).await.unwrap();
    let text: String = (0..400_000).map(|i| format!("{i:07} ")).collect();
    let answer = h2.chat(MASTER, chat("gpt-4o", &text)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(rig.mock.take_log()[0].json()["messages"][0]["content"], text);
}

#[tokio::test]
async fn p22_a_reset_http2_stream_stops_its_provider_and_nobody_elses() {
    let pki = Pki::new();
    let rig = Rig::config(CONFIG).tls(&pki).over(|_: &_| words(30)).await;
    let h2 = Http2::over(pki.connect(&rig.address(), &["h2"]).await).await.unwrap();
    let mut left = h2.open(MASTER, streamed("one")).await.unwrap().into_body();
    let stays = h2.open(MASTER, streamed("two")).await.unwrap().into_body();
    left.frame().await.unwrap().unwrap();
    drop(left);
    let others = stays.collect().await.unwrap().to_bytes();
    assert!(others.ends_with(b"data: [DONE]\n\n"), "{}", String::from_utf8_lossy(&others));
    assert_eq!(rig.mock.hangups(), 1, "the abandoned one was stopped, and it alone");
    let rows = rig.rows(2).await;
    let cancelled = rows.iter().filter(|row| row["metadata"]["weir"]["status"] == "cancelled");
    assert_eq!(cancelled.count(), 1, "{rows:?}");
}

/// A stream of so many words, one every 50 ms.
fn words(count: usize) -> Reply {
    let word = "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n";
    let mut steps: Vec<Step> = (0..count).map(|_| Step::after(Duration::from_millis(50), word)).collect();
    let last =
        "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    steps.push(Step::now(format!("{last}data: [DONE]\n\n")));
    Reply::stream("text/event-stream", steps)
}

// --- HTTP/2 without TLS ---

async fn prior_knowledge(rig: &Rig) -> hyper::Result<Answer> {
    let h2 = Http2::over(TcpStream::connect(rig.address()).await.unwrap()).await?;
    // Asked once more as `chat`, which expects an answer.
    h2.open(MASTER, chat("gpt-4o", "hi")).await?;
    Ok(h2.chat(MASTER, streamed("hi")).await)
}

#[tokio::test]
async fn h2c_is_refused_by_default() {
    let rig = Rig::start().await;
    assert!(prior_knowledge(&rig).await.is_err());
    assert_eq!(rig.mock.seen_count(), 0);
    let auth = format!("Bearer {MASTER}");
    let upgrade = [
        ("authorization", auth.as_str()),
        ("connection", "Upgrade, HTTP2-Settings"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABkAAQAAP__"),
    ];
    let answer = rig.post_with("/v1/chat/completions", &upgrade, chat("gpt-4o", "hi")).await;
    assert_eq!(answer.status, 200, "an offer to upgrade is passed over: {}", answer.text());
}

fn trusted() -> String {
    CONFIG.replace("drain_delay: 0.2", "drain_delay: 0.2, h2c: true, header_timeout: 0.5")
}

#[tokio::test]
async fn h2c_is_spoken_on_a_trusted_listener_beside_http1() {
    let rig = Rig::config(&trusted()).start().await;
    let answer = prior_knowledge(&rig).await.unwrap();
    assert_eq!(answer.content(), "Hello from mock.", "{}", answer.text());
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200, "HTTP/1.1 on the same port");
}

#[tokio::test]
async fn p18_limits_are_told_over_http2_as_over_http1() {
    let rig = Rig::config(&trusted()).start().await;
    let key = rig.key(json!({"rpm_limit": 9, "max_parallel_requests": 3})).await;
    let h2 = Http2::over(TcpStream::connect(rig.address()).await.unwrap()).await.unwrap();
    let answers = [
        rig.post("/v1/chat/completions", &key, chat("gpt-4o", "hi")).await,
        h2.chat(&key, chat("gpt-4o", "hi")).await,
        rig.post("/v1/chat/completions", &key, streamed("hi")).await,
        h2.chat(&key, streamed("hi")).await,
    ];
    for (answer, left) in answers.iter().zip(["8", "7", "6", "5"]) {
        assert_eq!(answer.status, 200, "{}", answer.text());
        for (name, value) in [
            ("api_key-limit-requests", "9"),
            ("api_key-remaining-requests", left),
            ("api_key-limit-max_parallel_requests", "3"),
            ("api_key-remaining-max_parallel_requests", "2"),
        ] {
            assert_eq!(answer.header(&format!("x-ratelimit-{name}")), value, "{name} where {left} are left");
        }
        assert_eq!(answer.header("x-litellm-key-rpm-limit"), "9", "what stands behind them is read, too");
    }
}

#[tokio::test]
async fn h2c_on_a_trusted_listener_opens_no_hole_for_http1() {
    let rig = Rig::config(&trusted()).start().await;
    let body = r#"{"model":"gpt-4o","messages":[]}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: weir\r\nauthorization: Bearer {MASTER}\r\ncontent-length: {}\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len(),
        body.len()
    );
    let mut stream = TcpStream::connect(rig.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "two meanings: {answer}");
    assert_eq!(rig.mock.seen_count(), 0);
}

#[tokio::test]
async fn with_tls_the_h2c_setting_changes_nothing() {
    let pki = Pki::new();
    let rig = Rig::config(&trusted()).tls(&pki).start().await;
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200, "HTTP/1.1");
    let h2 = Http2::over(pki.connect(&rig.address(), &["h2"]).await).await.unwrap();
    assert_eq!(h2.chat(MASTER, chat("gpt-4o", "hi")).await.status, 200, "HTTP/2");
    assert!(prior_knowledge(&rig).await.is_err(), "no HTTP/2 without TLS on a TLS port");
}

// --- files that make no listener ---

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_told_at_start() {
    let (pki, other) = (Pki::new(), Pki::new());
    let garbage = pki.write("garbage.pem", "this is no certificate");
    let (certificate, key) = (pki.file("cert.pem"), pki.file("key.pem"));
    for (cert, key, says) in [
        ("/nowhere/cert.pem", key.as_str(), "/nowhere/cert.pem"),
        (&certificate, "/nowhere/key.pem", "/nowhere/key.pem"),
        (&garbage, &key, "garbage.pem"),
        (&certificate, &garbage, "garbage.pem"),
        (&certificate, &other.file("key.pem"), "do not fit"),
    ] {
        let args = ["--ssl_certfile_path", cert, "--ssl_keyfile_path", key];
        let said = Rig::config(CONFIG).args(&args).refused().await;
        assert!(said.contains(says) && !said.contains("panicked"), "{cert} {key}: {said}");
    }
    let alone = Rig::config(CONFIG).args(&["--ssl_certfile_path", &certificate]).refused().await;
    assert!(alone.contains("--ssl_keyfile_path"), "{alone}");
}
