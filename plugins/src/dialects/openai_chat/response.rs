//! What a plain answer says about itself. The answer is relayed as it came.

use super::usage::WireUsage;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use weir_core::body::glance;
use weir_core::domain::usage::Usage;
use weir_core::model::prices::ServiceTier;

/// What the ledger wants to know of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub id: Option<String>,
    /// `None`: the provider did not say.
    pub usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Head<'a> {
    /// Mostly a text; some servers count.
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    /// At which the usage is priced.
    #[serde(borrow, default)]
    service_tier: Option<&'a RawValue>,
}

/// `None` when the body is not a JSON object: no answer of this dialect.
pub fn read_response(body: &[u8]) -> Option<Report> {
    if let Some(members) = glance(body, ["id", "usage", "service_tier"]) {
        return Some(report(members));
    }
    // A list would be taken for the members in their order.
    body.trim_ascii_start().strip_prefix(b"{")?;
    let head: Head<'_> = serde_json::from_slice(body).ok()?;
    Some(report([head.id, head.usage, head.service_tier].map(|raw| raw.map(RawValue::get))))
}

fn report([id, told, named]: [Option<&str>; 3]) -> Report {
    let id = id.and_then(|id| serde_json::from_str(id).ok());
    Report { id, usage: told.and_then(usage).map(|usage| usage.or_at(named.and_then(tier))) }
}

/// Here too a list would be taken for the members in their order. An object without members says nothing.
pub(super) fn usage(told: &str) -> Option<Usage> {
    let members = told.strip_prefix('{')?;
    if members.trim_start().starts_with('}') {
        return None;
    }
    serde_json::from_str::<WireUsage>(told).ok().map(|usage| usage.usage())
}

/// The tier that an answer says in JSON. Null is none, and so is what is no word.
pub(super) fn tier(named: &str) -> Option<ServiceTier> {
    let word: Cow<'_, str> = serde_json::from_str(named).ok()?;
    Some(ServiceTier::from_name(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_is_an_answer() {
        assert_eq!(read_response(b" {\"id\":\"a\"}").and_then(|report| report.id).as_deref(), Some("a"));
        for body in ["[]", "[\"a\"]", "[\"a\",null]", "\"a\"", "null", ""] {
            assert_eq!(read_response(body.as_bytes()), None, "{body}");
        }
        assert_eq!(read_response(b"{\"id\":7}"), Some(Report::default()), "an id that is no text");
        for usage in ["[1]", "\"x\"", "null", "7"] {
            let body = format!("{{\"id\":\"a\",\"usage\":{usage}}}");
            assert_eq!(read_response(body.as_bytes()).and_then(|report| report.usage), None, "{body}");
        }
    }

    #[test]
    fn p12_a_usage_has_the_tier_that_the_answer_was_served_at() {
        let usage = "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}";
        for (tier, expected) in [
            ("\"priority\"", Some(ServiceTier::Priority)),
            ("\"flex\"", Some(ServiceTier::Flex)),
            ("\"default\"", Some(ServiceTier::Standard)),
            ("null", None),
            ("7", None),
        ] {
            // The second is one that cannot be glanced at: it says a name twice.
            for twice in ["", ",\"model\":\"m\",\"model\":\"m\""] {
                let body = format!("{{\"id\":\"a\",{usage},\"service_tier\":{tier}{twice}}}");
                let told = read_response(body.as_bytes()).and_then(|report| report.usage);
                assert_eq!(told.map(|usage| (usage.total(), usage.tier)), Some((5, expected)), "{body}");
            }
        }
    }

    #[test]
    fn p12_a_usage_without_members_is_none() {
        for usage in ["{}", "{ }"] {
            let body = format!("{{\"id\":\"a\",\"usage\":{usage}}}");
            assert_eq!(read_response(body.as_bytes()).and_then(|report| report.usage), None, "{body}");
        }
    }
}
