//! The nouns of Weir, which all other crates share. No runtime, and no I/O but the clock, the environment and random
//! ids.
//!
//! In reading order:
//!
//! - `domain/`: who calls, for what, what it cost: keys, records, money, usage, the ledger entry.
//! - `access/`: who a request is from, and what it may do.
//! - `config/`: what the operator wrote, and what it means.
//! - `model/`: the price catalogue, and the price of a request.
//! - `body/`: looking into a JSON body or a form without rewriting it.
//! - `chat/`: the canonical model that all dialects meet in.
//! - `codec/`: bytes to frames.
//! - `ports/`: the traits by which `gateway`, `plugins`, `admin` and `ledger` use each other.
//! - `error.rs`: the one table from the kind of an error to its HTTP answer.
//! - `metrics.rs`: the one table of metric names, labels and help texts.
//! - `time.rs`, `redact.rs`: the clock, secrets in the words of others.
//! - `memo.rs`, `edition.rs`: values that are worked out once, and which copy of a value they are of.

pub mod access;
pub mod body;
pub mod chat;
pub mod codec;
pub mod config;
pub mod domain;
pub mod edition;
pub mod error;
pub mod memo;
pub mod metrics;
pub mod model;
pub mod ports;
pub mod redact;
pub mod time;

pub use secrecy::{ExposeSecret, SecretString};
