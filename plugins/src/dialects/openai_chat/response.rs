//! What a plain answer says about itself. The answer is relayed as it came.

use super::usage::WireUsage;
use serde::Deserialize;
use serde_json::value::RawValue;
use weir_core::body::glance;
use weir_core::domain::usage::Usage;

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
}

/// `None` when the body is not a JSON object: no answer of this dialect.
pub fn read_response(body: &[u8]) -> Option<Report> {
    if let Some([id, usage]) = glance(body, ["id", "usage"]) {
        return Some(report(id, usage));
    }
    // A list would be taken for the members in their order.
    body.trim_ascii_start().strip_prefix(b"{")?;
    let head: Head<'_> = serde_json::from_slice(body).ok()?;
    Some(report(head.id.map(RawValue::get), head.usage.map(RawValue::get)))
}

fn report(id: Option<&str>, told: Option<&str>) -> Report {
    let id = id.and_then(|id| serde_json::from_str(id).ok());
    Report { id, usage: told.and_then(usage) }
}

/// Here too a list would be taken for the members in their order.
pub(super) fn usage(told: &str) -> Option<Usage> {
    told.strip_prefix('{')?;
    serde_json::from_str::<WireUsage>(told).ok().map(|usage| usage.usage())
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
}
