//! The only `ProxyHttp` of Weir: each phase is one call. LLM requests and our own endpoints are answered in
//! `request_filter`; everything else is proxied to the admin service over its unix socket.

use crate::endpoints::{self, Endpoint};
use crate::response::fail;
use crate::state::App;
use crate::{exchange, front, local};
use async_trait::async_trait;
use http::Method;
use pingora::modules::http::HttpModules;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, Result};
use std::sync::Arc;
use weir_core::error::{ApiError, Kind};

pub struct Gateway {
    pub app: Arc<App>,
}

/// Seconds that an idle client connection is kept. Pingora would keep it for ever.
const KEEPALIVE: u64 = 75;

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    /// None: compression would collect streams, and costs even when it is off.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, _ctx: &mut ()) -> Result<()> {
        let keepalive = if self.app.draining.is_on() { None } else { Some(KEEPALIVE) };
        session.set_keepalive(keepalive);
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, _ctx: &mut ()) -> Result<bool> {
        let header = session.req_header();
        let endpoint = endpoints::find(&header.method, header.uri.path());
        if let Some(why) = front::refusal(header.uri.path()) {
            let message = format!("The request could mean two things and was refused: {why}.");
            let error = ApiError::new(Kind::BadRequest, message);
            fail::respond(session.as_downstream_mut(), &error, None).await?;
            return Ok(true);
        }
        let redirect = endpoints::redirect(header.uri.path()).map(str::to_owned);
        let preflight = header.method == Method::OPTIONS;
        let down = session.as_downstream_mut();
        match endpoint {
            _ if preflight => local::preflight(down).await?,
            Endpoint::Llm { operation, model } => exchange::serve(&self.app, down, operation, model).await?,
            Endpoint::Admin => match redirect {
                Some(to) => local::redirect(down, &to).await?,
                None => return Ok(false),
            },
            endpoint => local::serve(&self.app, down, &endpoint).await?,
        }
        Ok(true)
    }

    async fn upstream_peer(&self, _session: &mut Session, _ctx: &mut ()) -> Result<Box<HttpPeer>> {
        HttpPeer::new_uds(&self.app.admin_socket, false, String::new()).map(Box::new)
    }

    async fn logging(&self, session: &mut Session, _error: Option<&Error>, _ctx: &mut ()) {
        front::request_done(session.as_downstream().stream());
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
