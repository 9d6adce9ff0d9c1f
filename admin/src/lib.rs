//! The management API: LiteLLM's paths, parameters, fields and status codes, over the storage ports of `core`.
//!
//! What all resources share:
//!
//! - `routes.rs`: the table of routes and who may call them. `access.rs` holds every request against it.
//! - `context.rs`: what every handler has. `service.rs` listens on the unix socket that the gateway proxies to.
//! - `input.rs`, `answer.rs`, `error.rs`: bodies and queries, JSON whose money is exact, LiteLLM's error shapes.
//! - `fields.rs`: a resource's fields as a table, by which it is read and shown.
//! - `work.rs`: changes that belong together, made whole or not at all, and audited.
//! - `page.rs`, `deleted.rs`, `duration.rs`: pages and searches of lists, records that are gone, lifetimes.
//! - `described/`, `docs.rs`: what the OpenAPI document says of parameters and answers, and its pages.
//!
//! A file or folder for each resource:
//!
//! - `keys/`, `teams/`, `users/`, `organizations/`, `customers.rs`, `budgets/`, `tags.rs`: who may spend, and how much.
//!   `throughput.rs` refuses guarantees that exceed the limit they are shares of.
//! - `models/`, `guardrails.rs`, `settings.rs`, `fallbacks.rs`, `callbacks.rs`, `cache.rs`, `health.rs`: the running
//!   gateway.
//! - `spend.rs`, `audit.rs`: what was spent, and who changed what.
//! - `signon/`, `invitations.rs`, `scim/`, `ui.rs`: signing in, first passwords, provisioning, the files of the UI.
//!
//! `due.rs` does what falls due by itself: keys are rotated, budgets begin again.

mod access;
mod answer;
mod audit;
mod budgets;
mod cache;
mod callbacks;
mod context;
mod customers;
mod deleted;
mod described;
mod docs;
mod due;
mod duration;
mod error;
mod fallbacks;
mod fields;
mod guardrails;
mod health;
mod input;
mod invitations;
mod keys;
mod models;
mod organizations;
mod page;
mod routes;
mod scim;
mod service;
mod settings;
mod signon;
mod spend;
mod tags;
mod teams;
mod throughput;
mod ui;
mod users;
mod work;

pub use described::{Described, Member, Members, Named, Of, described, named, shapes};
pub use due::keep_due;
pub use input::{Asked, Shape, Where, watched};
pub use routes::{Access, router, routes};
pub use service::{Services, bind, serve};
pub use users::password_hash;
