//! `usage` as OpenAI and those who follow it report it.

use serde::{Deserialize, Deserializer};
use weir_core::domain::usage::Usage;

/// Everything optional: every provider leaves something out or says null.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    #[serde(deserialize_with = "count")]
    prompt_tokens: u64,
    #[serde(deserialize_with = "count")]
    completion_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's name for cached tokens.
    #[serde(deserialize_with = "count")]
    prompt_cache_hit_tokens: u64,
    /// Moonshot's.
    #[serde(deserialize_with = "count")]
    cached_tokens: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    #[serde(deserialize_with = "count")]
    cached_tokens: u64,
    #[serde(deserialize_with = "count")]
    cache_write_tokens: u64,
    #[serde(deserialize_with = "count")]
    audio_tokens: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    #[serde(deserialize_with = "count")]
    reasoning_tokens: u64,
    #[serde(deserialize_with = "count")]
    audio_tokens: u64,
}

/// A count that may be null, or a float without a fraction.
fn count<'de, D: Deserializer<'de>>(reader: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Loose {
        Whole(u64),
        // Some servers write token counts as 12.0; this is no money.
        Float(f64),
    }
    let read: Option<Loose> = Option::deserialize(reader)?;
    Ok(match read {
        Some(Loose::Whole(n)) => n,
        Some(Loose::Float(f)) if f.is_finite() && f >= 0.0 => f as u64,
        _ => 0,
    })
}

impl WireUsage {
    pub(super) fn usage(&self) -> Usage {
        let prompt = self.prompt_tokens_details.as_ref();
        let completion = self.completion_tokens_details.as_ref();
        let cached = prompt.map_or(0, |p| p.cached_tokens);
        Usage {
            input: self.prompt_tokens,
            output: self.completion_tokens,
            cache_read: cached.max(self.prompt_cache_hit_tokens).max(self.cached_tokens),
            cache_write: prompt.map_or(0, |p| p.cache_write_tokens),
            cache_write_1h: 0,
            reasoning: completion.map_or(0, |c| c.reasoning_tokens),
            audio_input: prompt.map_or(0, |p| p.audio_tokens),
            audio_output: completion.map_or(0, |c| c.audio_tokens),
        }
    }
}
