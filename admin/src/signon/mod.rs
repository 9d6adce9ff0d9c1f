//! Signing in to the admin UI. `sessions.rs` makes and ends sessions; `password.rs` and `sso/` say whose one may be
//! made; `throttle.rs` slows down who guesses; `origin.rs` refuses what a page of another site sends. `routes.rs` is
//! what browsers ask, `invite.rs` how somebody gets a first password, `pages.rs` the form for when all else fails;
//! `proxied.rs` believes a proxy in front.
//!
//! A session has the rights of its user and no others: the guard of all routes takes it in place of a key.

mod invite;
mod origin;
mod pages;
mod password;
mod proxied;
mod routes;
mod sessions;
mod sso;
mod throttle;

pub(crate) use origin::base_url;
pub(crate) use proxied::sign_in as sign_in_behind_a_proxy;
pub(crate) use routes::ROUTES;
pub(crate) use sessions::{end_all, note_use, with_cookies};
pub(crate) use sso::ROUTES as SSO;

use std::sync::Arc;

/// What the routes of signing in share, per process.
#[derive(Clone, Default)]
pub(crate) struct State {
    throttle: Arc<throttle::Throttle>,
    hashing: password::Turns,
    discovered: Arc<sso::Discovered>,
}
