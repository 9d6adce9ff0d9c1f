//! What a request asks of whoever keeps responses: the provider where it is relayed, the gateway where it is bridged.

use super::member;
use weir_core::body::JsonBody;
use weir_core::chat::Object;
use weir_core::error::ApiError;

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Keep the response, so that it can be read and continued. On unless switched off.
    pub store: bool,
    /// The response that this one continues.
    pub previous: Option<String>,
    /// Answer at once and work on.
    pub background: bool,
    /// What else the answer should hold (`reasoning.encrypted_content`).
    pub include: Vec<String>,
    /// `auto` or `disabled`.
    pub truncation: Option<String>,
    /// The client's own notes, kept with the response.
    pub metadata: Object,
}

/// Reads the state that a request asks for.
///
/// # Errors
/// 400 for a member of the wrong type.
pub fn state(body: &JsonBody) -> Result<State, ApiError> {
    let previous: Option<String> = member(body, "previous_response_id")?;
    Ok(State {
        store: member(body, "store")?.unwrap_or(true),
        previous: previous.filter(|id| !id.is_empty()),
        background: member(body, "background")?.unwrap_or(false),
        include: member(body, "include")?.unwrap_or_default(),
        truncation: member(body, "truncation")?,
        metadata: member(body, "metadata")?.unwrap_or_default(),
    })
}
