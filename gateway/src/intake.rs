//! Reading a request: whole, bounded, in time, and looked into once.

use crate::gathered::Gathered;
use crate::limits::Place;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Version, header};
use ipnet::IpNet;
use pingora::http::RequestHeader;
use pingora::protocols::http::ServerSession;
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::time::Duration;
use weir_core::access::{self, origin};
use weir_core::body::{Form, JsonBody};
use weir_core::config::Config;
use weir_core::domain::ids::EntryId;
use weir_core::domain::operation::Operation;
use weir_core::error::{ApiError, Kind};
use weir_plugins::dialects::openai_chat::wants_usage;
use weir_plugins::exchange::Request;
use weir_plugins::pass::{self, Pass, Seen, Way};
use weir_plugins::realtime;

/// Why there is no request.
pub enum Fault {
    /// The client reads an error.
    Refused(ApiError),
    /// There is nobody to read it.
    Gone(Box<pingora::Error>),
}

/// Headers of a request may come to this much in all.
const MAX_HEADERS: usize = 64 * 1024;

/// A client's call id longer than this is not taken.
const MAX_CALL_ID: usize = 256;

/// Reads the body and makes a request of it.
pub async fn read(
    config: &Config,
    down: &mut ServerSession,
    place: &mut Place,
    operation: Operation,
    path_model: Option<String>,
    id: EntryId,
) -> Result<Request, Fault> {
    let headers = down.req_header().headers.clone();
    check_headers(&headers).map_err(Fault::Refused)?;
    let bytes = body(config, down, place, &headers).await?;
    let (body, form) = understood(operation, &headers, bytes).map_err(Fault::Refused)?;
    let call_id = call_id(&headers).unwrap_or_else(|| id.to_string());
    Ok(Request {
        operation,
        client_ip: client_ip(down, &headers, &config.weir.trusted_proxies),
        path_model,
        stream: operation.row().streams.of(|| body.is_true("stream")),
        listed: operation == Operation::StreamGenerate && !asks_for_events(down),
        include_usage: wants_usage(&body),
        call_id,
        headers,
        body,
        form,
        pass: None,
    })
}

/// Reads whatever is to be passed through; `below`: the path behind the prefix.
pub async fn raw(
    config: &Config,
    down: &mut ServerSession,
    place: &mut Place,
    way: Way,
    below: &str,
    id: EntryId,
) -> Result<Request, Fault> {
    let mut headers = down.req_header().headers.clone();
    check_headers(&headers).map_err(Fault::Refused)?;
    let path = pass::guarded(below).map_err(Fault::Refused)?;
    let bytes = body(config, down, place, &headers).await?;
    let (body, form) = looked_into(&headers, &bytes).map_err(Fault::Refused)?;
    let (method, query) = {
        let head = down.req_header();
        (head.method.clone(), head.uri.query().unwrap_or_default().to_owned())
    };
    present(&mut headers, pass::key_in_query(&query));
    let seen = Seen { method: &method, path: &path, body: &body, form: form.as_ref() };
    let pass = Pass::new(way, seen, &query, bytes);
    Ok(Request {
        operation: Operation::PassThrough,
        client_ip: client_ip(down, &headers, &config.weir.trusted_proxies),
        path_model: None,
        stream: pass.meant.stream,
        listed: false,
        include_usage: true,
        call_id: call_id(&headers).unwrap_or_else(|| id.to_string()),
        headers,
        body,
        form,
        pass: Some(Box::new(pass)),
    })
}

/// The request that opens a session; it has no body.
pub fn realtime(config: &Config, down: &ServerSession, id: EntryId) -> Result<Request, Fault> {
    let head = down.req_header();
    if !upgrades(head) {
        return Err(Fault::Refused(upgrade_required()));
    }
    let mut headers = head.headers.clone();
    check_headers(&headers).map_err(Fault::Refused)?;
    let model = realtime::model_in_query(head.uri.query().unwrap_or_default());
    let key = realtime::key_in_protocols(&headers).map(str::to_owned);
    present(&mut headers, key);
    Ok(Request {
        operation: Operation::Realtime,
        client_ip: client_ip(down, &headers, &config.weir.trusted_proxies),
        path_model: model,
        stream: false,
        listed: false,
        include_usage: false,
        call_id: call_id(&headers).unwrap_or_else(|| id.to_string()),
        headers,
        body: json(Bytes::from_static(b"{}")).map_err(Fault::Refused)?,
        form: None,
        pass: None,
    })
}

