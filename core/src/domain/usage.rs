//! Token counts, normalised: `input` includes what was read from or written to a cache, `output` includes reasoning.

use crate::model::prices::ServiceTier;
use serde::{Deserialize, Serialize};

/// What one attempt consumed, in tokens, except where a member says otherwise.
///
/// What is missing is none, so that ledger rows stay readable. A new member gets a new layout in the ledger's journal,
/// which does not describe itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// All input tokens, cached ones included (OpenAI's `prompt_tokens`).
    pub input: u64,
    /// All output tokens, reasoning included (OpenAI's `completion_tokens`).
    pub output: u64,
    pub cache_read: u64,
    /// Audio among `cache_read`; not in `audio_input`.
    pub audio_cache_read: u64,
    /// Written to a cache with the provider's short lifetime (5 minutes).
    pub cache_write: u64,
    pub cache_write_1h: u64,
    pub reasoning: u64,
    pub audio_input: u64,
    pub audio_output: u64,
    /// Tokens of pictures, part of `input` and of `output`.
    pub image_input: u64,
    pub image_output: u64,
    /// Web searches that the provider ran. Not tokens, and charged by the piece.
    pub searches: u64,
    /// As the provider says that it served: no count, but which prices the counts have. `None`: it did not say. Ledger and
    /// journal keep it beside the counts.
    #[serde(skip)]
    pub tier: Option<ServiceTier>,
}

impl Usage {
    /// With the tier that the provider names, where it names one.
    #[must_use]
    pub fn served_at(self, tier: Option<&str>) -> Usage {
        Usage { tier: tier.map(ServiceTier::from_name).or(self.tier), ..self }
    }

    /// With this tier, where none is named.
    #[must_use]
    pub fn or_at(self, tier: Option<ServiceTier>) -> Usage {
        Usage { tier: self.tier.or(tier), ..self }
    }

    /// The word for its tier; `None` for the standard one.
    pub fn tier_name(&self) -> Option<&'static str> {
        self.tier.and_then(ServiceTier::name)
    }

    pub fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Whether this count, a later one of the same answer than `before`, holds more of its output.
    pub fn counts_more(&self, before: Option<&Usage>) -> bool {
        self.output > before.map_or(0, |before| before.output)
    }

    /// With output that came behind the count, of an answer that was cut off.
    #[must_use]
    pub fn and_output(self, uncounted: u64) -> Usage {
        Usage { output: self.output.saturating_add(uncounted), ..self }
    }

    /// What both consumed; one answer has one tier.
    #[must_use]
    pub fn plus(&self, more: &Usage) -> Usage {
        let sum = |part: fn(&Usage) -> u64| part(self).saturating_add(part(more));
        Usage {
            input: sum(|u| u.input),
            output: sum(|u| u.output),
            cache_read: sum(|u| u.cache_read),
            audio_cache_read: sum(|u| u.audio_cache_read),
            cache_write: sum(|u| u.cache_write),
            cache_write_1h: sum(|u| u.cache_write_1h),
            reasoning: sum(|u| u.reasoning),
            audio_input: sum(|u| u.audio_input),
            audio_output: sum(|u| u.audio_output),
            image_input: sum(|u| u.image_input),
            image_output: sum(|u| u.image_output),
            searches: sum(|u| u.searches),
            tier: self.tier.max(more.tier),
        }
    }
}

/// Where a usage comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UsageSource {
    /// Nothing was consumed, as far as anyone knows.
    #[default]
    None,
    /// The provider said so.
    Reported,
    /// Counted or estimated by us, because the provider did not say.
    Estimated,
}
