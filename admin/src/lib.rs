//! The management API: LiteLLM's paths, parameters, fields and status codes, over the storage ports of
//! `core`.
//!
//! `routes.rs` is the table of routes and who may call them, `access.rs` holds every request against it.
//! `input.rs` reads bodies and queries, `error.rs` speaks LiteLLM's error shapes, `answer.rs` writes JSON
//! whose money is exact. Then one file per resource: `keys.rs` (with `duration.rs` for lifetimes) and
//! `spend.rs`. `service.rs` listens on the unix socket that the gateway proxies to.

mod access;
mod answer;
mod duration;
mod error;
mod input;
mod keys;
mod routes;
mod service;
mod spend;

pub use routes::{Access, ROUTES, router};
pub use service::{Services, bind, serve};
