//! The only `ProxyHttp` of Weir: each phase is one call. LLM requests and our own endpoints are answered in
//! `request_filter`; everything else is proxied to the admin service over its unix socket.

use crate::asked::Asked;
use crate::cli::Half;
use crate::endpoints::{self, Endpoint};
use crate::response::fail;
use crate::state::App;
use crate::{exchange, front, intake, local};
use async_trait::async_trait;
use http::Method;
use pingora::http::RequestHeader;
use pingora::modules::http::HttpModules;
use pingora::protocols::http::ServerSession;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, Result};
use std::sync::Arc;
use weir_core::error::{ApiError, Kind};
use weir_plugins::pass::Way;

pub struct Gateway {
    pub app: Arc<App>,
}

/// Seconds that an idle client connection is kept. Pingora would keep it for ever.
pub const KEEPALIVE: u64 = 75;

/// How long the client may keep the connection after this request; not at all while the process is stopping.
pub fn keepalive(app: &App) -> Option<u64> {
    (!app.draining.is_on()).then_some(KEEPALIVE)
}

/// Whether the request with this head is answered by this process, as far as its first line tells.
pub fn is_ours(head: &[u8], root: &str) -> bool {
    let line = head.split(|b| *b == b'\r').next().unwrap_or_default();
    let mut words = line.split(|b| *b == b' ');
    let method = words.next().and_then(|m| Method::from_bytes(m).ok());
    let path = words.next().and_then(|target| std::str::from_utf8(target).ok());
    let (Some(method), Some(path)) = (method, path) else { return false };
    // Anything but a plain path is rare and may mean more than it says.
    if !path.starts_with('/') {
        return false;
    }
    let path = below(root, path.split('?').next().unwrap_or_default());
    method == Method::OPTIONS || endpoints::find(&method, path) != Endpoint::Admin
}

/// The path below the root that everything is mounted at (`SERVER_ROOT_PATH`); other paths are as they are.
fn below<'p>(root: &str, path: &'p str) -> &'p str {
    let rest = path.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    rest.map_or(path, |rest| if rest.is_empty() { "/" } else { rest })
}

/// Takes the root away from a request's target: nothing behind this knows of it.
fn unmount(root: &str, down: &mut ServerSession) {
    if root.is_empty() {
        return;
    }
    let uri = &down.req_header().uri;
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let target = format!("{}{query}", below(root, uri.path()));
    if let Ok(uri) = target.parse() {
        down.req_header_mut().set_uri(uri);
    }
}

/// Answers a request whose head has been read; false for one that the admin service is to answer.
pub async fn answer(app: &Arc<App>, down: &mut ServerSession) -> Result<bool> {
    unmount(&app.root, down);
    let header = down.req_header();
    let path = header.uri.path();
    if let Some(why) = front::refusal(path) {
        let message = format!("The request is ambiguous and was refused: {why}.");
        fail::respond(down, &ApiError::new(Kind::BadRequest, message), None).await?;
        return Ok(true);
    }
    if header.method == Method::OPTIONS {
        local::preflight(down).await?;
        return Ok(true);
    }
    if !path.starts_with("/health/")
        && let Err(error) = intake::admitted(&app.snapshot.load().config, down)
    {
        fail::respond(down, &error, None).await?;
        return Ok(true);
    }
    let endpoint = endpoints::find(&header.method, path);
    if app.only.is_some_and(|half| !belongs(app, &endpoint, path, half)) {
        let message = "This process serves the other half of the gateway: it was started with --only.";
        fail::respond(down, &ApiError::new(Kind::NotFound, message), None).await?;
        return Ok(true);
    }
    match endpoint {
        Endpoint::Llm { operation, model } => {
            exchange(app, down, Asked::Operation(operation, model)).await?;
        }
        Endpoint::Pass { prefix, below } => {
            exchange(app, down, Asked::Raw(Way::Provider(prefix), below)).await?;
        }
        Endpoint::Realtime => exchange(app, down, Asked::Realtime).await?,
        Endpoint::OutOfScope(api) => {
            let message = format!("{api} are not offered by this gateway; see OUT_OF_SCOPE.md.");
            fail::respond(down, &ApiError::new(Kind::NotServed, message), None).await?;
        }
        Endpoint::Admin => return not_known(app, down).await,
        endpoint => local::serve(app, down, &endpoint).await?,
    }
    Ok(true)
}

