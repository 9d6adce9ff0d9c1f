//! Responses that the gateway keeps for a provider that keeps none.

use super::ids::KeyHash;
use crate::time::Micros;

/// One response of OpenAI's Responses API. What was said is sealed: the ledger cannot read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseRecord {
    /// `resp_…`, as the client knows it.
    pub id: String,
    /// Who may read it.
    pub owner: KeyHash,
    pub deployment_id: String,
    /// The model as the client asked for it.
    pub model: String,
    pub created_at: Micros,
    /// From then on it does not exist any more.
    pub expires_at: Micros,
    pub sealed: Vec<u8>,
}
