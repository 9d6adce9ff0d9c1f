//! What the utility routes answer, in LiteLLM's shapes, from input that is parsed already: no I/O, no routes.
//!
//! `count.rs` counts tokens, `supported.rs` lists parameters, `transform.rs` shows what would be sent upstream.
//! `explain.rs` does look things up: what a request would be held to, and how that stands.

mod count;
mod explain;
mod supported;
mod transform;

#[cfg(test)]
mod tests;

pub use count::{TokenCountRequest, token_counter};
pub use explain::{Budget, Explainer};
pub use supported::{owner, supported_openai_params, supported_params};
pub use transform::{Destination, TransformRequest, dialect_of, transform_request};

use serde::de::DeserializeOwned;
use weir_core::body::JsonBody;
use weir_core::error::{ApiError, Kind};

/// A request of one of the routes.
///
/// # Errors
/// 422, which is LiteLLM's status for members that are missing or of another type.
pub fn parsed<T: DeserializeOwned>(body: &JsonBody) -> Result<T, ApiError> {
    let invalid = |why: serde_json::Error| ApiError::new(Kind::BadJson, why.to_string()).with_status(422);
    serde_json::from_slice(body.bytes()).map_err(invalid)
}