/// Whether a WebSocket may follow: over HTTP/1.1, with the key that the answer must prove to have read.
fn upgrades(head: &RequestHeader) -> bool {
    let asks =
        head.headers.get(header::UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"));
    head.version == Version::HTTP_11 && asks && head.headers.contains_key(header::SEC_WEBSOCKET_KEY)
}

fn upgrade_required() -> ApiError {
    let message = "A realtime session is a WebSocket over HTTP/1.1: connect to wss://…/v1/realtime?model=….";
    ApiError::new(Kind::BadRequest, message).with_status(426)
}

/// A key from elsewhere counts where no header has one.
fn present(headers: &mut HeaderMap, key: Option<String>) {
    if access::KEY_HEADERS.iter().any(|name| headers.contains_key(*name)) {
        return;
    }
    let key = key.and_then(|key| HeaderValue::from_str(&key).ok());
    if let Some(mut key) = key {
        key.set_sensitive(true);
        headers.insert("x-goog-api-key", key);
    }
}

/// What can be understood of a body that goes out as it came. JSON must be JSON: a body that two sides read in two ways
/// would be paid as one model and answered by another.
fn looked_into(headers: &HeaderMap, bytes: &Bytes) -> Result<(JsonBody, Option<Form>), ApiError> {
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    let nothing = || json(Bytes::from_static(b"{}"));
    if kind.starts_with("multipart/form-data") {
        let written =
            headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let form = Form::parse(written, bytes.clone())
            .map_err(|e| ApiError::new(Kind::BadRequest, e.to_string()))?;
        return Ok((nothing()?, Some(form)));
    }
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Ok((nothing()?, None));
    }
    let said = kind.split(';').next().unwrap_or_default().trim();
    let must = said.is_empty() || said == "application/json" || said.ends_with("+json");
    match json(bytes.clone()) {
        Err(error) if must => Err(error),
        Err(_) => Ok((nothing()?, None)),
        Ok(body) => Ok((body, None)),
    }
}

/// An operation of ours, for a model that is none of ours, as it would be passed through.
pub fn turned_raw(request: Request, method: &Method, way: Way, below: &str, query: &str) -> Request {
    let bytes = match &request.form {
        Some(form) => Bytes::from(form.with_model(model_of(&request), |_| false).concat()),
        None => request.body.bytes().clone(),
    };
    let seen = Seen { method, path: below, body: &request.body, form: request.form.as_ref() };
    let pass = Pass::new(way, seen, query, bytes);
    Request { operation: Operation::PassThrough, include_usage: true, pass: Some(Box::new(pass)), ..request }
}

fn model_of(request: &Request) -> &str {
    let form = request.form.as_ref();
    form.and_then(|form| form.texts().find(|(name, _)| *name == "model")).map_or("", |(_, model)| model)
}

/// A form's text fields are looked at as if they were a JSON object.
fn understood(
    operation: Operation,
    headers: &HeaderMap,
    bytes: Bytes,
) -> Result<(JsonBody, Option<Form>), ApiError> {
    let content_type = headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let form = content_type.filter(|kind| operation.takes_forms() && kind.starts_with("multipart/form-data"));
    let Some(kind) = form else { return Ok((json(bytes)?, None)) };
    let form = Form::parse(kind, bytes).map_err(|e| ApiError::new(Kind::BadRequest, e.to_string()))?;
    let fields: Map<String, Value> =
        form.texts().map(|(name, text)| (name.to_owned(), field(name, text))).collect();
    Ok((json(Bytes::from(Value::from(fields).to_string()))?, Some(form)))
}

