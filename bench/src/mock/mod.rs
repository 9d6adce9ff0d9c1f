//! Mock providers: an HTTP server inside the process that answers as a provider would.
//!
//! An [`Upstream`] decides what to answer to one request; the server knows sockets, the log and the
//! counters, and nothing of any dialect. Start at `reply.rs` (the nouns), then `server.rs`.
//! `openai/` obeys control words found in the request, `canned` sends precomputed bytes for
//! benchmarks, `replay` sends one recorded interaction.

mod body;
pub mod canned;
mod exchange;
pub mod json;
mod log;
pub mod openai;
pub mod replay;
mod reply;
mod seen;
mod server;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use reply::{End, Reply, Step};
pub use seen::{Seen, Upstream};
pub use server::MockServer;
