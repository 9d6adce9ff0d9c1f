//! Mock providers: an HTTP server inside the process that answers as a provider would.
//!
//! An [`Upstream`] decides what to answer to one request; the server knows sockets, the log and the
//! counters, and nothing of any dialect. Start at `reply.rs` (the nouns), then `server.rs`.
//!
//! `provider.rs` is all providers behind one address. A request is read by `ask.rs` (control words in `words.rs`,
//! scripts in `script.rs`), which decides on a `turn.rs`; the folder of a dialect writes that down, whole or streamed;
//! `hostile.rs` may spoil it. `canned` sends precomputed bytes for benchmarks, `obedient` keeps to `max_tokens`,
//! `replay` sends one recorded interaction.

mod anthropic;
mod ask;
mod bedrock;
mod body;
pub mod canned;
mod cohere;
#[cfg(test)]
mod dialect_tests;
mod exchange;
mod frames;
mod gemini;
#[cfg(test)]
mod goldens;
mod hostile;
mod ids;
pub mod json;
mod log;
pub mod obedient;
mod ollama;
pub mod openai;
mod provider;
pub mod replay;
mod reply;
mod script;
mod seen;
mod server;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod turn;
mod wire;
mod words;

pub use provider::Provider;
pub use reply::{End, Reply, Step};
pub use script::{By, PATH as SCRIPT_PATH, Script, ScriptCall, ScriptTurn};
pub use seen::{Seen, Upstream};
pub use server::MockServer;
