//! Requests: `read.rs` from clients, `write.rs` to Google; `config.rs` is `generationConfig`, `contents.rs` the
//! conversation, `tools.rs` tools and tool choice, `thinking.rs` how much the model thinks.

mod config;
mod contents;
mod read;
mod thinking;
mod tools;
mod write;

pub(super) use read::read;
#[cfg(test)]
pub(super) use tools::camel;
pub(super) use write::{supported_params, write};
