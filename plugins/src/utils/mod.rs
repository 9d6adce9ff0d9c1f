//! What the utility routes answer, in LiteLLM's shapes, from input that is parsed already: no I/O, no routes.
//!
//! `count.rs` counts tokens, `supported.rs` lists parameters, `transform.rs` shows what would be sent upstream.

mod count;
mod supported;
mod transform;

#[cfg(test)]
mod tests;

pub use count::{TokenCountRequest, token_counter};
pub use supported::supported_openai_params;
pub use transform::{Destination, TransformRequest, transform_request};
