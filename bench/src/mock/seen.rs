//! A request as the mock saw it, and the trait that answers it.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use super::reply::Reply;

/// One request, complete with its body.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    /// With the query, as in `/v1/models?limit=2`.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// When the last byte of the body had arrived.
    pub at: SystemTime,
}

/// Decides what to send. Called once per request, on the thread of the connection: it must not block.
pub trait Upstream: Send + Sync + 'static {
    fn answer(&self, seen: &Seen) -> Reply;
}

// --- impl Seen ---

impl Seen {
    /// The body parsed; null when it is empty or not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The first value of a header; empty when it is absent or not text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The path without its query.
    pub fn route(&self) -> &str {
        self.path.split_once('?').map_or(self.path.as_str(), |(route, _)| route)
    }
}

// --- impl Upstream ---

impl<F> Upstream for F
where
    F: Fn(&Seen) -> Reply + Send + Sync + 'static,
{
    fn answer(&self, seen: &Seen) -> Reply {
        self(seen)
    }
}

/// So that a test can keep hold of the provider that a server uses.
impl<U: Upstream + ?Sized> Upstream for Arc<U> {
    fn answer(&self, seen: &Seen) -> Reply {
        (**self).answer(seen)
    }
}
