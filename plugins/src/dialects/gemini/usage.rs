//! Token counts, in both directions.

use crate::dialects::counts::count;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_core::chat::Object;
use weir_core::domain::usage::Usage;

/// `usageMetadata`. Everything optional: the first chunks of a stream leave most of it out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UsageMetadata {
    #[serde(deserialize_with = "count")]
    prompt_token_count: u64,
    /// The Live API and some of Vertex's models say `responseTokenCount`.
    #[serde(alias = "responseTokenCount", deserialize_with = "count")]
    candidates_token_count: u64,
    #[serde(deserialize_with = "count")]
    thoughts_token_count: u64,
    #[serde(deserialize_with = "count")]
    cached_content_token_count: u64,
    /// What Google's own tools put into the prompt; not part of `promptTokenCount`.
    #[serde(deserialize_with = "count")]
    tool_use_prompt_token_count: u64,
    #[serde(deserialize_with = "count")]
    total_token_count: u64,
    prompt_tokens_details: Option<Vec<Modality>>,
    #[serde(alias = "responseTokensDetails")]
    candidates_tokens_details: Option<Vec<Modality>>,
    cache_tokens_details: Option<Vec<Modality>>,
    /// Vertex's word for the tier: `ON_DEMAND_PRIORITY`.
    traffic_type: Value,
    service_tier: Value,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Modality {
    /// A word, or a number where the client asked for numbers.
    modality: Value,
    #[serde(deserialize_with = "count")]
    token_count: u64,
}

/// A modality's word, and its number where modalities are numbers.
type Named = (&'static str, u64);

const IMAGE: Named = ("IMAGE", 2);
const AUDIO: Named = ("AUDIO", 4);

// --- UsageMetadata ---

impl UsageMetadata {
    /// `None` where it counts nothing: Vertex says the kind of traffic with every chunk of a stream, and counts only in the
    /// last one.
    pub(super) fn told(&self) -> Option<Usage> {
        Some(self.usage()).filter(|usage| usage.total() > 0)
    }

    pub(super) fn usage(&self) -> Usage {
        // The prompt's details count what came from the cache as well.
        let new = |kind| self.asked(kind).saturating_sub(self.cached(kind));
        Usage {
            input: self.input(),
            output: self.output(),
            cache_read: self.cached_content_token_count,
            audio_cache_read: self.cached(AUDIO).min(self.cached_content_token_count),
            reasoning: self.thoughts_token_count,
            audio_input: new(AUDIO),
            audio_output: of(AUDIO, self.candidates_tokens_details.as_deref()),
            image_input: new(IMAGE),
            image_output: of(IMAGE, self.candidates_tokens_details.as_deref()),
            ..Usage::default()
        }
        .served_at(self.tier())
    }

    fn tier(&self) -> Option<&'static str> {
        let said = [&self.service_tier, &self.traffic_type].into_iter().find_map(Value::as_str)?;
        let said = said.to_ascii_lowercase();
        let named = ["priority", "flex"].into_iter().find(|tier| said.ends_with(*tier));
        named.or(Some("standard"))
    }

    fn asked(&self, kind: Named) -> u64 {
        of(kind, self.prompt_tokens_details.as_deref())
    }

    fn cached(&self, kind: Named) -> u64 {
        of(kind, self.cache_tokens_details.as_deref())
    }

    fn input(&self) -> u64 {
        self.prompt_token_count.saturating_add(self.tool_use_prompt_token_count)
    }

    /// Thoughts are counted apart from the candidates. Some models include them: then the total says so.
    fn output(&self) -> u64 {
        let inclusive = self.input().saturating_add(self.candidates_token_count) == self.total_token_count;
        if inclusive && self.candidates_token_count >= self.thoughts_token_count {
            return self.candidates_token_count;
        }
        self.candidates_token_count.saturating_add(self.thoughts_token_count)
    }
}

fn of((word, number): Named, details: Option<&[Modality]>) -> u64 {
    let fits = |m: &&Modality| m.modality == word || m.modality.as_u64() == Some(number);
    details.unwrap_or_default().iter().filter(fits).fold(0, |sum, m| sum.saturating_add(m.token_count))
}