/// The only field of a form that is read as something else than text.
fn field(name: &str, text: &str) -> Value {
    if name == "stream" { Value::from(text.eq_ignore_ascii_case("true")) } else { Value::from(text) }
}

fn json(bytes: Bytes) -> Result<JsonBody, ApiError> {
    JsonBody::parse(bytes).map_err(|error| ApiError::new(Kind::BadJson, error.to_string()))
}

/// Gemini's streams are JSON lists unless `alt=sse` is asked for.
fn asks_for_events(down: &ServerSession) -> bool {
    down.req_header().uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse"))
}

fn check_headers(headers: &HeaderMap) -> Result<(), ApiError> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size <= MAX_HEADERS {
        return Ok(());
    }
    let message = format!("The request's headers are larger than {MAX_HEADERS} bytes.");
    Err(ApiError::new(Kind::HeadersTooLarge, message))
}

/// The client's own id, if it can be stored and sent back as a header.
fn call_id(headers: &HeaderMap) -> Option<String> {
    let given = headers.get("x-litellm-call-id")?.to_str().ok()?;
    (!given.is_empty() && given.len() <= MAX_CALL_ID).then(|| given.to_owned())
}

// --- body ---

/// The whole body of a request that no provider sees.
pub async fn whole(config: &Config, down: &mut ServerSession, place: &mut Place) -> Result<Bytes, Fault> {
    let headers = down.req_header().headers.clone();
    check_headers(&headers).map_err(Fault::Refused)?;
    body(config, down, place, &headers).await
}

async fn body(
    config: &Config,
    down: &mut ServerSession,
    place: &mut Place,
    headers: &HeaderMap,
) -> Result<Bytes, Fault> {
    let limit = usize::try_from(config.general.request_limit).unwrap_or(usize::MAX);
    let length = content_length(headers);
    if length.is_some_and(|l| l > limit) {
        return Err(too_large(limit));
    }
    said_once(headers).map_err(Fault::Refused)?;
    if let Some(coding) = headers.get(http::header::CONTENT_ENCODING).filter(|c| c.as_bytes() != b"identity")
    {
        let message = format!("content-encoding {coding:?} is not supported for requests; send plain JSON");
        return Err(Fault::Refused(ApiError::new(Kind::BadRequest, message).with_status(415)));
    }
    if headers.contains_key(http::header::EXPECT) {
        down.write_continue_response().await.map_err(Fault::Gone)?;
    }
    place.hold(length.unwrap_or(0)).map_err(Fault::Refused)?;
    match tokio::time::timeout(config.weir.body_timeout, collect(down, place, length, limit)).await {
        Ok(read) => read,
        Err(_) => Err(timed_out(config.weir.body_timeout)),
    }
}

