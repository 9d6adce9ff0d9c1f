//! What clients speak: `request.rs` is read, `answer.rs` and `stream.rs` are written.

mod answer;
mod request;
mod stream;

pub(super) use answer::write_answer;
pub(super) use request::{read_request, read_thinking};
pub(super) use stream::{Writer, error_event};
