//! `usage` as OpenAI and those who follow it report it, and as translated answers report it.

use crate::dialects::counts::loosely;
use serde::{Deserialize, Serialize};
use weir_core::domain::usage::Usage;

/// By how many tokens a provider's two counts of the same text may differ, beside an eighth of them.
const MISCOUNTED: u64 = 4;

/// Everything optional: every provider leaves something out or says null.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    #[serde(deserialize_with = "loosely")]
    prompt_tokens: u64,
    #[serde(deserialize_with = "loosely")]
    completion_tokens: u64,
    #[serde(deserialize_with = "loosely")]
    total_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's name for cached tokens.
    #[serde(deserialize_with = "loosely")]
    prompt_cache_hit_tokens: u64,
    /// Moonshot's.
    #[serde(deserialize_with = "loosely")]
    cached_tokens: u64,
    /// Mistral's older one.
    #[serde(deserialize_with = "loosely")]
    num_cached_tokens: u64,
    /// Perplexity's: pages that the model read. Billed as input, and in no other count.
    #[serde(deserialize_with = "loosely")]
    citation_tokens: u64,
    /// Together's.
    #[serde(deserialize_with = "loosely")]
    reasoning_tokens: u64,
    /// LiteLLM's, Vercel's and Databricks'.
    #[serde(deserialize_with = "loosely")]
    cache_creation_input_tokens: u64,
    #[serde(deserialize_with = "loosely")]
    cache_read_input_tokens: u64,
    /// Perplexity's, for the models that search by themselves.
    #[serde(deserialize_with = "loosely")]
    num_search_queries: u64,
    /// xAI's: what it charges for by the piece.
    #[serde(deserialize_with = "loosely")]
    num_sources_used: u64,
    /// LiteLLM's, for providers that run tools.
    server_tool_use: Option<ServerTools>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServerTools {
    #[serde(deserialize_with = "loosely")]
    web_search_requests: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    #[serde(deserialize_with = "loosely")]
    cached_tokens: u64,
    #[serde(deserialize_with = "loosely")]
    cache_write_tokens: u64,
    /// LiteLLM's name for the same.
    #[serde(deserialize_with = "loosely")]
    cache_creation_tokens: u64,
    cache_creation_token_details: Option<CacheWrites>,
    #[serde(deserialize_with = "loosely")]
    audio_tokens: u64,
    #[serde(deserialize_with = "loosely")]
    image_tokens: u64,
    /// LiteLLM's place for searches.
    #[serde(deserialize_with = "loosely")]
    web_search_requests: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CacheWrites {
    #[serde(deserialize_with = "loosely")]
    ephemeral_1h_input_tokens: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    #[serde(deserialize_with = "loosely")]
    reasoning_tokens: u64,
    #[serde(deserialize_with = "loosely")]
    audio_tokens: u64,
    #[serde(deserialize_with = "loosely")]
    image_tokens: u64,
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
        let (cache_write, cache_write_1h) = self.cache_writes();
        let cache_read = self.cache_read();
        let told = completion.map_or(0, |c| c.reasoning_tokens).max(self.reasoning_tokens);
        let cached = cache_read > 0 || cache_write > 0 || cache_write_1h > 0;
        let reasoning = if told > 0 || cached { told } else { self.unsaid() };
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
            // Said beside it.
            tier: None,
        }
    }

    /// One of the names; who says two means the same.
    fn cache_read(&self) -> u64 {
        let inside = self.prompt_tokens_details.as_ref().map_or(0, |p| p.cached_tokens);
        let beside = [
            self.prompt_cache_hit_tokens,
            self.cached_tokens,
            self.num_cached_tokens,
            self.cache_read_input_tokens,
        ];
        beside.into_iter().fold(inside, u64::max)
    }

    /// Grok on Azure leaves cached tokens out of `prompt_tokens`; that shows where there are more of them.
    fn input(&self, cache_read: u64) -> u64 {
        let prompt = self.prompt().saturating_add(self.citation_tokens);
        if cache_read > self.prompt_tokens { prompt.saturating_add(cache_read) } else { prompt }
    }

    /// Servers of embeddings that say nothing but the total.
    fn prompt(&self) -> u64 {
        if self.prompt_tokens == 0 && self.completion_tokens == 0 {
            self.total_tokens
        } else {
            self.prompt_tokens
        }
    }

    /// Gemini's endpoint for OpenAI's clients counts thoughts in the total alone. What a cache holds may stand there,
    /// too: whoever speaks of a cache is not asked.
    fn unsaid(&self) -> u64 {
        let said = self.prompt().saturating_add(self.completion_tokens);
        self.total_tokens.saturating_sub(said)
    }

    /// One of the names; who says two means the same.
    fn searches(&self) -> u64 {
        let inside = self.prompt_tokens_details.as_ref().map_or(0, |p| p.web_search_requests);
        let tools = self.server_tool_use.as_ref().map_or(0, |t| t.web_search_requests);
        [self.num_search_queries, self.num_sources_used, inside, tools].into_iter().fold(0, u64::max)
    }

    /// xAI leaves reasoning out of `completion_tokens` and puts it into the total, Vercel (for Google's models) and
    /// Perplexity leave it out of both. Others count it in, give or take a few tokens (OpenRouter: 11 of 10).
    fn output(&self, reasoning: u64) -> u64 {
        let apart = self.prompt().saturating_add(self.completion_tokens).saturating_add(reasoning);
        if reasoning > 0 && (self.total_tokens == apart || self.leaves_out(reasoning)) {
            return self.completion_tokens.saturating_add(reasoning);
        }
        self.completion_tokens.max(reasoning)
    }

    /// Whether so much reasoning cannot be part of `completion_tokens`.
    fn leaves_out(&self, reasoning: u64) -> bool {
        let most =
            self.completion_tokens.saturating_add(self.completion_tokens / 8).saturating_add(MISCOUNTED);
        self.citation_tokens > 0 || reasoning > most
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
    fn p12_reasoning_that_stands_beside_the_answer_is_paid_as_well() {
        for (said, output, reasoning) in [
            // Within.
            (
                json!({ "prompt_tokens": 43, "completion_tokens": 10, "total_tokens": 53,
                "completion_tokens_details": { "reasoning_tokens": 11 } }),
                11,
                11,
            ),
            // In the total alone, named and not.
            (
                json!({ "prompt_tokens": 670, "completion_tokens": 25, "total_tokens": 739,
                "completion_tokens_details": { "reasoning_tokens": 44 } }),
                69,
                44,
            ),
            (json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 120 }), 110, 105),
            // In no sum.
            (
                json!({ "prompt_tokens": 219, "completion_tokens": 19, "total_tokens": 238,
                "completion_tokens_details": { "reasoning_tokens": 280 } }),
                299,
                280,
            ),
            // A total that holds a cache says nothing of thoughts.
            (
                json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 1015,
                "cache_creation_input_tokens": 1000 }),
                5,
                0,
            ),
        ] {
            let usage = read(&said);
            assert_eq!((usage.output, usage.reasoning), (output, reasoning), "{said}");
            assert_eq!(read(&serde_json::to_value(ToldUsage::from(&usage)).unwrap()), usage, "{said}");
        }
    }

    #[test]
    fn p12_pages_that_were_read_are_input_and_a_lone_total_is_the_prompt() {
        let deep = read(&json!({ "prompt_tokens": 33, "completion_tokens": 7163, "total_tokens": 7196,
            "citation_tokens": 20016, "num_search_queries": 18, "reasoning_tokens": 7000 }));
        assert_eq!((deep.input, deep.output, deep.reasoning, deep.searches), (20049, 14163, 7000, 18));
        let embedded = read(&json!({ "total_tokens": 9 }));
        assert_eq!((embedded.input, embedded.output), (9, 0));
        let strange = read(&json!({ "prompt_tokens": "x", "completion_tokens": [1], "num_cached_tokens": 3,
            "total_tokens": -1 }));
        assert_eq!((strange.input, strange.output, strange.cache_read), (3, 0, 3));
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
