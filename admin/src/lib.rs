//! The management API: LiteLLM's paths, parameters, fields and status codes, over the storage ports of
//! `core`.
//!
//! `routes.rs` is the table of routes and who may call them, `access.rs` holds every request against it.
//! `input.rs` reads bodies and queries, `error.rs` speaks LiteLLM's error shapes, `answer.rs` writes JSON
//! whose money is exact. `fields.rs` makes tables of a resource's fields, `work.rs` makes changes that belong
//! together, `context.rs` is what every handler has, `page.rs` pages of lists and what these are searched by, `deleted.rs` records
//! that are gone. Then a file
//! or folder for each resource: `keys`, `teams`, `users`, `organizations`, `customers`, `budgets`, `tags`, `models`,
//! `guardrails`, `settings`, `fallbacks` (in them), `callbacks` (and alerts), `health`, `cache`, `invitations`, `docs`, `signon` (sessions of the
//! UI), `scim` (provisioning), `ui` (its files), `spend`, `audit`; `duration.rs` is for lifetimes, `due.rs` does what falls
//! due by itself. `described/` is what the OpenAPI document says of parameters and answers. `service.rs` listens on the unix
//! socket that the gateway proxies to.

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
