//! The nouns of Weir: what three crates share and nobody owns. No I/O, no runtime.
//!
//! Read `domain/` first (who calls, what is spent), then `config/` (what the operator wrote and what it
//! means), `model/` (deployments and prices), `body/` (looking into a JSON request without rewriting it), `chat/` (the
//! canonical model between dialects),
//! `codec/` (bytes to frames), `error.rs` (the one table from kind to HTTP) and `ports.rs` (the traits that
//! ledger and gateway implement for the others).

pub mod access;
pub mod body;
pub mod chat;
pub mod codec;
pub mod config;
pub mod domain;
pub mod error;
pub mod memo;
pub mod metrics;
pub mod model;
pub mod ports;
pub mod redact;
pub mod time;

pub use secrecy::{ExposeSecret, SecretString};
