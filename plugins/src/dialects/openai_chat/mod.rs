//! OpenAI's chat, completions and embeddings: the dialect in which most of the world speaks, relayed as it comes but
//! for what we own. Source: OpenAI API reference.

mod error;
mod request;
mod response;
mod stream;
mod usage;

pub use error::{read_error, stream_error_event, upstream_error};
pub(super) use request::OURS;
pub use request::{Rules, wants_usage};
pub use response::{Report, read_response};
pub use stream::{Block, StreamError, StreamReader};
