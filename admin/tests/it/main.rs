//! The management API as its clients meet it, over a ledger in memory.
//!
//! `rig.rs` holds the ledger and sends requests; each other file is one family of promises. `goldens.rs`
//! replays what was recorded of LiteLLM, where the shared references are there.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "helpers of tests may fail the test, say what they skip, and look at the environment"
)]

mod access;
mod goldens;
mod hostile;
mod keys;
mod lists;
mod memory;
mod openapi;
mod rig;
mod settings;
mod socket;
mod spend;
mod teams;
mod users;
