//! The server itself: what arrives, what is counted, how streams end.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::server::{serve, share};
use super::testing::{http1, http2, open, post, send, until};
use super::{End, MockServer, Reply, Seen, Step};

const LONG: Duration = Duration::from_secs(600);

fn echo(seen: &Seen) -> Reply {
    Reply::full(200, "text/plain", seen.body.clone())
}

fn two_steps(end: End) -> impl Fn(&Seen) -> Reply {
    move |_| Reply::stream("text/plain", vec![Step::now("one,"), Step::now("two")]).ending(end)
}

#[tokio::test]
async fn a_request_arrives_whole_and_is_logged_in_order() {
    let server = MockServer::start(echo).await.unwrap();
    let large = "x".repeat(3 << 20);
    assert_eq!(post(&server, "/a?b=c", &large).await.body, large);
    send(&server, Method::GET, "/d", "").await;
    let log = server.take_log();
    let lines: Vec<_> =
        log.iter().map(|seen| (seen.method.as_str(), seen.path.as_str(), seen.body.len())).collect();
    assert_eq!(lines, [("POST", "/a?b=c", 3 << 20), ("GET", "/d", 0)]);
    assert_eq!(log[0].header("Content-Length"), large.len().to_string());
    assert_eq!((log[0].header("absent"), log[0].json().is_null()), ("", true));
    assert_eq!((server.log().len(), server.seen_count(), server.open_now()), (0, 2, 0));
}

#[tokio::test]
async fn http1_connections_are_kept_and_http2_shares_one() {
    let server = MockServer::start(echo).await.unwrap();
    for http in [http1(), http2()] {
        let before = server.connections();
        for _ in 0..3 {
            let response = open(&http, Method::POST, format!("{}/", server.url()), "hi").await;
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hi");
        }
        assert_eq!(server.connections() - before, 1);
    }
}

#[tokio::test]
async fn the_log_drops_the_oldest_and_may_be_switched_off() {
    for (limit, kept) in [(2, vec!["/2", "/3"]), (0, vec![])] {
        let server = MockServer::start(echo).await.unwrap().with_log_limit(limit);
        for path in ["/1", "/2", "/3"] {
            post(&server, path, "").await;
        }
        let paths: Vec<_> = server.log().into_iter().map(|seen| seen.path).collect();
        assert_eq!((paths.iter().map(String::as_str).collect::<Vec<_>>(), server.seen_count()), (kept, 3));
    }
}

