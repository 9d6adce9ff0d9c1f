//! Realtime sessions: a WebSocket whose messages pass as they come in both directions.
//!
//! `request.rs` writes the request that opens the provider's side, `frames.rs` finds messages in the bytes that pass,
//! `watch.rs` reads from them what was used. Source: OpenAI's Realtime API reference; RFC 6455.

mod frames;
mod request;
mod watch;

#[cfg(test)]
mod tests;

pub use request::{key_in_protocols, model_in_query, outgoing};
pub use watch::Watch;

/// A Close frame of ours, unmasked as a server's are: 1011, the other side of the gateway failed. RFC 6455, 5.5.1.
pub const FAILED: &[u8] = b"\x88\x21\x03\xf3the provider's connection broke";
