//! Token counts as Anthropic reports them: `input_tokens` leaves out what was read from or written to a cache, and a
//! stream reports in parts, each member replacing the one before.

use crate::dialects::counts::told;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_core::domain::usage::Usage;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    #[serde(deserialize_with = "told")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "told")]
    output_tokens: Option<u64>,
    #[serde(deserialize_with = "told")]
    cache_read_input_tokens: Option<u64>,
    #[serde(deserialize_with = "told")]
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens_details: Option<OutputDetails>,
    server_tool_use: Option<ServerTools>,
    /// What each sampling of the request used. Summaries that Anthropic made of the conversation stand here alone.
    iterations: Option<Vec<WireUsage>>,
    /// Of an iteration.
    #[serde(rename = "type")]
    kind: Option<String>,
    pub service_tier: Option<String>,
}

/// The kind of iteration that the sums leave out (Anthropic's documentation, "Compaction", usage).
const COMPACTION: &str = "compaction";

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    #[serde(deserialize_with = "told")]
    ephemeral_5m_input_tokens: Option<u64>,
    #[serde(deserialize_with = "told")]
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    #[serde(deserialize_with = "told")]
    thinking_tokens: Option<u64>,
}

/// Tools that Anthropic runs. Fetches cost nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct ServerTools {
    #[serde(deserialize_with = "told")]
    web_search_requests: Option<u64>,
}

// --- WireUsage ---

impl WireUsage {
    /// Takes over what a later report says.
    pub(super) fn merge(&mut self, later: WireUsage) {
        fn put<T>(slot: &mut Option<T>, later: Option<T>) {
            if later.is_some() {
                *slot = later;
            }
        }
        // Servers that count only the output in the end say 0 of the input; what was read stays read.
        fn keep(slot: &mut Option<u64>, later: Option<u64>) {
            let news = later.filter(|n| *n > 0 || slot.is_none());
            put(slot, news);
        }
        keep(&mut self.input_tokens, later.input_tokens);
        put(&mut self.output_tokens, later.output_tokens);
        keep(&mut self.cache_read_input_tokens, later.cache_read_input_tokens);
        keep(&mut self.cache_creation_input_tokens, later.cache_creation_input_tokens);
        put(&mut self.cache_creation, later.cache_creation);
        put(&mut self.iterations, later.iterations);
        put(&mut self.output_tokens_details, later.output_tokens_details);
        put(&mut self.server_tool_use, later.server_tool_use);
        put(&mut self.service_tier, later.service_tier);
    }

    pub(super) fn usage(&self) -> Usage {
        let summaries = self.iterations.iter().flatten().filter(|i| i.kind.as_deref() == Some(COMPACTION));
        summaries.fold(self.sums(), |sum, summary| sum.plus(&summary.sums()))
    }

    fn sums(&self) -> Usage {
        let split = self.cache_creation.unwrap_or_default();
        let short = split.ephemeral_5m_input_tokens.unwrap_or(0);
        let long = split.ephemeral_1h_input_tokens.unwrap_or(0);
        // A later report may raise the sum without repeating the split.
        let written = self.cache_creation_input_tokens.unwrap_or_else(|| short.saturating_add(long));
        let long = long.min(written);
        let cache_read = self.cache_read_input_tokens.unwrap_or(0);
        Usage {
            input: self.input_tokens.unwrap_or(0).saturating_add(cache_read).saturating_add(written),
            output: self.output_tokens.unwrap_or(0),
            cache_read,
            cache_write: written - long,
            cache_write_1h: long,
            reasoning: self.output_tokens_details.and_then(|d| d.thinking_tokens).unwrap_or(0),
            searches: self.server_tool_use.and_then(|t| t.web_search_requests).unwrap_or(0),
            ..Usage::default()
        }
        .served_at(self.service_tier.as_deref())
    }

    /// The tier, unless it is the ordinary one, which says nothing to other dialects.
    pub(super) fn tier(&self) -> Option<String> {
        self.service_tier.clone().filter(|tier| tier != "standard")
    }
}

