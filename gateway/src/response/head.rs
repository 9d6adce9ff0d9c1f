//! Response heads, with the `x-litellm-*` headers that clients and scripts read.

use crate::front::{add_to_head, takes_lines, wait_for_more};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pingora::http::ResponseHeader;
use pingora::protocols::http::ServerSession;
use std::cell::RefCell;
use std::collections::HashMap;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::usage::UsageSource;
use weir_plugins::budgets;
use weir_plugins::exchange::{Attempt, Exchange};

/// The API level that clients may rely on.
pub const LITELLM_VERSION: &str = "1.81.0";

/// Under which name a cached answer may be deleted.
const CACHE_KEY: HeaderName = HeaderName::from_static("x-litellm-cache-key");
const CALL_ID: HeaderName = HeaderName::from_static("x-litellm-call-id");
const MODEL_ID: HeaderName = HeaderName::from_static("x-litellm-model-id");
const API_BASE: HeaderName = HeaderName::from_static("x-litellm-model-api-base");
const VERSION: HeaderName = HeaderName::from_static("x-litellm-version");
const MODEL_GROUP: HeaderName = HeaderName::from_static("x-litellm-model-group");
const COST: HeaderName = HeaderName::from_static("x-litellm-response-cost");
/// How many output tokens the budget still paid for.
const LIMITED: HeaderName = HeaderName::from_static("x-weir-max-tokens-limited");
const COST_ORIGINAL: HeaderName = HeaderName::from_static("x-litellm-response-cost-original");
const COST_DISCOUNT: HeaderName = HeaderName::from_static("x-litellm-response-cost-discount-amount");
const COST_MARGIN: HeaderName = HeaderName::from_static("x-litellm-response-cost-margin-amount");
const COST_MARGIN_PERCENT: HeaderName = HeaderName::from_static("x-litellm-response-cost-margin-percent");
const DURATION: HeaderName = HeaderName::from_static("x-litellm-response-duration-ms");
const OVERHEAD: HeaderName = HeaderName::from_static("x-litellm-overhead-duration-ms");
const RETRIES: HeaderName = HeaderName::from_static("x-litellm-attempted-retries");
/// Only where there was any.
const MAX_RETRIES: HeaderName = HeaderName::from_static("x-litellm-max-retries");
const FALLBACKS: HeaderName = HeaderName::from_static("x-litellm-attempted-fallbacks");
const TIMEOUT: HeaderName = HeaderName::from_static("x-litellm-timeout");
const GUARDRAILS: HeaderName = HeaderName::from_static("x-litellm-applied-guardrails");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const ALLOW_ORIGIN: HeaderName = http::header::ACCESS_CONTROL_ALLOW_ORIGIN;

const KEY_TPM: HeaderName = HeaderName::from_static("x-litellm-key-tpm-limit");
const KEY_RPM: HeaderName = HeaderName::from_static("x-litellm-key-rpm-limit");
/// This answer included, where its cost is known before it is sent.
const KEY_SPEND: HeaderName = HeaderName::from_static("x-litellm-key-spend");
const KEY_BUDGET: HeaderName = HeaderName::from_static("x-litellm-key-max-budget");

/// The provider's limits are also passed on under their own names.
static PASSED_ON: &[&str] = &[
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
];

/// Anthropic's names of the same limits.
static RENAMED: &[(&str, &str)] = &[
    ("anthropic-ratelimit-requests-limit", "x-ratelimit-limit-requests"),
    ("anthropic-ratelimit-requests-remaining", "x-ratelimit-remaining-requests"),
    ("anthropic-ratelimit-tokens-limit", "x-ratelimit-limit-tokens"),
    ("anthropic-ratelimit-tokens-remaining", "x-ratelimit-remaining-tokens"),
];

/// Names that mean something only between us and the provider.
static HOP_BY_HOP: &[&str] = &["connection", "keep-alive", "transfer-encoding", "set-cookie", "alt-svc"];

/// The head of an answer that has a body.
pub struct Head {
    fields: Box<ResponseHeader>,
    /// As they are sent over HTTP/1, each behind the end of the line before it.
    lines: String,
}

/// A head of these headers. Pingora's own setters parse a header's name again each time.
pub fn of(status: StatusCode, headers: HeaderMap) -> ResponseHeader {
    let (mut parts, ()) = http::Response::new(()).into_parts();
    (parts.status, parts.headers) = (status, headers);
    ResponseHeader::from(parts)
}

/// The head of an answer, with how limits stand: as lines where those can be added to it.
fn limited(down: &ServerSession, x: &Exchange, mut head: HeaderMap) -> Head {
    let mut lines = String::new();
    match x.rate_limits.as_ref() {
        Some(told) if takes_lines(down) => told.lines(&head, &mut lines),
        Some(told) => told.write(&mut head),
        None => {}
    }
    Head { fields: Box::new(of(StatusCode::OK, head)), lines }
}

