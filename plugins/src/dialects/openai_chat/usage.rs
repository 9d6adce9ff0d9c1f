//! `usage` as OpenAI and those who follow it report it, and as translated answers report it.

use serde::{Deserialize, Deserializer, Serialize};
use weir_core::domain::usage::Usage;

/// Everything optional: every provider leaves something out or says null.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    #[serde(deserialize_with = "count")]
    prompt_tokens: u64,
    #[serde(deserialize_with = "count")]
    completion_tokens: u64,
    #[serde(deserialize_with = "count")]
    total_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's name for cached tokens.
    #[serde(deserialize_with = "count")]
    prompt_cache_hit_tokens: u64,
    /// Moonshot's.
    #[serde(deserialize_with = "count")]
    cached_tokens: u64,
    /// Together's.
    #[serde(deserialize_with = "count")]
    reasoning_tokens: u64,
    /// LiteLLM's and Vercel's.
    #[serde(deserialize_with = "count")]
    cache_creation_input_tokens: u64,
    /// Perplexity's, for the models that search by themselves.
    #[serde(deserialize_with = "count")]
    num_search_queries: u64,
    /// xAI's: what it charges for by the piece.
    #[serde(deserialize_with = "count")]
    num_sources_used: u64,
    /// LiteLLM's, for providers that run tools.
    server_tool_use: Option<ServerTools>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServerTools {
    #[serde(deserialize_with = "count")]
    web_search_requests: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    #[serde(deserialize_with = "count")]
    cached_tokens: u64,
    #[serde(deserialize_with = "count")]
    cache_write_tokens: u64,
    /// LiteLLM's name for the same.
    #[serde(deserialize_with = "count")]
    cache_creation_tokens: u64,
    cache_creation_token_details: Option<CacheWrites>,
    #[serde(deserialize_with = "count")]
    audio_tokens: u64,
    #[serde(deserialize_with = "count")]
    image_tokens: u64,
    /// LiteLLM's place for searches.
    #[serde(deserialize_with = "count")]
    web_search_requests: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CacheWrites {
    #[serde(deserialize_with = "count")]
    ephemeral_1h_input_tokens: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    #[serde(deserialize_with = "count")]
    reasoning_tokens: u64,
    #[serde(deserialize_with = "count")]
    audio_tokens: u64,
    #[serde(deserialize_with = "count")]
    image_tokens: u64,
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

/// `usage` of a translated answer, in LiteLLM's shape.
#[derive(Debug, Serialize)]
pub(in crate::dialects) struct ToldUsage {
    completion_tokens: u64,
    prompt_tokens: u64,
    total_tokens: u64,
    completion_tokens_details: ToldCompletion,
    prompt_tokens_details: ToldPrompt,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_tool_use: Option<ToldTools>,
}

#[derive(Debug, Serialize)]
struct ToldTools {
    web_search_requests: u64,
}

#[derive(Debug, Serialize)]
struct ToldCompletion {
    reasoning_tokens: u64,
    text_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    audio_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    image_tokens: u64,
}

#[derive(Debug, Serialize)]
struct ToldPrompt {
    cached_tokens: u64,
    cache_creation_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation_token_details: Option<ToldWrites>,
    #[serde(skip_serializing_if = "is_zero")]
    audio_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    image_tokens: u64,
}

#[derive(Debug, Serialize)]
struct ToldWrites {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

// --- WireUsage ---

impl WireUsage {
    pub(super) fn usage(&self) -> Usage {
        let prompt = self.prompt_tokens_details.as_ref();
        let completion = self.completion_tokens_details.as_ref();
        let cached = prompt.map_or(0, |p| p.cached_tokens);
        let reasoning = completion.map_or(0, |c| c.reasoning_tokens).max(self.reasoning_tokens);
        let (cache_write, cache_write_1h) = self.cache_writes();
        let cache_read = cached.max(self.prompt_cache_hit_tokens).max(self.cached_tokens);
        Usage {
            input: self.input(cache_read),
            output: self.output(reasoning),
            cache_read,
            audio_cache_read: 0,
            cache_write,
            cache_write_1h,
            reasoning,
            audio_input: prompt.map_or(0, |p| p.audio_tokens),
            audio_output: completion.map_or(0, |c| c.audio_tokens),
            image_input: prompt.map_or(0, |p| p.image_tokens),
            image_output: completion.map_or(0, |c| c.image_tokens),
            searches: self.searches(),
        }
    }

    /// Grok on Azure leaves cached tokens out of `prompt_tokens`; that shows where there are more of them.
    fn input(&self, cache_read: u64) -> u64 {
        if cache_read > self.prompt_tokens {
            return self.prompt_tokens.saturating_add(cache_read);
        }
        self.prompt_tokens
    }

    /// One of the names; who says two means the same.
    fn searches(&self) -> u64 {
        let inside = self.prompt_tokens_details.as_ref().map_or(0, |p| p.web_search_requests);
        let tools = self.server_tool_use.as_ref().map_or(0, |t| t.web_search_requests);
        [self.num_search_queries, self.num_sources_used, inside, tools].into_iter().fold(0, u64::max)
    }

    /// xAI leaves reasoning out of `completion_tokens` and puts it into the total. Others count it in, give or take a
    /// token (OpenRouter: 11 reasoning tokens of 10).
    fn output(&self, reasoning: u64) -> u64 {
        let apart = self.prompt_tokens.saturating_add(self.completion_tokens).saturating_add(reasoning);
        if reasoning > 0 && self.total_tokens == apart {
            return self.completion_tokens.saturating_add(reasoning);
        }
        self.completion_tokens.max(reasoning)
    }

    /// Tokens written with the short and with the long lifetime.
    fn cache_writes(&self) -> (u64, u64) {
        let Some(prompt) = &self.prompt_tokens_details else { return (self.cache_creation_input_tokens, 0) };
        let all =
            prompt.cache_write_tokens.max(prompt.cache_creation_tokens).max(self.cache_creation_input_tokens);
        let long = prompt.cache_creation_token_details.as_ref().map_or(0, |d| d.ephemeral_1h_input_tokens);
        (all.saturating_sub(long), long)
    }
}

// --- ToldUsage ---

impl From<&Usage> for ToldUsage {
    fn from(usage: &Usage) -> Self {
        let written = usage.cache_write.saturating_add(usage.cache_write_1h);
        let spoken = usage.reasoning.saturating_add(usage.audio_output).saturating_add(usage.image_output);
        Self {
            completion_tokens: usage.output,
            prompt_tokens: usage.input,
            total_tokens: usage.total(),
            completion_tokens_details: ToldCompletion {
                reasoning_tokens: usage.reasoning,
                text_tokens: usage.output.saturating_sub(spoken),
                audio_tokens: usage.audio_output,
                image_tokens: usage.image_output,
            },
            prompt_tokens_details: ToldPrompt {
                cached_tokens: usage.cache_read,
                cache_creation_tokens: written,
                cache_creation_token_details: (written > 0).then_some(ToldWrites {
                    ephemeral_5m_input_tokens: usage.cache_write,
                    ephemeral_1h_input_tokens: usage.cache_write_1h,
                }),
                audio_tokens: usage.audio_input,
                image_tokens: usage.image_input,
            },
            cache_creation_input_tokens: written,
            cache_read_input_tokens: usage.cache_read,
            server_tool_use: (usage.searches > 0)
                .then_some(ToldTools { web_search_requests: usage.searches }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn input(usage: &str) -> (u64, u64) {
        let usage = serde_json::from_str::<WireUsage>(usage).unwrap().usage();
        (usage.input, usage.cache_read)
    }

    #[test]
    fn p12_cached_tokens_are_part_of_the_input_even_where_the_provider_leaves_them_out() {
        let within =
            r#"{"prompt_tokens":50,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":50}}"#;
        assert_eq!(input(within), (50, 50));
        let apart = r#"{"prompt_tokens":29,"completion_tokens":6,"total_tokens":35,
            "prompt_tokens_details":{"cached_tokens":157,"text_tokens":29}}"#;
        assert_eq!(input(apart), (186, 157));
    }

    fn read(json: &Value) -> Usage {
        serde_json::from_value::<WireUsage>(json.clone()).unwrap().usage()
    }

    #[test]
    fn p12_pictures_and_searches_are_read_by_every_name() {
        let usage = read(&json!({
            "prompt_tokens": 300, "completion_tokens": 200,
            "prompt_tokens_details": { "image_tokens": 256 },
            "completion_tokens_details": { "image_tokens": 150, "reasoning_tokens": null },
        }));
        assert_eq!((usage.image_input, usage.image_output, usage.searches), (256, 150, 0));
        for said in [
            json!({ "num_search_queries": 3 }),
            json!({ "num_sources_used": 3 }),
            json!({ "server_tool_use": { "web_search_requests": 3 } }),
            json!({ "prompt_tokens_details": { "web_search_requests": 3 }, "server_tool_use": null }),
        ] {
            assert_eq!(read(&said).searches, 3, "{said}");
        }
    }

    #[test]
    fn p12_what_a_client_is_told_says_everything() {
        let usage = Usage {
            input: 300,
            output: 200,
            image_input: 256,
            image_output: 150,
            searches: 2,
            ..Usage::default()
        };
        let told = serde_json::to_value(ToldUsage::from(&usage)).unwrap();
        assert_eq!(told["completion_tokens_details"]["text_tokens"], 50);
        assert_eq!(read(&told), usage);
    }
}
