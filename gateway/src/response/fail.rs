//! Errors on the wire.

use super::head;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pingora::Result;
use pingora::prelude::timeout;
use pingora::protocols::http::ServerSession;
use std::time::Duration;
use weir_core::chat::Dialect;
use weir_core::error::ApiError;
use weir_plugins::dialects;
use weir_plugins::exchange::Exchange;

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Answers with an error before anything was sent. `x` is absent where the request was never understood.
pub async fn respond(down: &mut ServerSession, error: &ApiError, x: Option<&Exchange>) -> Result<()> {
    let dialect = x.map_or(Dialect::OpenAiChat, |x| x.request.errors());
    respond_in(dialect, down, error, x).await
}

/// Answers with an error in the shape of a dialect.
pub async fn respond_in(
    dialect: Dialect,
    down: &mut ServerSession,
    error: &ApiError,
    x: Option<&Exchange>,
) -> Result<()> {
    log(error, x);
    let body = dialects::client(dialect).map_or_else(|| error.body().into(), |c| c.write_error(error));
    let body = Bytes::from(body);
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut head = HeaderMap::with_capacity(12);
    head.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    head.insert(http::header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    if let Some(seconds) = error.retry_after() {
        head.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if error.status() == 402 {
        // OpenAI's and Anthropic's clients obey it.
        head.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    let unread = !down.is_body_done();
    if unread {
        // The rest of the request is not wanted; a new connection is cheaper than reading it.
        down.set_keepalive(None);
    }
    if let Some(x) = x {
        head::failed(&mut head, x);
    }
    down.write_response_header(Box::new(head::of(status, head))).await?;
    down.write_response_body(body, true).await?;
    if unread {
        linger(down).await;
    }
    Ok(())
}

/// How long a client may go on sending what nobody wants.
const LINGER: Duration = Duration::from_secs(2);

/// Closing on a client that still sends resets the connection, and with it the answer that it has not read yet.
async fn linger(down: &mut ServerSession) {
    let discard = async { while let Ok(Some(_)) = down.read_request_body().await {} };
    // Whoever is not done in time has had the chance to read.
    let _ = timeout(LINGER, discard).await;
}

fn log(error: &ApiError, x: Option<&Exchange>) {
    let call_id = x.map(|x| x.request.call_id.as_str()).unwrap_or_default();
    let model = x.map(|x| x.target.requested.as_str()).unwrap_or_default();
    let (status, class, message) = (error.status(), error.class(), error.message());
    if status >= 500 {
        tracing::warn!(status, class, call_id, model, cause = error.cause(), "{message}");
    } else {
        tracing::info!(status, class, call_id, model, cause = error.cause(), "{message}");
    }
}
