//! A collector that is asked over gRPC, with real trailers.

use super::*;
use crate::callbacks::Desk;
use crate::callbacks::testing::{callback, dropped, finished, metrics, to};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What it answers: trailers, and a message.
type Answer = (&'static [(&'static str, &'static str)], &'static [u8]);
/// Paths and bodies.
type Log = Arc<Mutex<Vec<(String, Bytes)>>>;

const TAKEN: Answer = (&[(STATUS, "0")], &[]);
const AWAY: Answer = (&[(STATUS, "14"), ("grpc-message", "come%20again")], &[]);
const INVALID: Answer = (&[(STATUS, "3")], &[]);
const FULL: Answer = (&[(STATUS, "8")], &[]);
/// Of two spans, one is not taken: `{partial_success: {rejected_spans: 1}}`.
const HALF: Answer = (&[(STATUS, "0")], &[0x0a, 0x02, 0x08, 0x01]);
const NO_STATUS: Answer = (&[], &[]);

/// Answers each call with the next of these, the last one for ever.
async fn collector(answers: &'static [Answer]) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let log = Log::default();
    let seen = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            let service = service_fn(move |request| answer(request, Arc::clone(&log), answers));
            let server = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(socket), service));
        }
    });
    (address, seen)
}

async fn answer(
    request: Request<Incoming>,
    log: Log,
    answers: &'static [Answer],
) -> Result<Response<impl Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let (head, body) = request.into_parts();
    assert_eq!(head.headers["content-type"], "application/grpc");
    assert_eq!(head.headers["te"], "trailers");
    let body = body.collect().await.unwrap().to_bytes();
    let at = {
        let mut log = log.lock().unwrap();
        log.push((head.uri.path().to_owned(), body));
        log.len() - 1
    };
    let (trailers, message) = answers[at.min(answers.len() - 1)];
    let mut framed = vec![PLAIN, 0, 0, 0, u8::try_from(message.len()).unwrap()];
    framed.extend(message);
    let mut headers = HeaderMap::new();
    for (name, value) in trailers {
        headers.insert(*name, value.parse().unwrap());
    }
    let body = Full::new(Bytes::from(framed)).with_trailers(ready(Some(Ok(headers))));
    Ok(Response::builder().header("content-type", "application/grpc").body(body).unwrap())
}

/// Tells of that many exchanges; what the collector saw, and how many records were lost.
async fn told(answers: &'static [Answer], exchanges: usize) -> (Vec<(String, Bytes)>, u64) {
    let metrics = metrics();
    let desk = Arc::new(Desk::new(1 << 20, Arc::clone(&metrics)));
    let running = tokio::spawn(Arc::clone(&desk).run());
    let (address, seen) = collector(answers).await;
    let settings = format!("{{exporter: otlp_grpc, endpoint: \"{address}\"}}");
    let callback = callback("otel", &settings);
    for _ in 0..exchanges {
        desk.tell(finished("success"), to(&[&callback]));
    }
    desk.close(Duration::from_secs(20)).await;
    running.await.unwrap();
    let seen = seen.lock().unwrap().clone();
    (seen, dropped(&metrics, "otel"))
}

#[tokio::test]
async fn spans_are_exported_over_grpc() {
    let (seen, lost) = told(&[TAKEN], 2).await;
    assert_eq!((seen.len(), lost), (1, 0), "one batch");
    assert_eq!(seen[0].0, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    let spans = memchr::memmem::find_iter(&seen[0].1, "litellm.call_id").count();
    assert_eq!(spans, 2);
}

#[tokio::test]
async fn a_collector_that_is_away_is_told_again_and_once() {
    let (seen, lost) = told(&[AWAY, TAKEN], 1).await;
    assert_eq!((seen.len(), lost), (2, 0));
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn what_is_refused_for_good_is_dropped_and_counted() {
    for answer in [&[INVALID], &[FULL], &[NO_STATUS]] {
        let (seen, lost) = told(answer, 2).await;
        assert_eq!((seen.len(), lost), (1, 2), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_taken_in_part_is_counted_and_not_sent_again() {
    let (seen, lost) = told(&[HALF], 2).await;
    assert_eq!((seen.len(), lost), (1, 1));
}

#[test]
fn who_is_full_is_asked_again_when_it_says_when() {
    let retry = |seconds| {
        let info = RetryInfo { retry_delay: Delay { seconds, nanos: 500_000_000 } }.encode_to_vec();
        let detail = Detail { type_url: format!("type.googleapis.com{RETRY_INFO}"), value: info };
        let text = STANDARD_NO_PAD.encode(Status { details: vec![detail] }.encode_to_vec());
        let refused = refused(
            RESOURCE_EXHAUSTED,
            &HeaderMap::from_iter([(http::HeaderName::from_static(DETAILS), text.parse().unwrap())]),
        );
        (refused.again, refused.after)
    };
    assert_eq!(retry(2), (true, Duration::from_millis(2_500)));
    assert_eq!(retry(3_600), (true, LONGEST));
    assert_eq!(retry(-1), (true, Duration::from_millis(500)));
    assert!(!refused(RESOURCE_EXHAUSTED, &HeaderMap::new()).again, "a message that is too large stays so");
}

#[test]
fn a_code_says_whether_the_same_may_come_again() {
    let again: Vec<&str> = (0..CODES.len() + 2)
        .filter(|code| refused(*code, &HeaderMap::new()).again)
        .map(|c| CODES[c].0)
        .collect();
    assert_eq!(
        again,
        ["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"]
    );
}

#[test]
fn an_answer_is_read_wherever_it_is_cut() {
    let whole = [PLAIN, 0, 0, 0, 2, 8, 1];
    for cut in 0..whole.len() {
        assert!(message(&whole[..cut]).is_empty(), "{cut}");
    }
    assert_eq!(message(&whole), [8, 1]);
    assert!(message(&[1, 0, 0, 0, 1, 9]).is_empty(), "it is compressed");
}
