//! The management API: LiteLLM's paths, parameters, fields and status codes, over the storage ports of `core`.
//!
//! `routes.rs` is the table of routes and who may call them, `access.rs` holds every request against it, `error.rs`
//! speaks LiteLLM's error shapes. Then one file per resource: `keys.rs`, `spend.rs`. `service.rs` listens on the unix
//! socket that the gateway proxies to.

mod access;
mod duration;
mod error;
mod keys;
mod routes;
mod service;
mod spend;

pub use routes::{Access, ROUTES, router};
pub use service::{Services, bind, serve};
