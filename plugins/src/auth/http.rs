//! A small HTTP client for token endpoints and for services beside the providers: one request, one bounded answer, no
//! redirects. Trusts the system's root
//! certificates. The `HTTPS_PROXY` of the environment is used for https; plain http goes to metadata services of the
//! machine, which no proxy reaches.

use super::token::TokenRequest;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::builderstates::WantsProtocols1;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::timeout;
use weir_core::ExposeSecret as _;
use weir_core::config::env::Env;
use weir_core::ports::identity::{Fetch, Fetched};

/// Answers of token endpoints are some kilobytes.
const LARGEST: usize = 64 * 1024;
/// Of identity providers.
const WHOLE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// Answers of other services hold the texts that they were sent, and lists of prices all models.
const LARGEST_POSTED: usize = 16 << 20;
/// Connections that are kept to one service, and how long.
const KEPT: usize = 64;
const KEPT_FOR: Duration = Duration::from_secs(30);
/// After which the other end of HTTP/2 is asked whether it is there while it owes an answer, and how long it may take
/// to say so: a connection that a load balancer has forgotten would be used again and again.
const PING: Duration = Duration::from_secs(5);
const PONG: Duration = Duration::from_secs(4);

/// Cheap to clone.
#[derive(Clone)]
pub struct Http {
    proxies: Arc<Matcher>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

impl Http {
    pub fn new(env: &Env) -> Self {
        let var = |names: [&str; 2]| names.iter().find_map(|name| env.filled(name)).unwrap_or_default();
        let proxies = Matcher::builder()
            .https(var(["HTTPS_PROXY", "https_proxy"]).to_owned())
            .no(var(["NO_PROXY", "no_proxy"]).to_owned())
            .build();
        Self { proxies: Arc::new(proxies) }
    }

    /// Status and body. Not bounded in time: the caller is.
    pub(super) async fn send(&self, asked: TokenRequest) -> Result<(u16, Bytes), String> {
        self.sent(request(&asked).map_err(|e| causes(&e))?, LARGEST).await
    }

    /// What stands at an address.
    ///
    /// # Errors
    /// It is no address of http or https, or there is nothing whole within the time and 16 MiB.
    pub async fn document(&self, url: &str, within: Duration) -> Result<Bytes, String> {
        let uri = address(url).ok_or("it is no address of http or https without credentials in it")?;
        let host = uri.host().unwrap_or_default().to_owned();
        let mut request = Request::new(Full::default());
        *request.uri_mut() = uri;
        let answer = timeout(within, self.sent(request, LARGEST_POSTED)).await;
        match answer.map_err(|_| format!("{host} did not answer in {} s", within.as_secs()))? {
            Ok((200, body)) => Ok(body),
            Ok((status, _)) => Err(format!("{host} answered {status}")),
            Err(why) => Err(format!("{host}: {why}")),
        }
    }

    async fn sent(&self, request: Request<Full<Bytes>>, largest: usize) -> Result<(u16, Bytes), String> {
        match self.proxies.intercept(request.uri()) {
            Some(proxy) if request.uri().scheme_str() == Some("https") => {
                exchange(https(tunnel(&proxy))?, request, largest).await
            }
            _ => exchange(https(plain())?, request, largest).await,
        }
    }
}

#[async_trait]
impl Fetch for Http {
    async fn fetch(&self, request: Request<String>) -> Result<Fetched, String> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let sending = self.sent(request.map(|body| Full::from(Bytes::from(body))), LARGEST);
        match tokio::time::timeout(WHOLE, sending).await {
            Ok(Ok((status, body))) => Ok(Fetched { status, body }),
            Ok(Err(why)) => Err(format!("{host}: {why}")),
            Err(_) => Err(format!("{host} did not answer in {} s", WHOLE.as_secs())),
        }
    }
}

// --- Poster ---

/// Posts JSON, or over HTTP/2 what it is given, over connections that are kept between requests unless a proxy is between.
/// Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Poster {
    http: Http,
    /// Made with the first request: certificates are read for it.
    direct: Arc<OnceLock<Result<Direct, String>>>,
    /// The same over HTTP/2.
    http2: Arc<OnceLock<Result<Direct, String>>>,
}

