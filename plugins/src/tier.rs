//! The service tier that a provider is asked for. It is paid where the answer does not say at which one it was served.

use crate::deployment::Deployment;
use crate::exchange::Exchange;
use serde_json::Value;
use weir_core::model::prices::ServiceTier;

/// Where requests name it: OpenAI's and Anthropic's, and Gemini's and Converse's.
static NAMES: &[&str] = &["service_tier", "serviceTier"];

/// `None`: none but the ordinary one. Whether the provider has such a tier its prices say.
pub fn asked(x: &Exchange, deployment: &Deployment) -> Option<ServiceTier> {
    let said = NAMES.iter().find_map(|name| deployment.rules.said(&x.request.body, name))?;
    read(said).filter(|tier| *tier != ServiceTier::Standard)
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
