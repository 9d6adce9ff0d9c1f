//! Identity providers: asking them, and recognising callers by their tokens.

use crate::domain::key::Caller;
use crate::error::ApiError;
use async_trait::async_trait;
use bytes::Bytes;

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub status: u16,
    pub body: Bytes,
}

/// Asks other servers. Answers are bounded (64 KiB) and in time (10 s); redirects are not followed.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// # Errors
    /// Why there is no answer, for the log: it names addresses, no credentials.
    async fn fetch(&self, request: http::Request<String>) -> Result<Fetched, String>;
}

/// Callers that present no key of ours but a token of an identity provider.
#[async_trait]
pub trait Bearers: Send + Sync {
    /// `None`: such tokens are not taken here.
    ///
    /// # Errors
    /// It is no good, or nobody can say whether it is.
    async fn recognise(&self, token: &str) -> Option<Result<Caller, ApiError>>;
}