impl Head {
    /// Writes it to go out with the body, which must follow at once.
    pub async fn write(self, down: &mut ServerSession) -> pingora::Result<()> {
        let with_lines = !self.lines.is_empty();
        wait_for_more(down, true);
        if with_lines {
            add_to_head(down, self.lines);
        }
        let written = down.write_response_header(self.fields).await;
        if with_lines {
            // A head that was sent before has taken none.
            add_to_head(down, String::new());
        }
        wait_for_more(down, false);
        written
    }
}

impl From<ResponseHeader> for Head {
    fn from(fields: ResponseHeader) -> Self {
        Self { fields: Box::new(fields), lines: String::new() }
    }
}

/// Head of a stream: what is known before its first byte.
pub fn stream(
    down: &ServerSession,
    x: &Exchange,
    attempt: &Attempt,
    upstream: &HeaderMap,
    content_type: HeaderValue,
) -> Head {
    let mut head = HeaderMap::with_capacity(24);
    stream_basics(&mut head, content_type);
    // nginx as an ingress would collect the stream otherwise.
    head.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    served_by(&mut head, x, attempt);
    provider(&mut head, upstream);
    limited(down, x, head)
}

fn stream_basics(head: &mut HeaderMap, content_type: HeaderValue) {
    head.insert(http::header::CONTENT_TYPE, content_type);
    head.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    head.insert(http::header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
}

/// Head of a stream that had to begin before any provider answered.
pub fn bare_stream() -> Head {
    let mut head = HeaderMap::with_capacity(4);
    stream_basics(&mut head, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    of(StatusCode::OK, head).into()
}

/// Head of a plain answer, cost included.
pub fn plain(
    down: &ServerSession,
    x: &Exchange,
    attempt: &Attempt,
    upstream: &HeaderMap,
    content_type: HeaderValue,
    length: usize,
) -> Head {
    let mut head = HeaderMap::with_capacity(40);
    head.insert(http::header::CONTENT_TYPE, content_type);
    head.insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    served_by(&mut head, x, attempt);
    if x.answer.usage_source != UsageSource::None && !x.answer.unpriced {
        let cost = text(&x.answer.cost.to_string());
        head.insert(COST, cost.clone());
        head.insert(COST_ORIGINAL, cost);
        marked(&mut head, x, attempt);
    }
    let total = x.clock.started.elapsed();
    let overhead = total.saturating_sub(x.answer.provider_time);
    head.insert(DURATION, millis(total));
    head.insert(OVERHEAD, millis(overhead));
    head.insert(MODEL_GROUP, model_group(x, attempt));
    attempts(&mut head, x);
    provider(&mut head, upstream);
    limited(down, x, head)
}

/// What the price list makes of it, and what is charged beside: zeros where nothing is, as scripts read them all.
fn marked(head: &mut HeaderMap, x: &Exchange, attempt: &Attempt) {
    let markup = attempt.deployment.markup.zip(x.answer.listed);
    let amount = |amount: Option<NanoUsd>| match amount {
        Some(amount) if amount.0 > 0 => text(&amount.to_string()),
        _ => HeaderValue::from_static("0.0"),
    };
    if let Some((_, listed)) = markup {
        head.insert(COST_ORIGINAL, text(&(listed + x.answer.outrun_cost()).to_string()));
    }
    head.insert(COST_DISCOUNT, amount(markup.map(|(markup, listed)| markup.discount(listed))));
    head.insert(COST_MARGIN, amount(markup.map(|(markup, listed)| markup.margin(listed))));
    // A share of one has as many digits as a dollar has here.
    head.insert(COST_MARGIN_PERCENT, amount(markup.map(|(markup, _)| NanoUsd(markup.margin))));
}

/// Of a provider's answer that is passed through: written anew, the connection's, or said by us.
static NOT_PASSED: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "server",
    "date",
    "set-cookie",
    "alt-svc",
    "proxy-authenticate",
    "access-control-allow-origin",
];

/// Head of an answer that is passed through as it came. `length`: of its body, where it is known; `booked`: its cost is.
pub fn passed(
    x: &Exchange,
    attempt: &Attempt,
    (status, upstream): (StatusCode, &HeaderMap),
    length: Option<u64>,
    booked: bool,
) -> ResponseHeader {
    let mut head = HeaderMap::with_capacity(upstream.len() + 12);
    for (name, value) in upstream {
        let text = name.as_str();
        if !NOT_PASSED.contains(&text) && !text.starts_with("x-litellm-") {
            head.append(name.clone(), value.clone());
        }
    }
    match length {
        Some(length) => drop(head.insert(http::header::CONTENT_LENGTH, HeaderValue::from(length))),
        None if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED => {}
        None => {
            head.insert(http::header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            head.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
        }
    }
    served_by(&mut head, x, attempt);
    if booked && !x.answer.unpriced {
        head.insert(COST, text(&x.answer.cost.to_string()));
    }
    rate_limits(&mut head, x);
    of(status, head)
}

/// What the answer to a handshake proves and chooses. RFC 6455, section 4.2.2.
static HANDSHAKE: &[HeaderName] = &[http::header::SEC_WEBSOCKET_ACCEPT, http::header::SEC_WEBSOCKET_PROTOCOL];

/// Head of a session that begins.
pub fn session(x: &Exchange, attempt: &Attempt, upstream: &HeaderMap) -> ResponseHeader {
    let mut head = HeaderMap::with_capacity(12);
    head.insert(http::header::CONNECTION, HeaderValue::from_static("Upgrade"));
    head.insert(http::header::UPGRADE, HeaderValue::from_static("websocket"));
    for name in HANDSHAKE {
        if let Some(value) = upstream.get(name) {
            head.insert(name.clone(), value.clone());
        }
    }
    served_by(&mut head, x, attempt);
    of(StatusCode::SWITCHING_PROTOCOLS, head)
}

/// What an error answer tells beside its body.
pub fn failed(head: &mut HeaderMap, x: &Exchange) {
    head.insert(CALL_ID, text(&x.request.call_id));
    head.insert(VERSION, HeaderValue::from_static(LITELLM_VERSION));
    head.insert(COST, HeaderValue::from_static("0"));
    if let Some(deployment) = &x.answer.deployment {
        head.insert(MODEL_ID, deployment.told.id.clone());
        let total = x.timeouts(deployment).total;
        head.insert(TIMEOUT, text(&format!("{:?}", total.as_secs_f64())));
        attempts(head, x);
    }
    of_key(head, x);
    guardrails(head, x);
    rate_limits(head, x);
    cors(head, x);
}

fn served_by(head: &mut HeaderMap, x: &Exchange, attempt: &Attempt) {
    let told = &attempt.deployment.told;
    head.insert(CALL_ID, text(&x.request.call_id));
    head.insert(MODEL_ID, told.id.clone());
    head.insert(API_BASE, told.api_base.clone());
    head.insert(VERSION, HeaderValue::from_static(LITELLM_VERSION));
    of_key(head, x);
    if let Some(caching) = x.caching.as_ref().filter(|_| x.answer.cache_hit) {
        head.insert(CACHE_KEY, text(&caching.key));
    }
    guardrails(head, x);
    if let Some(limit) = x.limit_output {
        head.insert(LIMITED, HeaderValue::from(limit));
    }
    cors(head, x);
}

/// Those that the request met.
fn guardrails(head: &mut HeaderMap, x: &Exchange) {
    let applied = x.guarded.as_ref().map(|guarded| guarded.applied()).unwrap_or_default();
    if !applied.is_empty() {
        head.insert(GUARDRAILS, text(&applied));
    }
}

/// The key's own limits.
fn of_key(head: &mut HeaderMap, x: &Exchange) {
    let Some(key) = x.caller.key() else { return };
    for (name, limit) in [(KEY_TPM, key.limits.tpm_limit), (KEY_RPM, key.limits.rpm_limit)] {
        if let Some(limit) = limit {
            head.insert(name, HeaderValue::from(limit));
        }
    }
    let Some(known) = x.caller.principal() else { return };
    if let Some(budget) = budgets::told_of_key(known, x.clock.started_at) {
        head.insert(KEY_BUDGET, budget);
    }
    head.insert(KEY_SPEND, text(&known.spent.so_far().told()));
}

/// Whose limits count and what is left of them, where a head has said other things already.
fn rate_limits(head: &mut HeaderMap, x: &Exchange) {
    if let Some(told) = &x.rate_limits {
        told.write(head);
    }
}

fn cors(head: &mut HeaderMap, x: &Exchange) {
    if x.request.headers.contains_key(http::header::ORIGIN) {
        head.insert(ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
}

fn attempts(head: &mut HeaderMap, x: &Exchange) {
    head.insert(RETRIES, HeaderValue::from(x.target.retries));
    head.insert(FALLBACKS, HeaderValue::from(x.target.fallbacks));
    if x.target.retries > 0 {
        head.insert(MAX_RETRIES, HeaderValue::from(x.target.max_retries));
    }
}

/// What was asked for, which may be an alias or a deployment's id; after a fallback the group that answered.
fn model_group(x: &Exchange, attempt: &Attempt) -> HeaderValue {
    let group = &attempt.deployment.group;
    if x.target.fallbacks > 0 || x.target.requested == *group {
        return attempt.deployment.told.group.clone();
    }
    text(&x.target.requested)
}

/// All of the provider's headers again as `llm_provider-<name>`.
fn provider(head: &mut HeaderMap, upstream: &HeaderMap) {
    for (name, value) in upstream {
        if HOP_BY_HOP.contains(&name.as_str()) {
            continue;
        }
        if PASSED_ON.contains(&name.as_str()) {
            head.insert(name.clone(), value.clone());
        }
        if let Some((_, known)) = RENAMED.iter().find(|(theirs, _)| *theirs == name.as_str()) {
            head.insert(HeaderName::from_static(known), value.clone());
        }
        if let Some(prefixed) = prefixed(name) {
            head.insert(prefixed, value.clone());
        }
    }
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
