//! Nobody holds a connection, a request or a stream for longer than a setting allows.
//!
//! The settings are short here; what is asserted is that something ends, and how, never how long it took.

use crate::client::Answer;
use crate::pki::Pki;
use crate::rig::{CONFIG, MASTER, Rig, chat};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use weir_bench::mock::{End, Reply, Step};

/// Much longer than any limit in this file, much shorter than any default.
const PATIENCE: Duration = Duration::from_secs(12);

fn with(settings: &str) -> String {
    CONFIG.replace("drain_delay: 0.2", &format!("drain_delay: 0.2, {settings}"))
}

// --- clients ---

const HEAD: &str = "POST /v1/chat/completions HTTP/1.1\r\nhost: weir\r\ncontent-type: application/json\r\n";

/// Sends the beginning, then a byte of `drip` every 50 ms, until the other side has had enough; what it said.
async fn dripping(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    begin: &str,
    drip: impl Iterator<Item = u8>,
) -> String {
    stream.write_all(begin.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut said = Vec::new();
    let write = async {
        for byte in drip {
            if writer.write_all(&[byte]).await.is_err() || writer.flush().await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        std::future::pending::<()>().await;
    };
    let read = reader.read_to_end(&mut said);
    let ended = tokio::time::timeout(PATIENCE, async {
        tokio::select! { _ = read => (), () = write => () }
    });
    ended.await.expect("the connection was never closed");
    String::from_utf8_lossy(&said).into_owned()
}

async fn connect(rig: &Rig) -> TcpStream {
    TcpStream::connect(rig.address()).await.unwrap()
}

#[tokio::test]
async fn a_header_that_drips_in_is_not_waited_for() {
    let rig = Rig::config(&with("header_timeout: 0.5")).start().await;
    let said = dripping(connect(&rig).await, HEAD, std::iter::repeat(b'x')).await;
    assert!(!said.contains("200"), "{said}");
    let paused = dripping(connect(&rig).await, HEAD, std::iter::empty()).await;
    assert_eq!(paused, "", "one that stops in the middle");
    let silent = dripping(connect(&rig).await, "", std::iter::empty()).await;
    assert_eq!(silent, "", "one that never begins");
    assert_eq!(rig.mock.seen_count(), 0);
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200);
}

#[tokio::test]
async fn a_later_header_of_a_connection_has_the_same_deadline() {
    let rig = Rig::config(&with("header_timeout: 0.5")).start().await;
    let mut stream = connect(&rig).await;
    let first = "GET /health/liveliness HTTP/1.1\r\nhost: weir\r\n\r\n";
    for _ in 0..2 {
        stream.write_all(first.as_bytes()).await.unwrap();
        // Silence between requests is not a header that is late.
        tokio::time::sleep(Duration::from_millis(800)).await;
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
    }
    dripping(stream, "GET /health", std::iter::empty()).await;
}

#[tokio::test]
async fn with_tls_and_h2c_silence_has_a_deadline_too() {
    let pki = Pki::new();
    let short = with("header_timeout: 0.5, h2c: true");
    let rig = Rig::config(&short).tls(&pki).start().await;
    for alpn in [&["http/1.1"][..], &["h2"]] {
        let stream = pki.connect(&rig.address(), alpn).await;
        dripping(stream, "", std::iter::empty()).await;
    }
    let rig = Rig::config(&short).start().await;
    for begin in ["", "PRI * HTTP/2.0\r\n", HEAD] {
        dripping(connect(&rig).await, begin, std::iter::empty()).await;
    }
    dripping(connect(&rig).await, HEAD, std::iter::repeat(b'x')).await;
}

#[tokio::test]
async fn a_body_that_drips_in_is_408() {
    let rig = Rig::config(&with("body_timeout: 0.5")).start().await;
    let auth = format!("{HEAD}authorization: Bearer {MASTER}\r\n");
    for (begin, drip) in [
        (format!("{auth}content-length: 900\r\n\r\n{{"), " "),
        (format!("{auth}transfer-encoding: chunked\r\n\r\n"), "1\r\n \r\n"),
    ] {
        let drip = drip.bytes().cycle();
        let said = dripping(connect(&rig).await, &begin, drip).await;
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
        assert!(said.contains("500ms") && said.contains("\"error\""), "{said}");
        let paused = dripping(connect(&rig).await, &begin, std::iter::empty()).await;
        assert!(paused.starts_with("HTTP/1.1 408"), "{paused}");
    }
    assert_eq!(rig.mock.seen_count(), 0);
}

// --- providers ---

fn chunk(text: &str) -> String {
    format!("data: {{\"id\":\"c1\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

const LAST: &str = "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// So many words, each after a wait, then an end or none.
fn words(count: usize, wait: u64, end: End) -> Reply {
    let mut steps: Vec<Step> =
        (0..count).map(|i| Step::after(Duration::from_millis(wait), chunk(&format!("w{i} ")))).collect();
    if end == End::Clean {
        steps.push(Step::now(LAST));
    }
    Reply::stream("text/event-stream", steps).ending(end)
}

async fn patiently(answer: impl Future<Output = Answer>) -> Answer {
    tokio::time::timeout(PATIENCE, answer).await.expect("no end in sight")
}

#[track_caller]
fn assert_timed_out(answer: &Answer) {
    let last = answer.events().last().cloned().unwrap_or_default();
    assert!(last.contains("\"error\"") && last.contains("Timeout"), "{}", answer.text());
    assert!(!answer.text().contains("[DONE]"), "no normal end: {}", answer.text());
}

#[tokio::test]
async fn p21_a_provider_that_never_answers_ends_at_the_deployments_timeout() {
    let rig = Rig::config(CONFIG).over(|_: &_| Reply::json(200, &"late".into()).delayed(PATIENCE * 2)).await;
    for answer in [patiently(rig.chat("slow", "hi")).await, patiently(rig.stream("slow", "hi")).await] {
        assert_eq!(answer.status, 408, "{}", answer.text());
        let error = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(error.contains("Timeout") && error.contains("timeout value=1.0"), "{error}");
        assert_eq!(rig.row(answer.header("x-litellm-call-id")).await["status"], "failure");
    }
    assert_eq!(rig.mock.hangups(), 2, "the provider was told to stop");
}

#[tokio::test]
async fn p21_all_attempts_together_end_at_the_routers_timeout() {
    let config = CONFIG
        .replace("num_retries: 0", "num_retries: 9")
        .replace("disable_cooldowns: true", "disable_cooldowns: true, timeout: 3.0");
    let rig = Rig::config(&config).over(|_: &_| Reply::json(200, &"late".into()).delayed(PATIENCE * 2)).await;
    // A second each with longer and longer waits: ten of them would take longer than anybody is patient here.
    let answer = patiently(rig.chat("slow", "hi")).await;
    assert_eq!(answer.status, 408, "{}", answer.text());
    let attempts = rig.mock.seen_count();
    assert!((1..=2).contains(&attempts), "{attempts}");
    assert_eq!(rig.row(answer.header("x-litellm-call-id")).await["status"], "failure");
    let answer = patiently(rig.chat("gpt-4o", "hi")).await;
    assert_eq!(answer.status, 408, "{}", answer.text());
    assert!(answer.text().contains("3.0 seconds for all attempts"), "{}", answer.text());
    assert_eq!(rig.mock.seen_count(), attempts + 1, "a deployment without a limit of its own takes it all");
}

/// A provider that answers whatever it is asked with a head that never ends.
async fn endless_head() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-endless: ").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn p21_a_head_that_drips_in_from_a_provider_ends_too() {
    let rig = Rig::config(&CONFIG.replace("MOCK", &endless_head().await)).start().await;
    let answer = patiently(rig.chat("slow", "hi")).await;
    assert_eq!(answer.status, 408, "{}", answer.text());
}

#[tokio::test]
async fn p21_an_answer_that_stalls_ends_too() {
    let begun = |_: &_| {
        let steps = vec![Step::now("{\"id\": \"x\", ")];
        Reply::stream("application/json", steps).ending(End::Hang)
    };
    let rig = Rig::config(CONFIG).over(begun).await;
    let answer = patiently(rig.chat("slow", "hi")).await;
    assert_eq!(answer.status, 408, "{}", answer.text());
}

#[tokio::test]
async fn p21_a_stream_that_stalls_ends_at_the_idle_limit() {
    let idle = with("stream_idle_timeout: 0.9");
    let rig = Rig::config(&idle).over(|_: &_| words(2, 0, End::Hang)).await;
    let answer = patiently(rig.stream("gpt-4o", "hi")).await;
    assert_eq!((answer.status, answer.content().as_str()), (200, "w0 w1 "));
    assert_timed_out(&answer);
    assert!(answer.text().contains("timeout value=0.9"), "{}", answer.text());
    assert_eq!(rig.row(answer.header("x-litellm-call-id")).await["status"], "failure");
    assert_eq!(rig.mock.hangups(), 1);
}

#[tokio::test]
async fn a_provider_that_goes_on_after_the_end_is_told_to_stop() {
    let ended = |_: &_| {
        let comment = || Step::after(Duration::from_millis(50), ": still here\n\n");
        let steps = [Step::now(chunk("w0 ")), Step::now(LAST)];
        let comments = std::iter::repeat_with(comment).take(600);
        Reply::stream("text/event-stream", steps.into_iter().chain(comments).collect())
    };
    let rig = Rig::config(CONFIG).over(ended).await;
    let answer = patiently(rig.stream("gpt-4o", "hi")).await;
    assert_eq!((answer.content().as_str(), answer.events().last().unwrap().as_str()), ("w0 ", "[DONE]"));
    let told = async {
        while rig.mock.hangups() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the provider still goes on");
}

#[tokio::test]
async fn p21_p23_keep_alives_do_not_put_the_idle_limit_off() {
    let config = with("stream_idle_timeout: 0.9, keepalive_interval: 0.2");
    let rig = Rig::config(&config).over(|_: &_| words(2, 0, End::Hang)).await;
    let answer = patiently(rig.stream("gpt-4o", "hi")).await;
    assert!(answer.text().contains(": keep-alive\n\n"), "{}", answer.text());
    assert_timed_out(&answer);
}

#[tokio::test]
async fn a_slow_stream_that_goes_on_is_not_idle() {
    let config = with("stream_idle_timeout: 1.5, keepalive_interval: 0.1");
    let rig = Rig::config(&config).over(|_: &_| words(6, 400, End::Clean)).await;
    let answer = patiently(rig.stream("gpt-4o", "hi")).await;
    assert_eq!(answer.content(), "w0 w1 w2 w3 w4 w5 ");
    assert_eq!(answer.events().last().unwrap(), "[DONE]");
}

#[tokio::test]
async fn p21_a_stream_ends_at_the_deployments_timeout_however_busy() {
    let config = with("keepalive_interval: 0.2");
    let rig = Rig::config(&config).over(|_: &_| words(400, 50, End::Clean)).await;
    let answer = patiently(rig.stream("slow", "hi")).await;
    assert!(answer.content().starts_with("w0 w1 "));
    assert_timed_out(&answer);
}

#[tokio::test]
async fn p23_a_stream_is_kept_alive_before_its_first_token() {
    let config = with("keepalive_interval: 0.2");
    let late = |_: &_| words(1, 0, End::Clean).delayed(Duration::from_millis(900));
    let rig = Rig::config(&config).over(late).await;
    let answer = patiently(rig.stream("gpt-4o", "hi")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/event-stream; charset=utf-8"));
    assert!(answer.text().starts_with(": keep-alive\n\n"), "{}", answer.text());
    assert_eq!((answer.content().as_str(), answer.events().last().unwrap().as_str()), ("w0 ", "[DONE]"));
}

// --- first token ---

/// `gpt-4o` with a limit of its own.
fn stream_timeout() -> String {
    CONFIG.replacen("api_key: sk-upstream-fake}", "api_key: sk-upstream-fake, stream_timeout: 1.0}", 1)
}

#[tokio::test]
async fn stream_timeout_bounds_the_wait_for_the_first_token() {
    // A provider may hold back the head, or send it at once and then think.
    let heads: [fn(&weir_bench::mock::Seen) -> Reply; 2] =
        [|_| words(1, 0, End::Clean).delayed(PATIENCE * 2), |_| words(1, 60_000, End::Clean)];
    for late in heads {
        let rig = Rig::config(&stream_timeout()).over(late).await;
        let answer = patiently(rig.stream("gpt-4o", "hi")).await;
        assert_eq!(answer.status, 408, "{}", answer.text());
        assert!(answer.text().contains("timeout value=1.0"), "{}", answer.text());
    }
}

#[tokio::test]
async fn stream_timeout_leaves_the_rest_of_the_stream_and_plain_answers_alone() {
    let rig = Rig::config(&stream_timeout()).over(|seen: &weir_bench::mock::Seen| {
        let streams = seen.json()["stream"] == true;
        let plain = serde_json::json!({"choices": [{"message": {"role": "assistant", "content": "whole"}}]});
        let whole = || Reply::json(200, &plain).delayed(Duration::from_millis(1600));
        if streams { words(4, 400, End::Clean) } else { whole() }
    });
    let rig = rig.await;
    assert_eq!(patiently(rig.stream("gpt-4o", "hi")).await.content(), "w0 w1 w2 w3 ");
    let plain = patiently(rig.chat("gpt-4o", "hi")).await;
    assert_eq!(plain.status, 200, "{}", plain.text());
}

#[tokio::test]
async fn first_token_timeout_is_the_default_of_stream_timeout() {
    let rig = Rig::config(&with("first_token_timeout: 0.5")).over(|_: &_| words(1, 60_000, End::Clean)).await;
    assert_eq!(patiently(rig.stream("gpt-4o", "hi")).await.status, 408);
    let auth = format!("Bearer {MASTER}");
    let headers = [("authorization", auth.as_str()), ("x-litellm-stream-timeout", "0.2")];
    let mut body = chat("gpt-4o", "hi");
    body["stream"] = true.into();
    let asked = patiently(rig.post_with("/v1/chat/completions", &headers, body)).await;
    assert_eq!(asked.status, 408, "{}", asked.text());
    assert!(asked.text().contains("timeout value=0.2"), "a client may ask for less: {}", asked.text());
}
