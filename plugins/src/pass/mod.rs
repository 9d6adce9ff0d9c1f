//! Raw pass-through: a provider's own API below a path of ours, with our keys and our ledger.
//!
//! `table.rs` finds who answers (a provider of the environment, an endpoint of the config), `path.rs` guards and joins
//! paths, `meant.rs` reads from a request which model it names and how it speaks, `admit.rs` says who may, `headers.rs`
//! and `request.rs` write what goes out, `watch.rs` reads usage from what comes back. Bytes are never changed but for
//! the name of a model that the config knows by another one.

mod admit;
pub(crate) mod headers;
mod meant;
mod path;
mod request;
mod table;
mod watch;

#[cfg(test)]
mod tests;

pub use admit::admit;
pub use meant::{Meant, Named, Seen, Stands};
pub use path::guarded;
pub use request::{key_in_query, outgoing};
pub use table::{Endpoint, PassTable};
pub use watch::{Learned, Watch};

use bytes::Bytes;
use http::Method;
use std::sync::Arc;
use weir_core::chat::Dialect;
use weir_core::domain::money::NanoUsd;
use weir_core::error::{ApiError, Kind};

/// How a provider's paths are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    OpenAi,
    Azure,
    Anthropic,
    Bedrock,
    Gemini,
    Vertex,
    Cohere,
}

/// A provider's API below a path of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The first segment of the path.
    pub name: &'static str,
    /// The provider's prefix in the table of providers.
    pub provider: &'static str,
    pub family: Family,
    /// How our own errors are told.
    pub errors: Dialect,
}

/// All of them.
#[rustfmt::skip]
pub static PREFIXES: &[Prefix] = &[
    prefix("openai",    "openai",    Family::OpenAi,    Dialect::OpenAiChat),
    prefix("anthropic", "anthropic", Family::Anthropic, Dialect::AnthropicMessages),
    prefix("azure",     "azure",     Family::Azure,     Dialect::OpenAiChat),
    prefix("azure_ai",  "azure",     Family::Azure,     Dialect::OpenAiChat),
    prefix("bedrock",   "bedrock",   Family::Bedrock,   Dialect::OpenAiChat),
    prefix("gemini",    "gemini",    Family::Gemini,    Dialect::Gemini),
    prefix("vertex_ai", "vertex_ai", Family::Vertex,    Dialect::Gemini),
    prefix("vertex-ai", "vertex_ai", Family::Vertex,    Dialect::Gemini),
    prefix("cohere",    "cohere",    Family::Cohere,    Dialect::OpenAiChat),
    prefix("mistral",   "mistral",   Family::OpenAi,    Dialect::OpenAiChat),
];

const fn prefix(name: &'static str, provider: &'static str, family: Family, errors: Dialect) -> Prefix {
    Prefix { name, provider, family, errors }
}

/// The prefix of a path, and what follows it, with its slash.
pub fn below(path: &str) -> Option<(&'static Prefix, &str)> {
    let rest = path.strip_prefix('/')?;
    let (name, below) = rest.split_at(rest.find('/')?);
    let prefix = PREFIXES.iter().find(|prefix| prefix.name == name)?;
    (below.len() > 1).then_some((prefix, below))
}

/// Where a request is led.
#[derive(Clone, Debug)]
pub enum Way {
    /// A provider, with the keys of the environment, or of a deployment that the config has for the model.
    Provider(&'static Prefix),
    /// An endpoint of the config.
    Configured(Arc<Endpoint>),
}

/// A request that is passed through.
#[derive(Clone, Debug)]
pub struct Pass {
    pub way: Way,
    pub method: Method,
    /// Below the prefix, guarded, with its slash; empty for the endpoint itself.
    pub path: String,
    pub query: String,
    pub body: Bytes,
    pub meant: Meant,
    /// The model is one of the config's, and goes out under the provider's name for it. Set by `admit`.
    pub routed: bool,
}

impl Way {
    /// How our own errors are told.
    pub fn errors(&self) -> Dialect {
        match self {
            Way::Provider(prefix) => prefix.errors,
            Way::Configured(_) => Dialect::OpenAiChat,
        }
    }
}

impl Pass {
    /// `path`: guarded. `body`: as it came, whatever was read of it.
    pub fn new(way: Way, seen: Seen<'_>, query: &str, body: Bytes) -> Self {
        let meant = match &way {
            Way::Provider(prefix) => Meant::of(prefix.family, seen),
            Way::Configured(_) => Meant::unknown(seen),
        };
        Self {
            way,
            method: seen.method.clone(),
            path: seen.path.to_owned(),
            query: query.to_owned(),
            body,
            meant,
            routed: false,
        }
    }

    /// The path that was called here.
    pub fn route(&self) -> String {
        match &self.way {
            Way::Provider(prefix) => format!("/{}{}", prefix.name, self.path),
            Way::Configured(endpoint) => format!("{}{}", endpoint.settings.path, self.path),
        }
    }

    /// Whether it needs no key of this gateway.
    pub fn is_public(&self) -> bool {
        matches!(&self.way, Way::Configured(endpoint) if !endpoint.settings.auth)
    }

    /// What it costs whatever the answer says.
    pub fn fee(&self) -> Option<NanoUsd> {
        match &self.way {
            Way::Provider(_) => None,
            Way::Configured(endpoint) => endpoint.settings.cost_per_request,
        }
    }

    /// Whether it may be sent again after this failure: what the provider may have begun is not, unless its method
    /// says that twice is as good as once.
    pub fn may_repeat(&self, error: &ApiError) -> bool {
        let again = [Method::GET, Method::HEAD, Method::PUT, Method::DELETE].contains(&self.method);
        again || error.kind() == Kind::UpstreamRefused
    }
}
