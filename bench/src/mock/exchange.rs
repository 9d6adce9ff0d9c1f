//! One request and its answer, from the head until the last step.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::anyhow;
use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use weir_core::time;

use super::body::{ReplyBody, StreamBody};
use super::log::{self, Counters, Log};
use super::openai::realtime;
use super::reply::Reply;
use super::seen::{Seen, Upstream};

const MAX_BODY: usize = 64 << 20;

pub(super) struct Shared {
    pub(super) upstream: Box<dyn Upstream>,
    pub(super) log: Log,
    pub(super) counters: Counters,
}

/// An exchange in progress; lives in the handler, then in the streamed body.
///
/// hyper drops either of them when the peer has gone, which is how a hang-up is noticed.
pub(super) struct Exchange {
    shared: Arc<Shared>,
    stage: Stage,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Reading,
    Answering,
    Finished,
}

/// Reads one request, has it answered, and waits as the reply says.
pub(super) async fn handle(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> anyhow::Result<Response<ReplyBody>> {
    // These paths steer the mock; they are neither logged nor counted.
    if request.uri().path().starts_with("/__") {
        return steer(request, &shared).await;
    }
    if realtime::is_wanted(request.headers()) {
        return session(request, &shared).await;
    }
    let mut exchange = Exchange::begin(&shared);
    let seen = match read(request).await {
        Ok(seen) => seen,
        Err(error) if error.is::<LengthLimitError>() => return Ok(too_large()),
        Err(error) => return Err(error),
    };
    exchange.answering();
    shared.counters.seen.fetch_add(1, Ordering::SeqCst);
    shared.log.push(&seen);
    let reply = shared.upstream.answer(&seen);
    if !reply.delay().is_zero() {
        tokio::time::sleep(reply.delay()).await;
    }
    Ok(respond(reply, has_body(&seen), exchange))
}

/// A WebSocket is another matter than an answer: it outlives the exchange. The model `__err` is refused.
async fn session(
    mut request: Request<Incoming>,
    shared: &Arc<Shared>,
) -> anyhow::Result<Response<ReplyBody>> {
    let upgraded = hyper::upgrade::on(&mut request);
    let seen = read(request).await?;
    shared.counters.seen.fetch_add(1, Ordering::SeqCst);
    shared.log.push(&seen);
    if seen.path.contains("__err") {
        let error = r#"{"error":{"message":"mock: no sessions now","type":"server_error","code":null}}"#;
        let kind = ("content-type".to_owned(), "application/json".to_owned());
        return Ok(response(503, vec![kind], Either::Left(Full::new(Bytes::from_static(error.as_bytes())))));
    }
    let mut response = Response::new(Either::Left(Full::new(Bytes::new())));
    realtime::accept(&seen.headers, &mut response);
    tokio::spawn(realtime::speak(upgraded));
    Ok(response)
}

async fn steer(request: Request<Incoming>, shared: &Arc<Shared>) -> anyhow::Result<Response<ReplyBody>> {
    let seen = read(request).await?;
    let page = log::page(&seen, &shared.log, &shared.counters);
    let reply = page.unwrap_or_else(|| shared.upstream.answer(&seen));
    Ok(respond(reply, has_body(&seen), Exchange::begin(shared)))
}

async fn read(request: Request<Incoming>) -> anyhow::Result<Seen> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(boxed_error)?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    Ok(Seen { method: head.method, path, headers: head.headers, body, at: now() })
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(time::now().0.unsigned_abs())
}

/// Keeps the type of the one error that has an answer.
fn boxed_error(error: Box<dyn std::error::Error + Send + Sync>) -> anyhow::Error {
    match error.downcast::<LengthLimitError>() {
        Ok(limit) => anyhow::Error::new(*limit),
        Err(other) => anyhow!(other),
    }
}

fn too_large() -> Response<ReplyBody> {
    let mut response = Response::new(Either::Left(Full::from("mock: the body has more than 64 MiB")));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}

fn has_body(seen: &Seen) -> bool {
    seen.method != Method::HEAD
}

fn respond(reply: Reply, has_body: bool, mut exchange: Exchange) -> Response<ReplyBody> {
    match reply {
        Reply::Full { status, headers, body, .. } => {
            exchange.finish();
            response(status, headers, Either::Left(Full::new(body)))
        }
        // hyper never polls the body of an answer that has none, so such a stream would look hung up on.
        Reply::Stream { status, headers, .. } if !has_body || matches!(status, 204 | 304) => {
            exchange.finish();
            response(status, headers, Either::Left(Full::new(Bytes::new())))
        }
        Reply::Stream { status, headers, steps, end, .. } => {
            response(status, headers, Either::Right(StreamBody::new(steps, end, exchange)))
        }
    }
}

fn response(status: u16, headers: Vec<(String, String)>, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = final_status(status);
    for (name, value) in headers {
        add_header(response.headers_mut(), &name, value);
    }
    response
}

/// A code that is not the status of an answer (`__err=42`) becomes 500.
fn final_status(status: u16) -> StatusCode {
    let known = StatusCode::from_u16(status).ok();
    known.filter(|code| !code.is_informational()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn add_header(headers: &mut HeaderMap, name: &str, value: String) {
    match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        (Ok(name), Ok(value)) => {
            headers.append(name, value);
        }
        _ => tracing::warn!(name, "mock: header left out, HTTP does not allow it"),
    }
}

// --- impl Exchange ---

impl Exchange {
    fn begin(shared: &Arc<Shared>) -> Exchange {
        shared.counters.open.fetch_add(1, Ordering::SeqCst);
        Exchange { shared: Arc::clone(shared), stage: Stage::Reading }
    }

    fn answering(&mut self) {
        self.stage = Stage::Answering;
    }

    /// Everything has been handed to the connection. Counted at once, so that a peer that has read the
    /// end of the answer never finds its own exchange still open.
    pub(super) fn finish(&mut self) {
        if self.stage != Stage::Finished {
            self.stage = Stage::Finished;
            release(&self.shared.counters.open);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.stage == Stage::Finished {
            return;
        }
        let counters = &self.shared.counters;
        // Before `open`: whoever waits for no open exchange and then reads the hang-ups misses none.
        if self.stage == Stage::Answering {
            counters.hangups.fetch_add(1, Ordering::SeqCst);
        }
        release(&counters.open);
    }
}

fn release(open: &AtomicU64) {
    open.fetch_sub(1, Ordering::SeqCst);
}
