//! `usage` of a response.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use weir_core::domain::usage::Usage;

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct WireUsage {
    #[serde(deserialize_with = "count")]
    input_tokens: u64,
    input_tokens_details: Option<InputDetails>,
    #[serde(deserialize_with = "count")]
    output_tokens: u64,
    output_tokens_details: Option<OutputDetails>,
    #[serde(deserialize_with = "count")]
    total_tokens: u64,
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
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct OutputDetails {
    #[serde(deserialize_with = "count")]
    reasoning_tokens: u64,
    #[serde(deserialize_with = "count", skip_serializing_if = "is_zero")]
    audio_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Null is nothing; some servers write token counts as 12.0.
fn count<'de, D: Deserializer<'de>>(reader: D) -> Result<u64, D::Error> {
    let number: Option<Number> = Option::deserialize(reader)?;
    Ok(number.and_then(|n| n.as_u64().or_else(|| n.as_f64().map(|f| f as u64))).unwrap_or_default())
}

impl WireUsage {
    pub(super) fn usage(&self) -> Usage {
        let input = self.input_tokens_details.unwrap_or_default();
        let output = self.output_tokens_details.unwrap_or_default();
        Usage {
            input: self.input_tokens,
            output: self.output_tokens,
            cache_read: input.cached_tokens,
            cache_write: input.cache_write_tokens,
            cache_write_1h: 0,
            reasoning: output.reasoning_tokens,
            audio_input: input.audio_tokens,
            audio_output: output.audio_tokens,
        }
    }
}

impl From<Usage> for WireUsage {
    fn from(usage: Usage) -> Self {
        let input = InputDetails {
            cached_tokens: usage.cache_read,
            cache_write_tokens: usage.cache_write.saturating_add(usage.cache_write_1h),
            audio_tokens: usage.audio_input,
        };
        let output = OutputDetails { reasoning_tokens: usage.reasoning, audio_tokens: usage.audio_output };
        WireUsage {
            input_tokens: usage.input,
            input_tokens_details: Some(input),
            output_tokens: usage.output,
            output_tokens_details: Some(output),
            total_tokens: usage.total(),
        }
    }
}
