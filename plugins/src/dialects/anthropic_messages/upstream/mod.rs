//! What providers speak. `request.rs` puts a request together from `messages.rs`, `tools.rs`, `thinking.rs` and
//! `params.rs` (what is refused, left out, mended), with what `model.rs` knows of models; `beta.rs` is its header.
//! `answer.rs` and `stream.rs` read.

mod answer;
mod beta;
mod messages;
mod model;
mod params;
mod request;
mod schema;
mod stream;
mod thinking;
mod tools;

pub(super) use answer::read_answer;
pub(super) use params::supported as supported_params;
pub(super) use request::write_request;
pub(super) use stream::Reader;