/// What a body is must not depend on who reads it: a provider could find another model in it than we do.
fn said_once(headers: &HeaderMap) -> Result<(), ApiError> {
    let twice = |name: &&header::HeaderName| headers.get_all(*name).iter().nth(1).is_some();
    match [header::CONTENT_TYPE, header::CONTENT_ENCODING].iter().find(twice) {
        Some(name) => Err(ApiError::new(Kind::BadRequest, format!("{name} is given twice; send it once."))),
        None => Ok(()),
    }
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn collect(
    down: &mut ServerSession,
    place: &mut Place,
    length: Option<usize>,
    limit: usize,
) -> Result<Bytes, Fault> {
    let mut whole = Gathered::new(length.unwrap_or_default());
    while length != Some(whole.len()) {
        let Some(more) = piece(down).await? else { break };
        if whole.len() + more.len() > limit {
            return Err(too_large(limit));
        }
        if length.is_none() {
            place.hold(more.len()).map_err(Fault::Refused)?;
        }
        whole.push(more);
    }
    Ok(whole.end())
}

async fn piece(down: &mut ServerSession) -> Result<Option<Bytes>, Fault> {
    down.read_request_body().await.map_err(|error| match error.etype() {
        pingora::ErrorType::ReadTimedout => timed_out(Duration::from_secs(60)),
        pingora::ErrorType::InvalidHTTPHeader => Fault::Refused(
            ApiError::new(Kind::BadRequest, "The framing of the request body is not valid HTTP.")
                .because(error),
        ),
        _ => Fault::Gone(error),
    })
}

fn too_large(limit: usize) -> Fault {
    let message =
        format!("The request body is larger than {limit} bytes (general_settings.max_request_size_mb).");
    Fault::Refused(ApiError::new(Kind::BodyTooLarge, message))
}

fn timed_out(limit: Duration) -> Fault {
    let message = format!("The request body did not arrive within {limit:?}.");
    Fault::Refused(ApiError::new(Kind::BodyTimeout, message))
}

// --- client address ---

/// Whether the client's address is one of those that may call. Nobody is refused where none are named.
///
/// # Errors
/// 403, as LiteLLM words it.
pub fn admitted(config: &Config, down: &ServerSession) -> Result<(), ApiError> {
    let allowed = &config.general.allowed_ips;
    if allowed.is_empty() {
        return Ok(());
    }
    let ip = client_ip(down, &down.req_header().headers, &config.weir.trusted_proxies);
    match ip.filter(|ip| allowed.iter().any(|net| net.contains(ip))) {
        Some(_) => Ok(()),
        None => {
            Err(ApiError::new(Kind::RouteDenied, "Access forbidden: IP address not allowed.")
                .with_status(403))
        }
    }
}

/// Writes down where a request came from, over whatever the client said of it.
pub fn tell_origin(
    trusted: &[IpNet],
    down: &ServerSession,
    upstream: &mut RequestHeader,
) -> pingora::Result<()> {
    let headers = &down.req_header().headers;
    let peer = down.client_addr().and_then(|a| a.as_inet()).map(|a| a.ip());
    let client = peer.and_then(|peer| forwarded(peer, headers, trusted)).or(peer);
    for (name, address) in [(origin::PEER, peer), (origin::CLIENT, client)] {
        match address {
            Some(address) => upstream.insert_header(name, address.to_string())?,
            None => drop(upstream.remove_header(name)),
        }
    }
    upstream.insert_header(origin::SCHEME, if is_https(peer, down, trusted) { "https" } else { "http" })
}

/// TLS ends here, or at a proxy that is trusted to say so.
fn is_https(peer: Option<IpAddr>, down: &ServerSession, trusted: &[IpNet]) -> bool {
    let here = down.digest().is_some_and(|digest| digest.ssl_digest.is_some());
    let told = down.req_header().headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    here || told && peer.is_some_and(|peer| trusted.iter().any(|net| net.contains(&peer)))
}

/// The peer's address; behind trusted proxies, the last address in `x-forwarded-for` that is not one of them.
pub fn client_ip(down: &ServerSession, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = down.client_addr().and_then(|a| a.as_inet()).map(|a| a.ip());
    forwarded(peer?, headers, trusted).or(peer)
}

fn forwarded(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let trusts = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    if !trusts(&peer) {
        return None;
    }
    let chain =
        headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    let addresses: Vec<IpAddr> = chain.filter_map(|a| a.trim().parse().ok()).collect();
    addresses.into_iter().rev().find(|ip| !trusts(ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p36_what_a_body_is_is_said_once() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONTENT_TYPE, "application/json".parse().unwrap());
        headers.append(header::CONTENT_ENCODING, "identity".parse().unwrap());
        assert!(said_once(&headers).is_ok());
        for (name, value) in [(header::CONTENT_TYPE, "text/plain"), (header::CONTENT_ENCODING, "gzip")] {
            let mut headers = headers.clone();
            headers.append(name, value.parse().unwrap());
            assert!(said_once(&headers).is_err());
        }
    }

    #[test]
    fn p37_forwarded_addresses_count_only_from_trusted_proxies() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.2".parse().unwrap());
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let stranger: IpAddr = "9.9.9.9".parse().unwrap();
        assert_eq!(forwarded(proxy, &headers, &trusted), Some("1.2.3.4".parse().unwrap()));
        assert_eq!(forwarded(stranger, &headers, &trusted), None);
        assert_eq!(forwarded(proxy, &headers, &[]), None);
    }
}
