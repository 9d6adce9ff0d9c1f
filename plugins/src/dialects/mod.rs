//! How a provider is spoken to: one folder per wire format.

pub mod openai_chat;