/// Boxed: other requests should not carry its room about.
async fn exchange(app: &Arc<App>, down: &mut ServerSession, asked: Asked) -> Result<()> {
    Box::pin(exchange::serve(app, down, asked)).await
}

/// Probes, metrics and what is true of both halves belong to both.
fn belongs(app: &App, endpoint: &Endpoint, path: &str, half: Half) -> bool {
    match endpoint {
        // Endpoints of the config lead to models too.
        Endpoint::Admin => (half == Half::Proxy) == app.snapshot.load().pass.endpoint(path).is_some(),
        Endpoint::Llm { .. } | Endpoint::Pass { .. } | Endpoint::Realtime | Endpoint::Response { .. } => {
            half == Half::Proxy
        }
        _ => true,
    }
}

/// Paths that are none of ours: redirected, an endpoint of the config, or the admin service's.
async fn not_known(app: &Arc<App>, down: &mut ServerSession) -> Result<bool> {
    let header = down.req_header();
    let path = header.uri.path();
    if let Some(to) = endpoints::redirect(path).map(str::to_owned) {
        local::redirect(down, &to).await?;
        return Ok(true);
    }
    let found = app.snapshot.load().pass.endpoint(path);
    let Some((endpoint, below)) = found else {
        let Err(error) = local::may_be_looked_up(app, down).await else { return Ok(false) };
        fail::respond(down, &error, None).await?;
        return Ok(true);
    };
    if !endpoints::passes(&header.method) {
        fail::respond(down, &ApiError::new(Kind::MethodNotAllowed, "Method Not Allowed"), None).await?;
        return Ok(true);
    }
    exchange(app, down, Asked::Raw(Way::Configured(endpoint), below)).await?;
    Ok(true)
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    /// None: compression would collect streams, and costs even when it is off.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, _ctx: &mut ()) -> Result<()> {
        session.set_keepalive(keepalive(&self.app));
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, _ctx: &mut ()) -> Result<bool> {
        answer(&self.app, session.as_downstream_mut()).await
    }

    async fn upstream_peer(&self, _session: &mut Session, _ctx: &mut ()) -> Result<Box<HttpPeer>> {
        HttpPeer::new_uds(&self.app.admin_socket, false, String::new()).map(Box::new)
    }

    /// The admin service hears where a request came from, in headers that no client can write.
    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        upstream: &mut RequestHeader,
        _ctx: &mut (),
    ) -> Result<()> {
        let config = Arc::clone(&self.app.snapshot.load().config);
        intake::tell_origin(&config.weir.trusted_proxies, session.as_downstream(), upstream)
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, _ctx: &mut ()) -> FailToProxy {
        let told = explain(error);
        let code = told.status();
        if matches!(error.esource(), ErrorSource::Downstream) && code == 499 {
            return FailToProxy { error_code: 0, can_reuse_downstream: false };
        }
        if let Err(error) = fail::respond(session.as_downstream_mut(), &told, None).await {
            tracing::debug!("an error could not be told: {error}");
        }
        FailToProxy { error_code: code, can_reuse_downstream: false }
    }
}

/// Errors of the proxy path, for the caller.
fn explain(error: &Error) -> ApiError {
    let told = match (error.esource(), error.etype()) {
        (_, pingora::ErrorType::HTTPStatus(status)) => {
            ApiError::new(Kind::BadRequest, "The request is not valid HTTP.").with_status(*status)
        }
        (ErrorSource::Downstream, _) => ApiError::new(Kind::ClientGone, "The client closed the connection."),
        (ErrorSource::Upstream, _) => {
            let message = "The admin service cannot be reached; try again in a moment.";
            ApiError::new(Kind::Internal, message).with_status(503)
        }
        _ => ApiError::new(Kind::Internal, "Internal error; the request was not served."),
    };
    told.because(error)
}