type Direct = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A whole answer.
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// Trailers among them, which count before headers of the same name.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Poster {
    pub(crate) fn new(env: &Env) -> Self {
        Self { http: Http::new(env), direct: Arc::default(), http2: Arc::default() }
    }

    /// Status and body. `headers` beside those of JSON.
    ///
    /// # Errors
    /// No answer, or none that is whole within the time and 16 MiB. The text may name addresses.
    pub(crate) async fn post(
        &self,
        url: &Uri,
        headers: HeaderMap,
        body: Bytes,
        within: Duration,
    ) -> Result<(u16, Bytes), String> {
        self.ask(Method::POST, url, headers, body, within).await
    }

    /// The same with another method.
    ///
    /// # Errors
    /// As those of [`Poster::post`].
    pub(crate) async fn ask(
        &self,
        method: Method,
        url: &Uri,
        headers: HeaderMap,
        body: Bytes,
        within: Duration,
    ) -> Result<(u16, Bytes), String> {
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = url.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(http::header::CONTENT_TYPE, json.clone());
        request.headers_mut().insert(http::header::ACCEPT, json);
        request.headers_mut().extend(headers);
        timeout(within, self.send(request)).await.map_err(|_| format!("no answer within {within:?}"))?
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), String> {
        if let Some(proxy) = self.proxy(request.uri()) {
            return exchange(https(tunnel(&proxy))?, request, LARGEST_POSTED).await;
        }
        let client = self.direct.get_or_init(direct).as_ref().map_err(String::clone)?;
        let response = client.request(request).await.map_err(|e| causes(&e))?;
        read(response, LARGEST_POSTED).await
    }

    /// Posts over HTTP/2, which without TLS is spoken unasked, as gRPC has it. `headers` are all there are.
    ///
    /// # Errors
    /// As those of [`Poster::post`], but for a bound of 64 KiB.
    pub(crate) async fn call(
        &self,
        url: &Uri,
        headers: HeaderMap,
        body: Bytes,
        within: Duration,
    ) -> Result<Answered, String> {
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.clone();
        *request.headers_mut() = headers;
        timeout(within, self.send_http2(request)).await.map_err(|_| format!("no answer within {within:?}"))?
    }

    async fn send_http2(&self, request: Request<Full<Bytes>>) -> Result<Answered, String> {
        let response = if let Some(proxy) = self.proxy(request.uri()) {
            let client = once().http2_only(true).build(https2(tunnel(&proxy))?);
            client.request(request).await
        } else {
            let client = self.http2.get_or_init(http2).as_ref().map_err(String::clone)?;
            client.request(request).await
        };
        whole(response.map_err(|e| causes(&e))?, LARGEST).await
    }

    fn proxy(&self, url: &Uri) -> Option<Intercept> {
        self.http.proxies.intercept(url).filter(|_| url.scheme_str() == Some("https"))
    }
}

/// An address of http or https with a host, and without credentials in it.
pub(crate) fn address(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let host = uri.authority().is_some_and(|a| !a.as_str().contains('@') && !a.host().is_empty());
    (host && matches!(uri.scheme_str(), Some("http" | "https"))).then_some(uri)
}

/// What went wrong, for people: of an address only its host is left, as the rest may be a credential. Cut where it is long.
pub(crate) fn hosts_only(why: &str) -> String {
    const LONGEST: usize = 300;
    let words: Vec<&str> = why[..why.floor_char_boundary(LONGEST)].split(' ').map(host_only).collect();
    words.join(" ")
}

fn host_only(word: &str) -> &str {
    let Some((_, rest)) = word.split_once("://") else { return word };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

fn direct() -> Result<Direct, String> {
    Ok(kept().build(https(plain())?))
}

fn http2() -> Result<Direct, String> {
    let mut client = kept();
    client.http2_only(true).timer(TokioTimer::new());
    client.http2_keep_alive_interval(PING).http2_keep_alive_timeout(PONG);
    Ok(client.build(https2(plain())?))
}

/// A client whose connections are kept.
fn kept() -> Builder {
    let mut client = Client::builder(TokioExecutor::new());
    client.pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT_FOR).pool_max_idle_per_host(KEPT);
    client
}

/// A client for one request.
fn once() -> Builder {
    let mut client = Client::builder(TokioExecutor::new());
    client.pool_max_idle_per_host(0);
    client
}

fn request(asked: &TokenRequest) -> Result<Request<Full<Bytes>>, http::Error> {
    let form = !asked.form.is_empty();
    let mut request = Request::builder()
        .uri(&asked.url)
        .method(if form { Method::POST } else { Method::GET })
        .header(http::header::ACCEPT, "application/json");
    for (name, value) in &asked.headers {
        request = request.header(*name, value.expose_secret());
    }
    if form {
        request = request.header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    request.body(Full::from(asked.body().expose_secret().to_owned()))
}

fn plain() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(CONNECT));
    connector
}

fn tunnel(proxy: &Intercept) -> Tunnel<HttpConnector> {
    let to: Uri = proxy.uri().clone();
    let tunnel = Tunnel::new(to, plain());
    match proxy.basic_auth() {
        Some(auth) => tunnel.with_auth(auth.clone()),
        None => tunnel,
    }
}

fn https<C>(inner: C) -> Result<HttpsConnector<C>, String> {
    Ok(secured()?.enable_http1().wrap_connector(inner))
}

fn https2<C>(inner: C) -> Result<HttpsConnector<C>, String> {
    Ok(secured()?.enable_http2().wrap_connector(inner))
}

fn secured() -> Result<HttpsConnectorBuilder<WantsProtocols1>, String> {
    let provider = rustls::crypto::ring::default_provider();
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(provider)
        .map_err(|e| format!("no root certificates: {e}"))?;
    Ok(builder.https_or_http())
}

/// A client of its own, as tokens are rare and its connections belong to the runtime that made them.
async fn exchange<C>(
    connector: C,
    request: Request<Full<Bytes>>,
    largest: usize,
) -> Result<(u16, Bytes), String>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = once().build(connector);
    let response = client.request(request).await.map_err(|e| causes(&e))?;
    read(response, largest).await
}

async fn read(response: Response<Incoming>, largest: usize) -> Result<(u16, Bytes), String> {
    let answered = whole(response, largest).await?;
    Ok((answered.status, answered.body))
}

async fn whole(response: Response<Incoming>, largest: usize) -> Result<Answered, String> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, largest).collect().await;
    let body = body.map_err(|e| format!("its answer cannot be read: {e}"))?;
    let mut headers = head.headers;
    headers.extend(body.trailers().cloned().unwrap_or_default());
    Ok(Answered { status: head.status.as_u16(), headers, body: body.to_bytes() })
}

/// All causes in one line. They name addresses, not credentials.
fn causes(error: &dyn Error) -> String {
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        why = format!("{why}: {next}");
        cause = next.source();
    }
    why
}
