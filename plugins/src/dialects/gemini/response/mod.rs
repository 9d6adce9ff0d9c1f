//! Answers: `read.rs` reads whole ones and streams with one machine, `write.rs` writes both.

mod read;
mod write;

pub(super) use read::{Reader, read_answer};
pub use write::{ArrayWriter, array_error};
pub(super) use write::{SseWriter, write_answer};
