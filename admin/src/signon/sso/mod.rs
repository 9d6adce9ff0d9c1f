//! Signing in at an identity provider: OpenID Connect's code flow with PKCE, state and nonce. `provider.rs` is who is
//! asked and with which addresses, `flow.rs` the way there and back, `tokens.rs` what comes of a code, `graph.rs` what
//! Microsoft tells of groups, `claims.rs` what is made of what is said of somebody, `people.rs` which user that is.

mod claims;
mod flow;
mod graph;
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

/// Whether browsers are sent there without being asked.
pub(super) fn is_first(env: &Env) -> bool {
    is_on(env) && env.is_on("AUTO_REDIRECT_UI_LOGIN_TO_SSO")
}

/// Who it is and who may come in; null where there is none.
pub(super) fn told(env: &Env) -> Value {
    let Some(provider) = provider::provider(env) else { return Value::Null };
    let mut told = provider.told();
    told["allowed_email_domains"] = env.filled("ALLOWED_EMAIL_DOMAINS").into();
    told["proxy_admin_id"] = env.filled("PROXY_ADMIN_ID").into();
    told
}
