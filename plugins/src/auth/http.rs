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
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
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

/// Posts JSON, over connections that are kept between requests unless a proxy is between. Cheap to clone; clones share
/// their connections.
#[derive(Clone, Debug)]
pub(crate) struct Poster {
    http: Http,
    /// Made with the first request: certificates are read for it.
    direct: Arc<OnceLock<Result<Direct, String>>>,
}

type Direct = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

impl Poster {
    pub(crate) fn new(env: &Env) -> Self {
        Self { http: Http::new(env), direct: Arc::default() }
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
        if let Some(proxy) = self.http.proxies.intercept(request.uri())
            && request.uri().scheme_str() == Some("https")
        {
            return exchange(https(tunnel(&proxy))?, request, LARGEST_POSTED).await;
        }
        let client = self.direct.get_or_init(direct).as_ref().map_err(String::clone)?;
        let response = client.request(request).await.map_err(|e| causes(&e))?;
        read(response, LARGEST_POSTED).await
    }
}

/// An address of http or https with a host, and without credentials in it.
pub(crate) fn address(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let host = uri.authority().is_some_and(|a| !a.as_str().contains('@') && !a.host().is_empty());
    (host && matches!(uri.scheme_str(), Some("http" | "https"))).then_some(uri)
}

fn direct() -> Result<Direct, String> {
    let mut client = Client::builder(TokioExecutor::new());
    client.pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT_FOR).pool_max_idle_per_host(KEPT);
    Ok(client.build(https(plain())?))
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
    let provider = rustls::crypto::ring::default_provider();
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(provider)
        .map_err(|e| format!("no root certificates: {e}"))?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(inner))
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
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
    let response = client.request(request).await.map_err(|e| causes(&e))?;
    read(response, largest).await
}

async fn read(response: Response<Incoming>, largest: usize) -> Result<(u16, Bytes), String> {
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), largest).collect().await;
    let body = body.map_err(|e| format!("its answer cannot be read: {e}"))?;
    Ok((status, body.to_bytes()))
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
