//! The service tier that a provider is asked for. It is paid where the answer does not say at which one it was served.

use crate::deployment::Deployment;
use crate::exchange::Exchange;
use serde_json::Value;
use weir_core::model::prices::ServiceTier;

/// Where requests name it: OpenAI's and Anthropic's, and Gemini's and Converse's.
static NAMES: &[&str] = &["service_tier", "serviceTier"];

/// `None`: none but the ordinary one. Whether the provider has such a tier its prices say. Which of two names a provider
/// reads depends on it: who says both is taken to mean the dearer one.
pub fn asked(x: &Exchange, deployment: &Deployment) -> Option<ServiceTier> {
    let said = NAMES.iter().filter_map(|name| read(deployment.rules.said(&x.request.body, name)?));
    // In this order they are dearer and dearer.
    said.filter(|tier| is_asked_for(*tier)).max()
}

/// Prices of batches are for batches: whoever waits for the answer does not get it for half by saying so.
fn is_asked_for(tier: ServiceTier) -> bool {
    !matches!(tier, ServiceTier::Standard | ServiceTier::Batch)
}

/// A word, or Converse's `{"type": "priority"}`.
fn read(json: &[u8]) -> Option<ServiceTier> {
    let said: Value = serde_json::from_slice(json).ok()?;
    said.get("type").unwrap_or(&said).as_str().map(ServiceTier::from_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_a_tier_is_read_in_either_form_and_what_is_none_is_not_understood() {
        for (json, tier) in [
            ("\"priority\"", Some(ServiceTier::Priority)),
            ("\"FLEX\"", Some(ServiceTier::Flex)),
            ("\"auto\"", Some(ServiceTier::Standard)),
            ("\"default\"", Some(ServiceTier::Standard)),
            ("{\"type\":\"flex\"}", Some(ServiceTier::Flex)),
            ("{}", None),
            ("7", None),
            ("null", None),
        ] {
            assert_eq!(read(json.as_bytes()), tier, "{json}");
        }
    }
}
