//! Response heads, with the `x-litellm-*` headers that clients and scripts read.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pingora::Result;
use pingora::http::ResponseHeader;
use std::cell::RefCell;
use std::collections::HashMap;
use weir_core::domain::usage::UsageSource;
use weir_plugins::exchange::{Attempt, Exchange};

/// The API level that clients may rely on.
pub const LITELLM_VERSION: &str = "1.81.0";

const CALL_ID: HeaderName = HeaderName::from_static("x-litellm-call-id");
const MODEL_ID: HeaderName = HeaderName::from_static("x-litellm-model-id");
const API_BASE: HeaderName = HeaderName::from_static("x-litellm-model-api-base");
const VERSION: HeaderName = HeaderName::from_static("x-litellm-version");
const MODEL_GROUP: HeaderName = HeaderName::from_static("x-litellm-model-group");
const COST: HeaderName = HeaderName::from_static("x-litellm-response-cost");
const COST_ORIGINAL: HeaderName = HeaderName::from_static("x-litellm-response-cost-original");
const DURATION: HeaderName = HeaderName::from_static("x-litellm-response-duration-ms");
const OVERHEAD: HeaderName = HeaderName::from_static("x-litellm-overhead-duration-ms");
const RETRIES: HeaderName = HeaderName::from_static("x-litellm-attempted-retries");
const FALLBACKS: HeaderName = HeaderName::from_static("x-litellm-attempted-fallbacks");
const TIMEOUT: HeaderName = HeaderName::from_static("x-litellm-timeout");
const ALLOW_ORIGIN: HeaderName = http::header::ACCESS_CONTROL_ALLOW_ORIGIN;

/// The provider's limits are also passed on under their own names.
static PASSED_ON: &[&str] = &[
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
];

/// Names that mean something only between us and the provider.
static HOP_BY_HOP: &[&str] = &["connection", "keep-alive", "transfer-encoding", "set-cookie", "alt-svc"];

/// Head of a stream: what is known before its first byte.
pub fn stream(
    x: &Exchange,
    attempt: &Attempt,
    upstream: &HeaderMap,
    content_type: HeaderValue,
) -> Result<ResponseHeader> {
    let mut head = ResponseHeader::build_no_case(StatusCode::OK, Some(24))?;
    head.insert_header(http::header::CONTENT_TYPE, content_type)?;
    head.insert_header(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))?;
    head.insert_header(http::header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"))?;
    // nginx as an ingress would collect the stream otherwise.
    head.insert_header(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))?;
    served_by(&mut head, x, attempt)?;
    provider(&mut head, upstream)?;
    Ok(head)
}

/// Head of a stream that had to begin before any provider answered.
pub fn bare_stream() -> Result<ResponseHeader> {
    let mut head = ResponseHeader::build_no_case(StatusCode::OK, Some(4))?;
    head.insert_header(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream; charset=utf-8"),
    )?;
    head.insert_header(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))?;
    head.insert_header(http::header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"))?;
    Ok(head)
}

/// Head of a plain answer, cost included.
pub fn plain(
    x: &Exchange,
    attempt: &Attempt,
    upstream: &HeaderMap,
    content_type: HeaderValue,
    length: usize,
) -> Result<ResponseHeader> {
    let mut head = ResponseHeader::build_no_case(StatusCode::OK, Some(40))?;
    head.insert_header(http::header::CONTENT_TYPE, content_type)?;
    head.insert_header(http::header::CONTENT_LENGTH, HeaderValue::from(length))?;
    served_by(&mut head, x, attempt)?;
    if x.answer.usage_source != UsageSource::None && !x.answer.unpriced {
        let cost = text(&x.answer.cost.to_string());
        head.insert_header(COST, cost.clone())?;
        head.insert_header(COST_ORIGINAL, cost)?;
    }
    let total = x.clock.started.elapsed();
    let overhead = total.saturating_sub(x.answer.provider_time);
    head.insert_header(DURATION, millis(total))?;
    head.insert_header(OVERHEAD, millis(overhead))?;
    head.insert_header(MODEL_GROUP, text(&attempt.deployment.group))?;
    attempts(&mut head, x)?;
    provider(&mut head, upstream)?;
    Ok(head)
}

/// What an error answer tells beside its body.
pub fn failed(head: &mut ResponseHeader, x: &Exchange) -> Result<()> {
    head.insert_header(CALL_ID, text(&x.request.call_id))?;
    head.insert_header(VERSION, HeaderValue::from_static(LITELLM_VERSION))?;
    head.insert_header(COST, HeaderValue::from_static("0"))?;
    if let Some(deployment) = &x.answer.deployment {
        head.insert_header(MODEL_ID, text(&deployment.id))?;
        head.insert_header(TIMEOUT, text(&format!("{:?}", deployment.timeouts.total.as_secs_f64())))?;
        attempts(head, x)?;
    }
    cors(head, x)
}

fn served_by(head: &mut ResponseHeader, x: &Exchange, attempt: &Attempt) -> Result<()> {
    head.insert_header(CALL_ID, text(&x.request.call_id))?;
    head.insert_header(MODEL_ID, text(&attempt.deployment.id))?;
    head.insert_header(API_BASE, text(&attempt.deployment.wire.api_base))?;
    head.insert_header(VERSION, HeaderValue::from_static(LITELLM_VERSION))?;
    cors(head, x)
}

fn cors(head: &mut ResponseHeader, x: &Exchange) -> Result<()> {
    if x.request.headers.contains_key(http::header::ORIGIN) {
        head.insert_header(ALLOW_ORIGIN, HeaderValue::from_static("*"))?;
    }
    Ok(())
}

fn attempts(head: &mut ResponseHeader, x: &Exchange) -> Result<()> {
    head.insert_header(RETRIES, HeaderValue::from(x.target.retries))?;
    head.insert_header(FALLBACKS, HeaderValue::from(x.target.fallbacks))
}

/// All of the provider's headers again as `llm_provider-<name>`.
fn provider(head: &mut ResponseHeader, upstream: &HeaderMap) -> Result<()> {
    for (name, value) in upstream {
        if HOP_BY_HOP.contains(&name.as_str()) {
            continue;
        }
        if PASSED_ON.contains(&name.as_str()) {
            head.insert_header(name.clone(), value.clone())?;
        }
        if let Some(prefixed) = prefixed(name) {
            head.insert_header(prefixed, value.clone())?;
        }
    }
    Ok(())
}

thread_local! {
    /// Building a header name costs more than copying its value, and providers send the same ones all day.
    static PREFIXED: RefCell<HashMap<HeaderName, HeaderName>> = RefCell::new(HashMap::new());
}

const MAX_PREFIXED: usize = 512;

fn prefixed(name: &HeaderName) -> Option<HeaderName> {
    PREFIXED.with_borrow_mut(|known| {
        if let Some(found) = known.get(name) {
            return Some(found.clone());
        }
        let made: HeaderName = format!("llm_provider-{name}").parse().ok()?;
        if known.len() < MAX_PREFIXED {
            known.insert(name.clone(), made.clone());
        }
        Some(made)
    })
}

/// Ids and URLs from the config or a client; what cannot stand in a header is left out.
fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn millis(duration: std::time::Duration) -> HeaderValue {
    let micros = duration.as_micros();
    text(&format!("{}.{:03}", micros / 1000, micros % 1000))
}
