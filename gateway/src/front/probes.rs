//! A listener for probes and scrapes alone, on a thread of its own: they are answered however many requests wait.

use crate::endpoints::{self, Endpoint};
use crate::local;
use crate::state::App;
use async_trait::async_trait;
use pingora::apps::{HttpPersistentSettings, HttpServerApp, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::server::ShutdownWatch;
use std::sync::Arc;

pub struct Probes {
    pub app: Arc<App>,
}

const KEEPALIVE: u64 = 15;

#[async_trait]
impl HttpServerApp for Probes {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        _shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        session.set_keepalive(Some(KEEPALIVE));
        if !session.read_request().await.unwrap_or(false) {
            return None;
        }
        let header = session.req_header();
        let asked = endpoints::find(&header.method, header.uri.path());
        let endpoint = match asked {
            Endpoint::Liveness | Endpoint::Readiness | Endpoint::Metrics => asked,
            _ => Endpoint::WrongMethod,
        };
        local::serve(&self.app, &mut session, &endpoint).await.ok()?;
        let settings = HttpPersistentSettings::for_session(&session);
        let reusable = session.finish().await.ok().flatten()?;
        Some(ReusedHttpStream::from_reusable_stream(reusable, settings))
    }
}
