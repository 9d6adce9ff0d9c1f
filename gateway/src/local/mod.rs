//! Requests that are answered here, without a provider and without the admin service.
//!
//! `health.rs`, `models.rs` and `metrics.rs` answer from memory, `utils.rs` and `explain.rs` from what a request would
//! be. `responses.rs` finds earlier responses. `probe.rs` and `counted.rs` do ask a provider, beside all exchanges, by
//! `once.rs`.

mod counted;
mod explain;
mod health;
mod metrics;
mod models;
pub mod once;
pub mod probe;
mod responses;
mod utils;

pub use models::may_be_looked_up;

use crate::endpoints::Endpoint;
use crate::response::{fail, head};
use crate::state::App;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use pingora::protocols::http::ServerSession;
use pingora::{OrErr, Result};
use weir_core::error::{ApiError, Kind};

/// A small whole answer.
pub struct Reply {
    pub status: StatusCode,
    pub content_type: &'static str,
    pub body: Bytes,
}

impl Reply {
    pub fn json(value: &serde_json::Value) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: "application/json",
            body: Bytes::from(value.to_string()),
        }
    }
}

/// Answers one of our own endpoints.
pub async fn serve(app: &App, down: &mut ServerSession, endpoint: &Endpoint) -> Result<()> {
    let reply = match endpoint {
        Endpoint::Liveness => Ok(Reply::json(&"I'm alive!".into())),
        Endpoint::Readiness => Ok(health::readiness(app)),
        Endpoint::Metrics => return metrics::serve(app, down).await,
        Endpoint::Models => models::models(app, down).await,
        Endpoint::Model { id } => models::model(app, down, id).await,
        Endpoint::Utility(utility) => Box::pin(utils::serve(app, down, *utility)).await,
        Endpoint::Response { id, call } => Box::pin(responses::serve(app, down, id, *call)).await,
        _ => Err(ApiError::new(Kind::MethodNotAllowed, "Method Not Allowed")),
    };
    match reply {
        Ok(reply) => send(down, reply).await,
        Err(error) => fail::respond(down, &error, None).await,
    }
}

pub async fn send(down: &mut ServerSession, reply: Reply) -> Result<()> {
    let mut head = HeaderMap::with_capacity(4);
    head.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    head.insert(http::header::CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
    if down.get_header(http::header::ORIGIN).is_some() {
        head.insert(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    down.write_response_header(Box::new(head::of(reply.status, head))).await?;
    down.write_response_body(reply.body, true).await
}

/// CORS preflight: every origin may call, with every header; the key decides.
pub async fn preflight(down: &mut ServerSession) -> Result<()> {
    let mut head = HeaderMap::with_capacity(8);
    let asked = down.get_header(http::header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    head.insert(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let methods = HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
    head.insert(http::header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    head.insert(http::header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(asked) = asked {
        head.insert(http::header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    }
    head.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    head.insert(http::header::CONTENT_LENGTH, HeaderValue::from(2));
    down.write_response_header(Box::new(head::of(StatusCode::OK, head))).await?;
    down.write_response_body(Bytes::from_static(b"OK"), true).await
}

/// A redirect that keeps method and body.
pub async fn redirect(down: &mut ServerSession, to: &str) -> Result<()> {
    let query = down.req_header().uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let location = HeaderValue::from_str(&format!("{to}{query}"))
        .or_err(pingora::ErrorType::InvalidHTTPHeader, "a path that is no header")?;
    let mut head = HeaderMap::with_capacity(3);
    head.insert(http::header::LOCATION, location);
    head.insert(http::header::CONTENT_LENGTH, HeaderValue::from(0));
    down.set_keepalive(None);
    down.write_response_header(Box::new(head::of(StatusCode::TEMPORARY_REDIRECT, head))).await?;
    down.write_response_body(Bytes::new(), true).await
}
