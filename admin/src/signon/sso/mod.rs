//! Signing in at an identity provider: OpenID Connect's code flow with PKCE, state and nonce. `provider.rs` is who is
//! asked and with which addresses, `flow.rs` the way there and back, `tokens.rs` what comes of a code, `claims.rs` what
//! is made of what is said of somebody, `people.rs` which user that is.

mod claims;
mod flow;
pub(super) mod people;
mod provider;
mod tokens;

pub(super) use claims::{Person, role_named};
pub(crate) use flow::ROUTES;
pub(super) use flow::log_out;
pub(super) use provider::Discovered;

use serde_json::Value;
use weir_core::config::env::Env;

/// Whether there is an identity provider.
pub(super) fn is_on(env: &Env) -> bool {
    provider::provider(env).is_some()
}

/// Who it is; null where there is none.
pub(super) fn told(env: &Env) -> Value {
    provider::provider(env).map_or(Value::Null, |provider| provider.told())
}
