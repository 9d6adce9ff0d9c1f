//! The request that goes to a provider, as Pingora sends it.

use super::connect::Wanted;
use bytes::Bytes;
use http::{HeaderValue, Method};
use pingora::http::RequestHeader;
use std::sync::atomic::AtomicBool;
use weir_core::body::Pieces;
use weir_core::error::ApiError;
use weir_plugins::auth::ToSend;
use weir_plugins::deployment::Deployment;
use weir_plugins::dialects::ResponsePlan;
use weir_plugins::outgoing;

/// Head and body, ready to send.
pub struct Outgoing {
    pub head: Box<RequestHeader>,
    pub body: Pieces,
    pub plan: ResponsePlan,
    /// All of it has been written to a provider.
    pub sent: AtomicBool,
}

impl Outgoing {
    /// Adds the length, and a signature where the deployment signs.
    ///
    /// # Errors
    /// There are no credentials to sign with.
    pub async fn seal(made: outgoing::Outgoing, deployment: &Deployment) -> Result<Self, ApiError> {
        Self::seal_as(Method::POST, made, deployment).await
    }

    /// The same for another method.
    ///
    /// # Errors
    /// There are no credentials to sign with.
    pub async fn seal_as(
        method: Method,
        made: outgoing::Outgoing,
        deployment: &Deployment,
    ) -> Result<Self, ApiError> {
        let outgoing::Outgoing { uri, mut headers, body, plan, .. } = made;
        if let Some(signer) = &deployment.wire.signer {
            let url = format!("{}{uri}", deployment.wire.origin());
            let whole = if signer.reads_body() { body.concat() } else { Vec::new() };
            Box::pin(signer.sign(ToSend {
                method: method.as_str(),
                url: &url,
                headers: &mut headers,
                body: &whole,
            }))
            .await?;
        }
        if method != Method::GET || !body.is_empty() {
            let length: usize = body.iter().map(Bytes::len).sum();
            headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        let (mut parts, ()) = http::Request::new(()).into_parts();
        (parts.method, parts.uri, parts.headers) = (method, uri, headers);
        Ok(Self { head: Box::new(RequestHeader::from(parts)), body, plan, sent: AtomicBool::new(false) })
    }

    /// The connection that it goes out on. Another protocol may be to follow.
    pub fn wanted(&self) -> Wanted<'_> {
        Wanted { body: &self.body, http1: self.head.headers.contains_key(http::header::UPGRADE) }
    }
}
