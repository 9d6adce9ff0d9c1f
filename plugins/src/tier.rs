//! The service tier that a provider is asked for. It is paid where the answer does not say at which one it was served.

use crate::deployment::Deployment;
use crate::dialects::openai_chat::client_drops;
use crate::exchange::Exchange;
use serde_json::Value;
use weir_core::model::prices::ServiceTier;

/// Where requests name it: OpenAI's and Anthropic's, and Gemini's and Converse's.
static NAMES: &[&str] = &["service_tier", "serviceTier"];

/// `None`: none but the ordinary one. Whether the provider has such a tier its prices say. Where a client says several, or
/// that none shall go out, it is not sure what the provider is asked for: then a cheaper one does not count.
pub fn asked(x: &Exchange, deployment: &Deployment) -> Option<ServiceTier> {
    let body = &x.request.body;
    let mut said = NAMES.iter().filter_map(|name| read(deployment.rules.said(body, name)?));
    let (first, second) = (said.next()?, said.next());
    if second.is_none() && !client_drops(body, NAMES) {
        return Some(first).filter(|tier| *tier != ServiceTier::Standard);
    }
    let is_dear = |tier: &ServiceTier| matches!(tier, ServiceTier::Priority | ServiceTier::Ultrafast);
    [Some(first), second].into_iter().flatten().find(is_dear)
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
