//! The gateway as its users meet it: the real binary, a mock provider, a client on a socket.
//!
//! `rig.rs` starts them; each other file is one promise or family of promises. Tests carry the number of the
//! guarantee they prove.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests may fail loudly, look at the environment, and wait for a process"
)]

mod adopted;
mod alerts;
mod bills;
mod brought;
mod budgets;
mod cached;
mod callbacks;
mod chat;
mod checks;
mod client;
mod clouds;
mod config;
mod cooldowns;
mod crossed;
mod customers;
mod deadlines;
mod defaults;
mod demands;
mod described;
mod due;
mod errors;
mod floods;
mod goldens;
mod guardrails;
mod hedges;
mod https_proxy;
mod hub;
mod keeping;
mod kept_secrets;
mod keys;
mod large;
mod layers;
mod library;
mod lifecycle;
mod lowered;
mod management;
mod memory;
mod mirrors;
mod models_api;
mod operations;
mod operator;
mod otlp;
mod outage;
mod params;
mod pki;
mod platform;
mod prechecks;
mod prices;
mod providers;
mod rates;
mod raw;
mod realtime;
mod recordings;
mod resent;
mod responses;
mod revoked;
mod rig;
mod routing;
mod said;
mod scim;
mod secrets;
mod seeing;
mod services;
mod sessions;
mod shared_rates;
mod signon;
mod smuggling;
mod strategies;
mod streams;
mod team_models;
mod tiers;
mod tls;
mod trials;
mod upgrade;
mod upstream_tls;
mod utilities;
