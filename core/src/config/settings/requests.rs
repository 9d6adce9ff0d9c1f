//! `general_settings`: what the operator wants of requests, and gives to them.

use super::super::section::Section;
use super::super::tree::Node;
use crate::domain::operation::Operation;

#[derive(Clone, Debug, Default)]
pub struct RequestSettings {
    /// A key's request has to name its end user (`enforce_user_param`).
    pub enforce_user: bool,
    /// Requests may say no tags (`reject_clientside_metadata_tags`): those of their keys count.
    pub reject_client_tags: bool,
    /// What every key's request has to say: `user`, `metadata.generation_name`.
    pub enforced: Vec<String>,
    /// The same for keys of service accounts, beside those (`service_account_settings.enforced_params`).
    pub enforced_of_service_accounts: Vec<String>,
    /// Models of requests that name none.
    completion_model: Option<String>,
    moderation_model: Option<String>,
    image_model: Option<String>,
    /// Clients may bring a key and an address of their own for any model (`allow_client_side_credentials`), and not only
    /// for those that leave it to them.
    pub client_credentials: bool,
    /// Bytes of an answer that is no stream.
    pub response_limit: Option<u64>,
    /// Whoever knows its id reads a response and goes on from it (`disable_responses_id_security`).
    pub shared_responses: bool,
}

impl RequestSettings {
    pub(super) fn read(s: &Section) -> Self {
        let bool = |name: &str| s.bool(name).unwrap_or(false);
        let text = |name: &str| s.text(name).filter(|text| !text.is_empty());
        let limit = s.int("max_response_size_mb");
        let of_services = s.node("service_account_settings").and_then(|node| node.get("enforced_params"));
        Self {
            enforce_user: bool("enforce_user_param"),
            reject_client_tags: bool("reject_clientside_metadata_tags"),
            enforced: s.texts("enforced_params").unwrap_or_default(),
            enforced_of_service_accounts: of_services.and_then(Node::as_texts).unwrap_or_default(),
            completion_model: text("completion_model"),
            moderation_model: text("moderation_model"),
            image_model: text("image_generation_model"),
            client_credentials: bool("allow_client_side_credentials"),
            response_limit: limit.filter(|mb| *mb > 0).map(|mb| mb.saturating_mul(1 << 20)),
            shared_responses: bool("disable_responses_id_security"),
        }
    }

    /// The model of a request that names none.
    pub fn model_for(&self, operation: Operation) -> Option<&str> {
        use Operation::{Chat, Completions, CountTokens, ImageEdits, ImageVariations, Images};
        use Operation::{Messages, Moderations, Responses};
        let model = match operation {
            Chat | Completions | Messages | CountTokens | Responses => &self.completion_model,
            Moderations => &self.moderation_model,
            Images | ImageEdits | ImageVariations => &self.image_model,
            _ => return None,
        };
        model.as_deref()
    }
}
