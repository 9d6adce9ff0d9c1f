//! `usage` of a response.

use crate::dialects::counts::count;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use weir_core::domain::usage::Usage;

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct WireUsage {
    #[serde(deserialize_with = "count")]
    input_tokens: u64,
    /// Transcriptions name it otherwise.
    #[serde(alias = "input_token_details")]
    input_tokens_details: Option<InputDetails>,
    #[serde(deserialize_with = "count")]
    output_tokens: u64,
    output_tokens_details: Option<OutputDetails>,
    #[serde(deserialize_with = "count")]
    total_tokens: u64,
    /// xAI's: what it charges for by the piece.
    #[serde(deserialize_with = "count", skip_serializing_if = "is_zero")]
    num_sources_used: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct InputDetails {
    #[serde(deserialize_with = "count")]
    cached_tokens: u64,
    /// Said only where something was written.
    #[serde(deserialize_with = "count", skip_serializing_if = "is_zero")]
    cache_write_tokens: u64,
    #[serde(deserialize_with = "count", skip_serializing_if = "is_zero")]
    audio_tokens: u64,
    #[serde(deserialize_with = "count", skip_serializing_if = "is_zero")]
    image_tokens: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct OutputDetails {
    #[serde(deserialize_with = "count")]
    reasoning_tokens: u64,
    #[serde(deserialize_with = "count", skip_serializing_if = "is_zero")]
    audio_tokens: u64,
    #[serde(deserialize_with = "count", skip_serializing_if = "is_zero")]
    image_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl WireUsage {
    pub(super) fn usage(&self) -> Usage {
        let input = self.input_tokens_details.unwrap_or_default();
        let output = self.output_tokens_details.unwrap_or_default();
        Usage {
            input: self.input_tokens,
            output: self.output_tokens,
            cache_read: input.cached_tokens,
            audio_cache_read: 0,
            cache_write: input.cache_write_tokens,
            cache_write_1h: 0,
            reasoning: output.reasoning_tokens,
            audio_input: input.audio_tokens,
            audio_output: output.audio_tokens,
            image_input: input.image_tokens,
            image_output: output.image_tokens,
            searches: self.num_sources_used,
            // Said beside it.
            tier: None,
        }
    }

    /// With the searches that the output shows: OpenAI does not count them in its usage.
    pub(super) fn with_output(&self, output: Option<&[&RawValue]>) -> Usage {
        let usage = self.usage();
        let shown = output.unwrap_or_default().iter().filter(|item| is_search(item)).count() as u64;
        Usage { searches: usage.searches.max(shown), ..usage }
    }
}

#[derive(Deserialize)]
struct Called<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    action: Option<Action<'a>>,
}

#[derive(Deserialize)]
struct Action<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
}

/// A call of the web search that searched. Opening a page that was found, or looking for words on it, is not charged
/// (OpenAI's pricing page).
fn is_search(item: &RawValue) -> bool {
    if !item.get().contains("web_search_call") {
        return false;
    }
    let called: Result<Called<'_>, _> = serde_json::from_str(item.get());
    called.is_ok_and(|c| c.r#type == "web_search_call" && c.action.is_none_or(|a| a.r#type == "search"))
}

impl From<Usage> for WireUsage {
    fn from(usage: Usage) -> Self {
        let input = InputDetails {
            cached_tokens: usage.cache_read,
            cache_write_tokens: usage.cache_write.saturating_add(usage.cache_write_1h),
            audio_tokens: usage.audio_input,
            image_tokens: usage.image_input,
        };
        let output = OutputDetails {
            reasoning_tokens: usage.reasoning,
            audio_tokens: usage.audio_output,
            image_tokens: usage.image_output,
        };
        WireUsage {
            input_tokens: usage.input,
            input_tokens_details: Some(input),
            output_tokens: usage.output,
            output_tokens_details: Some(output),
            total_tokens: usage.total(),
            // The searches are in the output.
            num_sources_used: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_searches_are_counted_from_the_output() {
        let output = r#"[{"type":"web_search_call","action":{"type":"search","query":"a"}},
            {"type":"web_search_call","action":{"type":"open_page","url":"u"}},
            {"type":"web_search_call","status":"completed","action":null},
            {"type":"message","content":[{"type":"output_text","text":"a web_search_call"}]},
            "web_search_call", {"type":3,"x":"web_search_call"}]"#;
        let items: Vec<&RawValue> = serde_json::from_str(output).unwrap();
        let told = r#"{"input_tokens":9,"output_tokens":5,"input_tokens_details":{"image_tokens":4},"output_tokens_details":{"image_tokens":2}}"#;
        let usage = serde_json::from_str::<WireUsage>(told).unwrap();
        let expected = Usage { input: 9, output: 5, image_input: 4, image_output: 2, ..Usage::default() };
        assert_eq!(usage.with_output(None), expected);
        assert_eq!(usage.with_output(Some(&items)), Usage { searches: 2, ..expected });
    }
}
