//! How a provider or client is spoken to: one folder per wire format, each an adapter to the canonical chat model
//! (`weir_core::chat`). `dialect.rs` says what an adapter is; `client` and `upstream` are the tables of all adapters.

pub mod anthropic_messages;
mod dialect;
pub mod openai_chat;
mod params;

pub use dialect::{
    Asked, ClientDialect, EventReader, EventWriter, TranslateError, UpstreamDialect, View, WireRequest,
};
pub use params::Params;
