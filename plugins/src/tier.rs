//! The service tier that a provider is asked for. It is paid where the answer does not say at which one it was served.

use crate::deployment::Deployment;
use crate::dialects::openai_chat::client_drops;
use crate::exchange::Exchange;
use serde_json::Value;
use smallvec::SmallVec;
use weir_core::model::prices::ServiceTier;

/// Where requests name it: OpenAI's and Anthropic's, and Gemini's and Converse's.
static NAMES: &[&str] = &["service_tier", "serviceTier"];

/// `None`: none but the ordinary one. Whether the provider has such a tier its prices say. Which of two names a provider
/// reads depends on it: the dearer one counts. Where a client says several, or that none shall go out, it is not sure
/// what the provider is asked for: then a cheaper one than the ordinary does not count.
pub fn asked(x: &Exchange, deployment: &Deployment) -> Option<ServiceTier> {
    let body = &x.request.body;
    let said: SmallVec<[ServiceTier; 2]> =
        NAMES.iter().filter_map(|name| read(deployment.rules.said(body, name)?)).collect();
    let sure = said.len() == 1 && !client_drops(body, NAMES);
    // In this order they are dearer and dearer.
    said.into_iter().filter(|tier| is_dear(*tier) || sure && *tier == ServiceTier::Flex).max()
}

/// Prices of batches are for batches: whoever waits for the answer does not get it for half by saying so.
fn is_dear(tier: ServiceTier) -> bool {
    matches!(tier, ServiceTier::Priority | ServiceTier::Ultrafast)
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