/// `usageMetadata` for a client.
pub(super) fn write(usage: &Usage) -> Value {
    let mut out = Object::new();
    out.insert("promptTokenCount".into(), usage.input.into());
    out.insert("candidatesTokenCount".into(), usage.output.saturating_sub(usage.reasoning).into());
    out.insert("totalTokenCount".into(), usage.total().into());
    for (name, count) in
        [("thoughtsTokenCount", usage.reasoning), ("cachedContentTokenCount", usage.cache_read)]
    {
        if count > 0 {
            out.insert(name.into(), count.into());
        }
    }
    let heard = usage.audio_input.saturating_add(usage.audio_cache_read);
    let special = [(AUDIO, heard), (IMAGE, usage.image_input)];
    details(&mut out, "promptTokensDetails", usage.input, special);
    details(&mut out, "cacheTokensDetails", usage.cache_read, [(AUDIO, usage.audio_cache_read), (IMAGE, 0)]);
    let special = [(AUDIO, usage.audio_output), (IMAGE, usage.image_output)];
    details(&mut out, "candidatesTokensDetails", usage.output.saturating_sub(usage.reasoning), special);
    Value::Object(out)
}

/// Text, and what is not text; nothing where all is text.
fn details(out: &mut Object, name: &str, all: u64, special: [(Named, u64); 2]) {
    let others = special.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count));
    if others == 0 {
        return;
    }
    let mut details = vec![json!({ "modality": "TEXT", "tokenCount": all.saturating_sub(others) })];
    for ((word, _), count) in special.iter().filter(|(_, count)| *count > 0) {
        details.push(json!({ "modality": word, "tokenCount": count }));
    }
    out.insert(name.into(), details.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::model::prices::ServiceTier;

    fn read(json: Value) -> Usage {
        serde_json::from_value::<UsageMetadata>(json).unwrap().usage()
    }

    #[test]
    fn p12_every_token_is_counted_once() {
        let usage = read(json!({
            "promptTokenCount": 100, "toolUsePromptTokenCount": 20, "cachedContentTokenCount": 40,
            "candidatesTokenCount": 30, "thoughtsTokenCount": 50, "totalTokenCount": 200,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 90}, {"modality": "AUDIO", "tokenCount": 10},
                {"modality": "IMAGE", "tokenCount": 25}],
            "candidatesTokensDetails": [{"modality": 4, "tokenCount": 7}, {"modality": 2, "tokenCount": 12}],
        }));
        let expected = Usage {
            input: 120,
            output: 80,
            cache_read: 40,
            reasoning: 50,
            audio_input: 10,
            audio_output: 7,
            image_input: 25,
            image_output: 12,
            ..Usage::default()
        };
        assert_eq!(usage, expected);
    }

    #[test]
    fn p12_what_a_cache_holds_of_sound_and_pictures_is_counted_once() {
        let usage = read(json!({
            "promptTokenCount": 1000, "cachedContentTokenCount": 900, "totalTokenCount": 1000,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 700}, {"modality": "IMAGE", "tokenCount": 258}],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 650}, {"modality": "IMAGE", "tokenCount": 250}],
        }));
        let expected = Usage {
            input: 1000,
            cache_read: 900,
            audio_cache_read: 650,
            audio_input: 50,
            image_input: 8,
            ..Usage::default()
        };
        assert_eq!(usage, expected);
        assert_eq!(read(write(&usage)), usage);
    }

    #[test]
    fn p12_thoughts_inside_the_candidates_are_not_added() {
        let usage =
            read(json!({ "promptTokenCount": 10, "candidatesTokenCount": 30, "thoughtsTokenCount": 20,
            "totalTokenCount": 40 }));
        assert_eq!((usage.output, usage.reasoning), (30, 20));
    }

    #[test]
    fn p12_the_tier_is_read_in_either_word() {
        for (said, expected) in [
            (json!({ "trafficType": "ON_DEMAND_PRIORITY" }), Some(ServiceTier::Priority)),
            (json!({ "trafficType": "ON_DEMAND_FLEX", "serviceTier": null }), Some(ServiceTier::Flex)),
            (json!({ "serviceTier": "priority" }), Some(ServiceTier::Priority)),
            (json!({ "trafficType": "ON_DEMAND" }), Some(ServiceTier::Standard)),
            (json!({ "trafficType": 3, "serviceTier": {} }), None),
            (json!({}), None),
        ] {
            assert_eq!(read(said.clone()).tier, expected, "{said}");
        }
    }

    #[test]
    fn counts_come_back() {
        let usage = Usage {
            input: 9,
            output: 8,
            cache_read: 3,
            reasoning: 2,
            audio_input: 1,
            image_input: 4,
            image_output: 5,
            ..Usage::default()
        };
        assert_eq!(read(write(&usage)), usage);
    }

    #[test]
    fn counts_may_be_null_text_or_float() {
        let usage = read(
            json!({ "promptTokenCount": "12", "candidatesTokenCount": 3.0, "thoughtsTokenCount": null }),
        );
        assert_eq!((usage.input, usage.output), (12, 3));
    }
}