#[tokio::test]
async fn the_log_page_shows_requests_once_and_is_not_in_it() {
    let server = MockServer::start(echo).await.unwrap();
    post(&server, "/a?b", r#"{"é":1}"#).await;
    post(&server, "/raw", &"z".repeat(500)).await;
    post(&server, "/none", "").await;
    let page = send(&server, Method::GET, "/__log", "").await;
    assert!(page.text().contains(r#""body": {"\u00e9": 1}"#), "{}", page.text());
    let list = page.json();
    assert_eq!((&list[0]["method"], &list[0]["path"]), (&"POST".into(), &"/a?b".into()));
    assert_eq!(list[1]["body"], serde_json::json!({"_raw_len": 500, "_raw_prefix": "z".repeat(400)}));
    assert!(list[2]["body"].is_null() && list[3].is_null());
    assert_eq!(send(&server, Method::GET, "/__log", "").await.body, "[]");
    let stats = send(&server, Method::GET, "/__stats", "").await.json();
    assert_eq!((&stats["seen"], &stats["open"], &stats["hangups"]), (&3.into(), &0.into(), &0.into()));
}

#[tokio::test]
async fn each_step_is_flushed_before_the_next_and_before_a_hang() {
    let server = MockServer::start(two_steps(End::Hang)).await.unwrap();
    for http in [http1(), http2()] {
        let mut body = open(&http, Method::POST, server.url(), "").await.into_body();
        for part in ["one,", "two"] {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), part);
        }
        assert_eq!(server.open_now(), 1);
        drop((body, http));
        until("the hang to end", || server.open_now() == 0).await;
    }
    assert_eq!(server.hangups(), 2);
}

#[tokio::test]
async fn an_abort_delivers_the_steps_and_no_end() {
    let server = MockServer::start(two_steps(End::Abort)).await.unwrap();
    for http in [http1(), http2()] {
        let mut body = open(&http, Method::POST, server.url(), "").await.into_body();
        let mut text = Vec::new();
        let error = loop {
            match body.frame().await.expect("a clean end") {
                Ok(frame) => text.extend(frame.into_data().unwrap()),
                Err(error) => break error,
            }
        };
        assert_eq!(text, b"one,two", "{error}");
    }
    assert_eq!((server.hangups(), server.open_now()), (0, 0));
}

#[tokio::test]
async fn a_clean_stream_is_no_hangup() {
    let server = MockServer::start(two_steps(End::Clean)).await.unwrap();
    let got = post(&server, "/", "").await;
    assert_eq!((got.text(), got.header("transfer-encoding")), ("one,two", "chunked"));
    let head = send(&server, Method::HEAD, "/", "").await;
    assert_eq!((head.status, server.hangups(), server.open_now()), (200, 0, 0));
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_is_a_hangup() {
    let paced = |_: &Seen| Reply::stream("text/plain", vec![Step::now("one"), Step::after(LONG, "two")]);
    let server = MockServer::start(paced).await.unwrap();
    for http in [http1(), http2()] {
        let mut body = open(&http, Method::POST, server.url(), "").await.into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
        drop((body, http));
        until("the stream to be given up", || server.open_now() == 0).await;
    }
    assert_eq!(server.hangups(), 2);
}

#[tokio::test]
async fn a_client_that_leaves_a_delayed_answer_is_a_hangup() {
    let server =
        MockServer::start(|_: &Seen| Reply::full(200, "text/plain", "late").delayed(LONG)).await.unwrap();
    for http in [http1(), http2()] {
        let url = server.url();
        let waiting = tokio::spawn(async move { open(&http, Method::POST, url, "").await });
        until("the request to arrive", || server.open_now() == 1).await;
        waiting.abort();
        until("the answer to be given up", || server.open_now() == 0).await;
    }
    assert_eq!((server.hangups(), server.seen_count()), (2, 2));
}

#[tokio::test]
async fn odd_statuses_and_headers_do_no_harm() {
    let odd = |seen: &Seen| {
        let status = seen.path[1..].parse().unwrap();
        Reply::full(status, "text/plain", Bytes::new())
            .header("bad name", "x")
            .header("x-a", "1")
            .header("x-a", "2")
    };
    let server = MockServer::start(odd).await.unwrap();
    for (asked, got) in [(200, 200), (529, 529), (42, 500), (100, 500), (1000, 500)] {
        let answer = post(&server, &format!("/{asked}"), "").await;
        assert_eq!((answer.status, answer.headers.get_all("x-a").iter().count()), (got, 2));
    }
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let server = MockServer::start(echo).await.unwrap();
    let addr = server.addr();
    post(&server, "/", "").await;
    server.stop().await;
    let again = MockServer::start_on(addr, echo).await.unwrap();
    assert_eq!(post(&again, "/", "x").await.body, "x");
}

#[test]
fn a_server_thread_needs_no_runtime_of_the_caller() {
    let server = MockServer::spawn_thread(echo).unwrap();
    let addr = server.addr();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(post(&server, "/", "hi")).body, "hi");
    drop(server);
    assert!(std::net::TcpStream::connect(addr).is_err(), "the port is closed");
}

#[tokio::test]
async fn a_server_thread_may_be_started_inside_a_runtime() {
    let server = MockServer::spawn_thread(echo).unwrap();
    assert_eq!(post(&server, "/", "hi").await.body, "hi");
}

// --- writes ---

/// A connection that brings one request and keeps what each write carried.
struct Written {
    request: &'static [u8],
    writes: Arc<Mutex<Vec<String>>>,
}

impl AsyncRead for Written {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, later) = self.request.split_at(out.remaining().min(self.request.len()));
        if now.is_empty() {
            return Poll::Pending;
        }
        self.request = later;
        out.put_slice(now);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Written {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn each_step_is_one_write_and_the_last_brings_the_end() {
    let steps = |_: &Seen| Reply::stream("text/plain", ["one", "two", "three"].map(Step::now).into());
    let writes = Arc::new(Mutex::new(Vec::new()));
    let request = b"GET / HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n\r\n";
    serve(Written { request, writes: Arc::clone(&writes) }, share(steps)).await;
    let writes = writes.lock().unwrap();
    assert!(writes[0].ends_with("\r\n\r\n3\r\none\r\n"), "{}", writes[0]);
    assert_eq!(writes[1..], ["3\r\ntwo\r\n", "5\r\nthree\r\n0\r\n\r\n"]);
}