/// `usage` of a message. `tier`: what else the answer says of it.
pub(super) fn write(usage: &Usage, tier: Option<&str>) -> Value {
    let written = usage.cache_write.saturating_add(usage.cache_write_1h);
    let input = usage.input.saturating_sub(usage.cache_read).saturating_sub(written);
    let mut out = json!({
        "input_tokens": input,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output,
    });
    if usage.reasoning > 0 {
        out["output_tokens_details"] = json!({ "thinking_tokens": usage.reasoning });
    }
    if usage.searches > 0 {
        out["server_tool_use"] = json!({ "web_search_requests": usage.searches });
    }
    if let Some(tier) = tier.filter(|t| TIERS.contains(t)) {
        out["service_tier"] = json!(tier);
    }
    out
}

/// Tiers that SDKs of this dialect know.
static TIERS: &[&str] = &["standard", "priority", "batch"];

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::model::prices::ServiceTier;

    fn read(text: &str) -> WireUsage {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn p12_cached_tokens_are_counted_once() {
        let text = r#"{"input_tokens":11,"cache_creation_input_tokens":7,"cache_read_input_tokens":4,"output_tokens":9,
            "cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":2},
            "output_tokens_details":{"thinking_tokens":3},"server_tool_use":{"web_search_requests":2}}"#;
        let usage = read(text).usage();
        let expected = Usage {
            input: 22,
            output: 9,
            cache_read: 4,
            cache_write: 5,
            cache_write_1h: 2,
            reasoning: 3,
            searches: 2,
            ..Usage::default()
        };
        assert_eq!(usage, expected);
        assert_eq!(write(&usage, None), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_later_report_replaces_only_what_it_says() {
        let mut usage =
            read(r#"{"input_tokens":10,"cache_creation":{"ephemeral_1h_input_tokens":6},"output_tokens":1}"#);
        usage.merge(read(r#"{"output_tokens":8,"cache_creation_input_tokens":20,"input_tokens":null}"#));
        usage.merge(read(r#"{"server_tool_use":{"web_search_requests":1,"web_fetch_requests":4}}"#));
        usage.merge(read(r#"{"server_tool_use":null}"#));
        let usage = usage.usage();
        assert_eq!(usage.searches, 1);
        assert_eq!((usage.input, usage.output, usage.cache_write, usage.cache_write_1h), (30, 8, 14, 6));
    }

    #[test]
    fn p12_the_tier_that_served_is_said_at_the_start() {
        let mut usage = read(r#"{"input_tokens":10,"service_tier":"priority"}"#);
        usage.merge(read(r#"{"output_tokens":8}"#));
        assert_eq!(usage.usage().tier, Some(ServiceTier::Priority));
        assert_eq!(read(r#"{"service_tier":"batch"}"#).usage().tier, Some(ServiceTier::Batch));
        assert_eq!(read(r#"{"service_tier":"standard"}"#).usage().tier, Some(ServiceTier::Standard));
        assert_eq!(read(r#"{"service_tier":null}"#).usage().tier, None);
    }

    #[test]
    fn p12_summaries_of_the_conversation_are_paid_and_what_was_read_is_not_forgotten() {
        let mut usage = read(
            r#"{"input_tokens":23000,"output_tokens":1,"cache_read_input_tokens":7,"iterations":[
                {"type":"compaction","input_tokens":180000,"output_tokens":3500},
                {"type":"message","input_tokens":23000,"output_tokens":1000}]}"#,
        );
        usage.merge(read(r#"{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1000}"#));
        let usage = usage.usage();
        assert_eq!((usage.input, usage.output, usage.cache_read), (203_007, 4500, 7));
    }

    #[test]
    fn strange_numbers_are_no_error() {
        assert_eq!(
            read(r#"{"input_tokens":12.0,"output_tokens":-3,"cache_creation":null}"#).usage().input,
            12
        );
        let huge = read(r#"{"input_tokens":18446744073709551615,"cache_read_input_tokens":5}"#).usage();
        assert_eq!(huge.input, u64::MAX);
        assert_eq!(write(&Usage { cache_read: 9, ..Usage::default() }, None)["input_tokens"], 0);
    }
}
