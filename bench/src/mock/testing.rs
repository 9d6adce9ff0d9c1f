//! A client for the tests of this folder, and the way to the shared test data.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use weir_core::codec::frames::{self, Frame, FrameError, Framing};

use super::{MockServer, Provider, Script};

pub(super) type Http = Client<HttpConnector, Full<Bytes>>;

/// A whole answer.
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

pub(super) fn http1() -> Http {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(super) fn http2() -> Http {
    Client::builder(TokioExecutor::new()).http2_only(true).build_http()
}

/// The head of the answer; its body is still on the way.
pub(super) async fn open(http: &Http, method: Method, url: String, body: &str) -> Response<Incoming> {
    let request = Request::builder().method(method).uri(url).body(Full::from(body.to_owned())).unwrap();
    http.request(request).await.unwrap()
}

pub(super) async fn post(server: &MockServer, path: &str, body: &str) -> Got {
    send(server, Method::POST, path, body).await
}

pub(super) async fn send(server: &MockServer, method: Method, path: &str, body: &str) -> Got {
    let response = open(&http1(), method, format!("{}{path}", server.url()), body).await;
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Got { status: head.status.as_u16(), headers: head.headers, body }
}

/// Every dialect on one port.
pub(super) async fn provider() -> MockServer {
    MockServer::start(Provider::new()).await.unwrap()
}

pub(super) async fn scripted(script: &str) -> MockServer {
    let scripts = Script::parse(script.as_bytes()).unwrap();
    MockServer::start(Provider::new().with_scripts(scripts)).await.unwrap()
}

/// Waits until `done`; a test that never gets there fails with `what`.
pub(super) async fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited ten seconds in vain: {what}");
}

/// A folder of the shared test data; none (said aloud, a failure under `CI=true`) where it is absent.
#[expect(clippy::disallowed_methods, reason = "where the test data lies is told by the environment")]
pub(super) fn shared(folder: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let root = std::env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from);
    let folder = root.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{} is needed", folder.display());
    eprintln!("skipped: {} is absent", folder.display());
    None
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The data of each event.
    pub(super) fn events(&self) -> Vec<&str> {
        let events = self.text().split_terminator("\n\n");
        events.map(|event| event.strip_prefix("data: ").unwrap()).collect()
    }

    /// Every event or line as JSON, of an event stream with its kind in `"kind"`; checksums are checked.
    pub(super) fn values(&self) -> Vec<Value> {
        let mut values = Vec::new();
        let take = |frame: Frame<'_>| {
            if frame.json() != b"[DONE]" {
                values.push(parsed(&frame));
            }
            Ok::<(), FrameError>(())
        };
        frames::each(self.framing(), &self.body, take).unwrap();
        values
    }

    fn framing(&self) -> Framing {
        match self.header("content-type").split(';').next().unwrap_or_default() {
            "text/event-stream" => Framing::Sse,
            "application/x-ndjson" => Framing::Ndjson,
            "application/vnd.amazon.eventstream" => Framing::EventStream,
            other => panic!("{other} is no stream"),
        }
    }

    /// The names of the events, or the kinds of the frames.
    pub(super) fn kinds(&self) -> Vec<String> {
        let kind = |value: Value| value["kind"].as_str().or(value["type"].as_str()).unwrap().to_owned();
        self.values().into_iter().map(kind).collect()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What names an event must name it in its data too.
fn parsed(frame: &Frame<'_>) -> Value {
    let mut value: Value = serde_json::from_slice(frame.json()).unwrap();
    match frame {
        Frame::Sse { event, .. } if !event.is_empty() => assert_eq!(value["type"], *event),
        Frame::Message { kind, .. } => value["kind"] = (*kind).into(),
        _ => {}
    }
    value
}
